package postgres

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/portin/portin/internal/ledger"
)

const (
	forgetOver = `DELETE FROM deliveries d USING (
			SELECT endpoint_id, sequence FROM deliveries WHERE state <> 'PENDING' AND at < $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED
		) AS old WHERE d.endpoint_id = old.endpoint_id AND d.sequence = old.sequence`

	// findShut reads all that waits for disabled endpoints, which is no more than is to be kept of it.
	findShut = `SELECT d.endpoint_id, d.order_id, d.sequence FROM endpoints e CROSS JOIN LATERAL (
			SELECT endpoint_id, order_id, sequence FROM deliveries d WHERE d.endpoint_id = e.endpoint_id AND d.state = 'PENDING' AND d.at < $1 LIMIT $2
		) AS d WHERE e.disabled LIMIT $2`

	removeShut = `DELETE FROM deliveries WHERE endpoint_id = $1 AND sequence = ANY($2::bigint[]) AND state = 'PENDING'`
)

// ForgetDeliveries removes deliveries that are over, and that wait for a disabled endpoint.
func (s *Store) ForgetDeliveries(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = s.write(ctx, "forget deliveries", func(ctx context.Context, tx *writing) error {
		done, err := tx.Exec(ctx, forgetOver, bound(before), max(limit, 0))
		n = int(done.RowsAffected())
		return err
	})
	if err != nil || n >= limit {
		return n, err
	}
	waiting, err := s.shut(ctx, before, limit-n)
	if err != nil {
		return n, err
	}
	for _, endpointID := range slices.Sorted(maps.Keys(waiting)) {
		removed, err := s.forgetShut(ctx, endpointID, waiting[endpointID])
		n += removed
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// waiting are pending deliveries of an endpoint, and their orders.
type waiting struct {
	orders    []string
	sequences []int64
}

// shut are pending deliveries of disabled endpoints.
func (s *Store) shut(ctx context.Context, before time.Time, limit int) (all map[string]waiting, err error) {
	err = s.call(ctx, "look for what waits for disabled endpoints", func(ctx context.Context, conn *pgx.Conn) error {
		all = map[string]waiting{}
		rows, err := conn.Query(ctx, findShut, bound(before), limit)
		if err != nil {
			return err
		}
		var endpointID, orderID string
		var sequence int64
		_, err = pgx.ForEachRow(rows, []any{&endpointID, &orderID, &sequence}, func() error {
			of := all[endpointID]
			of.orders, of.sequences = append(of.orders, orderID), append(of.sequences, sequence)
			all[endpointID] = of
			return nil
		})
		return err
	})
	return all, err
}

// forgetShut removes pending deliveries of an endpoint that is disabled: whether it still is, is seen under its lock.
func (s *Store) forgetShut(ctx context.Context, endpointID string, of waiting) (n int, err error) {
	err = s.write(ctx, "forget deliveries", func(ctx context.Context, tx *writing) error {
		const lock = `SELECT ` + endpointColumns + ` FROM endpoints WHERE endpoint_id = $1 AND disabled FOR NO KEY UPDATE`
		switch _, err := endpoint(ctx, tx, lock, endpointID); {
		case errors.Is(err, ledger.ErrNotFound):
			n = 0
			return nil
		case err != nil:
			return err
		}
		n, err = tx.queued(ctx, endpointID, sorted(of.orders), removeShut, endpointID, of.sequences)
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}
