package postgres

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

const eventColumns = `order_id, at, actor_kind, actor_name, type, attempt, state, status, ticket, port_date, unverified, note, stood, stands,
	validated, disputing, attention, successor`

// eventRows begins a query for events.
const eventRows = "SELECT sequence, " + eventColumns + " FROM events "

// writeEvents ends with a hint, which others get when this is committed. A transaction that gives a hint fails when the
// server has no place left for hints, as when somebody has listened and not read for days; so it gives none long before.
const writeEvents = `WITH latest AS (
		UPDATE ledger SET sequence = sequence + $1::bigint RETURNING sequence - $1::bigint AS before
	), written AS (
		INSERT INTO events (sequence, ` + eventColumns + `)
		SELECT before + n, ` + eventColumns + ` FROM latest CROSS JOIN unnest($2::text[], $3::bigint[], $4::text[], $5::text[],
			$6::text[], $7::integer[], $8::smallint[], $9::text[], $10::text[], $11::text[], $12::boolean[], $13::text[],
			$14::smallint[], $15::smallint[], $16::boolean[], $17::boolean[], $18::text[], $19::text[]) WITH ORDINALITY AS e (` + eventColumns + `, n)
	)
	SELECT pg_notify('` + channel + `', '') WHERE pg_notification_queue_usage() < 0.25`

// tell writes events. It is the last that a transaction does: from here to the commit it holds the lock of the ledger's
// counter, for which all others wait. So sequences rise in the order of commits, and whoever reads an event has all before
// it to read; a sequence of the database's own would be handed out long before.
func (tx *writing) tell(ctx context.Context, events ...ledger.Event) error {
	if len(events) == 0 {
		return nil
	}
	var c struct {
		orderID, kind, name, kinds, status, ticket, portDate, note, attention, successor []string
		at                                                                               []int64
		attempt                                                                          []int32
		state, stood, stands                                                             []int16
		unverified, validated, disputing                                                 []bool
	}
	for _, e := range events {
		attention, err := packedCodes(e.Attention)
		if err != nil {
			return err
		}
		c.orderID, c.at = append(c.orderID, e.OrderID), append(c.at, micros(e.Time))
		c.kind, c.name = append(c.kind, clean(string(e.Actor.Kind))), append(c.name, clean(e.Actor.Name))
		c.kinds, c.attempt = append(c.kinds, clean(string(e.Type))), append(c.attempt, int32(e.Attempt))
		c.state, c.status = append(c.state, int16(e.State)), append(c.status, clean(string(e.Status)))
		c.ticket, c.portDate = append(c.ticket, clean(e.Ticket)), append(c.portDate, clean(e.PortDate))
		c.unverified, c.note = append(c.unverified, e.Unverified), append(c.note, clean(e.Note))
		c.stood, c.stands = append(c.stood, int16(e.Was)), append(c.stands, int16(e.Is))
		c.validated, c.disputing = append(c.validated, e.Validated), append(c.disputing, e.Disputing)
		c.attention, c.successor = append(c.attention, attention), append(c.successor, clean(e.Successor))
	}
	tx.told = true
	_, err := tx.Exec(ctx, writeEvents, len(events), c.orderID, c.at, c.kind, c.name, c.kinds, c.attempt, c.state, c.status, c.ticket,
		c.portDate, c.unverified, c.note, c.stood, c.stands, c.validated, c.disputing, c.attention, c.successor)
	return err
}

// Events returns events of a tenant's order, or of all orders of its row, oldest first.
func (s *Store) Events(
	ctx context.Context, tenant, orderID string, history bool, after int64, limit int,
) (events []ledger.Event, err error) {
	tenant, orderID = clean(tenant), clean(orderID)
	err = s.call(ctx, "read an order's events", func(ctx context.Context, conn *pgx.Conn) error {
		const first = `SELECT coalesce(nullif(history, ''), order_id) FROM orders WHERE tenant = $1 AND order_id = $2`
		rows, err := conn.Query(ctx, first, tenant, orderID)
		if err != nil {
			return err
		}
		known, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		if len(known) == 0 {
			return refuse(ledger.ErrNotFound)
		}
		read := eventsOf(orderID, after, limit)
		if history {
			read = eventsOfRow(tenant, known[0], after, limit)
		}
		events, err = readEvents(ctx, conn, read)
		return err
	})
	return events, err
}

