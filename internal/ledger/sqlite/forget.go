package sqlite

import (
	"context"
	"time"
)

const (
	deliveriesOver = `SELECT endpoint, sequence FROM deliveries INDEXED BY deliveries_over WHERE state <> 'PENDING' AND time < ? LIMIT ?`
	// deliveriesShut reads all that waits for disabled endpoints, which is no more than is to be kept of it.
	deliveriesShut = `SELECT d.endpoint, d.sequence, d.order_id FROM endpoints w CROSS JOIN deliveries d INDEXED BY deliveries_state
		ON d.endpoint = w.serial AND d.state = 'PENDING' WHERE w.disabled = 1 AND d.time < ? LIMIT ?`
	removeShut = `DELETE FROM deliveries WHERE endpoint = ?1 AND sequence = ?2 AND state = 'PENDING'
		AND EXISTS (SELECT 1 FROM endpoints w WHERE w.serial = ?1 AND w.disabled = 1)`
)

// queued is where a delivery is.
type queued struct {
	endpoint, sequence int64
	orderID            string
}

// ForgetDeliveries removes deliveries that are over, and that wait for a disabled endpoint; see ledger.Hooks.
func (s *Store) ForgetDeliveries(ctx context.Context, before time.Time, limit int) (int, error) {
	over, err := s.forgetOver(ctx, before, limit)
	if err != nil || over >= limit {
		return over, doing("forget deliveries", err)
	}
	shut, err := s.forgetShut(ctx, before, limit-over)
	return over + shut, doing("forget deliveries", err)
}

// forgetOver removes deliveries that are not pending.
func (s *Store) forgetOver(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = s.writer.write(ctx, func(ctx context.Context, t *transaction) error {
		var all []queued
		err := t.each(ctx, deliveriesOver, []any{micros(before), limit}, func(from row) error {
			var at queued
			err := from.Scan(&at.endpoint, &at.sequence)
			all = append(all, at)
			return err
		})
		if err != nil {
			return err
		}
		for _, at := range all {
			if _, err := t.exec(ctx, `DELETE FROM deliveries WHERE endpoint = ? AND sequence = ?`, at.endpoint, at.sequence); err != nil {
				return err
			}
		}
		n = len(all)
		return nil
	})
	return n, err
}

// forgetShut removes pending deliveries of disabled endpoints. They are looked for beside the writer, which has others to
// serve, and one that is not there any more, or whose endpoint was enabled meanwhile, is left alone.
func (s *Store) forgetShut(ctx context.Context, before time.Time, limit int) (n int, err error) {
	var all []queued
	err = s.reader.read(ctx, func(l *line) error {
		return l.each(ctx, deliveriesShut, []any{micros(before), limit}, func(from row) error {
			var at queued
			err := from.Scan(&at.endpoint, &at.sequence, &at.orderID)
			all = append(all, at)
			return err
		})
	})
	if err != nil || len(all) == 0 {
		return 0, err
	}
	err = s.writer.write(ctx, func(ctx context.Context, t *transaction) error {
		n = 0
		for _, at := range all {
			done, err := t.exec(ctx, removeShut, at.endpoint, at.sequence)
			if err != nil {
				return err
			}
			removed, err := done.RowsAffected()
			if err != nil {
				return err
			}
			if n += int(removed); removed > 0 {
				if err := t.mark(ctx, at.endpoint, at.orderID); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return n, err
}
