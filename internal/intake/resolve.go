package intake

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/portstatus"
)

// Resolve decides about an order in doubt. A ticket that the operator gives is looked up: one with other numbers is
// refused, and so is one that stood there before the order was first sent; one that cannot be looked up, names no numbers
// or stood there before a later attempt needs the operator's word that it is right. The same decision again answers the
// order.
func (in *Intake) Resolve(ctx context.Context, req *portinv1.ResolveInDoubtRequest) (*portinv1.PortInOrder, error) {
	r, err := in.owned(ctx, req.GetOrderId())
	if err != nil {
		return nil, readFault(ctx, err)
	}
	d := decision{resolution: req.GetResolution()}
	switch {
	case d.isMade(r):
		return Render(r)
	case d.refused(r) != nil:
		return nil, d.refused(r)
	}
	if d.placed() {
		if d.status, d.unverified, err = in.verify(ctx, r, d.resolution.GetPlaced()); err != nil {
			return nil, err
		}
	}
	now := in.Now()
	decided, err := in.advance(ctx, r.OrderID, ledger.Step{By: order.ByOperator, Now: now, Change: func(r *ledger.Record) (ledger.Entry, error) {
		if err := d.refused(*r); err != nil {
			return ledger.Entry{}, err
		}
		if d.placed() {
			accept(r, d.ticket(), now, in.steady())
			if d.status != nil {
				portstatus.Observe(r, *d.status, now)
			}
		} else {
			certain(r)
			r.State, r.Settled = order.NotSent, now
			r.Reason, r.Problem = fault.ReasonNotPlaced, "an operator found that the carrier does not have the order; the same request_id sends it again"
		}
		return ledger.Entry{
			Type: ledger.EventResolved, Actor: actor(ctx, ledger.ByOperator), Note: d.resolution.GetReason(), Unverified: d.unverified,
		}, nil
	}})
	switch {
	case errors.Is(err, ledger.ErrTicketTaken):
		return nil, fault.New(fault.ReasonTicketMismatch, "another order has this ticket").WithMetadata("order_id", r.OrderID).WithCause(err)
	case err != nil && d.isMade(decided):
		return Render(decided)
	case err != nil:
		return nil, readFault(ctx, err)
	}
	in.Log.WarnContext(ctx, "an operator resolved an order in doubt", slog.String("order_id", r.OrderID), slog.String("state", decided.State.String()),
		slog.Bool("unverified", d.unverified))
	return Render(decided)
}

// decision is what an operator decided, and what the carrier says about it.
type decision struct {
	resolution *portinv1.InDoubtResolution
	// status is the carrier's, when the ticket could be looked up; unverified tells that the operator's word stands alone.
	status     *carrier.Status
	unverified bool
}

func (d decision) placed() bool { return d.resolution.GetPlaced() != nil }

func (d decision) ticket() string { return d.resolution.GetPlaced().GetTicketId() }

// isMade reports whether the order is what the decision makes it.
func (d decision) isMade(r ledger.Record) bool {
	if r.Attempt != int(d.resolution.GetAttempt()) {
		return false
	}
	if d.placed() {
		return r.State == order.Accepted && r.Ticket == d.ticket()
	}
	return r.State == order.NotSent
}

// refused is why the decision cannot be made about an order, or nil.
func (d decision) refused(r ledger.Record) error {
	switch {
	case r.Attempt != int(d.resolution.GetAttempt()):
		return fault.New(fault.ReasonOrderAttemptChanged, "the order has been sent again since this decision; look at it once more").
			WithMetadata("order_id", r.OrderID)
	case r.State != order.InDoubt:
		return fault.New(fault.ReasonOrderNotInDoubt, "the order is "+r.State.String()+", so there is nothing to resolve").
			WithMetadata("order_id", r.OrderID)
	}
	return nil
}

// verify looks a ticket up. Its numbers have to be the order's.
func (in *Intake) verify(ctx context.Context, r ledger.Record, p *portinv1.InDoubtResolution_Placed) (status *carrier.Status, unverified bool, err error) {
	s, err := in.Carrier(r.CarrierAccount).StatusByTicket(ctx, p.GetTicketId())
	switch {
	case ctx.Err() != nil:
		return nil, false, ctxFault(ctx)
	case fault.Is(err, fault.ReasonInvalidFields):
		return nil, false, fault.Fields([]fault.Violation{{Field: "resolution.placed.ticket_id", Description: "is not a ticket of the carrier"}})
	case err == nil && len(s.Numbers) > 0 && !portstatus.SameNumbers(r, s):
		return nil, false, fault.New(fault.ReasonTicketMismatch, "the ticket has other numbers than the order").WithMetadata("order_id", r.OrderID)
	case slices.Contains(r.Looks, p.GetTicketId()) && r.Attempt == 1:
		return nil, false, fault.New(fault.ReasonTicketMismatch, "the ticket stood at the carrier before the order was sent").WithMetadata("order_id", r.OrderID)
	case err == nil && len(s.Numbers) > 0 && !slices.Contains(r.Looks, p.GetTicketId()):
		return &s, false, nil
	case !p.GetUnverified():
		return nil, false, fault.New(fault.ReasonTicketUnverified,
			"the ticket could not be looked up, names no numbers, or stood at the carrier before the latest attempt; set unverified to decide all the same").WithMetadata("order_id", r.OrderID).WithCause(err)
	case err == nil:
		return &s, true, nil
	}
	return nil, true, nil
}
