-- Who is to be told what happens, and what became of it.

-- +goose Up

-- The serial is never used again, so that nothing of an endpoint that is deleted can pass for another one's.
CREATE TABLE endpoints (
    serial      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    endpoint_id TEXT    NOT NULL,
    tenant      TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    disabled    INTEGER NOT NULL,
    cursor      INTEGER NOT NULL,
    content     BLOB,
    created     INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX endpoints_id ON endpoints (endpoint_id);
CREATE INDEX endpoints_tenant ON endpoints (tenant, created, endpoint_id);
CREATE INDEX endpoints_created ON endpoints (created, endpoint_id);

-- first is 1 for the pending delivery of an order that has the lowest sequence, which alone may be handed out.
CREATE TABLE deliveries (
    endpoint INTEGER NOT NULL REFERENCES endpoints (serial),
    sequence INTEGER NOT NULL,
    order_id TEXT    NOT NULL,
    time     INTEGER NOT NULL,
    state    TEXT    NOT NULL,
    first    INTEGER NOT NULL,
    attempt  INTEGER NOT NULL,
    due      INTEGER NOT NULL,
    fence    INTEGER NOT NULL,
    content  BLOB,
    PRIMARY KEY (endpoint, sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX deliveries_state ON deliveries (endpoint, state, sequence);

-- Work at a cost that does not grow with what was delivered.
CREATE UNIQUE INDEX deliveries_marked ON deliveries (endpoint, order_id) WHERE first = 1;
CREATE INDEX deliveries_first ON deliveries (endpoint, due) WHERE first = 1;
CREATE INDEX deliveries_pending ON deliveries (endpoint, order_id, sequence) WHERE state = 'PENDING';
CREATE INDEX deliveries_over ON deliveries (time) WHERE state <> 'PENDING';
