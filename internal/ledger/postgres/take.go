package postgres

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

const (
	takeDue = `WITH picked AS MATERIALIZED (
			SELECT order_id AS id, due AS was FROM orders WHERE state = $1 AND due <> 0 AND due <= $2
			ORDER BY due, order_id LIMIT $3 FOR UPDATE SKIP LOCKED
		)
		UPDATE orders SET due = $4, fence = fence + 1 FROM picked WHERE order_id = id RETURNING was, ` + recordColumns

	// adoptAccepted makes due what version 1 has accepted. The locks are those of Take.
	adoptAccepted = `UPDATE orders SET due = CASE WHEN due <> 0 THEN due WHEN settled <> 0 THEN settled ELSE updated END, followed = true
		WHERE order_id = ANY (ARRAY(
			SELECT order_id FROM orders WHERE state = 5 AND standing <> 54 AND NOT followed LIMIT $1 FOR UPDATE SKIP LOCKED))`

	readSending = `SELECT order_id, attempt, owner, lease FROM orders WHERE state = $1 ORDER BY order_id`
)

// adopted is how many orders are adopted in one turn at the most.
const adopted = 1000

// Take hands out orders that something is due for. Takers pass over the rows that another one has locked and then find
// them due later; a row that is not due any more once its lock is free is dropped by the server.
// While replicas of version 1 are still at work they accept orders without a time to look at them; those are adopted first.
func (s *Store) Take(ctx context.Context, t ledger.Turn) ([]ledger.Record, error) {
	if t.Limit < 1 {
		return nil, nil
	}
	type taken struct {
		ledger.Record
		was int64
	}
	var all []taken
	err := s.write(ctx, "take orders that are due", func(ctx context.Context, tx *writing) error {
		if t.State == order.Accepted {
			if _, err := tx.Exec(ctx, adoptAccepted, adopted); err != nil {
				return err
			}
		}
		rows, err := tx.Query(ctx, takeDue, int16(t.State), micros(t.Now), t.Limit, micros(t.Until))
		if err != nil {
			return err
		}
		all, err = pgx.AppendRows(all[:0], rows, func(row pgx.CollectableRow) (one taken, err error) {
			one.Record, err = scan(row, &one.was)
			return one, err
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b taken) int {
		return cmp.Or(cmp.Compare(a.was, b.was), cmp.Compare(a.OrderID, b.OrderID))
	})
	var records []ledger.Record
	for _, one := range all {
		records = append(records, one.Record)
	}
	return records, nil
}

// Sending returns who is sending which orders.
func (s *Store) Sending(ctx context.Context) (leases []ledger.Lease, err error) {
	err = s.call(ctx, "read who is sending", func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, readSending, int16(order.Sending))
		if err != nil {
			return err
		}
		leases, err = pgx.AppendRows(leases[:0], rows, func(row pgx.CollectableRow) (l ledger.Lease, err error) {
			err = row.Scan(&l.OrderID, &l.Attempt, &l.Owner, &l.Term)
			return l, err
		})
		return err
	})
	return leases, err
}
