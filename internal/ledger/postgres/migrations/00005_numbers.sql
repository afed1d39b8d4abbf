-- +goose NO TRANSACTION
-- +goose Up

-- Which orders have a number, of whatever tenant. Claims wait while it is made, some seconds for a million orders; it is not made
-- concurrently, for that would wait for a replica that waits for this migration.
CREATE INDEX IF NOT EXISTS numbers_everybody ON numbers (number, order_id);
