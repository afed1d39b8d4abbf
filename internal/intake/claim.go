package intake

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/portstatus"
)

// storeTimeout bounds one call of the ledger that must not end with the caller.
const storeTimeout = 10 * time.Second

// unknownClaimError says that it is not known whether the ledger has a claim. Nothing was sent.
type unknownClaimError struct{ cause error }

func (e *unknownClaimError) Error() string {
	return "whether the claim was kept is not known: " + e.cause.Error()
}

func (e *unknownClaimError) Unwrap() error { return e.cause }

// claim writes the order before it is sent, and says when it began to. A number that an accepted order holds is asked for
// once under that order's own ticket, all of them within LookTimeout: when the carrier says that its port-in is over, the
// number is free. For one that an order guards, those are asked about that it guards it for. A ledger that fails is read again: what it has is what counts.
func (in *Intake) claim(ctx context.Context, r ledger.Record, e ledger.Entry) (claimed ledger.Record, from time.Duration, err error) {
	asking, cancel := context.WithTimeout(ctx, in.Config.LookTimeout)
	defer cancel()
	asked := map[string]bool{}
	for {
		if err := in.enoughTime(ctx); err != nil {
			return ledger.Record{}, 0, err
		}
		from = in.Elapsed()
		got, err := in.writeClaim(ctx, r, e)
		var held *ledger.HeldError
		switch {
		case err == nil, errors.Is(err, ledger.ErrMoved):
			return got, from, err
		case errors.Is(err, ledger.ErrNotCorrectable):
			return ledger.Record{}, 0, misplaced(got)
		case errors.As(err, &held):
			if asked[held.Holder.OrderID] || !in.release(asking, held.Holder) {
				return ledger.Record{}, 0, numberHeld(r.Tenant, held)
			}
			asked[held.Holder.OrderID] = true
		case in.hasClaim(ctx, r):
			return r, from, nil
		default:
			return ledger.Record{}, 0, &unknownClaimError{err}
		}
	}
}

// writeClaim is one try. It does not end with the caller: a claim that was begun must not be left unknown.
func (in *Intake) writeClaim(ctx context.Context, r ledger.Record, e ledger.Entry) (got ledger.Record, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = in.panicked(p)
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	return in.Ledger.Claim(ctx, r, e)
}

