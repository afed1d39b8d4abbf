package sqlite

import (
	"context"
	"errors"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// stepError is an error of a step's own, on its way through the transaction.
type stepError struct{ error }

// Advance changes an order by a step; see ledger.Store.
func (s *Store) Advance(ctx context.Context, orderID string, step ledger.Step) (ledger.Record, error) {
	var is ledger.Record
	err := s.writer.write(ctx, func(ctx context.Context, t *transaction) (err error) {
		is, err = t.advance(ctx, orderID, step)
		return err
	})
	if own, ok := errors.AsType[stepError](err); ok {
		return is, own.error
	}
	if spoilt(err) {
		return ledger.Record{}, doing("advance order "+orderID, err)
	}
	return is, err
}

// advance returns the order as it is after the step, or beside an error.
func (t *transaction) advance(ctx context.Context, orderID string, step ledger.Step) (ledger.Record, error) {
	before, err := t.byID(ctx, orderID)
	if err != nil {
		return ledger.Record{}, err
	}
	is := before.record
	next, events, err := step.Apply(is)
	if err != nil {
		return is, stepError{err}
	}
	next = clean(next)
	gained, _ := ledger.Shift(is, next)
	rivals, err := t.rivals(ctx, is.OrderID, gained)
	if err != nil {
		return is, err
	}
	if len(rivals) > 0 && step.By == order.ByEvidence {
		return is, t.held(ctx, rivals[0])
	}
	if next.Ticket != is.Ticket {
		if err := t.unticketed(ctx, next); err != nil {
			return is, err
		}
	}
	after, err := t.change(ctx, before, next, rivals, events)
	if err != nil {
		return is, err
	}
	after, err = t.collide(ctx, after, rivals, step)
	return after.record, err
}

// change writes an order that has changed, the numbers that it takes or lets go, and the events that tell of it.
func (t *transaction) change(ctx context.Context, before stored, next ledger.Record, rivals []rival, events []ledger.Event) (stored, error) {
	after, err := t.update(ctx, before, next)
	if err != nil {
		return stored{}, err
	}
	gained, lost := ledger.Shift(before.record, next)
	if len(lost) > 0 {
		if err := t.release(ctx, after, lost); err != nil {
			return stored{}, err
		}
	}
	if len(gained) > 0 {
		if err := t.hold(ctx, after, gained, rivals); err != nil {
			return stored{}, err
		}
	}
	return after, t.tell(ctx, after.serial, events...)
}

// collide marks an order and every other one that it has come to hold a number with.
func (t *transaction) collide(ctx context.Context, late stored, rivals []rival, step ledger.Step) (stored, error) {
	met := map[int64]bool{}
	for _, r := range rivals {
		if met[r.serial] {
			continue
		}
		met[r.serial] = true
		other, err := t.order(ctx, orderByRow, r.serial)
		if err != nil {
			return stored{}, err
		}
		next, events := ledger.Collide(late.record, other.record, step.Now)
		if late, err = t.change(ctx, late, clean(next), nil, events); err != nil {
			return stored{}, err
		}
		next, events = ledger.Collide(other.record, late.record, step.Now)
		if _, err = t.change(ctx, other, clean(next), nil, events); err != nil {
			return stored{}, err
		}
	}
	return late, nil
}
