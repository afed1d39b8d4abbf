-- Which tenant has adopted what was there before tenants were told apart; empty while none has.

-- +goose Up

ALTER TABLE ledger ADD COLUMN adopted_by TEXT NOT NULL DEFAULT '';
