package intake

import (
	"context"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/portstatus"
)

// sight is what the look before a claim saw.
type sight struct {
	// ticket stands at the carrier for the order's first number; empty when none does.
	ticket string
	// closed tells that the ticket's port-in is over.
	closed bool
	// status is what the carrier said, when it said anything.
	status carrier.Status
	// failed tells that the carrier could not be asked, unnamed that it knew a port-in and did not name its ticket.
	failed, unnamed bool
	// match tells that the ticket is this order's own: an earlier attempt reached the carrier after all.
	match bool
}

// warnings tells the caller about a port-in that stands there already, unless it is told of as one that is corrected. The
// account is the one that was asked for.
func (s sight) warnings(account string, told ancestors) []*portinv1.Warning {
	if s.ticket == "" || s.closed || told.have(account, s.ticket) {
		return nil
	}
	return []*portinv1.Warning{{
		Field:       "order",
		Code:        portinv1.WarningCode_WARNING_CODE_EARLIER_TICKET,
		Description: "the carrier already has an open port-in, ticket " + s.ticket + ", for the first number; make sure that it is not the same order placed elsewhere",
	}}
}

// entry is what the order's timeline says about the look that somebody's order needed.
func (s sight) entry(who ledger.Actor) ledger.Entry {
	e := ledger.Entry{Actor: who, Ticket: s.ticket}
	switch {
	case s.failed:
		e.Note = "the carrier could not be asked about the first number before the order was sent"
	case s.ticket != "" && s.closed:
		e.Note = "the carrier knew a closed port-in of the first number before the order was sent"
	case s.ticket != "":
		e.Note = "the carrier knew an open port-in of the first number before the order was sent"
	case s.unnamed:
		e.Note = "the carrier knew a port-in of the first number before the order was sent, and did not name its ticket"
	default:
		e.Note = "the carrier knew no port-in of the first number before the order was sent"
	}
	return e
}

// lookMargin is what a look that hangs must leave beside LeastRemaining, so that it does not stop the order.
const lookMargin = 250 * time.Millisecond

// look asks the carrier about the order's first number, within LookTimeout and what the deadline leaves.
func (in *Intake) look(ctx context.Context, r ledger.Record) (sight, error) {
	bound := in.Config.LookTimeout
	if deadline, ok := ctx.Deadline(); ok {
		bound = min(bound, time.Until(deadline)-in.Config.LeastRemaining-lookMargin)
	}
	asking, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	status, err := in.Carrier(r.CarrierAccount).StatusByNumber(asking, portstatus.TenDigits(r.Numbers[0]))
	switch {
	case ctx.Err() != nil:
		return sight{}, ctxFault(ctx)
	case fault.Is(err, fault.ReasonPortInNotFound):
		return sight{}, nil
	case err != nil && in.Config.RequireLook:
		f := fault.From(err)
		return sight{}, fault.New(f.Reason, "the carrier could not be asked about the first number, and this service sends no order without; nothing was sent").
			WithRetryAfter(max(f.RetryAfter, 10*time.Second)).WithCause(err)
	case err != nil:
		return sight{failed: true}, nil
	}
	return sight{
		ticket:  status.Ticket,
		closed:  portstatus.Closed(status),
		status:  status,
		unnamed: status.Ticket == "",
		match:   r.Attempt > 0 && portstatus.Matches(r, status) && in.alone(ctx, r),
	}, nil
}

// kin is how close another order of the first number may have been for a ticket to be that one's.
const kin = 24 * time.Hour

// alone reports whether no other order of the first number, of any tenant, was placed here within kin: the ticket of one that was
// refused, or is over, may become visible late. Any doubt is no.
func (in *Intake) alone(ctx context.Context, r ledger.Record) bool {
	others, err := in.Ledger.OfNumber(ctx, ledger.NumberQuery{
		Number: r.Numbers[0], But: r.OrderID, FromUpdated: r.Created.Add(-kin - in.Config.Doubt.Window), Limit: 1,
	})
	return err == nil && len(others) == 0
}