// eventsOf are those of one order.
func eventsOf(orderID string, after int64, limit int) (s statement) {
	s.sql = eventRows + "WHERE order_id = " + s.arg(orderID)
	s.and("sequence > %s", after)
	s.sql += " ORDER BY sequence LIMIT " + s.arg(limit)
	return whole(s)
}

// eventsOfRow are those of all orders of a row, merged from the first of each.
func eventsOfRow(tenant, first string, after int64, limit int) (s statement) {
	s.sql = "SELECT sequence, " + eventColumns + " FROM (" + history(&s, tenant, first) + ") AS h (id) CROSS JOIN LATERAL (" + eventRows + "WHERE order_id = h.id"
	s.and("sequence > %s", after)
	n := s.arg(limit)
	s.sql += " ORDER BY sequence LIMIT " + n + ") AS e ORDER BY sequence LIMIT " + n
	return whole(s)
}

// whole adds to events what is not in their rows: the tenant and the predecessor, which are their order's; and to those of version 1, where they
// stood before, which is where the latest event of another time left them, as far as that can be told.
func whole(s statement) statement {
	s.sql = `SELECT e.sequence, o.tenant, e.order_id, e.at, e.actor_kind, e.actor_name, e.type, e.attempt, e.state, e.status, e.ticket,
			e.port_date, e.unverified, e.note, e.stood, e.stands, e.validated, e.disputing, e.attention, o.predecessor, e.successor,
			coalesce(b.stands, 0)::smallint, coalesce(b.state, 0)::smallint, coalesce(b.status, '')
		FROM (` + s.sql + `) AS e JOIN orders o ON o.order_id = e.order_id LEFT JOIN LATERAL (
			SELECT stands, state, status FROM events b WHERE e.stands = 0 AND b.order_id = e.order_id AND b.sequence < e.sequence AND b.at <> e.at
			ORDER BY b.sequence DESC LIMIT 1
		) AS b ON true ORDER BY e.sequence`
	return s
}

func readEvents(ctx context.Context, q querier, s statement) ([]ledger.Event, error) {
	rows, err := q.Query(ctx, s.sql, s.args...)
	if err != nil {
		return nil, err
	}
	events, err := pgx.CollectRows(rows, event)
	return none(events), err
}

func event(row pgx.CollectableRow) (ledger.Event, error) {
	var e ledger.Event
	var at int64
	var state, stood, stands, stoodBefore, stateBefore int16
	var statusBefore order.Status
	var attention string
	err := row.Scan(&e.Sequence, &e.Tenant, &e.OrderID, &at, &e.Actor.Kind, &e.Actor.Name, &e.Type, &e.Attempt, &state, &e.Status,
		&e.Ticket, &e.PortDate, &e.Unverified, &e.Note, &stood, &stands, &e.Validated, &e.Disputing, &attention, &e.Predecessor, &e.Successor, &stoodBefore, &stateBefore, &statusBefore)
	if err != nil {
		return ledger.Event{}, err
	}
	e.Time, e.State = moment(at), order.State(state)
	e.Was, e.Is = ledger.Standing(stood), ledger.Standing(stands)
	if stands == 0 {
		e.Was, e.Is = stoodAt(stoodBefore, stateBefore, statusBefore), stoodAt(stands, state, e.Status)
	}
	e.Attention, err = unpackedCodes(attention)
	return e, err
}

// noCodes are no reasons for attention at rest, which is what most events have.
const noCodes = "[]"

// packedCodes are an event's reasons for attention at rest.
func packedCodes(codes []ledger.AttentionCode) (string, error) {
	if len(codes) == 0 {
		return noCodes, nil
	}
	text, err := json.Marshal(cleanAll(codes))
	return string(text), err
}

func unpackedCodes(text string) (codes []ledger.AttentionCode, err error) {
	if text == noCodes {
		return nil, nil
	}
	err = json.Unmarshal([]byte(text), &codes)
	return codes, err
}

// stoodAt is a standing, also where version 1 has not written it down. Whether a rejection was disputed is not known then.
func stoodAt(standing, state int16, status order.Status) ledger.Standing {
	if standing != 0 || state == 0 {
		return ledger.Standing(standing)
	}
	return ledger.Record{State: order.State(state), Status: status}.Standing()
}
