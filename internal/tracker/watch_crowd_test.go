package tracker_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/tracker"
)

// one is a watcher of a crowd.
type one struct {
	stuck chan struct{}

	mu sync.Mutex
	// events counts those that it was told of, the latest of which was last.
	events int
	last   int64
	token  string
	// wrong is the first event that came once more, or after a later one; 0 while none has.
	wrong int64
	err   error
}

// told hears an answer. One that is stuck does not come back from its first event until it is let go.
func (o *one) told(u tracker.Update) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.token = u.Token
	if u.Event == nil {
		return nil
	}
	if o.stuck != nil {
		o.mu.Unlock()
		<-o.stuck
		o.mu.Lock()
		o.stuck = nil
	}
	sequence := u.Event.Value.Sequence
	if sequence <= o.last && o.wrong == 0 {
		o.wrong = sequence
	}
	o.events, o.last = o.events+1, sequence
	return nil
}

// Of 10,000 watchers one in a hundred is stuck. Nobody waits for them: not who writes, nor the others, and the ledger is read once
// for all who keep up. When the service stops they all go on at the next one from where each is, and miss nothing.
func TestFault30_TenThousandWatchers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const crowd, events = 10_000, 10
		b := newBook()
		all, release := make([]*one, crowd), make(chan struct{})
		for i := range all {
			all[i] = &one{}
			if i%100 == 0 {
				all[i].stuck = release
			}
		}
		few := func(p *tracker.WatchParams) { p.Recent = events / 2 }
		watch := func(w *tracker.Watches) *sync.WaitGroup {
			var watching sync.WaitGroup
			for _, o := range all {
				req := skipping()
				if o.token != "" {
					req = from(o.token)
				}
				watching.Go(func() { o.err = w.Watch(context.WithoutCancel(t.Context()), "default", req, o.told) })
			}
			pause(time.Minute)
			return &watching
		}
		first := started(t, b, few)
		watching := watch(first)
		read := b.called("Changes") + b.called("Records")
		for n := range events {
			begun := time.Now()
			b.claim("default", n)
			if took := time.Since(begun); took != 0 {
				t.Errorf("who writes was held up for %v", took)
			}
			pause(5 * time.Second)
		}
		for i, o := range all {
			if i%100 != 0 && (o.events != events || o.wrong != 0) {
				t.Errorf("watcher %d was told of %d events, want %d; out of turn was %d", i, o.events, events, o.wrong)
				break
			}
		}
		if n := b.called("Changes") + b.called("Records") - read; n > 10*events { // with the looks that nothing hinted at
			t.Errorf("the ledger was read %d times", n)
		}

		first.Stop()
		close(release)
		watching.Wait()
		for i, o := range all {
			if !fault.Is(o.err, fault.ReasonShuttingDown) {
				t.Fatalf("watcher %d ended with %v", i, o.err)
			}
		}
		second := started(t, b, few)
		watching = watch(second)
		b.claim("default", events)
		pause(10 * time.Second)
		second.Stop()
		watching.Wait()
		for i, o := range all {
			if o.events != events+1 || o.wrong != 0 {
				t.Fatalf("at the next service watcher %d was told of %d events, want %d; out of turn was %d", i, o.events, events+1, o.wrong)
			}
		}
	})
}
