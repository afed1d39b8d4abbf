package tracker

import (
	"testing"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// often asks about an open order every ten minutes.
var often = Pace{Interval: 10 * time.Minute, NoProgressDays: 3}

func TestIntervals(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, eastern) // a Tuesday
	const (
		never, plain, short = time.Duration(0), 10 * time.Minute, 100 * time.Second
		patient, waiting    = 40 * time.Minute, 80 * time.Minute
	)
	// What a status asks for when its port has no day, is tomorrow, and is in two weeks.
	type days struct{ none, near, far time.Duration }
	always := func(d time.Duration) days { return days{d, d, d} }
	scheduled := days{plain, short, patient}
	wants := map[order.Status]days{
		"PENDING": always(plain), "SUBMITTED": always(plain), "CANCELLATIONPENDING": always(plain), "PARTIALCANCELLATION": always(plain),
		"CONFIRMED": scheduled, "CONFIRMEDwDATECHANGE": scheduled, "RESCHEDULED": scheduled, "CONFIRMEDwEXCEPTION": scheduled,
		"REJECTED": always(patient), "HOLD": always(waiting), "TELEPORTED": always(plain),
		"COMPLETED": always(never), "CANCELLED": always(never), "FULLCANCELLATION": always(never), "EXPIRED": always(never),
	}
	for _, word := range order.Statuses() {
		if _, ok := wants[word]; !ok {
			t.Errorf("%s is not tested", word)
		}
	}
	for word, want := range wants {
		for day, want := range map[string]time.Duration{"": want.none, "2026-11-25": want.near, "2026-12-08": want.far, "soon": want.none} {
			r := ledger.Record{State: order.Accepted, Status: word, PortDate: day, Settled: now.Add(-time.Hour)}
			if got := often.interval(r, now); got != want {
				t.Errorf("%s on %q is asked about after %v, want %v", word, day, got, want)
			}
			r.Successor = "another"
			if want > 0 {
				want = waiting
			}
			if got := often.interval(r, now); got != want {
				t.Errorf("%s on %q, corrected, is asked about after %v, want %v", word, day, got, want)
			}
		}
	}
	disputed := ledger.Record{State: order.Accepted, Status: order.StatusRejected, Disputing: true}
	if got := often.interval(disputed, now); got != plain {
		t.Errorf("a disputed rejection is asked about after %v", got)
	}
}

func TestAnOrderOfWhichNothingWasSaid(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, eastern)
	for age, want := range map[time.Duration]time.Duration{
		0: time.Minute, 3 * time.Minute: time.Minute, 8 * time.Minute: 2 * time.Minute, 40 * time.Minute: 10 * time.Minute,
		24 * time.Hour: 10 * time.Minute, -time.Hour: time.Minute, // a wall clock that was set back
	} {
		for _, successor := range []string{"", "another"} {
			r := ledger.Record{State: order.Accepted, Settled: now.Add(-age), Successor: successor}
			if got := often.interval(r, now); got != want {
				t.Errorf("after %v it is asked about after %v, want %v", age, got, want)
			}
		}
	}
	if got := (Pace{Interval: 10 * time.Second}).interval(ledger.Record{State: order.Accepted}, now); got != 10*time.Second {
		t.Errorf("with a short interval it is asked about after %v", got)
	}
}

func TestTowardsTheDayOfThePort(t *testing.T) {
	t.Parallel()
	const day = "2026-12-10" // a Thursday
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 12, day, hour, minute, 0, 0, eastern) }
	const plain, short, patient = 10 * time.Minute, 100 * time.Second, 40 * time.Minute
	for _, c := range []struct {
		now  time.Time
		want time.Duration
	}{
		{at(1, 9, 0), patient},
		{at(6, 11, 59), patient},
		{at(6, 12, 0), plain},
		{at(8, 23, 59), plain},
		{at(9, 0, 0), short},
		{at(10, 0, 0), short},
		{at(10, 23, 59), short},
		{at(11, 23, 59), short},
		{at(12, 0, 1), plain},
		{at(31, 0, 0), plain},
		{at(9, 5, 0).UTC(), short},
	} {
		if got := often.towards(day, c.now); got != c.want {
			t.Errorf("at %v it is asked about after %v, want %v", c.now, got, c.want)
		}
	}
	for _, odd := range []string{"", "soon", "20261210", "2026-13-01", "2026-12-10T00:00:00Z"} {
		if got := often.towards(odd, at(10, 9, 0)); got != plain {
			t.Errorf("a port on %q is asked about after %v", odd, got)
		}
	}
	if got := (Pace{Interval: 3 * time.Minute}).towards(day, at(10, 9, 0)); got != time.Minute {
		t.Errorf("close to the day it is asked about after %v, want no less than a minute", got)
	}
}
