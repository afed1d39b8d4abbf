package sqlite

import (
	"context"
	"time"

	"github.com/portin/portin/internal/ledger"
)

// What is handed out: see queue.go.
const (
	dueEndpoints = `SELECT w.endpoint_id FROM endpoints w WHERE w.disabled = 0 AND EXISTS (SELECT 1 FROM deliveries d
		INDEXED BY deliveries_first WHERE d.endpoint = w.serial AND d.first = 1 AND d.due <= ?)`
	deliveriesDue = delivery + `INDEXED BY deliveries_first WHERE endpoint = ? AND first = 1 AND due <= ? ORDER BY due LIMIT ?`
)

// DueEndpoints returns the enabled endpoints that have a delivery which TakeDeliveries would hand out.
func (s *Store) DueEndpoints(ctx context.Context, now time.Time) (due []string, err error) {
	err = s.reader.read(ctx, func(l *line) error {
		return l.each(ctx, dueEndpoints, []any{micros(now)}, func(from row) error {
			var id string
			err := from.Scan(&id)
			due = append(due, id)
			return err
		})
	})
	if err != nil {
		return nil, doing("read which endpoints are due", err)
	}
	return due, nil
}

// TakeDeliveries hands out deliveries of an endpoint that are due; see ledger.Hooks.
func (s *Store) TakeDeliveries(ctx context.Context, endpointID string, now, until time.Time, limit int) ([]ledger.Delivery, error) {
	var taken []ledger.Delivery
	err := s.writer.write(ctx, func(ctx context.Context, t *transaction) (err error) {
		taken, err = t.takeDeliveries(ctx, endpointID, now, cut(until), limit)
		return err
	})
	if err != nil {
		return nil, doing("take deliveries that are due", err)
	}
	return taken, nil
}

func (t *transaction) takeDeliveries(ctx context.Context, endpointID string, now, until time.Time, limit int) ([]ledger.Delivery, error) {
	e, found, err := t.endpoint(ctx, endpointID)
	if err != nil || !found || e.Disabled {
		return nil, err
	}
	taken, err := t.deliveries(ctx, endpointID, deliveriesDue, e.serial, micros(now), limit)
	if err != nil {
		return nil, err
	}
	for i := range taken {
		d := &taken[i]
		d.Due = until
		d.Fence++
		const write = `UPDATE deliveries SET due = ?, fence = ? WHERE endpoint = ? AND sequence = ?`
		if _, err := t.exec(ctx, write, micros(d.Due), d.Fence, e.serial, d.Sequence); err != nil {
			return nil, err
		}
	}
	return taken, nil
}

// SettleDelivery writes what became of a delivery that was taken; see ledger.Hooks.
func (s *Store) SettleDelivery(ctx context.Context, d ledger.Delivery) error {
	err := s.writer.write(ctx, func(ctx context.Context, t *transaction) error {
		const find = `SELECT w.serial, d.order_id, d.fence FROM endpoints w CROSS JOIN deliveries d ON d.endpoint = w.serial
			WHERE w.endpoint_id = ? AND d.sequence = ?`
		var endpoint, fence int64
		var orderID string
		found, err := t.one(ctx, find, []any{d.EndpointID, d.Sequence}, &endpoint, &orderID, &fence)
		switch {
		case err != nil:
			return err
		case !found:
			return ledger.ErrNotFound
		case fence != d.Fence:
			return ledger.ErrMoved
		}
		const write = `UPDATE deliveries SET state = ?, attempt = ?, due = ?, content = ? WHERE endpoint = ? AND sequence = ?`
		_, err = t.exec(ctx, write, text(string(d.State)), d.Attempt, micros(d.Due), orNil(d.Content), endpoint, d.Sequence)
		if err != nil {
			return err
		}
		return t.mark(ctx, endpoint, orderID)
	})
	return doing("settle a delivery", err)
}
