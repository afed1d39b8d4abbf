-- When an operator said that an order is over. The column has a default, so that a binary that does not know it can go on writing.

-- +goose Up

ALTER TABLE orders ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;
