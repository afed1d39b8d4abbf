package postgres

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/portin/portin/internal/ledger"
)

// Of the pending deliveries of one order only the first may be handed out. Which that is could be asked of the deliveries, but
// at an endpoint that does not answer many wait behind a first one that is not due, and all of them would be looked at again
// and again. So the first ones have a table of their own, queues, with one row for each order of which something is pending.
// That row is the lock of the order's deliveries too: who adds, hands out or settles one has it, so that the row is right
// whenever it is free.

const (
	// pickQueues finds what is due of an enabled endpoint. Takers pass over what another one has locked.
	pickQueues = `SELECT q.order_id FROM queues q WHERE q.endpoint_id = $1 AND q.due <= $2
		AND EXISTS (SELECT FROM endpoints e WHERE e.endpoint_id = $1 AND NOT e.disabled)
		ORDER BY q.due, q.sequence LIMIT $3 FOR UPDATE OF q SKIP LOCKED`

	takeDeliveries = `UPDATE deliveries d SET due = $3, fence = d.fence + 1 FROM queues q WHERE q.endpoint_id = $1
		AND q.order_id = ANY($2::text[]) AND d.endpoint_id = $1 AND d.sequence = q.sequence RETURNING q.due, ` + deliveryColumns

	// lockQueues locks the rows of orders, in their order, and makes those that are missing.
	lockQueues = `INSERT INTO queues (endpoint_id, order_id, sequence, due) SELECT $1, order_id, 0, 0 FROM unnest($2::text[]) AS order_id
		ON CONFLICT (endpoint_id, order_id) DO UPDATE SET due = queues.due`

	setQueues = `UPDATE queues q SET sequence = d.sequence, due = d.due FROM unnest($2::text[]) AS o (id) CROSS JOIN LATERAL (
			SELECT sequence, due FROM deliveries d WHERE d.endpoint_id = $1 AND d.order_id = o.id AND d.state = 'PENDING' ORDER BY d.sequence LIMIT 1
		) AS d WHERE q.endpoint_id = $1 AND q.order_id = o.id`

	dropQueues = `DELETE FROM queues q WHERE q.endpoint_id = $1 AND q.order_id = ANY($2::text[]) AND NOT EXISTS (
			SELECT FROM deliveries d WHERE d.endpoint_id = q.endpoint_id AND d.order_id = q.order_id AND d.state = 'PENDING')`
)

// queued carries out a statement that changes what is pending of orders, of which each is named once and in their order, and
// returns how many deliveries it changed.
func (tx *writing) queued(ctx context.Context, endpointID string, orders []string, change string, args ...any) (int, error) {
	if len(orders) == 0 {
		return 0, nil
	}
	changed := int64(0)
	var all pgx.Batch
	all.Queue(lockQueues, endpointID, orders)
	all.Queue(change, args...).Exec(func(done pgconn.CommandTag) error {
		changed = done.RowsAffected()
		return nil
	})
	all.Queue(setQueues, endpointID, orders)
	all.Queue(dropQueues, endpointID, orders)
	err := tx.SendBatch(ctx, &all).Close()
	return int(changed), err
}

// TakeDeliveries hands out deliveries that are due. What is picked is read by a statement of its own, once it is locked: by
// then it is as whoever had the lock before has left it.
func (s *Store) TakeDeliveries(
	ctx context.Context, endpointID string, now, until time.Time, limit int,
) (deliveries []ledger.Delivery, err error) {
	if limit < 1 {
		return nil, nil
	}
	type taken struct {
		ledger.Delivery
		was int64
	}
	var all []taken
	endpointID = clean(endpointID)
	err = s.write(ctx, "take deliveries that are due", func(ctx context.Context, tx *writing) error {
		all = nil
		rows, err := tx.Query(ctx, pickQueues, endpointID, micros(now), limit)
		if err != nil {
			return err
		}
		orders, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || len(orders) == 0 {
			return err
		}
		rows, err = tx.Query(ctx, takeDeliveries, endpointID, orders, micros(until))
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (one taken, err error) {
			one.Delivery, err = delivery(row, &one.was)
			return one, err
		})
		if err != nil {
			return err
		}
		const push = `UPDATE queues SET due = $3 WHERE endpoint_id = $1 AND order_id = ANY($2::text[])`
		_, err = tx.Exec(ctx, push, endpointID, orders, micros(until))
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b taken) int { return cmp.Or(cmp.Compare(a.was, b.was), cmp.Compare(a.Sequence, b.Sequence)) })
	for _, one := range all {
		deliveries = append(deliveries, one.Delivery)
	}
	return deliveries, nil
}

// SettleDelivery writes what became of a delivery that was taken. The fence is compared under the lock of its order.
func (s *Store) SettleDelivery(ctx context.Context, d ledger.Delivery) error {
	endpointID := clean(d.EndpointID)
	return s.write(ctx, "settle a delivery", func(ctx context.Context, tx *writing) error {
		rows, err := tx.Query(ctx, `SELECT order_id FROM deliveries WHERE endpoint_id = $1 AND sequence = $2`, endpointID, d.Sequence)
		if err != nil {
			return err
		}
		orders, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		const settle = `UPDATE deliveries SET state = $4, attempt = $5, due = $6, content = $7
			WHERE endpoint_id = $1 AND sequence = $2 AND fence = $3`
		settled, err := tx.queued(ctx, endpointID, orders, settle,
			endpointID, d.Sequence, d.Fence, clean(string(d.State)), d.Attempt, micros(d.Due), some(d.Content))
		if err != nil || settled > 0 {
			return err
		}
		return tx.missing(ctx, `SELECT EXISTS (SELECT FROM deliveries WHERE endpoint_id = $1 AND sequence = $2)`, endpointID, d.Sequence)
	})
}
