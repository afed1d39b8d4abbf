package tracker_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/contract"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/tracker"
)

// act is something that happens in a run of the model.
type act struct {
	// What is one of the acts; Which is what it happens to, How how.
	What       string
	Which, How int
}

var acts = []string{"claim", "claim", "move", "move", "move", "move", "move", "join", "leave", "stall", "resume", "time", "restart", "down", "up"}

const unknown = -1

// keeper is a caller that keeps the token of what it has dealt with, and its own picture of the orders.
type keeper struct {
	filter  ledger.Query
	request *portinv1.WatchPortInOrdersRequest
	// from is the first event that it must be told: 0 when it begins with the orders as they are, unknown when it skips them
	// and the ledger is down.
	from    int64
	seen    []int64
	picture map[string]ledger.Record
	trouble string
	leave   context.CancelFunc
	stalled chan struct{}
	over    sync.WaitGroup
	done    bool
}

// run is a run of the model: a book, two services on it, callers that come, go and stall.
type run struct {
	*testing.T

	book *book
	// services are restarted, each with a memory so short that callers fall behind.
	services [2]*tracker.Watches
	stops    [2]func()
	mu       sync.Mutex
	keepers  []*keeper
	orders   int
}

func (r *run) start(i int) {
	p := tracker.WatchParams{Ledger: r.book, Log: slog.New(slog.DiscardHandler), Recent: 3, Readers: 2, Patience: time.Hour}
	if i == 1 {
		p.Recent, p.RecentBytes = 50, 32<<10
	}
	w := tracker.NewWatches(p)
	ctx, cancel := context.WithCancel(r.Context())
	var running sync.WaitGroup
	running.Go(func() { w.Run(ctx) })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.services[i] = w
	r.stops[i] = func() {
		cancel()
		running.Wait()
	}
}

// join has another caller come.
func (r *run) join(how int) {
	k := &keeper{seen: []int64{}, picture: map[string]ledger.Record{}, request: &portinv1.WatchPortInOrdersRequest{}, filter: ledger.Query{Tenant: "default"}}
	if how&1 != 0 {
		k.filter.States = []order.State{order.Accepted, order.NotSent}
	}
	if how&2 != 0 {
		k.filter.Categories = []order.Category{order.CategoryScheduled, order.CategoryClosed}
	}
	for _, s := range k.filter.States {
		k.request.States = append(k.request.States, contract.State(s))
	}
	for _, c := range k.filter.Categories {
		k.request.Categories = append(k.request.Categories, contract.Category(c))
	}
	skips := how&4 != 0
	k.request.SkipExisting = skips
	if skips {
		synctest.Wait()
		r.book.set(func() {
			if k.from = unknown; !r.book.down {
				k.from = r.book.head() + 1
			}
		})
	}
	r.keepers = append(r.keepers, k)
	k.over.Go(func() { r.keep(k, how) })
	if how&8 != 0 || skips {
		synctest.Wait() // else what comes next happens while it begins
	}
}

// keep watches, and comes back whenever the watch ends, in turn at both services.
func (r *run) keep(k *keeper, service int) {
	for {
		ctx, leave := context.WithCancel(r.Context())
		r.mu.Lock()
		k.leave = leave
		w, done := r.services[service%2], k.done
		r.mu.Unlock()
		if done {
			leave()
			return
		}
		err := w.Watch(ctx, "default", k.request, func(u tracker.Update) error { return r.told(ctx, k, u) })
		leave()
		if ctx.Err() == nil && !fault.Is(err, fault.ReasonShuttingDown) && !fault.Is(err, fault.ReasonLedgerUnavailable) {
			k.trouble = fmt.Sprintf("a watch ended with %v", err)
			return
		}
		service++
		pause(time.Duration(service%5) * 100 * time.Millisecond)
	}
}

