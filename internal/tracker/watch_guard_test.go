package tracker

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portin/portin/internal/ledger"
)

// page is a ledger of two events.
type page struct{ WatchLedger }

func (page) Head(context.Context) (int64, error) { return 2, nil }

func (page) Changes(_ context.Context, after int64, _ int) ([]ledger.Event, error) {
	return []ledger.Event{{OrderID: anOrder, Sequence: 1}, {OrderID: anOrder, Sequence: 2}}[after:], nil
}

func (page) Records(context.Context, []string) ([]ledger.Record, error) {
	return []ledger.Record{{OrderID: anOrder}}, nil
}

// What a panic left half done is done anew, and nothing is held twice.
func TestFault32_ALookThatPanicsHalfWay(t *testing.T) {
	t.Parallel()
	w := NewWatches(WatchParams{Ledger: page{}, Log: slog.New(slog.DiscardHandler)})
	r := &reading{Watches: w} // without a map of orders
	if found, err := r.safely(t.Context()); found || err == nil || w.Panics() != 1 {
		t.Errorf("the first look: %v, %v, %d panics", found, err, w.Panics())
	}
	if found, err := r.safely(t.Context()); !found || err != nil || w.Panics() != 1 {
		t.Errorf("the second look: %v, %v, %d panics", found, err, w.Panics())
	}
	now := w.recent.Load()
	if o := r.orders[anOrder]; len(now.changes) != 2 || now.after != 0 || now.head != 2 || o == nil || o.uses != 2 {
		t.Errorf("what is recent: %+v, %+v", now, o)
	}
}

// A beat that panics is survived, and the next one comes.
func TestFault32_APanicOfABeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		w := NewWatches(WatchParams{Log: slog.New(slog.NewTextHandler(&log, nil))})
		w.beats.ring[2] = nil // which cannot be closed
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			w.pulse(ctx)
			close(ended)
		}()
		due := w.beats.due()
		began := time.Now()
		<-due
		if took := time.Since(began); took < leastTicks*tick || took > (leastTicks+moreTicks)*tick {
			t.Errorf("a sign of life was due after %v", took)
		}
		if n := w.Panics(); n != 1 || strings.Count(log.String(), "\n") != 1 {
			t.Errorf("%d panics are counted; the log has %s", n, &log)
		}
		cancel()
		<-ended
	})
}
