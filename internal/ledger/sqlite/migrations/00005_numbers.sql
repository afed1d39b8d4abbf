-- Which orders have a number, of whatever tenant.

-- +goose Up

CREATE INDEX numbers_everybody ON numbers (number, serial);
