package rounds_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/rounds"
)

// divided is a heap of which the first orders belong to one account of the carrier, and the others to another.
func divided(n, first int) *heap {
	h := newHeap(n)
	for id, r := range h.orders {
		r.CarrierAccount = "first"
		if id >= fmt.Sprintf("%03d", first) {
			r.CarrierAccount = "second"
		}
	}
	return h
}

// An account for which the carrier does not answer rests alone. Those of its orders that are due before the others' are
// passed over.
func TestOnlyTheAccountRestsThatIsNotAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		passed := 0
		w := &watcher{heap: divided(60, 40), begun: time.Now()}
		silent, answers := mute(w, &passed, errDown), w.look(0)
		p := params(w.heap)
		p.Accounts = func() []string { return []string{"first", "second"} }
		p.Look = func(ctx context.Context, r ledger.Record, round *rounds.Round) error {
			if r.CarrierAccount == "first" {
				return silent(ctx, r, round)
			}
			return answers(ctx, r, round)
		}
		stop := run(t, p)
		pass(13 * time.Second) // one round
		if w.count() != 1+20 || passed != 39 {
			t.Errorf("asked about %d orders and passed over %d, want 21 and 39", w.count(), passed)
		}
		again := func() {
			w.set(func() {
				for _, r := range w.orders {
					r.Due = time.Now().Add(-time.Second)
				}
			})
		}
		again()
		pass(11 * time.Second) // another one; the account that was not answered rests for ten to twelve seconds beside
		stop()
		if w.count() != 21+20 || passed != 39+40 {
			t.Errorf("then asked about %d orders and passed over %d, want 41 and 79", w.count(), passed)
		}
	})
}

// When no account is answered the round ends, also when orders of an account are due that nobody has any more.
func TestARoundEndsWhenNoAccountIsAnswered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		passed := 0
		w := &watcher{heap: divided(60, 20), begun: time.Now()}
		p := params(w.heap)
		p.Accounts = func() []string { return []string{"second"} }
		p.Look = mute(w, &passed, errDown)
		stop := run(t, p)
		pass(13 * time.Second)
		stop()
		if diff := cmp.Diff([]int{2, 22}, []int{w.count(), passed}); diff != "" {
			t.Errorf("orders asked about and passed over (-want +got):\n%s", diff)
		}
	})
}

// An account that rested is asked for again although the rounds of the others went on meanwhile, and once it was answered its next
// rest is a first one.
func TestAnAccountWakesWhileOthersAreAskedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, of := &watcher{heap: divided(2, 1), begun: time.Now()}, map[string]*watcher{}
		for _, account := range []string{"first", "second"} {
			of[account] = &watcher{heap: w.heap, begun: w.begun}
		}
		p := params(w.heap)
		p.Accounts = func() []string { return []string{"first", "second"} }
		p.Look = func(ctx context.Context, r ledger.Record, round *rounds.Round) error {
			w.set(func() { w.orders[r.OrderID].Due = time.Now() })
			if !round.MayAsk(ctx) {
				return nil
			}
			of[r.CarrierAccount].note(r)
			if r.CarrierAccount == "first" && of["first"].count()%2 == 1 {
				round.NoAnswer(errDown)
			} else {
				round.Answered()
			}
			return nil
		}
		stop := run(t, p)
		pass(5 * time.Minute)
		stop()
		first, second := rests(of["first"]), rests(of["second"])
		if len(first) < 12 || len(second) < 24 {
			t.Fatalf("the accounts were asked for %d and %d times more", len(first), len(second))
		}
		for i, rest := range first {
			low, high := 10*time.Second, 12*time.Second
			if i%2 == 0 { // the second round from then on
				low, high = 20*time.Second, 24*time.Second
			}
			if rest < low || rest > high {
				t.Errorf("rest %d of the account is %v", i, rest)
			}
		}
	})
}
