-- Orders that are followed and corrected. All columns have a default, so that a binary that does not know them can go on writing.

-- +goose Up

-- history is empty for an order that corrects none: then its own id is meant.
ALTER TABLE orders ADD COLUMN elsewhere   INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN history     TEXT    NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN predecessor TEXT    NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN successor   TEXT    NOT NULL DEFAULT '';
-- Which numbers an order with a successor has not handed on, and whether an order guards those of one that it corrects.
ALTER TABLE orders ADD COLUMN kept        TEXT    NOT NULL DEFAULT '[]';
ALTER TABLE orders ADD COLUMN guards      INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN validated   INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN rejects     BLOB;
ALTER TABLE orders ADD COLUMN checked     INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN progressed  INTEGER NOT NULL DEFAULT 0;

-- The standing before and after, as in orders.class; now_stands is 0 in events of a binary that did not know it.
ALTER TABLE events ADD COLUMN was        INTEGER NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN now_stands INTEGER NOT NULL DEFAULT 0;

-- How the order was after an event; a binary that did not know these columns has not said it. An event's predecessor is its
-- order's, which never changes, and is not kept twice.
ALTER TABLE events ADD COLUMN validated INTEGER NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN disputing INTEGER NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN attention TEXT    NOT NULL DEFAULT '[]';
ALTER TABLE events ADD COLUMN successor TEXT    NOT NULL DEFAULT '';

CREATE INDEX orders_history ON orders (tenant, history, created, order_id) WHERE history <> '';

-- The accepted orders that are not closed: 102 to 107 are the classes of the standings 51 to 53.
CREATE INDEX orders_open ON orders (class) WHERE class BETWEEN 102 AND 107;

-- Nobody has followed them yet.
UPDATE orders SET due = CASE settled WHEN 0 THEN updated ELSE settled END WHERE class BETWEEN 102 AND 107 AND due = 0;
