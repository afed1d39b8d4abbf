package inflight_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/inflight"
)

// put puts a load on a scale that has to bear it.
func put(t *testing.T, s *inflight.Scale, weight int64) *inflight.Load {
	t.Helper()
	l, err := s.Put(weight)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// figures are what a scale shows: its weight and how often something did not fit.
func figures(s *inflight.Scale) [2]int64 { return [2]int64{s.Weight(), s.Refused()} }

// shows holds a scale against its figures.
func shows(t *testing.T, what string, s *inflight.Scale, weight, refused int64) {
	t.Helper()
	if diff := cmp.Diff([2]int64{weight, refused}, figures(s)); diff != "" {
		t.Errorf("%s: weight and refusals (-want +got):\n%s", what, diff)
	}
}

// isBusy wants the refusal of what does not fit, with a wait of whole seconds.
func isBusy(t *testing.T, err error) {
	t.Helper()
	f := fault.From(err)
	if f == nil || f.Reason != fault.ReasonServiceBusy || f.RetryAfter < 3*time.Second || f.RetryAfter > 10*time.Second || f.RetryAfter%time.Second != 0 {
		t.Errorf("what does not fit is told %v", err)
	}
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	t.Parallel()
	s := inflight.New(100)
	a, b := put(t, s, 60), put(t, s, 40)
	shows(t, "full", s, 100, 0)
	_, err := s.Put(1)
	isBusy(t, err)
	shows(t, "one was refused", s, 100, 1)
	a.LetGo()
	a.LetGo()
	shows(t, "one was let go twice", s, 40, 1)
	_, err = s.Put(61)
	isBusy(t, err)
	c := put(t, s, 60)
	b.LetGo()
	c.LetGo()
	shows(t, "empty", s, 0, 2)
	put(t, s, 100).LetGo()
	_, err = s.Put(101)
	isBusy(t, err)
}

func TestALoadIsHeldUntilTheLastLetsItGo(t *testing.T) {
	t.Parallel()
	s := inflight.New(100)
	l := put(t, s, 10)
	l.Hold()
	l.LetGo()
	shows(t, "one still holds it", s, 10, 0)
	l.LetGo()
	shows(t, "nobody holds it", s, 0, 0)
	l.Hold()
	if err := l.Grow(50); err != nil {
		t.Error(err)
	}
	shows(t, "who comes later holds nothing", s, 0, 0)
	l.LetGo()
	shows(t, "and lets nothing go", s, 0, 0)
}

func TestALoadGrows(t *testing.T) {
	t.Parallel()
	s := inflight.New(100)
	l, other := put(t, s, 10), put(t, s, 50)
	if err := l.Grow(30); err != nil {
		t.Fatal(err)
	}
	if err := l.Grow(20); err != nil {
		t.Fatal(err)
	}
	shows(t, "it never gets lighter", s, 80, 0)
	isBusy(t, l.Grow(51))
	shows(t, "it is as it was", s, 80, 1)
	other.LetGo()
	if err := l.Grow(100); err != nil {
		t.Fatal(err)
	}
	l.LetGo()
	shows(t, "empty", s, 0, 1)

	begun := s.Begin()
	shows(t, "one has begun", s, 0, 1)
	isBusy(t, begun.Grow(101))
	if err := begun.Grow(100); err != nil {
		t.Fatal(err)
	}
	begun.LetGo()
	shows(t, "empty again", s, 0, 2)
}

func TestNothingWeighsNothing(t *testing.T) {
	t.Parallel()
	var none *inflight.Scale
	for _, l := range []*inflight.Load{put(t, none, 100), put(t, inflight.New(1), 0)} {
		l.Hold()
		l.LetGo()
		if err := l.Grow(1 << 40); l != nil || err != nil {
			t.Errorf("a load that weighs nothing: %v, %v", l, err)
		}
	}
	if ctx := t.Context(); inflight.With(ctx, nil) != ctx || inflight.From(ctx) != nil {
		t.Error("a context has a load that nobody gave it")
	}
	l := put(t, inflight.New(1), 1)
	if got := inflight.From(context.WithoutCancel(inflight.With(t.Context(), l))); got != l {
		t.Errorf("a context has the load %p, not %p", got, l)
	}
	want := []int64{0, 0, 4 * (inflight.Light + 1), 0, 3 * (inflight.Light + 1)}
	got := []int64{
		inflight.OfMessage(0), inflight.OfMessage(inflight.Light), inflight.OfMessage(inflight.Light + 1),
		inflight.OfJSON(inflight.Light), inflight.OfJSON(inflight.Light + 1),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what requests weigh (-want +got):\n%s", diff)
	}
}

// TestManyAtOnce has many come and go: the scale is never too full, and empty in the end.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	const limit = 1000
	s := inflight.New(limit)
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			for range 500 {
				l, err := s.Put(1 + rand.Int64N(200))
				if err != nil {
					continue
				}
				_ = l.Grow(rand.Int64N(400))
				l.Hold()
				all.Go(l.LetGo)
				if w := s.Weight(); w > limit {
					t.Errorf("the scale bears %d", w)
				}
				l.LetGo()
			}
		})
	}
	all.Wait()
	if w := s.Weight(); w != 0 {
		t.Errorf("in the end the scale bears %d", w)
	}
	put(t, s, limit).LetGo()
}
