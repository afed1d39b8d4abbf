package tracker_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/tracker"
)

// pause lets time pass in a bubble.
func pause(d time.Duration) { <-time.After(d) }

// started are watches of a book that run until the test ends.
func started(t *testing.T, b *book, change ...func(*tracker.WatchParams)) *tracker.Watches {
	t.Helper()
	p := tracker.WatchParams{Ledger: b, Log: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&p)
	}
	w := tracker.NewWatches(p)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { w.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return w
}

// heard is what a caller was told, in short.
type heard struct {
	// Order and Status are the order's; Sequence is the event's, 0 without one.
	Order    string
	Status   order.Status
	Sequence int64
	// At is when, from the start of the watch.
	At time.Duration
}

// caller is a caller of a watch.
type caller struct {
	req   *portinv1.WatchPortInOrdersRequest
	begun time.Time
	leave context.CancelFunc
	ended chan error
	// fault is what it ended with, once ends was called.
	fault  *fault.Error
	stall  chan struct{}
	mu     sync.Mutex
	all    []heard
	tokens []string
}

// watches begins a watch.
func watches(t *testing.T, w *tracker.Watches, req *portinv1.WatchPortInOrdersRequest) *caller {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	c := &caller{req: req, begun: time.Now(), leave: leave, ended: make(chan error, 1)}
	go func() {
		c.ended <- w.Watch(ctx, "default", req, func(u tracker.Update) error { return c.told(ctx, u) })
	}()
	return c
}

func (c *caller) told(ctx context.Context, u tracker.Update) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := heard{At: time.Since(c.begun)}
	if u.Order != nil {
		h.Order, h.Status = u.Order.Value.OrderID, u.Order.Value.Status
	}
	if u.Event != nil {
		h.Sequence = u.Event.Value.Sequence
	}
	c.all, c.tokens = append(c.all, h), append(c.tokens, u.Token)
	if c.stall != nil {
		select {
		case <-c.stall:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// heard are the answers so far, without their times. What happens at once may be read a moment later.
func (c *caller) heard() []heard {
	synctest.Wait()
	pause(50 * time.Millisecond)
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	all := slices.Clone(c.all)
	for i := range all {
		all[i].At = 0
	}
	return all
}

// token is the latest.
func (c *caller) token() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tokens[len(c.tokens)-1]
}

// wantHeard compares all that a caller was told.
func (c *caller) wantHeard(t *testing.T, want ...heard) {
	t.Helper()
	if diff := cmp.Diff(want, c.heard()); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// goes leaves, and waits for the end of the watch.
func (c *caller) goes(t *testing.T) {
	t.Helper()
	c.leave()
	if err := <-c.ended; err != context.Canceled { //nolint:errorlint // exactly this one
		t.Errorf("the watch ended with %v", err)
	}
}

// ends waits for the end of a watch and wants it to have a reason.
func (c *caller) ends(t *testing.T, reason fault.Reason) {
	t.Helper()
	select {
	case err := <-c.ended:
		if !fault.Is(err, reason) {
			t.Fatalf("the watch ended with %v, want %s", err, reason)
		}
		c.fault = fault.From(err)
	case <-time.After(time.Hour):
		c.leave()
		t.Fatalf("the watch goes on, want %s", reason)
	}
}

// from is a request that goes on from a token.
func from(token string) *portinv1.WatchPortInOrdersRequest {
	return &portinv1.WatchPortInOrdersRequest{ResumeToken: token}
}

func skipping() *portinv1.WatchPortInOrdersRequest {
	return &portinv1.WatchPortInOrdersRequest{SkipExisting: true}
}

// sign is a sign of life.
var sign heard

func TestAWatchBeginsWithTheOrdersAsTheyAre(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		for n := range 5 {
			b.claim("default", n)
			pause(time.Second)
		}
		b.claim("other", 5)
		w := started(t, b)
		synctest.Wait()
		c := watches(t, w, &portinv1.WatchPortInOrdersRequest{})
		as := func(n int) heard { return heard{Order: orderID(n)} }
		c.wantHeard(t, as(4), as(3), as(2), as(1), as(0), sign)
		b.accept(1)
		accepted := heard{Order: orderID(1), Sequence: b.head()}
		b.claim("other", 6)
		c.wantHeard(t, as(4), as(3), as(2), as(1), as(0), sign, accepted)
		pause(25 * time.Second)
		c.wantHeard(t, as(4), as(3), as(2), as(1), as(0), sign, accepted, sign)
		c.goes(t)
		if w.Count() != 0 {
			t.Errorf("%d watches are left", w.Count())
		}
	})
}

func TestAWatchThatSkipsBeginsWithTheNextChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		b.claim("default", 1)
		w := started(t, b)
		c := watches(t, w, skipping())
		c.wantHeard(t, sign)
		b.accept(1)
		c.wantHeard(t, sign, heard{Order: orderID(1), Sequence: b.head()})
		c.goes(t)
	})
}

