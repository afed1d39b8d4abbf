package intake

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/order"
)

// flight is an order that this process is sending.
type flight struct {
	// landed closes when the flight has ended; result or err is set before that.
	landed chan struct{}

	mu sync.Mutex
	// latest is the order as it stands: claimed, and then settled. Its state is 0 until it is claimed.
	latest Record
	// err is why the order was not claimed.
	err error
}

// claim notes that the order is claimed.
func (f *flight) claim(r Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.latest = r
}

// stands is the order as it stands, or why it was not claimed.
func (f *flight) stands() (Record, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.latest, f.err
}

// board begins a flight, or returns the one that is under way for the order, which is then not the caller's to land.
func (in *Intake) board(orderID string) (f *flight, mine bool, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closing {
		return nil, false, fault.New(fault.ReasonShuttingDown, "the service is stopping; nothing was sent; send the order again with the same request_id").
			WithRetryAfter(5 * time.Second)
	}
	if f, flying := in.flights[orderID]; flying {
		return f, false, nil
	}
	f = &flight{landed: make(chan struct{})}
	in.flights[orderID] = f
	in.sending.Add(1)
	return f, true, nil
}

// land ends a flight, with the order as it then stands or with why it was not claimed.
func (in *Intake) land(orderID string, f *flight, result Record, err error) {
	f.mu.Lock()
	f.latest, f.err = result, err
	f.mu.Unlock()
	in.mu.Lock()
	defer in.mu.Unlock()
	delete(in.flights, orderID)
	close(f.landed)
	in.sending.Done()
}

// underWay returns the flight of an order that this process is sending, or nil.
func (in *Intake) underWay(orderID string) *flight {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.flights[orderID]
}

// send posts a claimed order and settles it. It runs on its own, so that a caller who leaves loses nothing.
func (in *Intake) send(ctx context.Context, r Record, call carrier.Call, f *flight) {
	outcome := in.submit(ctx, r, call)
	in.land(r.OrderID, f, in.settle(ctx, r, outcome), nil)
}

// submit is the one POST. Whatever breaks in the client leaves the order in doubt.
func (in *Intake) submit(ctx context.Context, r Record, call carrier.Call) (outcome carrier.Outcome) {
	defer func() {
		if p := recover(); p != nil {
			in.Log.ErrorContext(ctx, "sending an order panicked", slog.String("order_id", r.OrderID), slog.Any("error", panicked(p)))
			outcome = carrier.Outcome{Settlement: carrier.InDoubt, Evidence: "the service failed while it sent the order"}
		}
	}()
	return in.Carrier.Submit(ctx, call)
}

// settleTries is how often a result is offered to a journal that fails, a little later each time.
const settleTries = 10

// settle writes what the POST met. A journal that does not take it within settleTries leaves the order SENDING there, and
// IN_DOUBT for those who wait for it here.
func (in *Intake) settle(ctx context.Context, r Record, outcome carrier.Outcome) Record {
	now := in.Now()
	change := func(r *Record) { applyOutcome(r, outcome, now) }
	for try := range settleTries {
		settled, err := in.write(ctx, r.OrderID, change)
		switch {
		case err == nil:
			in.Log.LogAttrs(ctx, urgency(settled), "order settled", slog.String("order_id", r.OrderID), slog.Int("attempt", settled.Attempt),
				slog.String("state", settled.State.String()), slog.String("evidence", settled.Evidence))
			return settled
		case errors.Is(err, ErrMoved):
			return settled
		case errors.Is(err, ErrTicketTaken):
			outcome = ticketTaken(outcome)
		default:
			in.Log.ErrorContext(ctx, "an order's result could not be written", slog.String("order_id", r.OrderID), slog.Any("error", err))
			<-time.After(min(time.Second, 10*time.Millisecond<<try)) // the context has no end: the result must be written
		}
	}
	r.State, r.Evidence = order.InDoubt, "the result could not be written"
	return r
}

// write is one try to settle an order by its answer.
func (in *Intake) write(ctx context.Context, orderID string, change func(*Record)) (r Record, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	return in.Journal.Settle(ctx, orderID, order.ByAnswer, change)
}

// urgency is how loudly the log says what became of an order: an operator has to act on refused credentials, and should
// know of an order in doubt.
func urgency(r Record) slog.Level {
	switch {
	case r.Reason == fault.ReasonCarrierCredentials:
		return slog.LevelError
	case r.State == order.InDoubt || len(r.Attention) > 0:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// settlements are the states that the settlements of a POST lead to.
var settlements = map[carrier.Settlement]order.State{
	carrier.InDoubt:  order.InDoubt,
	carrier.NotSent:  order.NotSent,
	carrier.Refused:  order.Refused,
	carrier.Accepted: order.Accepted,
}

// applyOutcome turns what a POST met into what the order says about it.
func applyOutcome(r *Record, o carrier.Outcome, now time.Time) {
	r.State = settlements[o.Settlement]
	r.Reply, r.Message, r.ErrorID, r.Evidence = o.Reply, o.Message, o.ErrorID, o.Evidence
	if r.State == order.Accepted { // a ticket beside any other answer is none to follow
		r.Ticket = o.Ticket
	}
	r.Updated = now
	if r.State != order.InDoubt {
		r.Settled = now
	}
	r.Attention = append(r.Attention, attentions(o, now)...)
	if o.Fault != nil {
		r.Reason, r.Problem, r.RetryAfter = o.Fault.Reason, o.Fault.Message, o.Fault.RetryAfter
	}
}

// attentions says why a person should look at an order after its POST.
func attentions(o carrier.Outcome, now time.Time) []Attention {
	switch o.Settlement {
	case carrier.InDoubt: // this version has nothing yet that finds out
		return []Attention{{
			portinv1.AttentionCode_ATTENTION_CODE_IN_DOUBT_UNRESOLVED,
			"whether the carrier has the order is not known; look its numbers up at the carrier before anybody orders them again", now,
		}}
	case carrier.NotSent, carrier.Refused:
		return nil
	case carrier.Accepted:
	}
	var why []Attention
	switch o.Reply {
	case carrier.ReplyDeferred:
		why = append(why, Attention{portinv1.AttentionCode_ATTENTION_CODE_REPLY_DEFERRED, "the carrier deferred the order; follow it by its numbers", now})
	case carrier.ReplyConditional:
		why = append(why, Attention{portinv1.AttentionCode_ATTENTION_CODE_REPLY_CONDITIONAL, "the carrier accepted the order under a condition; its message may name it", now})
	case carrier.ReplyNone, carrier.ReplyRejected, carrier.ReplyAccepted, carrier.ReplyError:
	}
	if o.Ticket == "" {
		why = append(why, Attention{portinv1.AttentionCode_ATTENTION_CODE_NO_TICKET, "the carrier accepted the order under no ticket of its own; follow it by its numbers", now})
	}
	return why
}

// ticketTaken is an acceptance under a ticket that another order has: the carrier has something, and nobody knows what.
func ticketTaken(o carrier.Outcome) carrier.Outcome {
	o.Ticket = ""
	return o
}
