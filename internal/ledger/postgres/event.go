package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

const eventColumns = `order_id, at, actor_kind, actor_name, type, attempt, state, status, ticket, port_date, unverified, note`

// tell writes events. It is the last that a transaction does: from here to the commit it holds the lock of the ledger's
// counter, for which all others wait. So sequences rise in the order of commits, and whoever reads an event has all before
// it to read; a sequence of the database's own would be handed out long before.
func (tx *writing) tell(ctx context.Context, events ...ledger.Event) error {
	if len(events) == 0 {
		return nil
	}
	var c struct {
		orderID, kind, name, kinds, status, ticket, portDate, note []string
		at                                                         []int64
		attempt                                                    []int32
		state                                                      []int16
		unverified                                                 []bool
	}
	for _, e := range events {
		c.orderID, c.at = append(c.orderID, e.OrderID), append(c.at, micros(e.Time))
		c.kind, c.name = append(c.kind, clean(string(e.Actor.Kind))), append(c.name, clean(e.Actor.Name))
		c.kinds, c.attempt = append(c.kinds, clean(string(e.Type))), append(c.attempt, int32(e.Attempt))
		c.state, c.status = append(c.state, int16(e.State)), append(c.status, clean(string(e.Status)))
		c.ticket, c.portDate = append(c.ticket, clean(e.Ticket)), append(c.portDate, clean(e.PortDate))
		c.unverified, c.note = append(c.unverified, e.Unverified), append(c.note, clean(e.Note))
	}
	const insert = `WITH latest AS (UPDATE ledger SET sequence = sequence + $1::bigint RETURNING sequence - $1::bigint AS before)
		INSERT INTO events (sequence, ` + eventColumns + `)
		SELECT before + n, ` + eventColumns + ` FROM latest CROSS JOIN unnest($2::text[], $3::bigint[], $4::text[], $5::text[],
			$6::text[], $7::integer[], $8::smallint[], $9::text[], $10::text[], $11::text[], $12::boolean[], $13::text[])
		WITH ORDINALITY AS e (` + eventColumns + `, n)`
	_, err := tx.Exec(ctx, insert, len(events), c.orderID, c.at, c.kind, c.name, c.kinds, c.attempt, c.state, c.status, c.ticket,
		c.portDate, c.unverified, c.note)
	return err
}

// Events returns events of a tenant's order, oldest first.
func (s *Store) Events(ctx context.Context, tenant, orderID string, after int64, limit int) (events []ledger.Event, err error) {
	tenant, orderID = clean(tenant), clean(orderID)
	err = s.call(ctx, "read an order's events", func(ctx context.Context, conn *pgx.Conn) error {
		var known bool
		const order = `SELECT EXISTS (SELECT FROM orders WHERE tenant = $1 AND order_id = $2)`
		if err := conn.QueryRow(ctx, order, tenant, orderID).Scan(&known); err != nil {
			return err
		}
		if !known {
			return refuse(ledger.ErrNotFound)
		}
		const read = `SELECT sequence, ` + eventColumns + ` FROM events WHERE order_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3`
		rows, err := conn.Query(ctx, read, orderID, after, limit)
		if err != nil {
			return err
		}
		events, err = pgx.AppendRows(events[:0], rows, event)
		return err
	})
	return events, err
}

func event(row pgx.CollectableRow) (ledger.Event, error) {
	var e ledger.Event
	var at int64
	var state int16
	err := row.Scan(&e.Sequence, &e.OrderID, &at, &e.Actor.Kind, &e.Actor.Name, &e.Type, &e.Attempt, &state, &e.Status, &e.Ticket,
		&e.PortDate, &e.Unverified, &e.Note)
	e.Time, e.State = moment(at), order.State(state)
	return e, err
}