// told deals with an answer. A caller that is stalled and leaves has not dealt with it.
func (r *run) told(ctx context.Context, k *keeper, u tracker.Update) error {
	r.mu.Lock()
	stalled := k.stalled
	r.mu.Unlock()
	if stalled != nil {
		select {
		case <-stalled:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	k.request.ResumeToken, k.request.SkipExisting = u.Token, false
	if u.Event != nil {
		k.seen = append(k.seen, u.Event.Value.Sequence)
		if u.Event.Value.OrderID != u.Order.Value.OrderID || u.Order.Value.Updated.Before(u.Event.Value.Time) {
			k.trouble = fmt.Sprintf("event %+v came with order %+v", u.Event.Value, u.Order.Value)
		}
	}
	if u.Order != nil {
		k.picture[u.Order.Value.OrderID] = u.Order.Value
	}
	return nil
}

func (r *run) do(a act) {
	switch a.What {
	case "claim":
		tenant := "default"
		if a.How%5 == 0 {
			tenant = "other"
		}
		r.book.claim(tenant, r.orders, a.How%4*1000)
		r.orders++
	case "move":
		if r.orders > 0 {
			r.book.move(a.Which%r.orders, a.How)
		}
	case "join":
		r.join(a.How)
	case "leave", "stall", "resume":
		r.disturb(a)
	case "time":
		pause(time.Duration(a.How) * time.Duration(a.How) * 10 * time.Millisecond)
	case "restart":
		r.stops[a.Which%2]()
		r.start(a.Which % 2)
	case "down", "up":
		r.book.set(func() { r.book.down = a.What == "down" })
	}
}

func (r *run) disturb(a act) {
	if len(r.keepers) == 0 {
		return
	}
	k := r.keepers[a.Which%len(r.keepers)]
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case a.What == "leave" && k.leave != nil:
		k.leave()
	case a.What == "stall" && k.stalled == nil:
		k.stalled = make(chan struct{})
	case a.What == "resume" && k.stalled != nil:
		close(k.stalled)
		k.stalled = nil
	}
}

// settle lets everything come to rest, and says what is wrong then.
func (r *run) settle() (troubles []string) {
	r.do(act{What: "up"})
	for i := range r.keepers {
		r.do(act{"resume", i, 0})
	}
	pause(2 * time.Minute)
	for i, k := range r.keepers {
		r.mu.Lock()
		k.done = true
		k.leave()
		r.mu.Unlock()
		k.over.Wait()
		if wrong := r.judge(k); wrong != "" {
			troubles = append(troubles, fmt.Sprintf("caller %d, %v: %s", i, k.request, wrong))
		}
	}
	for _, stop := range r.stops {
		stop()
	}
	return troubles
}

// judge compares what a caller was told with what it had to be told: every event of its filter once and in order, from some
// point on, and the orders as they now are.
func (r *run) judge(k *keeper) string {
	if k.trouble != "" {
		return k.trouble
	}
	wanted := func(s ledger.Standing) bool {
		standings := k.filter.Standings()
		return standings == nil || slices.Contains(standings, s)
	}
	all := []int64{}
	for _, e := range r.book.events {
		if e.Tenant == "default" && e.Sequence >= k.from && (wanted(e.Was) || wanted(e.Is)) {
			all = append(all, e.Sequence)
		}
	}
	if k.from <= 0 && len(k.seen) <= len(all) {
		all = all[len(all)-len(k.seen):]
	}
	if diff := cmp.Diff(all, k.seen); diff != "" {
		return "events (-want +got):\n" + diff
	}
	if k.from != 0 {
		return ""
	}
	orders, picture := map[string]ledger.Record{}, map[string]ledger.Record{}
	for id, o := range r.book.orders {
		if o.Tenant == "default" && wanted(o.Standing()) {
			orders[id] = o
		}
	}
	for id, o := range k.picture {
		if wanted(o.Standing()) {
			picture[id] = o
		}
	}
	if diff := cmp.Diff(orders, picture); diff != "" {
		return "orders (-want +got):\n" + diff
	}
	return ""
}

// Whoever keeps its token misses nothing and is told nothing twice, whatever happens to its watch, to the service and to the
// ledger, and however far behind it falls.
func TestNothingIsMissedAndNothingToldTwice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		plan := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) act {
			return act{
				What: rapid.SampledFrom(acts).Draw(rt, "what"), Which: rapid.IntRange(0, 99).Draw(rt, "which"), How: rapid.IntRange(0, 59).Draw(rt, "how"),
			}
		}), 1, 120).Draw(rt, "plan")
		var troubles []string
		synctest.Test(t, func(t *testing.T) {
			r := &run{T: t, book: newBook()}
			r.start(0)
			r.start(1)
			for _, a := range plan {
				r.do(a)
			}
			troubles = r.settle()
		})
		if len(troubles) > 0 {
			rt.Fatalf("%v", troubles)
		}
	})
}
