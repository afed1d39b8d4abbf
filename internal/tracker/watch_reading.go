package tracker

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/portin/portin/internal/ledger"
)

const (
	// pageEvents is how many events are read at once.
	pageEvents = 200
	// pageOrders is how many orders are read at once.
	pageOrders = 16
	// readTimeout is how long the ledger may take; a sign of life can be late by so much.
	readTimeout = 5 * time.Second
	// lookAgain is about how long the reader waits without a hint, and the time between two attempts while the ledger fails.
	lookAgain = time.Second
	// breath is the least time between two looks that found something, so that a stream of events wakes all watches for many
	// of them at once.
	breath = 20 * time.Millisecond
)

// reading is the loop that reads what happens in the ledger.
type reading struct {
	*Watches

	// begun is whether the head was read, after which head is the last event that was.
	begun bool
	head  int64
	// orders are those of the recent changes, bytes is about what both take.
	orders map[string]*known
	bytes  int
	// failing is since when the ledger fails; zero while it does not.
	failing time.Time
}

// run reads until ctx ends.
func (r *reading) run(ctx context.Context) {
	hint, stop := r.Ledger.Hint()
	defer stop()
	for {
		found, err := r.safely(ctx)
		if ctx.Err() != nil {
			return
		}
		r.note(ctx, err)
		pause, hinted := lookAgain+rand.N(lookAgain), hint //nolint:gosec // chance, not a secret
		switch {
		case err != nil:
			hinted = nil
		case found:
			if !wait(ctx, breath, nil) {
				return
			}
		}
		if !wait(ctx, pause, hinted) {
			return
		}
	}
}

// wait waits for a time or a hint, and reports false when ctx has ended.
func wait(ctx context.Context, d time.Duration, hint <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case <-hint:
	}
	return true
}

// safely looks. After a panic nobody knows what was half done, and the loop begins anew: watches ask for what comes after the
// place where they are, so that they are told nothing twice.
func (r *reading) safely(ctx context.Context) (found bool, err error) {
	sound := false
	err = r.guarded(func() (err error) {
		found, err = r.look(ctx)
		sound = true
		return err
	})
	if !sound {
		r.begun, r.orders, r.bytes = false, map[string]*known{}, 0
	}
	return found, err
}

// look reads and shows all that is new, and reports whether something was.
func (r *reading) look(ctx context.Context) (found bool, err error) {
	if !r.begun {
		if err := r.first(ctx); err != nil {
			return false, err
		}
	}
	for more := true; more; {
		var events []ledger.Event
		var records []ledger.Record
		events, records, more, err = r.page(ctx)
		if err != nil || len(events) == 0 {
			return found, err
		}
		found, r.head = true, events[len(events)-1].Sequence
		changes, gone := r.take(r.recent.Load().changes, events, records)
		mark := markOf(&events[len(events)-1])
		r.replace(func(now *recent) {
			now.changes, now.head, now.mark, now.after = changes, r.head, mark, max(now.after, gone)
		})
	}
	return found, nil
}

// first begins as far back as there is room for: after a new start everybody comes back at once, with tokens of just before.
func (r *reading) first(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	head, err := r.Ledger.Head(ctx)
	if err != nil {
		return err
	}
	r.begun, r.head = true, max(0, head-int64(r.Recent))
	r.replace(func(now *recent) { now.changes, now.after, now.head, now.mark = nil, r.head, r.head, mark{} })
	return nil
}

// page reads the next events and the orders that they are of, and whether there may be more. It holds no more of orders at
// once than there is room for: large ones end the page early.
func (r *reading) page(ctx context.Context) (events []ledger.Event, records []ledger.Record, more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	events, err = r.Ledger.Changes(ctx, r.head, pageEvents)
	more = len(events) == pageEvents
	seen, bytes := map[string]bool{}, 0
	var ids []string
	for i, e := range events {
		if !seen[e.OrderID] {
			if len(ids) == 0 && bytes > r.RecentBytes/4 {
				return events[:i], records, true, nil
			}
			seen[e.OrderID] = true
			ids = append(ids, e.OrderID)
		}
		if len(ids) == pageOrders || (i == len(events)-1 && len(ids) > 0) {
			found, err := r.Ledger.Records(ctx, ids)
			if err != nil {
				return nil, nil, false, err
			}
			for i := range found {
				bytes += weight(&found[i])
			}
			records, ids = append(records, found...), ids[:0]
		}
	}
	return events, records, more, err
}

// note keeps account of how the ledger fares: when it has failed for too long, watches end.
func (r *reading) note(ctx context.Context, err error) {
	switch {
	case err == nil && r.failing.IsZero():
	case err == nil:
		r.Log.LogAttrs(ctx, slog.LevelInfo, "watches: what happens is read again", slog.Int("watches", r.Count()))
		r.failing = time.Time{}
		if r.recent.Load().end != nil {
			r.replace(func(now *recent) { now.end = nil })
		}
	case r.failing.IsZero():
		r.Log.LogAttrs(ctx, slog.LevelWarn, "watches: what happens cannot be read",
			slog.Int("watches", r.Count()), slog.Any("error", err))
		r.failing = time.Now()
	case time.Since(r.failing) >= r.Patience && r.recent.Load().end == nil:
		r.replace(func(now *recent) { now.end = ledgerDown(err) })
	}
}
