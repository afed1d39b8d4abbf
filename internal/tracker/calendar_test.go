package tracker

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestPatientSince(t *testing.T) {
	t.Parallel()
	holidays := map[string]bool{"2026-12-25": true, "2026-12-28": true}
	for _, c := range []struct {
		days      int
		now, want string
	}{
		{0, "2026-11-26T10:00:00-05:00", ""},
		{-1, "2026-11-26T10:00:00-05:00", ""},
		// A Thursday: itself, Wednesday, Tuesday.
		{1, "2026-11-26T10:00:00-05:00", "2026-11-26T00:00:00-05:00"},
		{3, "2026-11-26T10:00:00-05:00", "2026-11-24T00:00:00-05:00"},
		// It is still Thursday in the east when the day has changed elsewhere, and not yet.
		{1, "2026-11-27T04:59:59Z", "2026-11-26T00:00:00-05:00"},
		{1, "2026-11-27T05:00:00Z", "2026-11-27T00:00:00-05:00"},
		// Over a weekend, and on one.
		{2, "2026-11-30T00:00:00-05:00", "2026-11-27T00:00:00-05:00"},
		{5, "2026-11-30T10:00:00-05:00", "2026-11-24T00:00:00-05:00"},
		{1, "2026-11-28T10:00:00-05:00", "2026-11-27T00:00:00-05:00"},
		{1, "2026-11-29T23:59:00-05:00", "2026-11-27T00:00:00-05:00"},
		// Over holidays beside a weekend: 24 December, then 29.
		{2, "2026-12-29T10:00:00-05:00", "2026-12-24T00:00:00-05:00"},
		{1, "2026-12-28T10:00:00-05:00", "2026-12-24T00:00:00-05:00"},
		// Over a new year.
		{3, "2027-01-04T10:00:00-05:00", "2026-12-31T00:00:00-05:00"},
		// Over the changes of the clock, on 8 March and 1 November 2026.
		{2, "2026-03-09T10:00:00-04:00", "2026-03-06T00:00:00-05:00"},
		{2, "2026-11-02T10:00:00-05:00", "2026-10-30T00:00:00-04:00"},
		// On them: between the two 1:30 of a night, and just after the hour that is not there.
		{1, "2026-11-01T05:30:00Z", "2026-10-30T00:00:00-04:00"},
		{1, "2026-11-01T06:30:00Z", "2026-10-30T00:00:00-04:00"},
		{1, "2026-03-08T07:00:00Z", "2026-03-06T00:00:00-05:00"},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		want := time.Time{}
		if c.want != "" {
			if want, err = time.Parse(time.RFC3339, c.want); err != nil {
				t.Fatal(err)
			}
		}
		tr := New(Params{
			Pace: Pace{NoProgressDays: c.days}, Now: func() time.Time { return now },
			Closed: func(_ context.Context, _ string, day time.Time) bool {
				if day.Location() != eastern || day.Hour() != 0 {
					t.Errorf("it is asked whether %v is closed, which is no day", day)
				}
				return holidays[day.Format(time.DateOnly)]
			},
		})
		if got := tr.patientSince(t.Context(), ""); !got.Equal(want) {
			t.Errorf("%d days at %s are since %v, want %s", c.days, c.now, got, c.want)
		}
	}
}

// A calendar on which every day is closed ends all the same.
func TestACalendarThatIsAlwaysClosed(t *testing.T) {
	t.Parallel()
	asked := 0
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, eastern)
	tr := New(Params{
		Pace: Pace{NoProgressDays: 3}, Now: func() time.Time { return now },
		Closed: func(context.Context, string, time.Time) bool {
			asked++
			return true
		},
	})
	if got, want := tr.patientSince(t.Context(), ""), time.Date(2026, 11, 24-399, 0, 0, 0, 0, eastern); !got.Equal(want) || asked > 400 {
		t.Errorf("patient since %v, want %v, after %d questions", got, want, asked)
	}
}

// A carrier whose list of holidays hangs is waited for once, not for every day: meanwhile what it said of an order waits to be
// written, and the order may come to be somebody else's turn.
func TestACalendarThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tr := New(Params{
			Pace: Pace{NoProgressDays: 10},
			Closed: func(ctx context.Context, _ string, _ time.Time) bool {
				select {
				case <-ctx.Done():
				case <-time.After(3 * time.Second): // as long as each question may take
				}
				return false
			},
		})
		begun := time.Now()
		if since := tr.patientSince(t.Context(), ""); time.Since(since) < 10*24*time.Hour {
			t.Errorf("patient since %v", since)
		}
		if took := time.Since(begun); took > calendarTimeout {
			t.Errorf("it took %v", took)
		}
	})
}
