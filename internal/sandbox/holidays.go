package sandbox

import (
	"slices"
	"time"
)

// holiday is one entry of GET /Holidays. The carrier does not say how it writes
// Date; the sandbox writes YYYY-MM-DD.
type holiday struct {
	Date string
	Name string
}

// upcomingHolidays are the Canadian federal holidays from the day of now to the
// end of the next year, in order.
func upcomingHolidays(now time.Time) []holiday {
	today := now.Format(time.DateOnly)
	all := slices.Concat(federalHolidays(now.Year()), federalHolidays(now.Year()+1))
	return slices.DeleteFunc(all, func(h holiday) bool { return h.Date < today })
}

// federalHolidays are the ten of one year, on the days that they fall on: a
// holiday on a Sunday is not moved to the Monday.
func federalHolidays(year int) []holiday {
	day := func(name string, t time.Time) holiday {
		return holiday{Date: t.Format(time.DateOnly), Name: name}
	}
	fixed := func(month time.Month, d int) time.Time {
		return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
	}
	return []holiday{
		day("New Year's Day", fixed(time.January, 1)),
		day("Good Friday", easter(year).AddDate(0, 0, -2)),
		day("Victoria Day", mondayOnOrAfter(fixed(time.May, 18))), // the last Monday before 25 May
		day("Canada Day", fixed(time.July, 1)),
		day("Labour Day", mondayOnOrAfter(fixed(time.September, 1))),
		day("National Day for Truth and Reconciliation", fixed(time.September, 30)),
		day("Thanksgiving", mondayOnOrAfter(fixed(time.October, 8))), // the second Monday
		day("Remembrance Day", fixed(time.November, 11)),
		day("Christmas Day", fixed(time.December, 25)),
		day("Boxing Day", fixed(time.December, 26)),
	}
}

func mondayOnOrAfter(t time.Time) time.Time {
	return t.AddDate(0, 0, (int(time.Monday)-int(t.Weekday())+7)%7)
}

// easter is Easter Sunday by the anonymous Gregorian computus.
func easter(year int) time.Time {
	a, b, c := year%19, year/100, year%100
	h := (19*a + b - b/4 - (b-(b+8)/25+1)/3 + 15) % 30
	l := (32 + 2*(b%4) + 2*(c/4) - h - c%4) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return time.Date(year, time.Month(n/31), n%31+1, 0, 0, 0, 0, time.UTC)
}
