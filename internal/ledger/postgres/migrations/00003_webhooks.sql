-- +goose Up

-- Who is to be told. Its row is locked by whoever adds to its deliveries, makes them pending again, or removes them all.
CREATE TABLE endpoints (
    endpoint_id text    COLLATE "C" NOT NULL PRIMARY KEY,
    tenant      text    COLLATE "C" NOT NULL,
    version     bigint  NOT NULL,
    disabled    boolean NOT NULL,
    cursor      bigint  NOT NULL,
    content     bytea   NOT NULL,
    created     bigint  NOT NULL
);
CREATE INDEX endpoints_tenant ON endpoints (tenant, created, endpoint_id);

CREATE TABLE deliveries (
    endpoint_id text    COLLATE "C" NOT NULL,
    sequence    bigint  NOT NULL,
    order_id    text    COLLATE "C" NOT NULL,
    at          bigint  NOT NULL,
    state       text    COLLATE "C" NOT NULL,
    attempt     integer NOT NULL,
    due         bigint  NOT NULL,
    fence       bigint  NOT NULL,
    content     bytea   NOT NULL,
    PRIMARY KEY (endpoint_id, sequence)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

-- What is listed by state.
CREATE INDEX deliveries_state ON deliveries (endpoint_id, state, sequence);
-- What is pending of an order, in turn.
CREATE INDEX deliveries_pending ON deliveries (endpoint_id, order_id, sequence) WHERE state = 'PENDING';
-- What may be forgotten.
CREATE INDEX deliveries_over ON deliveries (at) WHERE state <> 'PENDING';

-- One row for each order of which something is pending at an endpoint: its first pending delivery, the only one that may be
-- handed out. Whoever changes what is pending of an order locks its row before.
CREATE TABLE queues (
    endpoint_id text   COLLATE "C" NOT NULL,
    order_id    text   COLLATE "C" NOT NULL,
    sequence    bigint NOT NULL,
    due         bigint NOT NULL,
    PRIMARY KEY (endpoint_id, order_id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
CREATE INDEX queues_due ON queues (endpoint_id, due, sequence);
