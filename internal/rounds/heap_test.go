package rounds_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/rounds"
)

// heap hands out orders that are due, as a ledger does.
type heap struct {
	mu     sync.Mutex
	orders map[string]*ledger.Record
	turns  []ledger.Turn
	fail   error
	panics bool
}

// newHeap returns orders that are due now, in the order of their numbers.
func newHeap(n int) *heap {
	h := &heap{orders: map[string]*ledger.Record{}}
	for i := range n {
		r := &ledger.Record{OrderID: fmt.Sprintf("%03d", i), State: order.Accepted, Due: time.Now().Add(-time.Hour + time.Duration(i))}
		h.orders[r.OrderID] = r
	}
	return h
}

func (h *heap) Take(_ context.Context, t ledger.Turn) ([]ledger.Record, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.turns = append(h.turns, t)
	if h.panics {
		panic("the ledger is broken")
	}
	if h.fail != nil {
		return nil, h.fail
	}
	var due []*ledger.Record
	for _, r := range h.orders {
		if r.State == t.State && !r.Due.IsZero() && !r.Due.After(t.Now) {
			due = append(due, r)
		}
	}
	slices.SortFunc(due, func(a, b *ledger.Record) int { return a.Due.Compare(b.Due) })
	var taken []ledger.Record
	for _, r := range due[:min(len(due), t.Limit)] {
		r.Due, r.Fence = t.Until, r.Fence+1
		taken = append(taken, r.Clone())
	}
	return taken, nil
}

// set changes the heap under its lock.
func (h *heap) set(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

// settle has an order never come back.
func (h *heap) settle(r ledger.Record) { h.set(func() { h.orders[r.OrderID].Due = time.Time{} }) }

// watcher notes what was looked at, and when.
type watcher struct {
	*heap

	mu    sync.Mutex
	begun time.Time
	asked []asked
	// busy is how many are looked at now, and most how many there were at once.
	busy, most int
}

type asked struct {
	order string
	at    time.Duration
}

func (w *watcher) note(r ledger.Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, asked{r.OrderID, time.Since(w.begun)})
}

// count is how many looks have asked.
func (w *watcher) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.asked)
}

func (w *watcher) mostAtOnce() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.most
}

// look is a look that takes some time at the carrier and settles the order.
func (w *watcher) look(takes time.Duration) func(ctx context.Context, r ledger.Record, round *rounds.Round) error {
	return func(ctx context.Context, r ledger.Record, round *rounds.Round) error {
		if !round.MayAsk(ctx) {
			return nil
		}
		w.note(r)
		w.mu.Lock()
		w.busy++
		w.most = max(w.most, w.busy)
		w.mu.Unlock()
		rounds.Waited(ctx, takes)
		w.mu.Lock()
		w.busy--
		w.mu.Unlock()
		w.settle(r)
		return nil
	}
}

// params are rounds every ten seconds that hardly wait for the carrier's sake.
func params(h *heap) rounds.Params {
	return rounds.Params{
		Ledger: h, State: order.Accepted, What: "orders", Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Every: 10 * time.Second, PerSecond: 1e6, Accounts: func() []string { return []string{""} },
	}
}

// run makes rounds until stop is called, which waits for their end.
func run(t *testing.T, p rounds.Params) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { rounds.New(p).Run(ctx) })
	return func() {
		cancel()
		all.Wait()
	}
}

// pass lets time go by.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
