package sqlite

import (
	"context"
	"encoding/json"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// tell writes events of an order down, with the sequences that come next.
func (t *transaction) tell(ctx context.Context, serial int64, events ...ledger.Event) error {
	const write = `INSERT INTO events
		(sequence, serial, time, actor_kind, actor_name, type, attempt, state, status, ticket, port_date, unverified, note, was, now_stands,
		validated, disputing, attention, successor)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	for _, e := range events {
		attention, err := list(cleanCodes(e.Attention))
		if err != nil {
			return err
		}
		t.sequence++
		_, err = t.exec(ctx, write, t.sequence, serial, micros(e.Time), text(string(e.Actor.Kind)), text(e.Actor.Name), text(string(e.Type)),
			e.Attempt, int64(e.State), text(string(e.Status)), text(e.Ticket), text(e.PortDate), number(e.Unverified), text(e.Note),
			int64(e.Was), int64(e.Is), number(e.Validated), number(e.Disputing), attention, text(e.Successor))
		if err != nil {
			return err
		}
	}
	return nil
}

// cleanCodes are reasons for attention as they come back from the disk.
func cleanCodes(codes []ledger.AttentionCode) []ledger.AttentionCode {
	var all []ledger.AttentionCode
	for _, c := range codes {
		all = append(all, ledger.AttentionCode(text(string(c))))
	}
	return all
}

// eventColumns are what line.events reads, of the tables events e and orders o. Where an event does not say how the order
// stood, which is so for those of the first shape of the ledger, the latest event of another time tells how it stood then: those of
// one time are of one change.
const (
	eventColumns = `e.sequence, o.order_id, o.tenant, e.time, e.actor_kind, e.actor_name, e.type, e.attempt, e.state, e.status, e.ticket,
		e.port_date, e.unverified, e.note, e.was, e.now_stands, e.validated, e.disputing, e.attention, o.predecessor, e.successor,
		CASE e.now_stands WHEN 0 THEN (SELECT p.now_stands ` + eventBefore + `) END,
		CASE e.now_stands WHEN 0 THEN (SELECT p.state ` + eventBefore + `) END, CASE e.now_stands WHEN 0 THEN (SELECT p.status ` + eventBefore + `) END`
	eventBefore = `FROM events p INDEXED BY events_order
		WHERE p.serial = e.serial AND p.sequence < e.sequence AND p.time <> e.time ORDER BY p.sequence DESC LIMIT 1`
)

// Events of one order, and of all orders of a history. The sequence is the row's own number, by which an index is sorted at
// last. Of each order of a history no more are read than are wanted.
const (
	ordersEvents = `SELECT ` + eventColumns + ` FROM events e INDEXED BY events_order CROSS JOIN orders o ON o.serial = e.serial
		WHERE e.serial = ? AND e.sequence > ? ORDER BY e.sequence LIMIT ?`
	historysEvents = `SELECT ` + eventColumns + ` FROM (` + ordersOfHistory + `) f CROSS JOIN events e ON e.sequence IN (
			SELECT x.sequence FROM events x INDEXED BY events_order
				WHERE x.serial = f.serial AND x.sequence > :after ORDER BY x.sequence LIMIT :limit)
		CROSS JOIN orders o ON o.serial = e.serial ORDER BY e.sequence LIMIT :limit`
)

// Events returns events of a tenant's order or of its history, oldest first; see ledger.Store.
func (s *Store) Events(ctx context.Context, tenant, orderID string, history bool, after int64, limit int) (all []ledger.Event, err error) {
	err = s.reader.read(ctx, func(l *line) error {
		const find = `SELECT serial, CASE history WHEN '' THEN order_id ELSE history END FROM orders WHERE order_id = ? AND tenant = ?`
		var serial int64
		var first string
		found, err := l.one(ctx, find, []any{orderID, tenant}, &serial, &first)
		switch {
		case err != nil:
			return err
		case !found:
			return ledger.ErrNotFound
		case history:
			args := named(map[string]any{"tenant": tenant, "history": first, "after": after, "limit": limit})
			all, err = l.events(ctx, historysEvents, args...)
		default:
			all, err = l.events(ctx, ordersEvents, serial, after, limit)
		}
		return err
	})
	if err != nil {
		return nil, doing("read the events of an order", err)
	}
	return all, nil
}

// events reads the events of a query, which has eventColumns.
func (l *line) events(ctx context.Context, query string, args ...any) (all []ledger.Event, err error) {
	err = l.each(ctx, query, args, func(from row) error {
		var e ledger.Event
		var at, state, unverified, validated, disputing int64
		var attention string
		var before, stood *int64
		var fared *string
		err := from.Scan(&e.Sequence, &e.OrderID, &e.Tenant, &at, &e.Actor.Kind, &e.Actor.Name, &e.Type, &e.Attempt, &state, &e.Status, &e.Ticket,
			&e.PortDate, &unverified, &e.Note, &e.Was, &e.Is, &validated, &disputing, &attention, &e.Predecessor, &e.Successor,
			&before, &stood, &fared)
		if err == nil && attention != noList {
			err = json.Unmarshal([]byte(attention), &e.Attention)
		}
		e.Time, e.State, e.Unverified = moment(at), order.State(state), unverified != 0
		e.Validated, e.Disputing = validated != 0, disputing != 0
		if e.Is == 0 {
			e.Is = standing(e.State, e.Status)
		}
		switch {
		case before == nil || stood == nil || fared == nil:
		case *before != 0:
			e.Was = ledger.Standing(*before)
		default:
			e.Was = standing(order.State(*stood), order.Status(*fared))
		}
		all = append(all, e)
		return err
	})
	return all, err
}

// standing is where an order stood, as far as its state and its status tell.
func standing(s order.State, word order.Status) ledger.Standing {
	return ledger.Record{State: s, Status: word}.Standing()
}
