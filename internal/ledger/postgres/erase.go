package postgres

import (
	"context"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/portin/portin/internal/ledger"
)

const (
	// findErasable repeats the condition of its partial index.
	findErasable = `SELECT order_id FROM orders WHERE erased = 0 AND standing IN (20, 30, 54)
		AND (NOT guards OR standing = 54 AND status = 'COMPLETED') AND updated < $1 ORDER BY updated, order_id LIMIT $2`

	eraseContents = `UPDATE orders SET customer_reference = '', content = '', numbers = '{}' WHERE order_id = $1`
	eraseNumbers  = `DELETE FROM numbers WHERE number = ANY($2::text[]) AND order_id = $1`
	eraseEvents   = `UPDATE events e SET note = n.note, ticket = n.ticket, port_date = n.port_date, status = n.status
		FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[]) AS n (sequence, note, ticket, port_date, status)
		WHERE e.sequence = n.sequence`
)

// Erasable returns orders that are over and were not erased.
func (s *Store) Erasable(ctx context.Context, before time.Time, limit int) (ids []string, err error) {
	err = s.call(ctx, "look for orders to erase", func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, findErasable, bound(before), max(limit, 0))
		if err != nil {
			return err
		}
		ids, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return nil, err
	}
	return none(ids), nil
}

// Erase removes the personal data of an order. Its row is locked from before it is looked at until all is committed: of two that
// erase it one does, and the other finds it erased. The rows as they were stay in the table's file until it is vacuumed.
func (s *Store) Erase(ctx context.Context, orderID string, e ledger.Erasure) (ledger.Record, error) {
	return s.change(ctx, "erase an order", func(ctx context.Context, tx *writing) (ledger.Record, error) {
		now, err := one(ctx, tx, "order_id = $1 FOR UPDATE", clean(orderID))
		if err != nil {
			return ledger.Record{}, err
		}
		next, event, err := e.Apply(now)
		if err != nil {
			return now, refuse(err)
		}
		next = atRest(next)
		if err := tx.erase(ctx, now); err != nil {
			return ledger.Record{}, err
		}
		if err := tx.update(ctx, next); err != nil {
			return ledger.Record{}, err
		}
		return next, tx.tell(ctx, event)
	})
}

// erase removes what update leaves: what the first claim fixed, the numbers that lead to the order, and what its events say. An
// order that is over holds none of its numbers.
func (tx *writing) erase(ctx context.Context, now ledger.Record) error {
	if _, err := tx.Exec(ctx, eraseContents, now.OrderID); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, eraseNumbers, now.OrderID, sorted(now.Numbers)); err != nil {
		return err
	}
	past, err := readEvents(ctx, tx, eventsOf(now.OrderID, 0, math.MaxInt32))
	if err != nil {
		return err
	}
	var sequences []int64
	var notes, tickets, days, words []string
	for _, e := range past {
		e = e.Erase()
		sequences, notes = append(sequences, e.Sequence), append(notes, e.Note)
		tickets, days, words = append(tickets, e.Ticket), append(days, e.PortDate), append(words, string(e.Status))
	}
	_, err = tx.Exec(ctx, eraseEvents, sequences, notes, tickets, days, words)
	return err
}
