package postgres

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCleanText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "plain": "plain", "é\U0001F4DE": "é\U0001F4DE", "a\x00b": "a\uFFFDb", "\x00\x00": "\uFFFD\uFFFD", "a\xffb": "a\uFFFDb", "\xff\xfe\xfd": "\uFFFD",
	} {
		if got := clean(text); got != want {
			t.Errorf("clean(%q) = %q, want %q", text, got, want)
		}
	}
}

// A bound between two microseconds lies above what was cut to the lower one.
func TestBoundsLieAboveWhatWasCut(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 5000, time.FixedZone("", 3600))
	got := []int64{
		micros(at), micros(at.Add(999)), bound(at), bound(at.Add(1)), bound(at.Add(999)), bound(at.Add(1000)), micros(time.Time{}),
		bound(time.Unix(-1, 1)),
	}
	first := at.UnixMicro()
	if diff := cmp.Diff([]int64{first, first, first, first + 1, first + 1, first + 1, 0, -999_999}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, want := range []time.Time{{}, at.UTC().Truncate(time.Microsecond)} {
		if got := moment(micros(want)); got != want { //nolint:revive // the very same value, location included
			t.Errorf("%v comes back as %v", want, got)
		}
	}
}
