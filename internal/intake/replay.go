package intake

import (
	"context"
	"errors"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// replay answers a key that was used before with the same content: the order as it now is, without a call to the
// carrier. It waits for an order that is being sent, also by another process.
func (in *Intake) replay(ctx context.Context, r ledger.Record) (*portinv1.PortInResponse, error) {
	if r.State != order.Sending {
		return in.answer(r, true)
	}
	if f := in.underWay(r.OrderID); f != nil {
		return in.await(ctx, f, true)
	}
	near, stop := in.nearDeadline(ctx)
	defer stop()
	for pause := firstGlance; ; pause = min(2*pause, longestGlance) {
		if now, err := in.Ledger.Find(ctx, r.Tenant, r.OrderID); err == nil {
			r = now
		}
		if r.State != order.Sending {
			return in.answer(r, true)
		}
		select {
		case <-time.After(pause):
		case <-near:
			return in.answer(r, true)
		case <-in.leaving:
			return in.answer(r, true)
		case <-ctx.Done():
			return nil, ctxFault(ctx)
		}
	}
}

// How often the ledger is asked whether another process has settled an order: seldom for one that takes long.
const (
	firstGlance   = 20 * time.Millisecond
	longestGlance = time.Second
)

// nearDeadline is when a caller that waits has to be answered; never when it has all the time.
func (in *Intake) nearDeadline(ctx context.Context) (near <-chan time.Time, stop func() bool) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil, func() bool { return false }
	}
	timer := time.NewTimer(time.Until(deadline) - in.Config.AnswerBefore)
	return timer.C, timer.Stop
}

// await waits until a flight lands, the caller's deadline is near or the service stops, and answers the order as it then
// stands. A caller that leaves is told nothing: the order goes on.
func (in *Intake) await(ctx context.Context, f *flight, replayed bool) (*portinv1.PortInResponse, error) {
	near, stop := in.nearDeadline(ctx)
	defer stop()
	select {
	case <-f.landed:
	case <-near:
	case <-in.leaving:
	case <-ctx.Done():
		return nil, ctxFault(ctx)
	}
	r, err := f.stands()
	switch {
	case errors.Is(err, ledger.ErrMoved): // another process was faster
		if r, err = in.owned(ctx, f.orderID); err != nil {
			return nil, writeFault(ctx, err)
		}
		return in.replay(ctx, r)
	case err != nil:
		return nil, writeFault(ctx, err)
	case r.State == 0: // another request with this key is about to claim the order
		return nil, fault.New(fault.ReasonDeadlineExceeded, "the order is about to be sent by another request with this request_id; ask again with it")
	}
	return in.answer(r, replayed)
}

// answer is what the caller of PortIn gets for an order in its state: the order, or its error.
func (in *Intake) answer(r ledger.Record, replayed bool) (*portinv1.PortInResponse, error) {
	switch {
	case !r.Erased.IsZero():
		return nil, reused(r)
	case r.State == order.NotSent, r.State == order.Refused:
		return nil, refusal(r)
	}
	o, err := Render(r)
	if err != nil {
		return nil, err
	}
	return &portinv1.PortInResponse{Order: o, Replayed: replayed}, nil
}

// refusal is the error of an order that was not sent or was refused, the same at the first answer and at every replay.
func refusal(r ledger.Record) *fault.Error {
	e := fault.New(r.Reason, r.Problem).WithMetadata("order_id", r.OrderID)
	if r.ErrorID != "" {
		e = e.WithMetadata("carrier_error_id", r.ErrorID)
	}
	return e.WithRetryAfter(r.RetryAfter)
}

// reused is the error of a key that stands for other content, or for content that was removed: whether it was the same, nobody
// can say any more.
func reused(r ledger.Record) *fault.Error {
	problem := "the request_id was used for an order with other content; choose a new one for a new order"
	if !r.Erased.IsZero() {
		problem = "the order of this request_id is over and its contents were removed; choose a new request_id for a new order"
	}
	return fault.New(fault.ReasonRequestIDReused, problem).WithMetadata("order_id", r.OrderID)
}

// writeFault is what the caller of PortIn is told when the ledger says no.
func writeFault(ctx context.Context, err error) error {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e
	}
	if ended := ctxFault(ctx); ended != nil {
		return ended
	}
	return ledgerDown(err)
}

// ledgerDown is the error of a call that sent nothing, because the ledger could not be asked or written to.
func ledgerDown(cause error) *fault.Error {
	return fault.New(fault.ReasonLedgerUnavailable, "the ledger of orders does not answer; this call sent nothing; ask again with the same request_id").
		WithRetryAfter(5 * time.Second).WithCause(cause)
}

// readFault is what a caller is told when the ledger does not give what it asked for.
func readFault(ctx context.Context, err error) error {
	var e *fault.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, ledger.ErrNotFound):
		return fault.New(fault.ReasonOrderNotFound, "there is no such order; check the order_id").WithCause(err)
	}
	if ended := ctxFault(ctx); ended != nil {
		return ended
	}
	return fault.New(fault.ReasonLedgerUnavailable, "the ledger of orders does not answer; ask again").
		WithRetryAfter(5 * time.Second).WithCause(err)
}

// ctxFault is the fault of a caller that left or ran out of time; nil while it waits.
func ctxFault(ctx context.Context) error {
	switch err := ctx.Err(); {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.ReasonDeadlineExceeded, "the deadline ended; retry with the same request_id").WithCause(err)
	default:
		return fault.New(fault.ReasonCancelled, "the caller left; retry with the same request_id").WithCause(err)
	}
}
