package tracker

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
)

// WatchLedger is what watches need of the ledger.
type WatchLedger interface {
	ledger.Feed

	// ID is the ledger's own identity.
	ID() string
	// List returns a page of orders, newest first, and whether there are more.
	List(ctx context.Context, q ledger.Query) (page []ledger.Record, more bool, err error)
}

// WatchParams are what watches are built from. Ledger and Log are required; a zero of the others is the value named.
type WatchParams struct {
	Ledger WatchLedger
	Log    *slog.Logger
	// Most is how many watches there may be at once: 20,000.
	Most int
	// Recent is how many of the latest events are held in memory for all watches together, 1,024, and RecentBytes about how
	// many bytes they and their orders may take, 16 MiB.
	Recent, RecentBytes int
	// Readers is how many watches may read the ledger at the same time: 8.
	Readers int
	// Patience is how long the ledger may fail before watches end: a minute.
	Patience time.Duration
}

// Watches tells many callers of orders as they change. One loop reads what happens in the ledger and holds the latest of
// it; a watch is no more than a place in that, and one that has fallen behind reads the ledger by itself. So a caller who
// does not take its answers costs a goroutine, and delays nobody else. Nothing is remembered of a watch that has ended: its
// token says everything.
//
// Build it with NewWatches; its methods are safe for concurrent use.
type Watches struct {
	WatchParams

	recent atomic.Pointer[recent]
	beats  beats
	// turns has a place for each reader of the ledger.
	turns chan struct{}
	count atomic.Int64
	// panics counts those of the loops, which nobody above them survives.
	panics atomic.Int64

	// mu is held to replace recent; stopped is closed under it.
	mu      sync.Mutex
	stopped chan struct{}
}

// NewWatches returns watches that are told something once Run runs.
func NewWatches(p WatchParams) *Watches {
	p.Most = cmp.Or(p.Most, 20_000)
	p.Recent = cmp.Or(p.Recent, 1024)
	p.RecentBytes = cmp.Or(p.RecentBytes, 16<<20)
	p.Readers = cmp.Or(p.Readers, 8)
	p.Patience = cmp.Or(p.Patience, time.Minute)
	w := &Watches{WatchParams: p, turns: make(chan struct{}, p.Readers), stopped: make(chan struct{})}
	w.recent.Store(&recent{newer: make(chan struct{})})
	w.beats.init()
	return w
}

// Run reads what happens in the ledger until ctx ends, and then stops.
func (w *Watches) Run(ctx context.Context) {
	defer w.Stop()
	var work sync.WaitGroup
	work.Go(func() { w.pulse(ctx) })
	(&reading{Watches: w, orders: map[string]*known{}}).run(ctx)
	work.Wait()
}

// Stop ends every watch, each with a token to go on from and SHUTTING_DOWN, and refuses new ones. It does not wait for them.
func (w *Watches) Stop() {
	w.mu.Lock()
	select {
	case <-w.stopped:
	default:
		close(w.stopped)
	}
	w.mu.Unlock()
	w.replace(func(r *recent) { r.end = shuttingDown() })
}

// Count is how many watches there are.
func (w *Watches) Count() int { return int(w.count.Load()) }

// Panics is how many panics of what serves all watches were survived.
func (w *Watches) Panics() int64 { return w.panics.Load() }

// guarded does a piece of what serves all watches. A panic of it must not end the process, with every order in flight.
func (w *Watches) guarded(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			w.panics.Add(1)
			err = fault.Panicked(p)
		}
	}()
	return do()
}

// replace puts something newer in the place of what the watches see, and wakes them. What has stopped stays so.
func (w *Watches) replace(change func(r *recent)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	old := w.recent.Load()
	next := *old
	next.newer = make(chan struct{})
	change(&next)
	select {
	case <-w.stopped:
		next.end = shuttingDown()
	default:
	}
	w.recent.Store(&next)
	close(old.newer)
}

// Update is one answer of a watch. Without an Order it is a sign of life; without an Event the order is told as it is.
type Update struct {
	// Token is what a later watch goes on from.
	Token string
	Order *Shared[ledger.Record]
	Event *Shared[ledger.Event]
}

// Watch tells a tenant of its orders until ctx ends, tell fails, or the service stops. It calls tell at once and at least
// every 30 seconds, and never while an earlier call of tell has not returned. It returns tell's error as it is, else the
// context's, else a fault: WATCH_TOKEN_EXPIRED, ORDER_NOT_FOUND, INVALID_FIELDS, RATE_LIMITED, LEDGER_UNAVAILABLE or
// SHUTTING_DOWN, before the last two of which the caller has been told its latest token.
func (w *Watches) Watch(ctx context.Context, tenant string, req *portinv1.WatchPortInOrdersRequest, tell func(Update) error) error {
	x, err := w.enter(tenant, req, tell)
	if err != nil {
		return err
	}
	defer w.count.Add(-1)
	if err = x.begin(ctx, req.GetResumeToken(), req.GetSkipExisting()); err == nil {
		err = x.goOn(ctx)
	}
	return x.end(err)
}

// enter lets a watch in, and counts it. It is a function of its own so that its variables are not on the stack of every watch:
// one whose stack is twice as large costs twice as much.
func (w *Watches) enter(tenant string, req *portinv1.WatchPortInOrdersRequest, tell func(Update) error) (*watch, error) {
	if end := w.recent.Load().end; end != nil {
		return nil, end.WithRetryAfter(soon(backWithin))
	}
	if w.count.Add(1) > int64(w.Most) {
		w.count.Add(-1)
		return nil, fault.New(fault.ReasonRateLimited, "the service has as many watches as it takes; try again later").
			WithRetryAfter(soon(10 * time.Second))
	}
	x := &watch{Watches: w, filter: newFilter(tenant, req), tell: tell}
	x.binding = bind(w.Ledger.ID(), x.filter)
	return x, nil
}

func shuttingDown() *fault.Error {
	return fault.New(fault.ReasonShuttingDown, "the service is stopping; watch again with the last resume_token")
}

func ledgerDown(cause error) *fault.Error {
	return fault.New(fault.ReasonLedgerUnavailable, "the ledger of orders does not answer; watch again with the last resume_token, if there is one").
		WithCause(cause)
}

// isEnd reports whether an error ends a watch that has to be taken up again, and not through a fault of its own.
func isEnd(err error) (*fault.Error, bool) {
	e, ok := errors.AsType[*fault.Error](err)
	return e, ok && (e.Reason == fault.ReasonShuttingDown || e.Reason == fault.ReasonLedgerUnavailable)
}
