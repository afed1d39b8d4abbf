package sqlite

import (
	"context"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// What periodic work asks for. The conditions of the partial indexes are repeated word for word: that is how SQLite knows that
// it may use them.
const (
	ordersDue = `SELECT ` + selected + ` FROM orders o INDEXED BY orders_due CROSS JOIN contents c ON c.serial = o.serial
		WHERE o.state = ? AND o.due <> 0 AND o.due <= ? ORDER BY o.due LIMIT ?`
	leases = `SELECT order_id, attempt, owner, lease_ns FROM orders INDEXED BY orders_unsettled
		WHERE state IN (1, 4) AND state = ?`
	countState    = `SELECT count(*) FROM orders INDEXED BY orders_unsettled WHERE state IN (1, 4) AND state = ?`
	countClass    = `SELECT count(*) FROM orders INDEXED BY orders_open WHERE class BETWEEN 102 AND 107 AND class IN (?, ?)`
	firstDue      = `SELECT due FROM orders INDEXED BY orders_due WHERE state = ? AND due <> 0 ORDER BY due LIMIT 1`
	firstDelivery = `SELECT coalesce(min((SELECT d.due FROM deliveries d INDEXED BY deliveries_first WHERE d.endpoint = w.serial AND d.first = 1
		ORDER BY d.due LIMIT 1)), 0) FROM endpoints w WHERE w.disabled = 0`
	countAttention = `SELECT count(*) FROM orders INDEXED BY orders_attention WHERE needs_attention = 1`
	// An order may have a reason twice when a record came so, and is one all the same.
	countReasons = `SELECT j.value ->> 'code', count(DISTINCT o.serial) FROM orders o INDEXED BY orders_attention
		CROSS JOIN json_each(o.attention) j WHERE o.needs_attention = 1 GROUP BY 1`
)

// Take hands out orders that something is due for; see ledger.Store.
func (s *Store) Take(ctx context.Context, turn ledger.Turn) ([]ledger.Record, error) {
	var taken []ledger.Record
	err := s.writer.write(ctx, func(ctx context.Context, t *transaction) (err error) {
		taken, err = t.take(ctx, turn)
		return err
	})
	if err != nil {
		return nil, doing("take orders that are due", err)
	}
	return taken, nil
}

func (t *transaction) take(ctx context.Context, turn ledger.Turn) ([]ledger.Record, error) {
	var due []stored
	err := t.each(ctx, ordersDue, []any{int64(turn.State), micros(turn.Now), turn.Limit}, func(from row) error {
		s, err := read(from)
		due = append(due, s)
		return err
	})
	if err != nil {
		return nil, err
	}
	var taken []ledger.Record
	for _, s := range due {
		delete(t.recent, s.record.OrderID)
		s.record.Due = cut(turn.Until)
		s.record.Fence++
		const again = `UPDATE orders SET due = ?, fence = ? WHERE serial = ?`
		if _, err := t.exec(ctx, again, micros(s.record.Due), s.record.Fence, s.serial); err != nil {
			return nil, err
		}
		taken = append(taken, s.record)
	}
	return taken, nil
}

// Sending returns who is sending which orders.
func (s *Store) Sending(ctx context.Context) ([]ledger.Lease, error) {
	var all []ledger.Lease
	err := s.reader.read(ctx, func(l *line) error {
		return l.each(ctx, leases, []any{int64(order.Sending)}, func(from row) error {
			var next ledger.Lease
			var term int64
			err := from.Scan(&next.OrderID, &next.Attempt, &next.Owner, &term)
			next.Term = time.Duration(term)
			all = append(all, next)
			return err
		})
	})
	if err != nil {
		return nil, doing("read who is sending", err)
	}
	return all, nil
}

// Count counts what an operator has to know of.
func (s *Store) Count(ctx context.Context) (n ledger.Counts, err error) {
	err = s.reader.look(ctx, func(l *line) error {
		for _, c := range []struct {
			into  *int
			query string
			args  []any
		}{
			{&n.Sending, countState, []any{int64(order.Sending)}},
			{&n.InDoubt, countState, []any{int64(order.InDoubt)}},
			{&n.NeedsAttention, countAttention, nil},
			{&n.Open, countClass, accepted(order.CategoryOpen)},
			{&n.Scheduled, countClass, accepted(order.CategoryScheduled)},
			{&n.Attention, countClass, accepted(order.CategoryAttention)},
		} {
			if _, err := l.one(ctx, c.query, c.args, c.into); err != nil {
				return err
			}
		}
		if err := l.due(ctx, &n); err != nil {
			return err
		}
		return l.each(ctx, countReasons, nil, func(from row) error {
			var code ledger.AttentionCode
			var orders int
			err := from.Scan(&code, &orders)
			if n.ByAttention == nil {
				n.ByAttention = make(map[ledger.AttentionCode]int)
			}
			n.ByAttention[code] = orders
			return err
		})
	})
	if err != nil {
		return ledger.Counts{}, doing("count orders", err)
	}
	return n, nil
}

// due finds out what is due the longest.
func (l *line) due(ctx context.Context, n *ledger.Counts) error {
	for _, d := range []struct {
		into  *time.Time
		query string
		args  []any
	}{
		{&n.AcceptedDue, firstDue, []any{int64(order.Accepted)}},
		{&n.InDoubtDue, firstDue, []any{int64(order.InDoubt)}},
		{&n.DeliveryDue, firstDelivery, nil},
	} {
		var us int64
		if _, err := l.one(ctx, d.query, d.args, &us); err != nil {
			return err
		}
		*d.into = moment(us)
	}
	return nil
}

// accepted are the classes of the accepted orders of a category.
func accepted(c order.Category) []any {
	var classes []any
	for _, s := range (ledger.Query{States: []order.State{order.Accepted}, Categories: []order.Category{c}}).Standings() {
		classes = append(classes, int64(newClass(s, false)), int64(newClass(s, true)))
	}
	return classes
}
