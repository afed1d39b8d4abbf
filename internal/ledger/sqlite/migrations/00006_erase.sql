-- Orders whose personal data was removed. The column has a default, so that a binary that does not know it can go on writing.

-- +goose Up

ALTER TABLE orders ADD COLUMN erased INTEGER NOT NULL DEFAULT 0;

-- The orders that are over and not erased, the longest unchanged first: in NOT_SENT (the classes 40 and 41), REFUSED (60 and 61), or
-- closed (108 and 109), but for those that guard numbers.
CREATE INDEX orders_unerased ON orders (updated) WHERE erased = 0 AND class IN (40, 41, 60, 61, 108, 109)
    AND (guards = 0 OR class IN (108, 109) AND status = 'COMPLETED');