// hasClaim reports whether the ledger certainly has this very claim.
func (in *Intake) hasClaim(ctx context.Context, r ledger.Record) (has bool) {
	defer func() {
		if p := recover(); p != nil {
			in.Panicked()
			has = false
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	now, err := in.Ledger.Find(ctx, r.Tenant, r.OrderID)
	return err == nil && now.State == order.Sending && now.Owner == r.Owner
}

// newOwner names a claim of this process.
func (in *Intake) newOwner() string {
	return in.owner + "." + strconv.FormatInt(in.claims.Add(1), 10)
}

// owns reports whether a claim is this process's.
func (in *Intake) owns(owner string) bool { return strings.HasPrefix(owner, in.owner+".") }

// unclaim takes back a claim that the ledger may have: nothing was sent, and nobody will send it. It goes on until the
// ledger says so.
func (in *Intake) unclaim(ctx context.Context, r ledger.Record, f *flight) {
	in.giveUp(r.Owner)
	in.settle(ctx, r, notClaimed(), true, f)
}

// notClaimed is what an order meets whose claim is uncertain.
func notClaimed() carrier.Outcome {
	return carrier.Outcome{
		Settlement: carrier.NotSent, Evidence: "the claim could not be written with certainty, so nothing was sent", Fault: ledgerDown(nil),
	}
}

// release asks the carrier about an accepted order under its own ticket. When its port-in is over, the order is noted as
// closed, which frees its numbers. Any doubt leaves it as it is.
func (in *Intake) release(ctx context.Context, holder ledger.Record) (released bool) {
	defer func() {
		if p := recover(); p != nil {
			in.Log.ErrorContext(ctx, "asking about the holder of a number panicked", slog.String("order_id", holder.OrderID), slog.Any("error", in.panicked(p)))
			released = false
		}
	}()
	switch {
	case holder.Guarding():
		return in.releaseGuard(ctx, holder)
	case holder.State != order.Accepted || holder.Ticket == "":
		return false
	}
	status, err := in.Carrier(holder.CarrierAccount).StatusByTicket(ctx, holder.Ticket)
	if err != nil || !portstatus.Closed(status) || portstatus.Contradicts(holder, status) {
		return false
	}
	now := in.Now()
	_, err = in.advance(ctx, holder.OrderID, ledger.Step{Now: now, Change: func(r *ledger.Record) (ledger.Entry, error) {
		if r.State != order.Accepted || r.Ticket != holder.Ticket {
			return ledger.Entry{}, ledger.ErrMoved
		}
		portstatus.Observe(r, status, now)
		return ledger.Entry{Actor: ledger.Actor{Kind: ledger.ByCarrier}, Note: "the carrier was asked because another order wants a number of this one"}, nil
	}})
	return err == nil
}

// errStands ends the search for an order that stands at the carrier.
var errStands = errors.New("an order stands at the carrier")

// releaseGuard asks the carrier about the orders that a guard corrects, itself and through others. When all are over there is
// nothing left to guard.
func (in *Intake) releaseGuard(ctx context.Context, guard ledger.Record) (released bool) {
	was, err := in.Ledger.Find(ctx, guard.Tenant, guard.Predecessor)
	if err != nil {
		return false
	}
	if _, err := in.standing(ctx, was, was.OrderID, func(ledger.Record, portstatus.Answer) error { return errStands }); err != nil {
		return false
	}
	return in.unguard(ctx, guard) == nil
}

// unguard has an order guard nothing any more.
func (in *Intake) unguard(ctx context.Context, guard ledger.Record) error {
	_, err := in.advance(ctx, guard.OrderID, ledger.Step{Now: in.Now(), Change: func(r *ledger.Record) (ledger.Entry, error) {
		if !r.Guards || r.Attempt != guard.Attempt {
			return ledger.Entry{}, ledger.ErrMoved
		}
		r.Guards = false
		return ledger.Entry{
			Type: ledger.EventEvidence, Actor: service(),
			Note: "no order that this one was to correct stands at the carrier any more, so it guards no numbers of theirs",
		}, nil
	}})
	return err
}

// misplaced is the error of a claim for the place of an order that is not to be had.
func misplaced(was ledger.Record) *fault.Error {
	if was.Successor != "" {
		return corrected(was)
	}
	return notCorrectable(was, was.OrderID)
}

// advance is one call of the ledger's Advance that does not end with the caller and survives a panic in the ledger.
func (in *Intake) advance(ctx context.Context, orderID string, s ledger.Step) (r ledger.Record, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = in.panicked(p)
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	return in.Ledger.Advance(ctx, orderID, s)
}

// found makes an order accepted under the ticket that a look found for it. As before a claim, the carrier is asked about whoever holds its
// numbers, once each: one that is over has let them go.
func (in *Intake) found(ctx context.Context, was ledger.Record, seen sight) (ledger.Record, error) {
	asking, cancel := context.WithTimeout(ctx, in.Config.LookTimeout)
	defer cancel()
	for asked := map[string]bool{}; ; {
		now := in.Now()
		settled, err := in.advance(ctx, was.OrderID, ledger.Step{By: order.ByEvidence, Now: now, Change: func(r *ledger.Record) (ledger.Entry, error) {
			if r.State != order.NotSent || r.Attempt != was.Attempt {
				return ledger.Entry{}, ledger.ErrMoved
			}
			if len(r.Held()) == 0 { // what it comes to hold nobody else does: the other one is over, see heldTwice
				r.Unattend(ledger.AttentionNumbersHeldTwice)
			}
			accept(r, seen.status.Ticket, now, in.steady())
			portstatus.Observe(r, seen.status, now)
			return ledger.Entry{Actor: service(), Note: "the look before a re-send found the order at the carrier, so it was not sent again"}, nil
		}})
		held, is := errors.AsType[*ledger.HeldError](err)
		if !is || asked[held.Holder.OrderID] || !in.release(asking, held.Holder) {
			return settled, err
		}
		asked[held.Holder.OrderID] = true
	}
}

// adopt takes the ticket that a look found for an order whose earlier attempt was thought not to have been sent.
func (in *Intake) adopt(ctx context.Context, was ledger.Record, seen sight) (*portinv1.PortInResponse, error) {
	settled, err := in.found(ctx, was, seen)
	var held *ledger.HeldError
	switch {
	case errors.Is(err, ledger.ErrMoved):
		in.Log.WarnContext(ctx, "an order was found at the carrier, and has moved on meanwhile", slog.String("order_id", was.OrderID),
			slog.String("ticket_id", seen.ticket))
		return in.replay(ctx, settled)
	case errors.As(err, &held):
		in.heldTwice(ctx, was, held.Holder, seen.ticket)
		return nil, numberHeld(was.Tenant, held)
	case errors.Is(err, ledger.ErrTicketTaken):
		return nil, fault.New(fault.ReasonNumberInOpenOrder, "the carrier has the numbers in an open port-in that belongs to another order; follow that one, or wait until it is closed").
			WithCause(err)
	case err != nil:
		return nil, writeFault(ctx, err)
	}
	in.Log.WarnContext(ctx, "order found at the carrier before it was sent again", slog.String("order_id", was.OrderID), slog.String("ticket_id", settled.Ticket))
	return in.answer(settled, true)
}

// heldTwice has a person look at an order that stands at the carrier, and at another one that holds a number of it and keeps it from
// being accepted: the carrier may have both, and the caller who hears of it may not come back. That the caller does come back is
// nothing new: the same ticket beside the same order is told once, whatever a person has acknowledged since.
func (in *Intake) heldTwice(ctx context.Context, was, holder ledger.Record, ticket string) {
	finding := "ticket " + ticket + " beside order " + holder.OrderID
	if was.Doubt.Finding == finding {
		return
	}
	now := in.Now()
	mark := func(r, beside ledger.Record, e ledger.Entry, isNew func(r *ledger.Record) bool) (kept bool) {
		_, err := in.advance(ctx, r.OrderID, ledger.Step{Now: now, Change: func(r *ledger.Record) (ledger.Entry, error) {
			if !isNew(r) {
				return ledger.Entry{}, ledger.ErrMoved
			}
			*r, _ = ledger.Collide(*r, beside, now)
			return e, nil
		}})
		if err == nil || errors.Is(err, ledger.ErrMoved) {
			return true
		}
		in.Log.ErrorContext(ctx, "an order stands at the carrier beside another one of its numbers, which could not be written down",
			slog.String("order_id", r.OrderID), slog.String("beside", beside.OrderID), slog.Any("error", err))
		return false
	}
	// The finding is remembered last: what could not be written down of the other one is tried again.
	both := mark(holder, was, ledger.Entry{Actor: service()}, func(r *ledger.Record) bool {
		return len(r.Held()) > 0 && !r.Attends(ledger.AttentionNumbersHeldTwice)
	})
	mark(was, holder, ledger.Entry{
		Type: ledger.EventEvidence, Actor: service(), Ticket: ticket,
		Note: "the look before a re-send found the order at the carrier, and another order holds a number of it",
	}, func(r *ledger.Record) bool {
		if r.State != order.NotSent || r.Attempt != was.Attempt || r.Doubt.Finding == finding {
			return false
		}
		if both {
			r.Doubt.Finding = finding
		}
		return true
	})
}

// accept makes an order one that the carrier has, under a ticket. From then on it is followed: it is due at once.
func accept(r *ledger.Record, ticket string, now, steady time.Time) {
	r.State, r.Ticket, r.Settled, r.Progressed = order.Accepted, ticket, now, now
	r.Reason, r.Problem, r.RetryAfter = "", "", 0
	certain(r)
	r.Due = steady
	if r.Successor != "" { // it was thought not to be sent, and another one was sent instead
		r.Attend(ledger.AttentionNumbersHeldTwice, "the carrier has this order, and order "+r.Successor+" was to correct it; if it has both, have one of them cancelled", now)
	}
}

// certain ends what belongs to an order in doubt.
func certain(r *ledger.Record) {
	r.Doubt, r.Due = ledger.Doubt{}, time.Time{}
	r.Unattend(ledger.AttentionInDoubtUnresolved)
}

// service is the actor of what the service does by itself.
func service() ledger.Actor { return ledger.Actor{Kind: ledger.ByService} }

// numberHeld is the error for a number of an open order. The holder is named when it is the same tenant's as the one who asks.
func numberHeld(tenant string, held *ledger.HeldError) *fault.Error {
	problem := "a number of this order stands in another order that is not closed; follow that one, or wait until it is"
	if held.Holder.Guarding() {
		problem = "a number of this order stands in an earlier order that another one was to correct, and the carrier may still port that; correct the other one, or wait until the earlier one is closed"
	}
	e := fault.New(fault.ReasonNumberInOpenOrder, problem).
		WithMetadata("number", held.Number).WithCause(held)
	if held.Holder.Tenant == tenant {
		e = e.WithMetadata("order_id", held.Holder.OrderID)
	}
	return e
}
