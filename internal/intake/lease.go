package intake

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/rounds"
)

// Recover puts in doubt what an earlier process on the same ledger was sending, when there can be no other one now. Call it
// before the first order.
func (in *Intake) Recover(ctx context.Context) error {
	return in.endLeases(ctx)
}

// watchLeases looks after leases until ctx ends.
func (in *Intake) watchLeases(ctx context.Context) {
	for rounds.Waited(ctx, rounds.Jittered(in.Config.Doubt.Every)) {
		if err := in.endLeases(ctx); err != nil && ctx.Err() == nil {
			in.Log.ErrorContext(ctx, "leases could not be looked after", slog.Any("error", err))
		}
	}
}

// endLeases puts the orders in doubt whose process is gone. With a ledger of its own a process knows that at once; with a
// shared one it goes by what it has seen itself: a lease that has not changed for its whole term, on this process's own
// clock. No wall clock takes part, so none that jumps ends a lease early. Run and Recover call it, never at once.
func (in *Intake) endLeases(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = in.panicked(p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	leases, err := in.Ledger.Sending(ctx)
	if err != nil {
		return err
	}
	now, seen := in.Elapsed(), map[ledger.Lease]bool{}
	var problems []error
	for _, l := range leases {
		if in.owns(l.Owner) && in.underWay(l.OrderID) != nil {
			continue
		}
		seen[l] = true
		since, known := in.leases[l]
		if !known {
			since, in.leases[l] = now, now
		}
		gone := in.Ledger.Exclusive() && !in.owns(l.Owner)
		switch {
		case in.gaveUp(l.Owner, now):
			problems = append(problems, in.unclaimLate(ctx, l))
		case gone, now-since >= l.Term:
			problems = append(problems, in.endLease(ctx, l))
		}
	}
	maps.DeleteFunc(in.leases, func(l ledger.Lease, _ time.Duration) bool { return !seen[l] })
	return errors.Join(problems...)
}

// endLease puts one order in doubt, unless it has moved on.
func (in *Intake) endLease(ctx context.Context, l ledger.Lease) error {
	steady := in.steady()
	_, err := in.advance(ctx, l.OrderID, ledger.Step{By: order.ByLease, Now: in.Now(), Change: func(r *ledger.Record) (ledger.Entry, error) {
		if r.State != order.Sending || r.Attempt != l.Attempt || r.Owner != l.Owner {
			return ledger.Entry{}, ledger.ErrMoved
		}
		doubt(r, steady, in.Config.Doubt.first())
		return ledger.Entry{Actor: service(), Note: "the process that was sending the order is gone, so it is not known whether the carrier has it"}, nil
	}})
	switch {
	case errors.Is(err, ledger.ErrMoved):
		return nil
	case err == nil:
		in.Log.WarnContext(ctx, "an order whose process is gone is in doubt", slog.String("order_id", l.OrderID))
	}
	return err
}

// giveUp remembers that this process does not send an order although its claim may show up in the ledger.
func (in *Intake) giveUp(owner string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.unclaimed[owner] = in.Elapsed()
}

// gaveUp reports whether this process gave up a claim, and forgets those that can no longer show up.
func (in *Intake) gaveUp(owner string, now time.Duration) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	maps.DeleteFunc(in.unclaimed, func(_ string, since time.Duration) bool { return now-since > 2*in.Config.Lease })
	_, found := in.unclaimed[owner]
	return found
}

// unclaimLate takes back a claim that showed up after it was given up.
func (in *Intake) unclaimLate(ctx context.Context, l ledger.Lease) error {
	a := answer{attempt: l.Attempt, owner: l.Owner, outcome: notClaimed(), unsent: true, now: in.Now(), steady: in.steady()}
	_, err := in.advance(ctx, l.OrderID, ledger.Step{By: order.ByAnswer, Now: a.now, Change: a.apply})
	if errors.Is(err, ledger.ErrMoved) {
		return nil
	}
	return err
}
