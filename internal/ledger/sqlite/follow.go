package sqlite

import (
	"context"
	"fmt"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// correctable is the order whose place a record is to take; beside ledger.ErrNotCorrectable it is the one that stays.
func (t *transaction) correctable(ctx context.Context, r ledger.Record) (stored, error) {
	was, err := t.byID(ctx, r.Predecessor)
	switch {
	case err != nil:
		return stored{}, err
	case was.record.Tenant != r.Tenant:
		return stored{}, ledger.ErrNotFound
	case !was.record.Correctable():
		return was, ledger.ErrNotCorrectable
	}
	return was, nil
}

// succeed hands the place of an order, and the numbers that both have, to the one that corrects it.
func (t *transaction) succeed(ctx context.Context, was stored, r ledger.Record, e ledger.Entry) error {
	next, events := ledger.Succeed(was.record, r, e.Actor, r.Claimed)
	_, err := t.change(ctx, was, clean(next), nil, events)
	return err
}

// Follow writes an order that was placed elsewhere; see ledger.Store.
func (s *Store) Follow(ctx context.Context, r ledger.Record, e ledger.Entry) (ledger.Record, error) {
	if r.State != order.Accepted || !r.Elsewhere {
		return ledger.Record{}, fmt.Errorf("follow order %s: in state %s, placed elsewhere %v, it cannot be followed", r.OrderID, r.State, r.Elsewhere)
	}
	r = clean(r)
	var is ledger.Record
	err := s.writer.write(ctx, func(ctx context.Context, t *transaction) (err error) {
		is, err = t.follow(ctx, r, e)
		return err
	})
	if spoilt(err) {
		return ledger.Record{}, doing("follow order "+r.OrderID, err)
	}
	return is, err
}

// follow returns the order as it is then, or beside an error the one that has its ticket.
func (t *transaction) follow(ctx context.Context, r ledger.Record, e ledger.Entry) (ledger.Record, error) {
	other, err := t.ticketed(ctx, r)
	if err != nil {
		return ledger.Record{}, err
	}
	if other != 0 {
		is, err := t.order(ctx, orderByRow, other)
		if err != nil {
			return ledger.Record{}, err
		}
		return is.record, ledger.ErrTicketTaken
	}
	if err := t.free(ctx, r, 0); err != nil {
		return ledger.Record{}, err
	}
	return r, t.put(ctx, stored{}, r, ledger.Followed(r, e))
}
