-- +goose NO TRANSACTION
-- +goose Up

-- Replicas of version 1 go on while this runs and afterwards: what is added has a default, and nothing is locked for longer
-- than one statement takes. Each statement may be run again, for where this was cut off.

-- The request_id of an order that was placed elsewhere is its order_id behind a word, so that it is nobody's key.
ALTER TABLE orders
    ADD COLUMN IF NOT EXISTS elsewhere   boolean NOT NULL DEFAULT false,
    -- Empty, as version 1 leaves it, is the order itself.
    ADD COLUMN IF NOT EXISTS history     text    COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS predecessor text    COLLATE "C" NOT NULL DEFAULT '',
    -- All above is written once.
    ADD COLUMN IF NOT EXISTS successor   text    COLLATE "C" NOT NULL DEFAULT '',
    -- Which numbers an order with a successor has not handed on, and whether an order guards those of one that it corrects.
    ADD COLUMN IF NOT EXISTS kept        text[]  COLLATE "C" NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS guards      boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS validated   boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS rejects     bytea   NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS checked     bigint  NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS progressed  bigint  NOT NULL DEFAULT 0,
    -- Whether who wrote the state knew that accepted orders are followed. Version 1 accepts them without a time at which they
    -- are due.
    ADD COLUMN IF NOT EXISTS followed    boolean NOT NULL DEFAULT false;

-- Where the order stood before an event's change and after it, both 0 in what version 1 writes; and how it was after it, of
-- which version 1 says nothing. An event's tenant and predecessor are its order's, which never change, and are not kept twice.
ALTER TABLE events
    ADD COLUMN IF NOT EXISTS stood     smallint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS stands    smallint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS validated boolean  NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS disputing boolean  NOT NULL DEFAULT false,
    -- JSON, as in an order, of codes alone.
    ADD COLUMN IF NOT EXISTS attention text     COLLATE "C" NOT NULL DEFAULT '[]',
    ADD COLUMN IF NOT EXISTS successor text     COLLATE "C" NOT NULL DEFAULT '';

-- The orders of a row but for its first, which is found by its ID.
CREATE INDEX IF NOT EXISTS orders_history ON orders (tenant, history) WHERE history <> '' AND history <> order_id;
-- Accepted orders by category, but for those that are closed.
CREATE INDEX IF NOT EXISTS orders_open ON orders (standing) WHERE state = 5 AND standing <> 54;
-- Those of them that version 1 accepted. Take makes them due: see adoptAccepted.
CREATE INDEX IF NOT EXISTS orders_unfollowed ON orders (order_id) WHERE state = 5 AND standing <> 54 AND NOT followed;

UPDATE orders SET due = CASE WHEN due <> 0 THEN due WHEN settled <> 0 THEN settled ELSE updated END, followed = true
    WHERE order_id = ANY (ARRAY(SELECT order_id FROM orders WHERE state = 5 AND standing <> 54 AND NOT followed FOR UPDATE SKIP LOCKED))
        AND state = 5 AND standing <> 54 AND NOT followed;
