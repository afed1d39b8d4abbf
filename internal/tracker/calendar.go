package tracker

import (
	"context"
	"time"
	_ "time/tzdata" // The carrier's wall clock must not depend on what the machine has installed.
)

// eastern is the carrier's wall clock.
var eastern = mustLoad("America/Toronto") //nolint:gochecknoglobals // read-only; the zone is embedded

// mustLoad panics at the start of the program, for the zones are part of it.
func mustLoad(zone string) *time.Location {
	location, err := time.LoadLocation(zone)
	if err != nil {
		panic("tracker: " + err.Error())
	}
	return location
}

// patientSince is the instant since which NoProgressDays business days, as the carrier says for an account, have begun on the
// Eastern calendar, today among them; zero when that is not counted.
func (t *Tracker) patientSince(ctx context.Context, account string) time.Time {
	if t.Pace.NoProgressDays <= 0 {
		return time.Time{}
	}
	ctx, cancel := context.WithTimeout(ctx, calendarTimeout)
	defer cancel()
	y, m, d := t.Now().In(eastern).Date()
	day := time.Time{}
	for days, back := 0, 0; days < t.Pace.NoProgressDays && back < longestWait; back++ {
		day = time.Date(y, m, d-back, 0, 0, 0, 0, eastern)
		if day.Weekday() != time.Saturday && day.Weekday() != time.Sunday && !t.Closed(ctx, account, day) {
			days++
		}
	}
	return day
}

// calendarTimeout is how long is waited for the carrier's holidays, for all days together; without them those that are known count.
const calendarTimeout = 3 * time.Second

// longestWait is how many days are looked back at most, whatever the calendar says.
const longestWait = 400
