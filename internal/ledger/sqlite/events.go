package sqlite

import (
	"context"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// tell writes events of an order down, with the sequences that come next.
func (t *transaction) tell(ctx context.Context, serial int64, events ...ledger.Event) error {
	const write = `INSERT INTO events
		(sequence, serial, time, actor_kind, actor_name, type, attempt, state, status, ticket, port_date, unverified, note)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	for _, e := range events {
		t.sequence++
		_, err := t.exec(ctx, write, t.sequence, serial, micros(e.Time), text(string(e.Actor.Kind)), text(e.Actor.Name), text(string(e.Type)),
			e.Attempt, int64(e.State), text(string(e.Status)), text(e.Ticket), text(e.PortDate), number(e.Unverified), text(e.Note))
		if err != nil {
			return err
		}
	}
	return nil
}

// Events returns events of a tenant's order, oldest first; see ledger.Store.
func (s *Store) Events(ctx context.Context, tenant, orderID string, after int64, limit int) (all []ledger.Event, err error) {
	err = s.reader.read(ctx, func(l *line) error {
		var serial int64
		found, err := l.one(ctx, `SELECT serial FROM orders WHERE order_id = ? AND tenant = ?`, []any{orderID, tenant}, &serial)
		if err != nil {
			return err
		}
		if !found {
			return ledger.ErrNotFound
		}
		all, err = l.events(ctx, serial, after, limit)
		return err
	})
	if err != nil {
		return nil, doing("read the events of an order", err)
	}
	for i := range all {
		all[i].OrderID = orderID
	}
	return all, nil
}

// ordersEvents are events of an order. Its sequence is the row's own number, by which an index is sorted at last.
const ordersEvents = `SELECT sequence, time, actor_kind, actor_name, type, attempt, state, status, ticket, port_date, unverified, note
	FROM events INDEXED BY events_order WHERE serial = ? AND sequence > ? ORDER BY sequence LIMIT ?`

func (l *line) events(ctx context.Context, serial, after int64, limit int) (all []ledger.Event, err error) {
	err = l.each(ctx, ordersEvents, []any{serial, after, limit}, func(from row) error {
		var e ledger.Event
		var at, state, unverified int64
		err := from.Scan(&e.Sequence, &at, &e.Actor.Kind, &e.Actor.Name, &e.Type, &e.Attempt, &state, &e.Status, &e.Ticket, &e.PortDate,
			&unverified, &e.Note)
		e.Time, e.State, e.Unverified = moment(at), order.State(state), unverified != 0
		all = append(all, e)
		return err
	})
	return all, err
}
