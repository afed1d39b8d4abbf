package tracker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/portstatus"
	"github.com/portin/portin/internal/rounds"
)

// Run follows orders until ctx ends.
func (t *Tracker) Run(ctx context.Context) {
	rounds.New(rounds.Params{
		Ledger: t.Ledger, State: order.Accepted, What: "orders at the carrier", Log: t.Log, Now: t.clock.Now,
		Every: t.Pace.Every, PerSecond: t.Pace.PerSecond, Accounts: t.Accounts.Names, Look: t.look, Panicked: t.Panicked,
	}).Run(ctx)
}

// look asks how an order fares, when the round may, and writes down what has changed. One that could not be asked about is
// due again when its turn is over, or at once when that is because this process ends.
func (t *Tracker) look(ctx context.Context, r ledger.Record, round *rounds.Round) error {
	err := t.ask(ctx, r, round)
	if ctx.Err() != nil {
		return t.giveBack(ctx, r)
	}
	return err
}

func (t *Tracker) ask(ctx context.Context, r ledger.Record, round *rounds.Round) error {
	if !round.MayAsk(ctx) {
		return nil
	}
	answer, err := portstatus.Ask(ctx, t.Carrier(r.CarrierAccount), r, func() bool { return t.mayBeFoundByNumber(ctx, r) })
	if err != nil {
		round.NoAnswer(err)
		return nil
	}
	round.Answered()
	after, err := t.note(ctx, r, answer)
	if errors.Is(err, ledger.ErrTicketTaken) { // what stands there by number is another order
		after, err = t.note(ctx, r, portstatus.Answer{})
	}
	switch {
	case errors.Is(err, ledger.ErrMoved):
		return nil
	case err != nil:
		return err
	case after.Status != r.Status && string(after.Status) == answer.Status.Word: // else somebody else has heard so
		t.Log.InfoContext(ctx, "an order's status has changed", slog.String("order_id", r.OrderID), slog.String("status", string(after.Status)),
			slog.String("was", string(r.Status)))
	}
	return nil
}

// giveBack has an order that this process has taken be due at once, for the next process.
func (t *Tracker) giveBack(ctx context.Context, taken ledger.Record) error {
	due := t.clock.Now()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	_, err := t.Ledger.Advance(ctx, taken.OrderID, ledger.Step{Now: t.Now(), Change: func(r *ledger.Record) (ledger.Entry, error) {
		if r.State != order.Accepted || r.Fence != taken.Fence || r.Due.Before(due) {
			return ledger.Entry{}, ledger.ErrMoved
		}
		r.Due = due
		return ledger.Entry{}, nil
	}})
	if errors.Is(err, ledger.ErrMoved) {
		return nil
	}
	return err
}

// mayBeFoundByNumber reports whether a ticket that stands for an order's first number can only be the order's own: no other
// order here, of any tenant, has that number, and the order's own ticket, if it has one, has had its time to become visible.
func (t *Tracker) mayBeFoundByNumber(ctx context.Context, r ledger.Record) bool {
	if r.Ticket != "" && t.Now().Sub(r.Settled) < t.Pace.Patience {
		return false
	}
	others, err := t.Ledger.OfNumber(ctx, ledger.NumberQuery{Number: r.Numbers[0], But: r.OrderID, Limit: 1})
	return err == nil && len(others) == 0
}

// note writes down what the carrier answered about an order that this process has taken, and when to ask again, unless the order has
// moved on. When others have heard of it meanwhile, who wanted one of its numbers or were to correct it, nobody knows which answer is
// the later one, and this one is let go: an order that is over must not be opened again.
func (t *Tracker) note(ctx context.Context, taken ledger.Record, answer portstatus.Answer) (ledger.Record, error) {
	now, due, patient := t.Now(), t.clock.Now(), t.patientSince(ctx, taken.CarrierAccount)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	return t.Ledger.Advance(ctx, taken.OrderID, ledger.Step{Now: now, Change: func(r *ledger.Record) (ledger.Entry, error) {
		if r.State != order.Accepted || r.Fence != taken.Fence || !r.Closed.IsZero() {
			return ledger.Entry{}, ledger.ErrMoved
		}
		if r.Ticket == taken.Ticket && r.Checked.Equal(taken.Checked) {
			answer.Keep(r, now)
		}
		if quietSince(*r).Before(patient) && r.Category() != order.CategoryClosed && r.Successor == "" {
			r.Attend(ledger.AttentionNoProgress,
				fmt.Sprintf("the carrier has said nothing new for %d business days; ask its porting team", t.Pace.NoProgressDays), now)
		} else {
			r.Unattend(ledger.AttentionNoProgress)
		}
		r.Due = time.Time{}
		if again := t.Pace.interval(*r, now); again > 0 {
			r.Due = due.Add(rounds.Jittered(again))
		}
		return ledger.Entry{Actor: ledger.Actor{Kind: ledger.ByCarrier}}, nil
	}})
}

// noteTimeout bounds one call of the ledger.
const noteTimeout = 10 * time.Second

// quietSince is since when nothing new about an order could have been expected and was not said. While the day of its port
// is to come, nothing new is what is to be expected.
func quietSince(r ledger.Record) time.Time {
	day, err := time.ParseInLocation(time.DateOnly, r.PortDate, eastern)
	if err == nil && day.After(r.Progressed) && r.Category() == order.CategoryScheduled {
		return day
	}
	return r.Progressed
}
