package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/portstatus"
)

// ancestors are what an order corrects, itself and through others, nearest first.
type ancestors []ledger.Record

// warnings tell the caller which of them still stand at the carrier.
func (all ancestors) warnings() (warnings []*portinv1.Warning) {
	for _, r := range all {
		warnings = append(warnings, &portinv1.Warning{
			Field: "order", Code: portinv1.WarningCode_WARNING_CODE_EARLIER_ORDER_STANDS,
			Description: "the carrier still has the rejected order " + r.OrderID + ", ticket " + r.Ticket +
				", which this one corrects, and cannot cancel it here; ask its porting team to",
		})
	}
	return warnings
}

// have reports whether one of them has a ticket of an account.
func (all ancestors) have(account, ticket string) bool {
	return slices.ContainsFunc(all, func(r ledger.Record) bool { return r.CarrierAccount == account && r.Ticket == ticket })
}

// mayCorrect refuses to put an order, which has an ID once it was claimed, in the place of others that may still be ported, and
// returns those that stand at the carrier all the same, because the losing carrier rejected them. It is asked before every
// attempt: what was rejected at the one before may have been revived since.
func (in *Intake) mayCorrect(ctx context.Context, orderID, predecessor string) (ancestors, error) {
	if predecessor == "" {
		return nil, nil
	}
	was, err := in.owned(ctx, predecessor)
	switch {
	case err != nil:
		return nil, writeFound(ctx, err)
	case was.Successor != "" && was.Successor != orderID:
		return nil, corrected(was)
	}
	return in.standing(ctx, was, predecessor, func(r ledger.Record, answer portstatus.Answer) error {
		var unknown string
		switch {
		case !answer.Said:
			unknown = "how " + called(r, predecessor) + " stands"
		case r.Status != order.StatusRejected || r.Disputing:
			return notCorrectable(r, predecessor)
		case answer.Status.Disputing == nil:
			unknown = "whether its porting team disputes the rejection of " + called(r, predecessor)
		default:
			return nil
		}
		return fault.New(fault.ReasonNotCorrectable, "the carrier does not say "+unknown+", so that may still be ported; ask its porting team").
			WithMetadata("order_id", r.OrderID)
	})
}

// standing are those of an order, and of what it corrects itself and through others, that the carrier has and that are not
// over, as it says now: what the ledger says can be old. Whether one of them may stand is for allows to say. Asked is the order
// that the caller knows of.
func (in *Intake) standing(
	ctx context.Context, r ledger.Record, asked string, allows func(ledger.Record, portstatus.Answer) error,
) (all ancestors, err error) {
	for {
		switch {
		case r.State == order.Accepted && r.Category() != order.CategoryClosed:
			answer, err := in.ask(ctx, r)
			switch ended := ctxFault(ctx); {
			case ended != nil:
				return nil, ended
			case err != nil:
				f := fault.From(err)
				return nil, fault.New(f.Reason, "the carrier could not be asked how "+called(r, asked)+" stands; nothing was sent").
					WithRetryAfter(f.RetryAfter).WithCause(err)
			}
			now, answer, err := in.hear(ctx, r, answer, "another order is to correct this one")
			if err != nil {
				return nil, writeFault(ctx, err)
			}
			if now.Category() != order.CategoryClosed {
				if err := allows(now, answer); err != nil {
					return nil, err
				}
				all = append(all, now)
			}
		case r.State == order.Sending, r.State == order.InDoubt, r.State == order.NotSent && !r.Guards && r.Successor == "":
			return nil, notCorrectable(r, asked)
		}
		if r.Predecessor == "" {
			return all, nil
		}
		if r, err = in.Ledger.Find(ctx, r.Tenant, r.Predecessor); err != nil {
			return nil, writeFound(ctx, err)
		}
	}
}

// ask asks the carrier how an accepted order stands. Whether the caller still waits is to be asked afterwards, and once: a caller who
// leaves between two such questions would have neither an error nor an answer.
func (in *Intake) ask(ctx context.Context, r ledger.Record) (portstatus.Answer, error) {
	asking, cancel := context.WithTimeout(ctx, in.Config.LookTimeout)
	defer cancel()
	return portstatus.Ask(asking, in.Carrier(r.CarrierAccount), r, func() bool { return in.alone(ctx, r) && !in.forgotten(r) })
}

// hear writes down what the carrier answered about an accepted order, and why it was asked. The answer that comes back says nothing
// when the ticket that was found is another order's. The error is the ledger's.
func (in *Intake) hear(ctx context.Context, r ledger.Record, answer portstatus.Answer, why string) (ledger.Record, portstatus.Answer, error) {
	if !answer.Said {
		return r, answer, nil
	}
	now := in.Now()
	after, err := in.advance(ctx, r.OrderID, ledger.Step{Now: now, Change: func(r *ledger.Record) (ledger.Entry, error) {
		if r.State != order.Accepted {
			return ledger.Entry{}, ledger.ErrMoved
		}
		if r.Category() == order.CategoryClosed { // somebody else has heard so meanwhile, and its numbers may be another one's by now
			return ledger.Entry{}, nil
		}
		answer.Keep(r, now)
		return ledger.Entry{Actor: ledger.Actor{Kind: ledger.ByCarrier}, Note: "the carrier was asked because " + why}, nil
	}})
	switch {
	case errors.Is(err, ledger.ErrTicketTaken):
		return r, portstatus.Answer{}, nil
	case err != nil:
		return r, answer, err
	}
	return after, answer, nil
}

// called is how an order is named to who wants to correct one: it is that one, or one that it was to correct itself.
func called(r ledger.Record, asked string) string {
	if r.OrderID == asked {
		return "the order that is corrected"
	}
	return "order " + r.OrderID + " (which that one was itself to correct)"
}

// corrected is the error of an order whose place another one has.
func corrected(r ledger.Record) *fault.Error {
	return fault.New(fault.ReasonNotCorrectable, "the order was corrected by another one already; correct that one").
		WithMetadata("order_id", r.OrderID).WithMetadata(metadataSuccessor, r.Successor)
}

// metadataSuccessor names the order that has the place.
const metadataSuccessor = "corrected_by_order_id"

// notCorrectable is the error of an order whose place no other one may take.
func notCorrectable(r ledger.Record, asked string) *fault.Error {
	e := fault.New(fault.ReasonNotCorrectable, "").WithMetadata("order_id", r.OrderID)
	switch which := called(r, asked); {
	case !r.Erased.IsZero():
		e.Message = which + " is over and its contents were removed, so there is nothing left to correct; place a new order"
	case r.State == order.NotSent:
		e.Message = "the order was not sent; send it again with its request_id, or place a new one"
	case r.State == order.Accepted && r.Status == order.StatusRejected:
		e.Message = "the porting team disputes the rejection of " + which + ", so that may still be ported; wait"
	case r.State == order.Accepted:
		e.Message = fmt.Sprintf("%s is with the carrier and may still be ported (its status is %q); only one that is closed or rejected can be corrected", which, string(r.Status))
	default:
		e.Message = which + " is " + r.State.String() + "; wait until that is settled"
	}
	return e
}
