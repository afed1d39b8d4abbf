package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// closingCases are what a store does once it was told to close.
func closingCases() []aCase {
	return []aCase{
		{"a store that is closed says so", closedSaysSo},
		{"a store that is closed twice is closed", closedTwice},
		{"what was acknowledged before closing is there", closingLosesNothing},
	}
}

// everyCall are all methods of a store that may fail, each on the order that was claimed and one that was not.
func everyCall(was, fresh ledger.Record) map[string]func(ctx context.Context, s ledger.Store) error {
	return map[string]func(ctx context.Context, s ledger.Store) error{
		"FindKey": func(ctx context.Context, s ledger.Store) error {
			_, err := s.FindKey(ctx, was.Tenant, was.RequestID)
			return err
		},
		"Find": func(ctx context.Context, s ledger.Store) error {
			_, err := s.Find(ctx, was.Tenant, was.OrderID)
			return err
		},
		"Claim": func(ctx context.Context, s ledger.Store) error {
			_, err := s.Claim(ctx, fresh, Entry("claimed"))
			return err
		},
		"Advance": func(ctx context.Context, s ledger.Store) error {
			_, err := s.Advance(ctx, was.OrderID, Move(order.InDoubt, order.ByAnswer, was.Claimed))
			return err
		},
		"List": func(ctx context.Context, s ledger.Store) error {
			_, _, err := s.List(ctx, whole())
			return err
		},
		"OfNumber": func(ctx context.Context, s ledger.Store) error {
			_, err := s.OfNumber(ctx, ledger.NumberQuery{Number: was.Numbers[0], Limit: 1})
			return err
		},
		"Events": func(ctx context.Context, s ledger.Store) error {
			_, err := s.Events(ctx, was.Tenant, was.OrderID, false, 0, 10)
			return err
		},
		"Take": func(ctx context.Context, s ledger.Store) error {
			_, err := s.Take(ctx, ledger.Turn{State: was.State, Now: was.Due, Until: was.Due.AddDate(1, 0, 0), Limit: 10})
			return err
		},
		"Erase": func(ctx context.Context, s ledger.Store) error {
			_, err := s.Erase(ctx, was.OrderID, Erasure())
			return err
		},
		"Erasable": func(ctx context.Context, s ledger.Store) error {
			_, err := s.Erasable(ctx, Epoch(), 10)
			return err
		},
		"Sending": func(ctx context.Context, s ledger.Store) error {
			_, err := s.Sending(ctx)
			return err
		},
		"Count": func(ctx context.Context, s ledger.Store) error {
			_, err := s.Count(ctx)
			return err
		},
		"Follow": func(ctx context.Context, s ledger.Store) error {
			_, err := s.Follow(ctx, Elsewhere(3), Entry("followed"))
			return err
		},
		"Head": func(ctx context.Context, s ledger.Store) error {
			_, err := s.Head(ctx)
			return err
		},
		"Changes": func(ctx context.Context, s ledger.Store) error {
			_, err := s.Changes(ctx, 0, 10)
			return err
		},
		"Records": func(ctx context.Context, s ledger.Store) error {
			_, err := s.Records(ctx, []string{was.OrderID})
			return err
		},
		"Check": func(ctx context.Context, s ledger.Store) error { return s.Check(ctx) },
	}
}

func closedSaysSo(t *trial) {
	r := t.claimed(Record(1))
	before := t.seen(r)
	if err := t.Close(); err != nil {
		t.Fatal(err)
	}
	for name, call := range everythingCalled(r, Record(2)) {
		if err := call(t.Context(), t.Store); !errors.Is(err, ledger.ErrClosed) {
			t.Errorf("%s after Close: %v, want ErrClosed", name, err)
		}
	}
	_, stop := t.Hint() // Nothing can go wrong with it, and nothing comes.
	stop()
	t.Store = t.open()
	t.same("the order", before, t.seen(r))
	t.absent(Record(2))
	t.gone(Elsewhere(3))
	t.same("the endpoints", []ledger.Endpoint(nil), t.endpoints(""))
}

func closedTwice(t *trial) {
	errs := make([]error, 9)
	together(8, func(i int) { errs[i] = t.Close() })
	errs[8] = t.Close()
	if text := joined(errs); text != "" {
		t.Errorf("Close, again and again:%s", text)
	}
	t.Store = t.open()
	t.claimed(Record(1))
}

// closingLosesNothing closes a store in the midst of work. What it acknowledged is there, and whole; what it did not is
// whole or not there.
func closingLosesNothing(t *trial) {
	const writers, orders = 16, 20
	var wg sync.WaitGroup
	claimed, accepted := make([]int, writers), make([]int, writers)
	under := make(chan struct{}, writers)
	for i := range writers {
		wg.Go(func() {
			for n := range orders {
				r := Record(i*orders + n)
				if _, err := t.Claim(t.Context(), r, Entry("claimed")); err != nil {
					return
				}
				claimed[i]++
				if _, err := t.Advance(t.Context(), r.OrderID, Accept(Ticket(i*orders+n), r.Claimed)); err != nil {
					return
				}
				accepted[i]++
				if n == 0 {
					under <- struct{}{}
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	// Half of the writers have work behind them, and all may have more.
	for range writers / 2 {
		select {
		case <-under:
		case <-done:
		}
	}
	if err := t.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	<-done
	t.Store = t.open()
	for i := range writers {
		for n := range orders {
			t.afterwards(Record(i*orders+n), Ticket(i*orders+n), n < claimed[i], n < accepted[i])
		}
	}
}

// afterwards fails the test unless an order is wholly there or wholly not, and as far on as was acknowledged.
func (t *trial) afterwards(r ledger.Record, ticket string, claimed, accepted bool) {
	t.Helper()
	if _, err := t.Find(t.Context(), r.Tenant, r.OrderID); errors.Is(err, ledger.ErrNotFound) {
		if claimed {
			t.Errorf("order %s was acknowledged and is lost", r.OrderID)
		}
		t.absent(r)
		return
	}
	step := Accept(ticket, r.Claimed)
	next, told, err := step.Apply(r)
	if err != nil {
		t.Fatal(err)
	}
	first := []ledger.Event{ledger.Claimed(r, Entry("claimed"))}
	want := sight{r, first}
	if got := t.found(r); got.State == order.Accepted {
		want = sight{next, append(first, told...)}
	} else if accepted {
		t.Errorf("order %s was accepted, which was acknowledged, and is %v", r.OrderID, got.State)
	}
	got := t.seen(r)[0]
	got.Events = unnumbered(got.Events)
	t.same(fmt.Sprintf("order %s after the store was closed at work", r.OrderID), want, got)
}
