-- +goose Up

-- Which tenant has adopted what was there before tenants were told apart; empty while none has.
ALTER TABLE ledger ADD COLUMN adopted_by text COLLATE "C" NOT NULL DEFAULT '';
