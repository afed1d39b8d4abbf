package sqlite

import (
	"context"
	"slices"
	"time"

	"github.com/portin/portin/internal/ledger"
)

// Of the pending deliveries of one order to one endpoint, the first has a mark, and an index has the marked ones by the time
// when they are due. So what is handed out next is found at once, however many wait behind an endpoint that does not answer.
const (
	firsts = `SELECT
		coalesce((SELECT d.sequence FROM deliveries d INDEXED BY deliveries_marked
			WHERE d.endpoint = ?1 AND d.order_id = ?2 AND d.first = 1), -1),
		coalesce((SELECT p.sequence FROM deliveries p INDEXED BY deliveries_pending
			WHERE p.endpoint = ?1 AND p.order_id = ?2 AND p.state = 'PENDING' ORDER BY p.sequence LIMIT 1), -1)`
	markFirst = `UPDATE deliveries SET first = ? WHERE endpoint = ? AND sequence = ?`
	redeliver = `UPDATE deliveries INDEXED BY deliveries_state SET state = 'PENDING', attempt = 0, due = ?, fence = fence + 1
		WHERE endpoint = ? AND state = ? AND sequence >= ? RETURNING order_id`
)

// Enqueue adds deliveries to an endpoint and moves its cursor; see ledger.Hooks.
func (s *Store) Enqueue(ctx context.Context, endpointID string, from, to int64, deliveries []ledger.Delivery) error {
	err := s.writer.write(ctx, func(ctx context.Context, t *transaction) error {
		e, found, err := t.endpoint(ctx, endpointID)
		switch {
		case err != nil:
			return err
		case !found:
			return ledger.ErrNotFound
		case e.Cursor != from:
			return ledger.ErrMoved
		}
		if _, err := t.exec(ctx, `UPDATE endpoints SET cursor = ? WHERE serial = ?`, to, e.serial); err != nil {
			return err
		}
		for _, d := range deliveries {
			if err := t.queue(ctx, e.serial, d); err != nil {
				return err
			}
		}
		return nil
	})
	return doing("queue deliveries", err)
}

// queue writes a new delivery.
func (t *transaction) queue(ctx context.Context, endpoint int64, d ledger.Delivery) error {
	const write = `INSERT INTO deliveries (endpoint, sequence, order_id, time, state, first, attempt, due, fence)
		VALUES (?, ?, ?, ?, 'PENDING', 0, 0, ?, 0)`
	d.OrderID = text(d.OrderID)
	if _, err := t.exec(ctx, write, endpoint, d.Sequence, d.OrderID, micros(d.Time), micros(d.Due)); err != nil {
		return err
	}
	return t.mark(ctx, endpoint, d.OrderID)
}

// mark gives the mark to the first pending delivery of an order.
func (t *transaction) mark(ctx context.Context, endpoint int64, orderID string) error {
	var was, is int64
	if _, err := t.one(ctx, firsts, []any{endpoint, orderID}, &was, &is); err != nil || was == is {
		return err
	}
	if was >= 0 {
		if _, err := t.exec(ctx, markFirst, 0, endpoint, was); err != nil {
			return err
		}
	}
	if is < 0 {
		return nil
	}
	_, err := t.exec(ctx, markFirst, 1, endpoint, is)
	return err
}

// Redeliver makes deliveries of a tenant's endpoint pending again; see ledger.Hooks.
func (s *Store) Redeliver(
	ctx context.Context, tenant, endpointID string, from int64, states []ledger.DeliveryState, now time.Time,
) (n int, err error) {
	err = s.writer.write(ctx, func(ctx context.Context, t *transaction) (err error) {
		n, err = t.redeliver(ctx, tenant, endpointID, from, states, now)
		return err
	})
	if err != nil {
		return 0, doing("redeliver", err)
	}
	return n, nil
}

func (t *transaction) redeliver(
	ctx context.Context, tenant, endpointID string, from int64, states []ledger.DeliveryState, now time.Time,
) (n int, err error) {
	endpoint, err := t.tenantsEndpoint(ctx, tenant, endpointID)
	if err != nil {
		return 0, err
	}
	orders := map[string]bool{}
	for _, state := range pendingFirst(states) {
		t.wrote = true
		err := t.each(ctx, redeliver, []any{micros(now), endpoint, text(string(state)), from}, func(from row) error {
			var id string
			err := from.Scan(&id)
			orders[id] = true
			n++
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	for id := range orders {
		if err := t.mark(ctx, endpoint, id); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// pendingFirst are states, each once, with that of pending deliveries first: what becomes pending is not met again.
func pendingFirst(states []ledger.DeliveryState) []ledger.DeliveryState {
	all := slices.Compact(slices.Sorted(slices.Values(states)))
	slices.SortStableFunc(all, func(a, b ledger.DeliveryState) int {
		return int(number(b == ledger.DeliveryPending) - number(a == ledger.DeliveryPending))
	})
	return all
}
