package postgres

import (
	"context"
	"fmt"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// Advance changes an order by a step. The order's row is locked from before the step sees it until all is committed: steps
// of one order come one after the other, in whatever process.
func (s *Store) Advance(ctx context.Context, orderID string, step ledger.Step) (ledger.Record, error) {
	return s.change(ctx, "advance an order", func(ctx context.Context, tx *writing) (ledger.Record, error) {
		now, err := one(ctx, tx, "order_id = $1 FOR UPDATE", clean(orderID))
		if err != nil {
			return ledger.Record{}, err
		}
		next, err := tx.advance(ctx, now, step)
		if err != nil {
			return now, err
		}
		return next, nil
	})
}

// advance takes the step. On an error the order is as it was.
func (tx *writing) advance(ctx context.Context, now ledger.Record, step ledger.Step) (ledger.Record, error) {
	next, events, err := applied(step, now)
	if err != nil {
		return ledger.Record{}, refuse(err)
	}
	next, events, err = tx.shift(ctx, now, next, events, step)
	if err != nil {
		return ledger.Record{}, err
	}
	next = atRest(next)
	if err := tx.update(ctx, next); err != nil {
		return ledger.Record{}, err
	}
	return next, tx.tell(ctx, events...)
}

// shift gives back the numbers that a step lets go, and takes those that it comes to hold.
func (tx *writing) shift(ctx context.Context, now, next ledger.Record, events []ledger.Event, step ledger.Step) (ledger.Record, []ledger.Event, error) {
	gained, lost := ledger.Shift(now, next)
	if len(lost) > 0 {
		if err := tx.release(ctx, now.OrderID, lost); err != nil {
			return next, nil, err
		}
	}
	switch {
	case len(gained) == 0:
		return next, events, nil
	case step.By == order.ByEvidence:
		return next, events, tx.seize(ctx, next, gained)
	}
	next, marks, err := tx.collide(ctx, next, gained, step.Now)
	return next, append(events, marks...), err
}

// applied is Step.Apply, with an error for a panic. What was thrown may hold an order, so only its type is told.
func applied(step ledger.Step, now ledger.Record) (next ledger.Record, events []ledger.Event, err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			err = fmt.Errorf("a step panicked with a %T", thrown)
		}
	}()
	return step.Apply(now)
}
