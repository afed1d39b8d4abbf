package intake

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/inflight"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// send posts a claimed order and settles it. It runs on its own, so that a caller who leaves loses nothing. From is when
// the claim was begun.
func (in *Intake) send(ctx context.Context, r ledger.Record, call carrier.Call, f *flight, from time.Duration) {
	outcome := in.post(ctx, r, call, from)
	inflight.From(ctx).LetGo()
	in.Reach(PointPosted)
	in.settle(ctx, r, outcome, false, f)
}

// post is the one POST. Whatever breaks in the client leaves the order in doubt. A process that was stopped for so long
// that its lease could end during the POST does not begin it: others may have decided about the order by then.
func (in *Intake) post(ctx context.Context, r ledger.Record, call carrier.Call, from time.Duration) (outcome carrier.Outcome) {
	defer func() {
		if p := recover(); p != nil {
			in.Log.ErrorContext(ctx, "sending an order panicked", slog.String("order_id", r.OrderID), slog.Any("error", in.panicked(p)))
			outcome = carrier.Outcome{Settlement: carrier.InDoubt, Evidence: "the service failed while it sent the order"}
		}
	}()
	if in.Elapsed()-from > in.Config.LeaseMargin/2 {
		return carrier.Outcome{
			Settlement: carrier.NotSent, Evidence: "the service was held up between the claim and the POST, so nothing was sent", Fault: heldUp(),
		}
	}
	return in.Carrier(r.CarrierAccount).Submit(ctx, call)
}

// heldUp is the error of an order that was claimed and not sent.
func heldUp() *fault.Error {
	return fault.New(fault.ReasonLedgerUnavailable, "the service was held up before it could send the order; nothing was sent; ask again with the same request_id").
		WithRetryAfter(time.Second)
}

const (
	// patience is how often a result is offered to a ledger that fails before those who wait are told that it is not known.
	patience = 5
	// longestPause is the longest wait between two offers.
	longestPause = time.Second
)

// settle writes what the POST met, and goes on until the ledger takes it or is closed. Meanwhile the order is IN_DOUBT for
// those who wait for it, and no new order is taken.
func (in *Intake) settle(ctx context.Context, claimed ledger.Record, outcome carrier.Outcome, unsent bool, f *flight) {
	a := answer{
		attempt: claimed.Attempt, owner: claimed.Owner, outcome: outcome, unsent: unsent,
		now: in.Now(), steady: in.steady(), due: in.Config.Doubt.first(),
	}
	step := ledger.Step{By: order.ByAnswer, Now: a.now, Change: a.apply}
	for try := 0; ; try++ {
		settled, err := in.advance(ctx, claimed.OrderID, step)
		switch {
		case err == nil, errors.Is(err, ledger.ErrMoved), errors.Is(err, ledger.ErrNotFound), errors.Is(err, ledger.ErrClosed):
			in.settled(ctx, claimed, settled, a, err)
			if try > 0 {
				in.owe(-1)
			}
			in.land(claimed.OrderID, f, standing(claimed, settled, err), failure(outcome, err))
			return
		case errors.Is(err, ledger.ErrTicketTaken) && a.outcome.Ticket != "":
			a.taken, a.outcome.Ticket = a.outcome.Ticket, ""
			step.Change = a.apply
			try--
			continue
		}
		if try == 0 {
			in.owe(1)
			a.again = true
			step.Change = a.apply
		}
		if try == patience {
			f.answer(inDoubt(claimed), failure(outcome, err))
		}
		in.Log.ErrorContext(ctx, "an order's result could not be written; it is tried again", slog.String("order_id", claimed.OrderID), slog.Any("error", err))
		in.pause(min(longestPause, 10*time.Millisecond<<min(try, 10)))
	}
}

// pause waits; the results of orders have nowhere else to go.
func (in *Intake) pause(d time.Duration) {
	<-time.After(d)
}

// standing is the order as those who wait for its flight are told.
func standing(claimed, settled ledger.Record, err error) ledger.Record {
	if err == nil || errors.Is(err, ledger.ErrMoved) {
		return settled
	}
	return inDoubt(claimed)
}

// inDoubt is an order whose result the ledger does not have.
func inDoubt(r ledger.Record) ledger.Record {
	r.State = order.InDoubt
	return r
}

// failure is the error of a flight whose order was never posted because the ledger may not have its claim: those who wait
// must not be told of an order that is not there.
func failure(o carrier.Outcome, err error) error {
	if err != nil && !errors.Is(err, ledger.ErrMoved) && o.Settlement == carrier.NotSent {
		return o.Fault
	}
	return nil
}

// settled logs what became of an order, and of a result that has no order any more.
func (in *Intake) settled(ctx context.Context, claimed, r ledger.Record, a answer, err error) {
	met := []slog.Attr{
		slog.String("order_id", claimed.OrderID), slog.Int("attempt", claimed.Attempt),
		slog.String("ticket_id", a.outcome.Ticket), slog.String("evidence", a.outcome.Evidence),
	}
	switch {
	case err == nil:
		in.Log.LogAttrs(ctx, urgency(r), "the answer to an order was written", append(met, slog.String("state", r.State.String()))...)
		in.Reach(PointSettled)
	case errors.Is(err, ledger.ErrClosed):
		in.Log.LogAttrs(ctx, slog.LevelError, "the service ended before the answer to an order was written", met...)
	case errors.Is(err, ledger.ErrMoved) && !r.Erased.IsZero() && !a.unsent:
		in.Log.LogAttrs(ctx, slog.LevelError, "an answer came to an order that was erased, which it cannot change any more; look the ticket up at the carrier", met...)
	case errors.Is(err, ledger.ErrNotFound) && !a.unsent:
		in.Log.LogAttrs(ctx, slog.LevelError, "the ledger does not know the order that an answer came to", met...)
	}
}

// urgency is how loudly the log says what became of an order: an operator has to act on refused credentials, and should
// know of an order in doubt.
func urgency(r ledger.Record) slog.Level {
	switch {
	case r.State == order.NotSent && r.Reason == fault.ReasonCarrierCredentials:
		return slog.LevelError
	case r.State == order.InDoubt || len(r.Attention) > 0:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
