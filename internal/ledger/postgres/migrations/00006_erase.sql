-- +goose NO TRANSACTION
-- +goose Up

-- When the personal data of an order was removed. Replicas that do not know it go on: it has a default. Each statement may be run
-- again, for where this was cut off.
ALTER TABLE orders ADD COLUMN IF NOT EXISTS erased bigint NOT NULL DEFAULT 0;

-- The orders that are over and not erased, the longest unchanged first: in NOT_SENT, REFUSED or closed, but for those that guard
-- numbers.
CREATE INDEX IF NOT EXISTS orders_unerased ON orders (updated, order_id) WHERE erased = 0 AND standing IN (20, 30, 54)
    AND (NOT guards OR standing = 54 AND status = 'COMPLETED');
