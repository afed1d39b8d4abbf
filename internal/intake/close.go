package intake

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/portstatus"
)

// Close ends an accepted order, because an operator says that its port-in is over. The carrier is asked first: when it says so
// itself, the order is closed by that, and the operator's word is not needed. One that is closed already is answered as it is.
func (in *Intake) Close(ctx context.Context, req *portinv1.ClosePortInOrderRequest) (*portinv1.PortInOrder, error) {
	r, err := in.owned(ctx, req.GetOrderId())
	switch {
	case err != nil:
		return nil, readFault(ctx, err)
	case r.Category() == order.CategoryClosed:
		return Render(r)
	case r.State != order.Accepted:
		return nil, notAccepted(r)
	}
	answer, unheard := in.ask(ctx, r)
	if ended := ctxFault(ctx); ended != nil {
		return nil, ended
	}
	if r, answer, err = in.hear(ctx, r, answer, "an operator is to close this order"); err != nil {
		return nil, readFault(ctx, err)
	}
	switch {
	case r.Category() == order.CategoryClosed:
		return Render(r)
	case !req.GetUnverified():
		return nil, unverifiedClosing(r, answer, unheard)
	}
	now := in.Now()
	closed, err := in.advance(ctx, r.OrderID, ledger.Step{Now: now, Change: func(r *ledger.Record) (ledger.Entry, error) {
		if r.Category() == order.CategoryClosed { // somebody else has heard so meanwhile
			return ledger.Entry{}, ledger.ErrMoved
		}
		r.Closed, r.Due = now, time.Time{}
		r.Attention = slices.DeleteFunc(r.Attention, func(a ledger.Attention) bool { return !slices.Contains(outlasting, a.Code) })
		return ledger.Entry{Type: ledger.EventClosed, Actor: actor(ctx, ledger.ByOperator), Note: req.GetReason(), Unverified: true}, nil
	}})
	switch {
	case errors.Is(err, ledger.ErrMoved):
		return Render(closed)
	case err != nil:
		return nil, readFault(ctx, err)
	}
	in.Log.WarnContext(ctx, "an operator closed an order that the carrier did not", slog.String("order_id", r.OrderID),
		slog.String("status", string(closed.Status)))
	return Render(closed)
}

// outlasting are the reasons for attention that tell of two orders at the carrier: that one of them is over for us ends neither there.
var outlasting = []ledger.AttentionCode{ledger.AttentionLateAnswer, ledger.AttentionNumbersHeldTwice}

// notAccepted is the error of an order that the carrier does not have, or of which it is not known whether it has.
func notAccepted(r ledger.Record) *fault.Error {
	problem := "the order is " + r.State.String() + ", so "
	switch r.State {
	case order.InDoubt:
		problem += "it is not known whether the carrier has it; resolve it first"
	case order.Sending:
		problem += "it is not known whether the carrier has it; wait until that is settled"
	case order.NotSent, order.Refused, order.Accepted:
		problem += "there is no port-in at the carrier to be closed"
	}
	return fault.New(fault.ReasonOrderNotAccepted, problem).WithMetadata("order_id", r.OrderID)
}

// unverifiedClosing is the error of an order whose port-in the carrier does not say to be over.
func unverifiedClosing(r ledger.Record, answer portstatus.Answer, unheard error) *fault.Error {
	problem := "the carrier does not say how the port-in fares"
	if answer.Said {
		problem = "the carrier does not say that the port-in is over"
	}
	f := fault.New(fault.ReasonClosingUnverified, problem+"; have it cancelled there, or set unverified to close the order all the same").
		WithMetadata("order_id", r.OrderID).WithCause(unheard)
	if answer.Said {
		f = f.WithMetadata("carrier_status", answer.Status.Word)
	}
	return f
}
