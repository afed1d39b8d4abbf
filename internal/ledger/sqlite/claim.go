package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// Claim writes an order that is about to be sent; see ledger.Store. An attempt after the first for a key that leads nowhere
// is ledger.ErrNotFound.
func (s *Store) Claim(ctx context.Context, r ledger.Record, e ledger.Entry) (ledger.Record, error) {
	if r.State != order.Sending || r.Attempt < 1 {
		return ledger.Record{}, fmt.Errorf("claim order %s: in state %s, attempt %d, no order is about to be sent", r.OrderID, r.State, r.Attempt)
	}
	r = clean(r)
	var is ledger.Record
	err := s.writer.write(ctx, func(ctx context.Context, t *transaction) (err error) {
		is, err = t.claim(ctx, r, e)
		return err
	})
	if spoilt(err) {
		return ledger.Record{}, doing("claim order "+r.OrderID, err)
	}
	return is, err
}

// claim returns the order as it is after the claim, or beside an error.
func (t *transaction) claim(ctx context.Context, r ledger.Record, e ledger.Entry) (ledger.Record, error) {
	before, err := t.keyed(ctx, r.Tenant, r.RequestID)
	is := before.record
	switch {
	case err != nil:
		return ledger.Record{}, err
	case before.serial == 0 && r.Attempt > 1:
		return ledger.Record{}, ledger.ErrNotFound
	case before.serial == 0:
	case is.OrderID != r.OrderID, is.Attempt != r.Attempt-1, is.Successor != "", !is.Erased.IsZero(), !order.CanMove(is.State, r.State, order.ByResend):
		return is, ledger.ErrMoved
	default:
		r = refix(r, is)
	}
	var was stored
	if r.Attempt == 1 && r.Predecessor != "" {
		if was, err = t.correctable(ctx, r); err != nil {
			return was.record, err
		}
	}
	if err := t.free(ctx, r, was.serial); err != nil {
		return is, err
	}
	if err := t.unticketed(ctx, r); err != nil {
		return is, err
	}
	if was.serial != 0 {
		if err := t.succeed(ctx, was, r, e); err != nil {
			return ledger.Record{}, err
		}
	}
	return r, t.put(ctx, before, r, ledger.Claimed(r, e))
}

// put writes an order that is new, or that was there before, with its numbers and an event.
func (t *transaction) put(ctx context.Context, before stored, r ledger.Record, e ledger.Event) error {
	var after stored
	var err error
	if before.serial == 0 {
		after, err = t.insert(ctx, r)
	} else {
		after, err = t.update(ctx, before, r)
	}
	if err != nil {
		return err
	}
	if err := t.mention(ctx, after, r.Held()); err != nil {
		return err
	}
	return t.tell(ctx, after.serial, e)
}

// keyed is the order of a key; without a serial when there is none, which is so for most claims and is found out at less cost.
func (t *transaction) keyed(ctx context.Context, tenant, requestID string) (stored, error) {
	var serial int64
	found, err := t.one(ctx, `SELECT serial FROM orders WHERE tenant = ? AND request_id = ?`, []any{tenant, requestID}, &serial)
	if err != nil || !found {
		return stored{}, err
	}
	return t.order(ctx, orderByRow, serial)
}

// refix gives a record what the first claim fixed, and the fence and what is of the successor, which are the ledger's own.
func refix(r, first ledger.Record) ledger.Record {
	r.OrderID, r.Tenant, r.RequestID, r.CarrierAccount = first.OrderID, first.Tenant, first.RequestID, first.CarrierAccount
	r.Target, r.CustomerReference, r.Content, r.Numbers = first.Target, first.CustomerReference, first.Content, first.Numbers
	r.Elsewhere, r.History, r.Predecessor = first.Elsewhere, first.History, first.Predecessor
	r.Created, r.Fence, r.Successor, r.Kept, r.Erased = first.Created, first.Fence, first.Successor, first.Kept, first.Erased
	return r
}

// unticketed says ledger.ErrTicketTaken when another order has the ticket of a record.
func (t *transaction) unticketed(ctx context.Context, r ledger.Record) error {
	other, err := t.ticketed(ctx, r)
	if err == nil && other != 0 {
		err = ledger.ErrTicketTaken
	}
	return err
}

// ticketed is the other order that has the ticket of a record; 0 when there is none.
func (t *transaction) ticketed(ctx context.Context, r ledger.Record) (other int64, err error) {
	if r.Ticket == "" {
		return 0, nil
	}
	const owner = `SELECT serial FROM orders INDEXED BY orders_ticket
		WHERE ticket = ? AND ticket <> '' AND carrier_account = ? AND order_id <> ?`
	_, err = t.one(ctx, owner, []any{r.Ticket, r.CarrierAccount, r.OrderID}, &other)
	return other, err
}

// spoilt reports whether an error says nothing about the order itself, so that nothing of it may be returned.
func spoilt(err error) bool {
	if _, held := errors.AsType[*ledger.HeldError](err); held {
		return false
	}
	return err != nil && !errors.Is(err, ledger.ErrMoved) && !errors.Is(err, ledger.ErrTicketTaken) && !errors.Is(err, ledger.ErrNotCorrectable)
}
