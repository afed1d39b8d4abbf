package tracker

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// tick is the time between two beats.
	tick = time.Second
	// leastTicks and moreTicks are in how many ticks a sign of life is due: 20 to 24, which leaves time for a ledger that is
	// slow to answer.
	leastTicks, moreTicks = 20, 5
)

// beats tell watches when a sign of life is due. One timer serves them all: a timer for each would be another thing of each
// to keep and to wake.
type beats struct {
	mu   sync.Mutex
	now  int
	ring [32]chan struct{}
}

func (b *beats) init() {
	for i := range b.ring {
		b.ring[i] = make(chan struct{})
	}
}

// due returns a channel that is closed when a watch that told something now has to give a sign of life.
func (b *beats) due() <-chan struct{} {
	ticks := leastTicks + rand.N(moreTicks) //nolint:gosec // chance, not a secret
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ring[(b.now+ticks)%len(b.ring)]
}

// pulse beats until ctx ends.
func (w *Watches) pulse(ctx context.Context) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := w.guarded(func() error { w.beats.beat(); return nil }); err != nil {
				w.Log.LogAttrs(ctx, slog.LevelError, "watches: a beat failed", slog.Any("error", err))
			}
		}
	}
}

func (b *beats) beat() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = (b.now + 1) % len(b.ring)
	due := b.ring[b.now]
	b.ring[b.now] = make(chan struct{})
	close(due)
}

// soon is a wait before trying again, spread so that many do not come back at once.
func soon(atMost time.Duration) time.Duration {
	return time.Second + rand.N(atMost-time.Second+1) //nolint:gosec // chance, not a secret
}
