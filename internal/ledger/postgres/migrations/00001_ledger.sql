-- +goose Up

-- Every text is compared byte by byte, as Go does: lists are sorted, and keys told apart, by the same rule everywhere.
-- Times are microseconds since 1970, 0 for none; durations are nanoseconds.

-- The ledger itself: one row.
CREATE TABLE ledger (
    one      boolean NOT NULL DEFAULT true PRIMARY KEY CHECK (one),
    id       text    COLLATE "C" NOT NULL,
    carrier  text    COLLATE "C" NOT NULL,
    -- The sequence of the latest event. Its row is locked by every transaction that writes one, as the last thing that it
    -- does, until it is committed.
    sequence bigint  NOT NULL DEFAULT 0,
    -- What Check writes.
    probe    bigint  NOT NULL DEFAULT 0
) WITH (fillfactor = 10);

CREATE TABLE orders (
    order_id           text     COLLATE "C" NOT NULL PRIMARY KEY,
    tenant             text     COLLATE "C" NOT NULL,
    request_id         text     COLLATE "C" NOT NULL,
    carrier_account    text     COLLATE "C" NOT NULL,
    target             text     COLLATE "C" NOT NULL,
    customer_reference text     COLLATE "C" NOT NULL,
    content            bytea    NOT NULL,
    numbers            text[]   COLLATE "C" NOT NULL,
    created            bigint   NOT NULL,
    -- All above is written once.
    warnings           bytea    NOT NULL,
    state              smallint NOT NULL,
    -- The state and the category in one number, and whether there is a reason for attention: derived, to find orders by.
    standing           smallint NOT NULL,
    needs_attention    boolean  NOT NULL,
    attempt            integer  NOT NULL,
    owner              text     COLLATE "C" NOT NULL,
    lease              bigint   NOT NULL,
    due                bigint   NOT NULL,
    fence              bigint   NOT NULL,
    looks              text[]   COLLATE "C" NOT NULL,
    look_failed        boolean  NOT NULL,
    reply              text     COLLATE "C" NOT NULL,
    ticket             text     COLLATE "C" NOT NULL,
    message            text     COLLATE "C" NOT NULL,
    error_id           text     COLLATE "C" NOT NULL,
    reason             text     COLLATE "C" NOT NULL,
    problem            text     COLLATE "C" NOT NULL,
    retry_after        bigint   NOT NULL,
    doubt_since        bigint   NOT NULL,
    doubt_asked        integer  NOT NULL,
    doubt_finding      text     COLLATE "C" NOT NULL,
    doubt_agreed       integer  NOT NULL,
    doubt_counted      bigint   NOT NULL,
    -- A JSON list. Not jsonb: nothing looks into it, and it comes back as it was written.
    attention          text     COLLATE "C" NOT NULL,
    status             text     COLLATE "C" NOT NULL,
    disputing          boolean  NOT NULL,
    port_date          text     COLLATE "C" NOT NULL,
    updated            bigint   NOT NULL,
    claimed            bigint   NOT NULL,
    settled            bigint   NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

-- What decides races. The names are known to the code.
CREATE UNIQUE INDEX orders_key ON orders (tenant, request_id);
CREATE UNIQUE INDEX orders_ticket ON orders (ticket, carrier_account) WHERE ticket <> '';

-- What List walks, each from its newest order on. What is included is there to pass an order by without a look at its row.
CREATE INDEX orders_created ON orders (tenant, created, order_id) INCLUDE (updated);
CREATE INDEX orders_standing ON orders (tenant, standing, needs_attention, created, order_id) INCLUDE (updated);
CREATE INDEX orders_reference ON orders (tenant, customer_reference, standing, needs_attention, created, order_id)
    INCLUDE (updated) WHERE customer_reference <> '';
CREATE INDEX orders_updated ON orders (tenant, updated);
-- Spans of update time, of 67 s, 36 min, 19 h and 25 days, each in the order of creation.
CREATE INDEX orders_span_26 ON orders (tenant, (updated >> 26), created, order_id) INCLUDE (updated, standing, needs_attention);
CREATE INDEX orders_span_31 ON orders (tenant, (updated >> 31), created, order_id) INCLUDE (updated, standing, needs_attention);
CREATE INDEX orders_span_36 ON orders (tenant, (updated >> 36), created, order_id) INCLUDE (updated, standing, needs_attention);
CREATE INDEX orders_span_41 ON orders (tenant, (updated >> 41), created, order_id) INCLUDE (updated, standing, needs_attention);

-- What periodic work and the operator's gauges look at: as large as what is not over, not as the ledger.
CREATE INDEX orders_due ON orders (state, due, order_id) WHERE due <> 0;
CREATE INDEX orders_unsettled ON orders (state, order_id) WHERE state IN (1, 4);
CREATE INDEX orders_attention ON orders (order_id) WHERE needs_attention;

-- Which orders ask for a number, over or not. Written once; tenant and created are the order's, so that a list needs only this.
CREATE TABLE numbers (
    order_id text   COLLATE "C" NOT NULL,
    number   text   COLLATE "C" NOT NULL,
    tenant   text   COLLATE "C" NOT NULL,
    created  bigint NOT NULL
);
CREATE INDEX numbers_list ON numbers (tenant, number, created, order_id);

-- Which orders hold a number: one row for a number that is held, the order that has held it longest first, and no row for
-- one that is free. The primary key decides whose it is.
CREATE TABLE holds (
    number    text   COLLATE "C" NOT NULL PRIMARY KEY,
    order_ids text[] COLLATE "C" NOT NULL CHECK (cardinality(order_ids) > 0)
);

CREATE TABLE events (
    sequence   bigint   NOT NULL PRIMARY KEY,
    order_id   text     COLLATE "C" NOT NULL,
    at         bigint   NOT NULL,
    actor_kind text     COLLATE "C" NOT NULL,
    actor_name text     COLLATE "C" NOT NULL,
    type       text     COLLATE "C" NOT NULL,
    attempt    integer  NOT NULL,
    state      smallint NOT NULL,
    status     text     COLLATE "C" NOT NULL,
    ticket     text     COLLATE "C" NOT NULL,
    port_date  text     COLLATE "C" NOT NULL,
    unverified boolean  NOT NULL,
    note       text     COLLATE "C" NOT NULL
);
CREATE INDEX events_order ON events (order_id, sequence);
