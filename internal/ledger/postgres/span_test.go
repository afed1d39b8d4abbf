package postgres

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Every time in a range is in one of the runs that it is cut into, no other time is, and they are few. The latest come first.
func TestARangeIsCutWithoutGapOrOverlap(t *testing.T) {
	t.Parallel()
	chance := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		r := reach{from: chance.Int64N(1 << 51)}
		if chance.IntN(2) == 0 {
			r.from = r.from >> 31 << 31
		}
		r.before = r.from + 1 + chance.Int64N(1<<chance.IntN(50))
		at := r.before
		for _, run := range r.cut() {
			spans := run.before - run.first
			if spans < 1 || run.before<<run.width != at || spans > 62 && run.width != 0 && run.width != 41 || run.width == 0 && spans >= 2<<26 {
				t.Fatalf("%v is cut into %v", r, r.cut())
			}
			at = run.first << run.width
		}
		if at != r.from {
			t.Fatalf("%v is cut into %v", r, r.cut())
		}
	}
}

// A range that reaches beyond the first or the last update has no ends there, only wide spans.
func TestAnOpenRangeHasNoEnds(t *testing.T) {
	t.Parallel()
	least, most := int64(1_700_000_000_000_001), int64(1_760_000_000_000_003)
	for _, r := range []reach{{math.MinInt64, math.MaxInt64}, {least, most + 1}, {least - 1, most + 2}} {
		wide := r.widen(least, most)
		runs := wide.cut()
		if len(runs) != 1 || runs[0].width != 41 || wide.from > least || wide.before <= most {
			t.Errorf("%v becomes %v: %v", r, wide, runs)
		}
	}
	if r := (reach{least + 1, most}); r.widen(least, most) != r {
		t.Errorf("a range inside becomes %v", r.widen(least, most))
	}
}
