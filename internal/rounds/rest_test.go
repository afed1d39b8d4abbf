package rounds_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/rounds"
)

var errDown = fault.New(fault.ReasonCarrierUnreachable, "the carrier does not answer")

// mute looks at orders as if the carrier did not answer, and notes when it was asked and when not.
func mute(w *watcher, passed *int, err error) func(ctx context.Context, r ledger.Record, round *rounds.Round) error {
	return func(ctx context.Context, r ledger.Record, round *rounds.Round) error {
		if !round.MayAsk(ctx) {
			w.set(func() { *passed++ })
			return nil
		}
		w.note(r)
		round.NoAnswer(err)
		return nil
	}
}

func TestARoundEndsWhenTheCarrierDoesNotAnswer(t *testing.T) {
	t.Parallel()
	for all, want := range map[bool]int{false: 7, true: 39} {
		synctest.Test(t, func(t *testing.T) {
			passed := 0
			w := &watcher{heap: newHeap(40), begun: time.Now()}
			p := params(w.heap)
			p.All, p.Look = all, mute(w, &passed, errDown)
			stop := run(t, p)
			pass(13 * time.Second)
			stop()
			if w.count() != 1 || passed != want {
				t.Errorf("all %v: asked about %d orders and passed over %d, want 1 and %d", all, w.count(), passed, want)
			}
		})
	}
}

// One that is waiting for its turn to ask when the carrier goes silent does not ask any more.
func TestWhoWaitsDoesNotAskEither(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		passed := 0
		w := &watcher{heap: newHeap(40), begun: time.Now()}
		p := params(w.heap)
		p.PerSecond = 1
		answers, silent := w.look(0), mute(w, &passed, errDown)
		p.Look = func(ctx context.Context, r ledger.Record, round *rounds.Round) error {
			if r.OrderID < "008" {
				return answers(ctx, r, round)
			}
			return silent(ctx, r, round)
		}
		stop := run(t, p)
		pass(29 * time.Second)
		stop()
		if w.count() != 9 || passed != 7 {
			t.Errorf("asked about %d orders and passed over %d, want 9 and 7", w.count(), passed)
		}
	})
}

// rests are how long the rounds rested before each one in which the carrier was asked.
func rests(w *watcher) []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []time.Duration
	for i := 1; i < len(w.asked); i++ {
		all = append(all, w.asked[i].at-w.asked[i-1].at)
	}
	return all
}

func wantRests(t *testing.T, got []time.Duration, want ...time.Duration) {
	t.Helper()
	if len(got) < len(want) {
		t.Fatalf("rests are %v, want %d of them", got, len(want))
	}
	for i, rest := range want { // the rounds themselves come every 10 to 12 seconds
		if got[i] < rest+10*time.Second || got[i] > rest+12*time.Second {
			t.Errorf("rest %d is %v, want %v and 10 to 12 seconds", i, got[i], rest)
		}
	}
}

func TestRestsGrow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		passed := 0
		w := &watcher{heap: newHeap(300), begun: time.Now()}
		p := params(w.heap)
		p.Look = mute(w, &passed, errDown)
		stop := run(t, p)
		pass(11 * time.Minute)
		stop()
		wantRests(t, rests(w), 10*time.Second, 20*time.Second, 40*time.Second, 80*time.Second, 2*time.Minute, 2*time.Minute, 2*time.Minute)
	})
}

func TestRestsEndWhenTheCarrierAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		passed, answers := 0, make(chan struct{})
		w := &watcher{heap: newHeap(1000), begun: time.Now()}
		p := params(w.heap)
		silent := mute(w, &passed, errDown)
		p.Look = func(ctx context.Context, r ledger.Record, round *rounds.Round) error {
			select {
			case <-answers:
			default:
				return silent(ctx, r, round)
			}
			w.settle(r)
			if round.MayAsk(ctx) {
				w.note(r)
				round.Answered()
			}
			return nil
		}
		stop := run(t, p)
		defer stop()
		pass(5 * time.Minute)
		close(answers)
		pass(3 * time.Minute) // the rest that was begun, and the whole heap in one round
		before := w.count()
		if before < 900 {
			t.Fatalf("asked about %d orders", before)
		}
		w.set(func() {
			for id := range w.orders {
				w.orders[id].Due = time.Now().Add(-time.Second)
			}
		})
		pass(13 * time.Second)
		if w.count() == before {
			t.Error("the rounds still rest although the carrier answers")
		}
	})
}

func TestWhatTheCarrierAsksForIsHonoured(t *testing.T) {
	t.Parallel()
	for asked, want := range map[time.Duration]time.Duration{
		time.Second: 10 * time.Second, 5 * time.Minute: 5 * time.Minute, 15 * time.Minute: 15 * time.Minute, 24 * time.Hour: 15 * time.Minute,
	} {
		synctest.Test(t, func(t *testing.T) {
			passed := 0
			w := &watcher{heap: newHeap(100), begun: time.Now()}
			p := params(w.heap)
			p.Look = mute(w, &passed, fmt.Errorf("asking: %w", errDown.WithRetryAfter(asked)))
			stop := run(t, p)
			pass(17 * time.Minute)
			stop()
			wantRests(t, rests(w), want)
		})
	}
	// The longest of those that were asked for in a round counts.
	synctest.Test(t, func(t *testing.T) {
		w := &watcher{heap: newHeap(100), begun: time.Now()}
		p := params(w.heap)
		p.Look = func(ctx context.Context, r ledger.Record, round *rounds.Round) error {
			if round.MayAsk(ctx) {
				w.note(r)
				for _, asked := range []time.Duration{time.Minute, 4 * time.Minute, 0, 2 * time.Minute} {
					round.NoAnswer(errDown.WithRetryAfter(asked))
				}
			}
			return nil
		}
		stop := run(t, p)
		pass(6 * time.Minute)
		stop()
		wantRests(t, rests(w), 4*time.Minute)
	})
}

// TestOneAnswerThatCannotBeReadIsNoSilence has the carrier fail about some orders only.
func TestOneAnswerThatCannotBeReadIsNoSilence(t *testing.T) {
	t.Parallel()
	unreadable := fault.New(fault.ReasonCarrierUnreadable, "what?")
	for name, c := range map[string]struct {
		// fails tells of the n-th question, from 0, what it meets; nil is an answer.
		fails func(n int) error
		want  int
	}{
		"every third":       {func(n int) error { return []error{nil, nil, unreadable}[n%3] }, 8},
		"two in a row":      {func(n int) error { return []error{nil, unreadable, unreadable}[n%3] }, 8},
		"three in a row":    {func(int) error { return unreadable }, 3},
		"one of being down": {func(n int) error { return []error{nil, errDown}[min(n, 1)] }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := params(newHeap(8)) // one turn, one after the other
				p.PerSecond = 1000
				var asked atomic.Int64
				p.Look = func(ctx context.Context, _ ledger.Record, round *rounds.Round) error {
					if !round.MayAsk(ctx) {
						return nil
					}
					if err := c.fails(int(asked.Add(1)) - 1); err != nil {
						round.NoAnswer(err)
					} else {
						round.Answered()
					}
					return nil
				}
				stop := run(t, p)
				defer stop()
				pass(13 * time.Second) // one round
				if n := int(asked.Load()); n != c.want {
					t.Errorf("the carrier was asked %d times, want %d", n, c.want)
				}
			})
		})
	}
}
