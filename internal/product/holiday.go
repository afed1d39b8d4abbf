package product

import (
	"slices"
	"time"
)

// closedDays knows the days on which nobody ports. The carrier's own list decides as far as it reaches; beyond it, or
// without one, the federal holidays stand in.
type closedDays struct {
	known []Day
	last  Day
}

func closedDaysOf(holidays []Day) closedDays {
	c := closedDays{known: holidays}
	for _, d := range holidays {
		if c.last.before(d) {
			c.last = d
		}
	}
	return c
}

// IsClosed reports whether nobody ports on the Eastern day of an instant, given the carrier's holidays as far as they are
// known.
func IsClosed(holidays []Day, at time.Time) bool {
	return closedDaysOf(holidays).why(DayOf(at)) != ""
}

// why says why a day is closed, and nothing for an open one.
func (c closedDays) why(d Day) string {
	if w := d.weekday(); w == time.Saturday || w == time.Sunday {
		return "is a " + w.String()
	}
	if slices.Contains(c.known, d) {
		return "is a holiday of the carrier"
	}
	if !c.last.before(d) {
		return ""
	}
	if name := federalHoliday(d); name != "" {
		return "is " + name + ", a federal holiday in Canada"
	}
	return ""
}

// federalHoliday names the federal holiday of Canada that falls on a day; empty for none. There are ten, by rule: public
// holiday tables for Go were found wrong here. A holiday on a weekend is not moved, for which there is no one rule.
func federalHoliday(d Day) string {
	switch {
	case d.is(time.January, 1):
		return "New Year's Day"
	case d == easter(d.Year).plus(-2):
		return "Good Friday"
	case d.Month == time.May && d.weekday() == time.Monday && d.Day >= 18 && d.Day <= 24:
		return "Victoria Day" // the Monday before 25 May
	case d.is(time.July, 1):
		return "Canada Day"
	case d.Month == time.September && d.weekday() == time.Monday && d.Day <= 7:
		return "Labour Day" // the first Monday
	case d.is(time.September, 30):
		return "the National Day for Truth and Reconciliation"
	case d.Month == time.October && d.weekday() == time.Monday && d.Day >= 8 && d.Day <= 14:
		return "Thanksgiving" // the second Monday
	case d.is(time.November, 11):
		return "Remembrance Day"
	case d.is(time.December, 25):
		return "Christmas Day"
	case d.is(time.December, 26):
		return "Boxing Day"
	}
	return ""
}

func (d Day) is(month time.Month, day int) bool {
	return d.Month == month && d.Day == day
}

// easter is Easter Sunday of a Gregorian year, by the anonymous computus (Meeus, Jones and Butcher).
func easter(year int) Day {
	golden := year % 19
	century, ofCentury := year/100, year%100
	leaps, rest := century/4, century%4
	correction := (century - (century+8)/25 + 1) / 3
	epact := (19*golden + century - leaps - correction + 15) % 30
	weekday := (32 + 2*rest + 2*(ofCentury/4) - epact - ofCentury%4) % 7
	late := (golden + 11*epact + 22*weekday) / 451
	n := epact + weekday - 7*late + 114
	return Day{year, time.Month(n / 31), n%31 + 1}
}

// businessDays counts the open days after a day, up to and with another, and stops at enough.
func (c closedDays) businessDays(after, upTo Day, enough int) int {
	count := 0
	for d := after.plus(1); count < enough && !upTo.before(d); d = d.plus(1) {
		if c.why(d) == "" {
			count++
		}
	}
	return count
}
