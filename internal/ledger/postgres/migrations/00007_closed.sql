-- +goose NO TRANSACTION
-- +goose Up

-- When an operator said that an order is over. Replicas that do not know it go on: it has a default. The statement may be run
-- again, for where this was cut off.
ALTER TABLE orders ADD COLUMN IF NOT EXISTS closed bigint NOT NULL DEFAULT 0;
