package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/order"
)

// claim writes the order before it is sent. A number that an accepted order holds is asked for once under that order's
// own ticket: when the carrier says that its port-in is over, the number is free.
func (in *Intake) claim(ctx context.Context, r Record) (got Record, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.Internal(panicked(p))
		}
	}()
	var released []string
	for {
		if err := in.enoughTime(ctx); err != nil {
			return Record{}, err
		}
		got, err := in.Journal.Claim(ctx, r, released)
		var held *HeldError
		if !errors.As(err, &held) {
			return got, err
		}
		if !in.isOver(ctx, held.Holder) {
			return Record{}, numberHeld(held)
		}
		released = append(released, held.Holder.OrderID)
	}
}

// panicked is the error of a panic, for the log. What was thrown may hold an order, so only its type is shown.
func panicked(thrown any) error {
	stack := debug.Stack()
	return fmt.Errorf("a panic (%T) at:\n%s", thrown, stack[:min(len(stack), 2<<10)])
}

// isOver reports whether the carrier says that an accepted order's own ticket is closed. Any doubt is no.
func (in *Intake) isOver(ctx context.Context, holder Record) bool {
	if holder.State != order.Accepted || holder.Ticket == "" {
		return false
	}
	asking, cancel := context.WithTimeout(ctx, in.Config.LookTimeout)
	defer cancel()
	status, err := in.Carrier.StatusByTicket(asking, holder.Ticket)
	return err == nil && closed(status)
}

// adopt takes the ticket that a look found for an order whose earlier attempt was thought not to have been sent.
func (in *Intake) adopt(ctx context.Context, r Record, ticket string) (*portinv1.PortInResponse, error) {
	now := in.Now()
	settled, err := in.Journal.Settle(ctx, r.OrderID, order.ByEvidence, func(r *Record) {
		r.State, r.Ticket = order.Accepted, ticket
		r.Reason, r.Problem, r.RetryAfter = "", "", 0
		r.Evidence = "the look before a re-send found the order at the carrier"
		r.Settled, r.Updated = now, now
	})
	var held *HeldError
	switch {
	case errors.Is(err, ErrMoved):
		return in.replay(ctx, settled)
	case errors.As(err, &held):
		return nil, numberHeld(held)
	case errors.Is(err, ErrTicketTaken):
		return nil, fault.New(fault.ReasonNumberInOpenOrder, "the carrier has the numbers in an open port-in that belongs to another order; follow that one, or wait until it is closed").
			WithCause(err)
	case err != nil:
		return nil, journalFault(err)
	}
	in.Log.WarnContext(ctx, "order found at the carrier before it was sent again", slog.String("order_id", r.OrderID), slog.String("ticket_id", ticket))
	return in.answer(settled, true)
}

// numberHeld is the error for a number of an open order. The holder is named because it is the same tenant's.
func numberHeld(held *HeldError) *fault.Error {
	return fault.New(fault.ReasonNumberInOpenOrder,
		"a number of this order stands in another order that is not closed; follow that one, or wait until it is").
		WithMetadata("order_id", held.Holder.OrderID).WithMetadata("number", held.Number).WithCause(held)
}