// An event is told when its order was wanted before or is after it; the order is as it now is.
func TestAChangeOutOfTheFilterIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		b.claim("default", 1)
		b.claim("default", 2)
		b.accept(1)
		b.progress(1, order.StatusConfirmed)
		w := started(t, b)
		c := watches(t, w, &portinv1.WatchPortInOrdersRequest{Categories: []portinv1.Category{portinv1.Category_CATEGORY_SCHEDULED}})
		want := []heard{{Order: orderID(1), Status: order.StatusConfirmed}, sign}
		c.wantHeard(t, want...)
		b.accept(2) // open
		c.wantHeard(t, want...)
		b.progress(1, order.StatusCompleted)
		want = append(want, heard{Order: orderID(1), Status: order.StatusCompleted, Sequence: b.head()})
		c.wantHeard(t, want...)
		b.step(1, 0, func(r *ledger.Record) { r.PortDate = "2026-12-01" }) // closed before and after
		b.progress(2, order.StatusRescheduled)
		want = append(want, heard{Order: orderID(2), Status: order.StatusRescheduled, Sequence: b.head()})
		c.wantHeard(t, want...)
		c.goes(t)
	})
}

func TestAWatchOfOneOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		b.claim("default", 10)
		b.claim("default", 11)
		b.claim("other", 12)
		w := started(t, b)
		of := func(n int) *portinv1.WatchPortInOrdersRequest {
			return &portinv1.WatchPortInOrdersRequest{OrderId: new("0193E3A0" + orderID(n)[8:])}
		}
		c := watches(t, w, of(10))
		c.wantHeard(t, heard{Order: orderID(10)})
		b.accept(11)
		b.accept(10)
		c.wantHeard(t, heard{Order: orderID(10)}, heard{Order: orderID(10), Sequence: b.head()})
		c.goes(t)

		// It goes on like any other.
		again := of(10)
		again.ResumeToken = c.tokens[0]
		c = watches(t, w, again)
		c.wantHeard(t, heard{Order: orderID(10), Sequence: b.head()})
		c.goes(t)

		skip := of(10)
		skip.SkipExisting = true
		c = watches(t, w, skip)
		c.wantHeard(t, sign)
		c.goes(t)
		unwanted := of(10)
		unwanted.States = []portinv1.OrderState{portinv1.OrderState_ORDER_STATE_REFUSED}
		c = watches(t, w, unwanted)
		c.wantHeard(t, sign)
		c.goes(t)

		watches(t, w, of(12)).ends(t, fault.ReasonOrderNotFound)
		watches(t, w, of(13)).ends(t, fault.ReasonOrderNotFound)
	})
}

func TestSignsOfLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		w := started(t, b)
		c := watches(t, w, skipping())
		pause(time.Hour)
		c.goes(t)
		last, gaps := time.Duration(0), map[time.Duration]bool{}
		for i, h := range c.all {
			gap := h.At - last
			if h.Order != "" || gap > 30*time.Second || (i > 0 && gap < 15*time.Second) {
				t.Errorf("after %v came %+v", gap, h)
			}
			last, gaps[gap] = h.At, true
		}
		if len(c.all) < 120 || len(gaps) < 3 {
			t.Errorf("%d signs of life came in an hour, the gaps were %v", len(c.all), gaps)
		}

		// The token moves on over what is not told.
		c = watches(t, w, skipping())
		for n := range 2000 {
			b.claim("other", n)
		}
		pause(30 * time.Second)
		c.goes(t)
		reads := b.called("Changes")
		again := watches(t, w, from(c.token()))
		synctest.Wait() // no time passes, and so it is nobody else who asks
		if got := b.called("Changes"); got != reads {
			t.Errorf("the ledger was asked %d times for what the token had behind it", got-reads)
		}
		again.wantHeard(t, sign)
		again.goes(t)
	})
}

// A stream of events, and a ledger that fails and hints, do not keep the reader busy.
func TestTheLedgerIsNotReadForEveryHint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		w := started(t, b)
		c := watches(t, w, skipping())
		c.wantHeard(t, sign)
		for _, down := range []bool{false, true} {
			b.set(func() { b.down = down })
			before := b.called("Changes")
			for n := range 1000 {
				b.claim("default", n)
				pause(time.Millisecond)
			}
			if reads := b.called("Changes") - before; reads > 60 || (down && reads > 3) {
				t.Errorf("the ledger was read %d times in a second", reads)
			}
		}
		c.goes(t)
	})
}

// A hint that does not come costs a second or two.
func TestWithoutHintsChangesAreTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		b.mute = true
		w := started(t, b)
		c := watches(t, w, skipping())
		synctest.Wait()
		b.claim("default", 1)
		c.wantHeard(t, sign)
		pause(2 * time.Second)
		c.wantHeard(t, sign, heard{Order: orderID(1), Sequence: b.head()})
		c.goes(t)
	})
}

func TestTooManyWatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := started(t, newBook(), func(p *tracker.WatchParams) { p.Most = 2 })
		one, two := watches(t, w, skipping()), watches(t, w, skipping())
		one.wantHeard(t, sign)
		two.wantHeard(t, sign)
		c := watches(t, w, skipping())
		c.ends(t, fault.ReasonRateLimited)
		if e := c.fault; e.RetryAfter < time.Second {
			t.Errorf("to be tried again after %v", e.RetryAfter)
		}
		one.goes(t)
		three := watches(t, w, skipping())
		three.wantHeard(t, sign)
		two.goes(t)
		three.goes(t)
	})
}
