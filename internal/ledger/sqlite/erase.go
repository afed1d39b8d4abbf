package sqlite

import (
	"context"
	"math"
	"time"

	"github.com/portin/portin/internal/ledger"
)

// What is removed overwrites what was there: see connect. In the log, older copies of pages stay until the log begins again and
// passes their place, or the store is closed.

// ordersUnerased finds orders that are over; the condition of the partial index is repeated word for word.
const ordersUnerased = `SELECT order_id FROM orders INDEXED BY orders_unerased WHERE erased = 0 AND class IN (40, 41, 60, 61, 108, 109)
	AND (guards = 0 OR class IN (108, 109) AND status = 'COMPLETED') AND updated < ? ORDER BY updated LIMIT ?`

// Erasable returns orders that are over and were not erased; see ledger.Work.
func (s *Store) Erasable(ctx context.Context, before time.Time, limit int) (ids []string, err error) {
	err = s.reader.read(ctx, func(l *line) error {
		return l.each(ctx, ordersUnerased, []any{up(before), limit}, func(from row) error {
			var id string
			err := from.Scan(&id)
			ids = append(ids, id)
			return err
		})
	})
	if err != nil {
		return nil, doing("look for orders to erase", err)
	}
	return ids, nil
}

// Erase removes the personal data of an order; see ledger.Orders.
func (s *Store) Erase(ctx context.Context, orderID string, e ledger.Erasure) (ledger.Record, error) {
	var is ledger.Record
	err := s.writer.write(ctx, func(ctx context.Context, t *transaction) (err error) {
		is, err = t.erase(ctx, orderID, e)
		return err
	})
	if spoilt(err) {
		return ledger.Record{}, doing("erase order "+orderID, err)
	}
	return is, err
}

// erase returns the order as it is then, or beside an error.
func (t *transaction) erase(ctx context.Context, orderID string, e ledger.Erasure) (ledger.Record, error) {
	before, err := t.byID(ctx, orderID)
	if err != nil {
		return ledger.Record{}, err
	}
	next, event, err := e.Apply(before.record)
	if err != nil {
		return before.record, err
	}
	if err := t.erasePast(ctx, before.serial); err != nil {
		return ledger.Record{}, err
	}
	if err := t.eraseFixed(ctx, before); err != nil {
		return ledger.Record{}, err
	}
	after, err := t.update(ctx, before, clean(next))
	if err != nil {
		return ledger.Record{}, err
	}
	return after.record, t.tell(ctx, after.serial, event)
}

// eraseFixed removes what the first claim of an order has fixed, and its numbers. An order that is over holds none of them.
func (t *transaction) eraseFixed(ctx context.Context, s stored) error {
	if s.record.CustomerReference != "" {
		if _, err := t.exec(ctx, `UPDATE orders SET customer_reference = '' WHERE serial = ?`, s.serial); err != nil {
			return err
		}
	}
	if _, err := t.exec(ctx, `UPDATE contents SET content = NULL, numbers = '[]' WHERE serial = ?`, s.serial); err != nil {
		return err
	}
	const forget = `DELETE FROM numbers WHERE tenant = ?1 AND number IN (SELECT value FROM json_each(?2)) AND created = ?3 AND order_id = ?4`
	_, err := t.exec(ctx, forget, s.record.Tenant, s.numbers, s.created, s.record.OrderID)
	return err
}

// erasePast removes what is personal in the events of an order.
func (t *transaction) erasePast(ctx context.Context, serial int64) error {
	events, err := t.events(ctx, ordersEvents, serial, 0, math.MaxInt32)
	if err != nil {
		return err
	}
	for _, was := range events {
		e := was.Erase()
		if e.Note == was.Note && e.Ticket == was.Ticket && e.PortDate == was.PortDate && e.Status == was.Status {
			continue
		}
		const write = `UPDATE events SET note = ?, ticket = ?, port_date = ?, status = ? WHERE sequence = ?`
		if _, err := t.exec(ctx, write, e.Note, e.Ticket, e.PortDate, string(e.Status), e.Sequence); err != nil {
			return err
		}
	}
	return nil
}
