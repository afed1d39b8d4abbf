package product

import (
	"time"
	_ "time/tzdata" // Rules on the Eastern wall clock must not depend on what the machine has installed.

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

const (
	dateField = "order.form.requested_port_date"
	timeField = "order.form.requested_port_time"
)

// eastern is the carrier's wall clock.
var eastern = mustLoad("America/Toronto") //nolint:gochecknoglobals // read-only; the zone is embedded

// mustLoad panics at the start of the program, for the zones are part of it.
func mustLoad(zone string) *time.Location {
	location, err := time.LoadLocation(zone)
	if err != nil {
		panic("product: " + err.Error())
	}
	return location
}

// Day is a day of the calendar, on the carrier's Eastern one unless said otherwise. Days compare with ==.
type Day struct {
	Year  int
	Month time.Month
	Day   int
}

// DayOf is the Eastern day of an instant.
func DayOf(t time.Time) Day {
	y, m, d := t.In(eastern).Date()
	return Day{y, m, d}
}

// ParseDay reads a real day of the calendar written YYYY-MM-DD, as the order form has it, or YYYYMMDD, as the carrier's
// status has it. A time of day behind the former ("2026-07-01T00:00:00") is left aside: the carrier does not say how it
// writes its holidays.
func ParseDay(s string) (Day, bool) {
	switch {
	case len(s) == len("20060102"):
		return parseDay("20060102", s)
	case len(s) > len(time.DateOnly) && (s[len(time.DateOnly)] == 'T' || s[len(time.DateOnly)] == ' '):
		s = s[:len(time.DateOnly)]
	}
	return parseDay(time.DateOnly, s)
}

func parseDay(layout, s string) (Day, bool) {
	t, err := time.Parse(layout, s)
	if err != nil {
		return Day{}, false
	}
	y, m, d := t.Date()
	return Day{y, m, d}, true
}

func (d Day) before(other Day) bool {
	return d.midnight().Before(other.midnight())
}

func (d Day) plus(days int) Day {
	y, m, day := d.midnight().AddDate(0, 0, days).Date()
	return Day{y, m, day}
}

func (d Day) weekday() time.Weekday {
	return d.midnight().Weekday()
}

// midnight is only for counting: UTC has no day of 23 hours.
func (d Day) midnight() time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
}

// clock is a time of day.
type clock struct{ hour, minute int }

// parseClock reads HH:MM. The time package alone would read 9:30 too.
func parseClock(s string) (clock, bool) {
	t, err := time.Parse("15:04", s)
	return clock{t.Hour(), t.Minute()}, err == nil && len(s) == len("15:04")
}

// on is the instant of the time on a day, and whether the wall clock shows it: in the night of the spring change an hour
// is left out.
func (c clock) on(d Day) (time.Time, bool) {
	t := time.Date(d.Year, d.Month, d.Day, c.hour, c.minute, 0, 0, eastern)
	return t, t.Hour() == c.hour && t.Minute() == c.minute
}

// comesTwice reports whether the wall clock shows the time twice on the day: in the night of the autumn change.
func (c clock) comesTwice(d Day) bool {
	t, ok := c.on(d)
	if !ok {
		return false
	}
	for _, other := range []time.Time{t.Add(-time.Hour), t.Add(time.Hour)} {
		if other.Hour() == c.hour && other.Minute() == c.minute {
			return true
		}
	}
	return false
}

// portTime reports a date or time that is none, and a time without a date.
func (r *report) portTime(f *portinv1.PortForm) {
	day, dated := parseDay(time.DateOnly, f.GetRequestedPortDate())
	if f.RequestedPortDate != nil && !dated {
		r.add(at(dateField), "is not a day of the calendar; want YYYY-MM-DD such as 2026-07-02")
	}
	if f.RequestedPortTime == nil {
		return
	}
	c, timed := parseClock(f.GetRequestedPortTime())
	if !timed {
		r.add(at(timeField), "is not a time of day; want HH:MM from 00:00 to 23:59")
	}
	if f.RequestedPortDate == nil {
		r.add(at(timeField), "needs a requested port date beside it")
	}
	if dated && timed {
		if _, exists := c.on(day); !exists {
			r.add(at(timeField), "does not exist on that day: Eastern clocks go forward over it; want an earlier or later time")
		}
	}
}
