package rounds_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/rounds"
)

// lockedLog is a log that may be read while it is written.
type lockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedLog) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(strings.Lines(l.b.String()))
}

func TestTroubleIsLoggedOnceAndTheRoundsGoOn(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]func(h *heap){
		"the ledger fails":  func(h *heap) { h.fail = errors.New("the disk is gone") },
		"the ledger panics": func(h *heap) { h.panics = true },
	} {
		synctest.Test(t, func(t *testing.T) {
			log := &lockedLog{}
			w := &watcher{heap: newHeap(3), begun: time.Now()}
			p := params(w.heap)
			p.Log, p.Look = slog.New(slog.NewTextHandler(log, nil)), w.look(0)
			w.set(func() { trouble(w.heap) })
			stop := run(t, p)
			defer stop()
			pass(13 * time.Second)
			if n := len(log.lines()); n != 1 || !strings.Contains(log.lines()[0], "orders could not be looked after") {
				t.Errorf("%s: the log is %q", name, log.lines())
			}
			w.set(func() { w.fail, w.panics = nil, false })
			pass(13 * time.Second)
			if w.count() != 3 || len(log.lines()) != 1 {
				t.Errorf("%s: asked about %d orders then, with %d lines", name, w.count(), len(log.lines()))
			}
		})
	}
}

func TestALookThatFailsOrPanics(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]func() error{
		"fails":  func() error { return errors.New("the ledger failed") },
		"panics": func() error { panic("Wong Mary") },
	} {
		synctest.Test(t, func(t *testing.T) {
			log := &lockedLog{}
			w := &watcher{heap: newHeap(8), begun: time.Now()}
			p := params(w.heap)
			p.Log = slog.New(slog.NewTextHandler(log, nil))
			look := w.look(0)
			p.Look = func(ctx context.Context, r ledger.Record, round *rounds.Round) error {
				if r.OrderID == "002" && r.Fence == 1 {
					return trouble()
				}
				return look(ctx, r, round)
			}
			stop := run(t, p)
			defer stop()
			pass(13 * time.Second)
			if lines := log.lines(); w.count() != 7 || len(lines) != 1 || strings.Contains(lines[0], "Wong") {
				t.Errorf("%s: asked about %d orders, the log is %q", name, w.count(), lines)
			}
			pass(7 * time.Minute)
			if w.count() != 8 || len(log.lines()) != 1 {
				t.Errorf("%s: asked about %d orders in the end, the log is %q", name, w.count(), log.lines())
			}
		})
	}
}

// A carrier that does not answer is let rest also when the ledger fails at the same time.
func TestRestsGrowWhileLooksFail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &watcher{heap: newHeap(300), begun: time.Now()}
		p := params(w.heap)
		p.Look = func(ctx context.Context, r ledger.Record, round *rounds.Round) error {
			if round.MayAsk(ctx) {
				w.note(r)
				round.NoAnswer(errDown)
			}
			return errors.New("the ledger failed")
		}
		stop := run(t, p)
		pass(8 * time.Minute)
		stop()
		wantRests(t, rests(w), 10*time.Second, 20*time.Second, 40*time.Second, 80*time.Second, 2*time.Minute)
	})
}

func TestTheEndEndsEverything(t *testing.T) {
	t.Parallel()
	for name, during := range map[string]time.Duration{
		"before the first round": time.Second, "while the carrier is asked": 13 * time.Second, "while others wait to ask": 40 * time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			log := &lockedLog{}
			p := params(newHeap(40))
			p.Log, p.PerSecond = slog.New(slog.NewTextHandler(log, nil)), 0.5
			p.Look = func(ctx context.Context, _ ledger.Record, round *rounds.Round) error {
				if !round.MayAsk(ctx) {
					return nil
				}
				rounds.Waited(ctx, 3*time.Second)
				return ctx.Err()
			}
			stop := run(t, p)
			pass(during)
			at := time.Now()
			stop()
			if took := time.Since(at); took > 0 || len(log.lines()) > 0 {
				t.Errorf("%s: the end took %v, the log is %q", name, took, log.lines())
			}
		})
	}
}
