-- The first shape of the ledger. Landed migrations are frozen: a later one adds, and takes nothing away, so that a binary
-- of yesterday runs on the shape of tomorrow.
--
-- Times are microseconds since 1970, 0 for none. Lists are JSON.

-- +goose Up

-- One row: what the ledger is, the sequence of its latest event, and a place to write to when somebody asks whether
-- writing works.
CREATE TABLE ledger (
    one      INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    id       TEXT    NOT NULL,
    carrier  TEXT    NOT NULL,
    sequence INTEGER NOT NULL,
    probe    INTEGER NOT NULL
) STRICT;

-- What changes in the life of an order, and what orders are found by. needs_attention is whether attention has anything in it.
-- class is the standing (the state and the category in one number) and needs_attention in one number, length is roughly how long
-- after its creation the order was changed, and span both of them: class.go makes them.
CREATE TABLE orders (
    serial             INTEGER NOT NULL PRIMARY KEY,
    order_id           TEXT    NOT NULL,
    tenant             TEXT    NOT NULL,
    request_id         TEXT    NOT NULL,
    carrier_account    TEXT    NOT NULL,
    target             TEXT    NOT NULL,
    customer_reference TEXT    NOT NULL,
    state              INTEGER NOT NULL,
    needs_attention    INTEGER NOT NULL,
    class              INTEGER NOT NULL,
    length             INTEGER NOT NULL,
    span               INTEGER NOT NULL,
    attempt            INTEGER NOT NULL,
    owner              TEXT    NOT NULL,
    lease_ns           INTEGER NOT NULL,
    due                INTEGER NOT NULL,
    fence              INTEGER NOT NULL,
    warnings           BLOB,
    looks              TEXT    NOT NULL,
    look_failed        INTEGER NOT NULL,
    reply              TEXT    NOT NULL,
    ticket             TEXT    NOT NULL,
    message            TEXT    NOT NULL,
    error_id           TEXT    NOT NULL,
    reason             TEXT    NOT NULL,
    problem            TEXT    NOT NULL,
    retry_after_ns     INTEGER NOT NULL,
    doubt_since        INTEGER NOT NULL,
    doubt_asked        INTEGER NOT NULL,
    doubt_finding      TEXT    NOT NULL,
    doubt_agreed       INTEGER NOT NULL,
    doubt_counted      INTEGER NOT NULL,
    attention          TEXT    NOT NULL,
    status             TEXT    NOT NULL,
    disputing          INTEGER NOT NULL,
    port_date          TEXT    NOT NULL,
    created            INTEGER NOT NULL,
    updated            INTEGER NOT NULL,
    claimed            INTEGER NOT NULL,
    settled            INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX orders_id ON orders (order_id);
CREATE UNIQUE INDEX orders_key ON orders (tenant, request_id);
CREATE UNIQUE INDEX orders_ticket ON orders (ticket, carrier_account) WHERE ticket <> '';

-- Lists are merged from one ordered stream for each class, length or span: see merge.go and touched.go.
CREATE INDEX orders_class ON orders (tenant, class, created, order_id);
CREATE INDEX orders_length ON orders (tenant, length, created, order_id, updated);
CREATE INDEX orders_span ON orders (tenant, span, created, order_id, updated);
CREATE INDEX orders_reference ON orders (tenant, customer_reference, span, created, order_id, updated) WHERE customer_reference <> '';
CREATE INDEX orders_updated ON orders (tenant, updated, class, created, order_id);

-- Periodic work, and what an operator has to know of, at a cost that does not grow with the orders that are over.
CREATE INDEX orders_due ON orders (state, due) WHERE due <> 0;
CREATE INDEX orders_unsettled ON orders (state) WHERE state IN (1, 4);
CREATE INDEX orders_attention ON orders (needs_attention) WHERE needs_attention = 1;

-- What the first claim fixed and only a whole record needs.
CREATE TABLE contents (
    serial  INTEGER NOT NULL PRIMARY KEY REFERENCES orders (serial),
    content BLOB,
    numbers TEXT    NOT NULL
) STRICT;

-- Which orders have which number. held: 0 is not held, 1 is held by this order, 2 is held by this order beside another one
-- that has 1.
CREATE TABLE numbers (
    tenant   TEXT    NOT NULL,
    number   TEXT    NOT NULL,
    created  INTEGER NOT NULL,
    order_id TEXT    NOT NULL,
    serial   INTEGER NOT NULL REFERENCES orders (serial),
    held     INTEGER NOT NULL,
    PRIMARY KEY (tenant, number, created, order_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX numbers_held ON numbers (number) WHERE held = 1;
CREATE INDEX numbers_beside ON numbers (number) WHERE held = 2;

-- Written once, never changed.
CREATE TABLE events (
    sequence   INTEGER NOT NULL PRIMARY KEY,
    serial     INTEGER NOT NULL REFERENCES orders (serial),
    time       INTEGER NOT NULL,
    actor_kind TEXT    NOT NULL,
    actor_name TEXT    NOT NULL,
    type       TEXT    NOT NULL,
    attempt    INTEGER NOT NULL,
    state      INTEGER NOT NULL,
    status     TEXT    NOT NULL,
    ticket     TEXT    NOT NULL,
    port_date  TEXT    NOT NULL,
    unverified INTEGER NOT NULL,
    note       TEXT    NOT NULL
) STRICT;

CREATE INDEX events_order ON events (serial);
