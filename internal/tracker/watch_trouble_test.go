package tracker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
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

// A caller who takes nothing delays neither the ledger nor anybody else, and gets everything when it is back.
func TestFault30_AStuckWatcher(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		w := started(t, b, func(p *tracker.WatchParams) { p.Recent = 8 })
		stuck, quick := watches(t, w, skipping()), watches(t, w, skipping())
		quick.wantHeard(t, sign)
		stuck.mu.Lock()
		stuck.stall = make(chan struct{})
		stuck.mu.Unlock()
		want := []heard{sign}
		for n := range 500 {
			b.claim("default", n)
			want = append(want, heard{Order: orderID(n), Sequence: b.head()})
			if n%50 == 0 {
				pause(time.Second)
			}
		}
		quick.wantHeard(t, want...)
		if n := len(stuck.all); n != 2 {
			t.Fatalf("the stuck one was told %d answers", n)
		}
		close(stuck.stall)
		stuck.wantHeard(t, want...)
		stuck.goes(t)
		quick.goes(t)
	})
}

// What a stuck watcher was not told yet is not kept for it.
func TestAStuckWatcherHoldsNothingBack(t *testing.T) {
	t.Parallel()
	b := newBook()
	w := started(t, b, func(p *tracker.WatchParams) { p.Recent = 4 })
	ctx, leave := context.WithCancel(t.Context())
	ended, told, stuck := make(chan error, 1), make(chan struct{}, 2), make(chan struct{}, 1)
	go func() {
		ended <- w.Watch(ctx, "default", skipping(), func(u tracker.Update) error {
			if u.Order == nil || u.Order.Value.OrderID == orderID(1) {
				told <- struct{}{}
				return nil
			}
			stuck <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		})
	}()
	<-told
	freed := make(chan struct{})
	content := make([]byte, 1<<16)
	runtime.AddCleanup(&content[0], func(c chan struct{}) { close(c) }, freed)
	r := ledger.Record{OrderID: orderID(1), Tenant: "default", State: order.Sending, Attempt: 1, Content: content}
	b.set(func() { b.commit(r, ledger.Claimed(r, ledger.Entry{})) })
	<-told
	b.claim("default", 2)
	<-stuck // while the first order is among the recent ones
	for n := 3; n < 20; n++ {
		pages := b.called("Records")
		b.claim("default", n)
		for b.called("Records") == pages { // until it was read
			runtime.Gosched()
		}
	}
	b.set(func() { delete(b.orders, orderID(1)) })
	r.Content, content = nil, nil
	runtime.KeepAlive(content)
	deadline := time.After(20 * time.Second)
	for held := true; held; {
		runtime.GC()
		select {
		case <-freed:
			held = false
		case <-deadline:
			t.Fatal("an order that is no longer recent is held")
		default:
		}
	}
	leave()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the watch ended with %v", err)
	}
}

func TestFault24_TheServiceStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		b.claim("default", 1)
		w := tracker.NewWatches(tracker.WatchParams{Ledger: b, Log: slog.New(slog.DiscardHandler)})
		ctx, stop := context.WithCancel(t.Context())
		ran := make(chan struct{})
		go func() {
			defer close(ran)
			w.Run(ctx)
		}()
		moved, still := watches(t, w, skipping()), watches(t, w, &portinv1.WatchPortInOrdersRequest{OrderId: new(orderID(1))})
		moved.wantHeard(t, sign)
		b.claim("other", 2)
		still.wantHeard(t, heard{Order: orderID(1)})
		before := moved.token()
		stop()
		<-ran
		for _, c := range []*caller{moved, still} {
			c.ends(t, fault.ReasonShuttingDown)
			if e := c.fault; e.RetryAfter < time.Second || e.RetryAfter > 5*time.Second {
				t.Errorf("to come back after %v", e.RetryAfter)
			}
		}
		moved.wantHeard(t, sign, sign)
		if moved.token() == before {
			t.Error("the last sign of life has an old token")
		}
		watches(t, w, skipping()).ends(t, fault.ReasonShuttingDown)
		w.Stop()
		if w.Count() != 0 {
			t.Errorf("%d watches are left", w.Count())
		}

		next := started(t, b)
		c := watches(t, next, from(moved.token()))
		c.wantHeard(t, sign)
		c.goes(t)
	})
}

// A watch that waits for its turn at the ledger hears of the end too.
func TestTheServiceStopsWhileALedgerHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		w := started(t, b, func(p *tracker.WatchParams) { p.Readers = 1 })
		synctest.Wait()
		b.set(func() { b.hang = true })
		one, two := watches(t, w, skipping()), watches(t, w, skipping())
		synctest.Wait()
		w.Stop()
		// One of them waits for its turn, the other for an answer of the ledger, which has five seconds.
		for _, c := range []*caller{one, two} {
			err := <-c.ended
			if !fault.Is(err, fault.ReasonShuttingDown) && !fault.Is(err, fault.ReasonLedgerUnavailable) {
				t.Errorf("ended with %v", err)
			}
		}
		if took := time.Since(one.begun); took > 6*time.Second {
			t.Errorf("the end took %v", took)
		}
	})
}

func TestTheLedgerFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		b := newBook()
		w := started(t, b, func(p *tracker.WatchParams) { p.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		c := watches(t, w, skipping())
		c.wantHeard(t, sign)

		// Shortly: the watch goes on, and what happened meanwhile is told.
		b.set(func() { b.down = true })
		b.claim("default", 1)
		pause(50 * time.Second)
		watches(t, w, skipping()).ends(t, fault.ReasonLedgerUnavailable)
		b.set(func() { b.down = false })
		pause(3 * time.Second)
		c.wantHeard(t, sign, sign, sign, heard{Order: orderID(1), Sequence: b.head()})

		// It hangs: signs of life go on.
		b.set(func() { b.hang = true })
		pause(45 * time.Second)
		b.set(func() { b.hang = false })
		pause(8 * time.Second)

		// For long: the watch ends, and so does one that comes.
		b.set(func() { b.down = true })
		pause(65 * time.Second)
		c.ends(t, fault.ReasonLedgerUnavailable)
		if e := c.fault; e.RetryAfter < time.Second {
			t.Errorf("to come back after %v", e.RetryAfter)
		}
		if took := time.Since(c.begun); took < (50+3+45+8+55)*time.Second {
			t.Errorf("the watch ended after %v", took)
		}
		late := watches(t, w, from(c.token()))
		late.ends(t, fault.ReasonLedgerUnavailable)
		if e := late.fault; e.RetryAfter < time.Second {
			t.Errorf("to come back after %v", e.RetryAfter)
		}
		last := time.Duration(0)
		for _, h := range c.all {
			if h.At-last > 30*time.Second {
				t.Errorf("nothing came between %v and %v", last, h.At)
			}
			last = h.At
		}

		b.set(func() { b.down = false })
		pause(3 * time.Second)
		again := watches(t, w, from(c.token()))
		again.wantHeard(t, sign)
		b.accept(1)
		again.wantHeard(t, sign, heard{Order: orderID(1), Sequence: b.head()})
		again.goes(t)
		if n := strings.Count(log.String(), "\n"); n != 6 {
			t.Errorf("the log has %d lines, want one for each beginning and end of a failure:\n%s", n, &log)
		}
	})
}

// A watch that is catching up when the ledger fails goes on with it, or ends when that takes too long.
func TestTheLedgerFailsWhileAWatchCatchesUp(t *testing.T) {
	t.Parallel()
	const pageOrders = 16
	for _, down := range []time.Duration{40 * time.Second, 2 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			b := newBook()
			w := started(t, b, func(p *tracker.WatchParams) { p.Recent = 2 })
			c := watches(t, w, skipping())
			c.wantHeard(t, sign)
			c.mu.Lock()
			c.stall = make(chan struct{})
			c.mu.Unlock()
			var want []heard
			for n := range 30 {
				b.claim("default", n)
				want = append(want, heard{Order: orderID(n), Sequence: b.head()})
			}
			pause(time.Second)
			b.set(func() { b.down = true })
			close(c.stall)
			pause(down)
			b.set(func() { b.down = false })
			pause(5 * time.Second)
			if down > time.Minute {
				c.ends(t, fault.ReasonLedgerUnavailable)
				first := c
				c = watches(t, w, from(c.token()))
				c.heard()
				c.all = append(first.all, c.all...)
			}
			// What it had read before comes first, then signs of life.
			got := c.heard()
			if signs := slices.Index(got[1:], sign); signs != pageOrders {
				t.Errorf("%d changes came before the next sign of life", signs)
			}
			got = slices.DeleteFunc(got, func(h heard) bool { return h == sign })
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
			c.goes(t)
		})
	}
}

// Who waits for its turn at a ledger that hangs is given signs of life.
func TestSignsOfLifeWhileAWatchWaitsForItsTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		w := started(t, b, func(p *tracker.WatchParams) { p.Recent, p.Readers, p.Patience = 2, 1, time.Hour })
		var all []*caller
		for range 30 {
			c := watches(t, w, skipping())
			c.wantHeard(t, sign)
			c.goes(t)
			all = append(all, c)
		}
		for n := range 30 {
			b.claim("default", n)
		}
		pause(time.Second)
		for i := range all {
			token := all[i].token()
			all[i] = watches(t, w, from(token))
			all[i].mu.Lock()
			all[i].stall = make(chan struct{})
			all[i].mu.Unlock()
		}
		synctest.Wait()
		b.set(func() { b.hang = true })
		for _, c := range all {
			close(c.stall)
		}
		pause(10 * time.Minute)
		w.Stop()
		for i, c := range all {
			c.ends(t, fault.ReasonShuttingDown)
			last := time.Duration(0)
			for _, h := range c.all {
				if h.At-last > 30*time.Second {
					t.Errorf("caller %d was told nothing between %v and %v", i, last, h.At)
				}
				last = h.At
			}
			if last < 9*time.Minute {
				t.Errorf("caller %d was told nothing after %v", i, last)
			}
		}
	})
}

// Who has stopped does not begin again when the ledger does.
func TestTheServiceStopsWhileTheLedgerFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		w := started(t, b)
		c := watches(t, w, skipping())
		c.wantHeard(t, sign)
		b.set(func() { b.down = true })
		pause(2 * time.Minute)
		c.ends(t, fault.ReasonLedgerUnavailable)
		w.Stop()
		watches(t, w, skipping()).ends(t, fault.ReasonShuttingDown)
		b.set(func() { b.down = false })
		pause(time.Minute)
		watches(t, w, from(c.token())).ends(t, fault.ReasonShuttingDown)
		c.heard()
		if w.Count() != 0 {
			t.Errorf("%d watches are left", w.Count())
		}
	})
}

func TestWhatTellReturnsIsReturned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := started(t, newBook())
		want := fmt.Errorf("nobody listens")
		err := w.Watch(t.Context(), "default", skipping(), func(tracker.Update) error { return want })
		if err != want { //nolint:errorlint // exactly this one
			t.Errorf("the watch ended with %v", err)
		}
	})
}
