package rounds_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/rounds"
)

func TestTheCarrierIsNotAskedFasterThanAllowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &watcher{heap: newHeap(40), begun: time.Now()}
		p := params(w.heap)
		p.PerSecond, p.Look = 2, w.look(0)
		stop := run(t, p)
		pass(40 * time.Second)
		stop()
		if len(w.asked) != 40 {
			t.Fatalf("%d orders were asked about in 40 seconds", len(w.asked))
		}
		for i := 1; i < len(w.asked); i++ {
			if gap := w.asked[i].at - w.asked[i-1].at; gap < 500*time.Millisecond-time.Microsecond {
				t.Errorf("order %s was asked about %v after order %s", w.asked[i].order, gap, w.asked[i-1].order)
			}
		}
		if total := w.asked[39].at - w.asked[0].at; total > 20*time.Second {
			t.Errorf("40 orders took %v", total)
		}
	})
}

// MayAsk holds the rate however many ask, also within one look.
func TestManyAskAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var at []time.Duration
		begun := time.Now()
		p := params(newHeap(8))
		p.PerSecond = 4
		p.Look = func(ctx context.Context, _ ledger.Record, round *rounds.Round) error {
			var all sync.WaitGroup
			for range 5 {
				all.Go(func() {
					if round.MayAsk(ctx) {
						mu.Lock()
						defer mu.Unlock()
						at = append(at, time.Since(begun))
					}
				})
			}
			all.Wait()
			return nil
		}
		stop := run(t, p)
		pass(30 * time.Second)
		stop()
		slices.Sort(at)
		if len(at) != 40 {
			t.Fatalf("asked %d times", len(at))
		}
		for i := 1; i < len(at); i++ {
			if gap := at[i] - at[i-1]; gap < 250*time.Millisecond-time.Microsecond {
				t.Errorf("asked again after %v", gap)
			}
		}
	})
}

func TestTheFirstTurnGoesOneAfterTheOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &watcher{heap: newHeap(24), begun: time.Now()}
		p := params(w.heap)
		p.Look = w.look(time.Second)
		stop := run(t, p)
		pass(12*time.Second + 5*time.Second) // the first round begins after 10 to 12 seconds
		if most := w.mostAtOnce(); most != 1 {
			t.Errorf("%d orders of the first turn were in work at once", most)
		}
		pass(20 * time.Second)
		stop()
		if w.most != 4 || len(w.asked) != 24 {
			t.Errorf("%d orders of %d were in work at once, want 4 of 24", w.most, len(w.asked))
		}
		var first []string
		for _, a := range w.asked[:8] {
			first = append(first, a.order)
		}
		if diff := cmp.Diff([]string{"000", "001", "002", "003", "004", "005", "006", "007"}, first); diff != "" {
			t.Errorf("the first turn (-want +got):\n%s", diff)
		}
	})
}

func TestProcessesShareTheWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHeap(100)
		one, two := &watcher{heap: h, begun: time.Now()}, &watcher{heap: h, begun: time.Now()}
		var stops []func()
		for _, w := range []*watcher{one, two} {
			p := params(h)
			p.Look = w.look(time.Second)
			stops = append(stops, run(t, p))
		}
		pass(2 * time.Minute)
		for _, stop := range stops {
			stop()
		}
		seen := map[string]int{}
		for _, a := range slices.Concat(one.asked, two.asked) {
			seen[a.order]++
		}
		for id := range h.orders {
			if seen[id] != 1 {
				t.Errorf("order %s was asked about %d times", id, seen[id])
			}
		}
		if len(one.asked) == 0 || len(two.asked) == 0 {
			t.Errorf("one process asked about %d orders, the other about %d", len(one.asked), len(two.asked))
		}
	})
}

func TestATurnIsWhatIsAskedOfTheLedger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHeap(0)
		shown := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
		p := params(h)
		p.State, p.Now = order.InDoubt, func() time.Time { return shown }
		stop := run(t, p)
		pass(time.Minute)
		stop()
		if len(h.turns) < 4 || len(h.turns) > 6 {
			t.Errorf("the ledger was asked %d times in a minute", len(h.turns))
		}
		for _, turn := range h.turns {
			until := turn.Until.Sub(shown)
			if until < 5*time.Minute || until > 6*time.Minute {
				t.Errorf("an order is due again after %v", until)
			}
			turn.Until = time.Time{}
			if diff := cmp.Diff(ledger.Turn{State: order.InDoubt, Now: shown, Limit: 8}, turn); diff != "" {
				t.Errorf("turn (-want +got):\n%s", diff)
			}
		}
	})
}

func TestAnOrderThatWasNotLookedAtComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &watcher{heap: newHeap(1), begun: time.Now()}
		p := params(w.heap)
		p.Look = func(_ context.Context, r ledger.Record, _ *rounds.Round) error {
			w.note(r)
			return nil
		}
		stop := run(t, p)
		pass(13 * time.Minute)
		stop()
		if len(w.asked) != 3 {
			t.Fatalf("looked at %d times in 13 minutes", len(w.asked))
		}
		for i := 1; i < 3; i++ {
			if gap := w.asked[i].at - w.asked[i-1].at; gap < 5*time.Minute || gap > 6*time.Minute+12*time.Second {
				t.Errorf("looked at again after %v", gap)
			}
		}
	})
}

func TestJittered(t *testing.T) {
	t.Parallel()
	least, most := time.Hour, time.Duration(0)
	for range 1000 {
		d := rounds.Jittered(10 * time.Second)
		least, most = min(least, d), max(most, d)
	}
	if least < 10*time.Second || most > 12*time.Second || most-least < time.Second {
		t.Errorf("ten seconds become %v to %v", least, most)
	}
	if d := rounds.Jittered(0); d > 1 {
		t.Errorf("nothing becomes %v", d)
	}
}

func TestWaited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		if !rounds.Waited(t.Context(), time.Minute) || time.Since(begun) != time.Minute {
			t.Errorf("waited %v", time.Since(begun))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if rounds.Waited(ctx, time.Minute) || time.Since(begun) != time.Minute+time.Second {
			t.Errorf("waited %v", time.Since(begun))
		}
	})
}
