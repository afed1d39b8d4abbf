package postgres

import (
	"context"
	"errors"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

var errNoFollow = errors.New("what is followed is an order in ACCEPTED that was placed elsewhere")

// Follow writes an order that was placed elsewhere.
//
// Its ticket is looked up first, and again once it turned out that a number is held: the holder may be the very order that has
// come to have the ticket. Who comes second for a ticket waits at its unique index until the first is committed, and then it
// is taken. The numbers are locked before the ticket, as everywhere; the key comes after both, but nobody else asks for it.
func (s *Store) Follow(ctx context.Context, r ledger.Record, e ledger.Entry) (ledger.Record, error) {
	if r.State != order.Accepted || !r.Elsewhere {
		return ledger.Record{}, errNoFollow
	}
	r = atRest(r)
	return s.change(ctx, "follow an order", func(ctx context.Context, tx *writing) (ledger.Record, error) {
		if other, err := tx.ticketed(ctx, r); err != nil {
			return other, err
		}
		if r.Holds() {
			err := tx.seize(ctx, r, r.Held())
			if _, ok := errors.AsType[*ledger.HeldError](err); ok {
				if other, err := tx.ticketed(ctx, r); err != nil {
					return other, err
				}
			}
			if err != nil {
				return ledger.Record{}, err
			}
		}
		written, err := tx.insert(ctx, r, "(ticket, carrier_account) WHERE ticket <> ''")
		if err != nil {
			return ledger.Record{}, err
		}
		if !written {
			if other, err := tx.ticketed(ctx, r); err != nil {
				return other, err
			}
			return ledger.Record{}, errAgain // The other order let go of the ticket in between.
		}
		return r, tx.tell(ctx, ledger.Followed(r, e))
	})
}

// ticketed answers ledger.ErrTicketTaken, with the order that has the ticket of this one.
func (tx *writing) ticketed(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	if r.Ticket == "" {
		return ledger.Record{}, nil
	}
	other, err := one(ctx, tx, "ticket = $1 AND carrier_account = $2 AND ticket <> ''", r.Ticket, r.CarrierAccount)
	if errors.Is(err, ledger.ErrNotFound) {
		return ledger.Record{}, nil
	}
	if err != nil {
		return ledger.Record{}, err
	}
	return other, refuse(ledger.ErrTicketTaken)
}
