package product

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

func day(t testing.TB, s string) Day {
	t.Helper()
	d, ok := ParseDay(s)
	if !ok {
		t.Fatalf("%s is no day", s)
	}
	return d
}

// TestFederalHolidays holds the rules to the days on which the holidays fell or will fall.
func TestFederalHolidays(t *testing.T) {
	t.Parallel()
	byYear := map[string][]string{
		"2024": {"2024-01-01", "2024-03-29", "2024-05-20", "2024-07-01", "2024-09-02", "2024-09-30", "2024-10-14", "2024-11-11", "2024-12-25", "2024-12-26"},
		"2025": {"2025-01-01", "2025-04-18", "2025-05-19", "2025-07-01", "2025-09-01", "2025-09-30", "2025-10-13", "2025-11-11", "2025-12-25", "2025-12-26"},
		"2026": {"2026-01-01", "2026-04-03", "2026-05-18", "2026-07-01", "2026-09-07", "2026-09-30", "2026-10-12", "2026-11-11", "2026-12-25", "2026-12-26"},
		"2027": {"2027-01-01", "2027-03-26", "2027-05-24", "2027-07-01", "2027-09-06", "2027-09-30", "2027-10-11", "2027-11-11", "2027-12-25", "2027-12-26"},
		"2029": {"2029-01-01", "2029-03-30", "2029-05-21", "2029-07-01", "2029-09-03", "2029-09-30", "2029-10-08", "2029-11-11", "2029-12-25", "2029-12-26"},
		"2038": {"2038-01-01", "2038-04-23", "2038-05-24", "2038-07-01", "2038-09-06", "2038-09-30", "2038-10-11", "2038-11-11", "2038-12-25", "2038-12-26"},
	}
	for year, want := range byYear {
		var got []string
		for d := day(t, year+"-01-01"); d.Year == day(t, year+"-01-01").Year; d = d.plus(1) {
			if federalHoliday(d) != "" {
				got = append(got, d.midnight().Format(time.DateOnly))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", year, diff)
		}
	}
}

// TestEaster holds the computus to dates at its corners: the earliest and the latest Easter, and years in which a
// simpler rule is wrong.
func TestEaster(t *testing.T) {
	t.Parallel()
	for year, want := range map[int]string{
		1818: "1818-03-22", 1943: "1943-04-25", 1954: "1954-04-18", 1981: "1981-04-19", 2000: "2000-04-23", 2019: "2019-04-21",
		2038: "2038-04-25", 2049: "2049-04-18", 2076: "2076-04-19", 2285: "2285-03-22",
	} {
		if got := easter(year); got != day(t, want) {
			t.Errorf("Easter of %d is %v, want %s", year, got, want)
		}
	}
}

func TestParseDay(t *testing.T) {
	t.Parallel()
	want := Day{2026, time.July, 1}
	for _, s := range []string{"2026-07-01", "20260701", "2026-07-01T00:00:00", "2026-07-01T00:00:00Z", "2026-07-01 00:00:00"} {
		if got, ok := ParseDay(s); got != want || !ok {
			t.Errorf("ParseDay(%q) = %v, %t", s, got, ok)
		}
	}
	for _, s := range []string{"", "2026-7-1", "2026-02-29", "2026-13-01", "2026-07-01x", "20260732", "01-07-2026", "/Date(1)/"} {
		if got, ok := ParseDay(s); ok {
			t.Errorf("ParseDay(%q) = %v", s, got)
		}
	}
}

func TestReviewOfDates(t *testing.T) {
	t.Parallel()
	const closed, short, ambiguous = "WARNING_CODE_CLOSED_DAY", "WARNING_CODE_SHORT_LEAD_TIME", "WARNING_CODE_AMBIGUOUS"
	carrier := []Day{day(t, "2026-08-03"), day(t, "2026-12-28")}
	tests := []struct {
		name, now, date, time string
		holidays              []Day
		lead                  int
		want                  []string // "past", or codes of warnings
	}{
		{name: "no date", now: "2026-03-02T15:00:00Z", lead: 2},
		{name: "unread date", now: "2026-03-02T15:00:00Z", date: "soon", lead: 2},
		{name: "yesterday", now: "2026-03-03T15:00:00Z", date: "2026-03-02", lead: 2, want: []string{"past"}},
		{name: "last year", now: "2026-03-03T15:00:00Z", date: "2025-12-31", lead: 2, want: []string{"past"}},
		{name: "today", now: "2026-03-03T15:00:00Z", date: "2026-03-03", lead: 2, want: []string{short}},
		{name: "today, at a time that is over", now: "2026-03-03T23:00:00Z", date: "2026-03-03", time: "09:00", lead: 2, want: []string{short}},
		{name: "still today in Toronto", now: "2026-03-04T04:59:59Z", date: "2026-03-03", lead: 0},
		{name: "no longer today in Toronto", now: "2026-03-04T05:00:00Z", date: "2026-03-03", lead: 0, want: []string{"past"}},
		{name: "tomorrow", now: "2026-03-03T15:00:00Z", date: "2026-03-04", lead: 2, want: []string{short}},
		{name: "two business days", now: "2026-03-03T15:00:00Z", date: "2026-03-05", lead: 2},
		{name: "a longer lead", now: "2026-03-03T15:00:00Z", date: "2026-03-05", lead: 3, want: []string{short}},
		{name: "over a weekend", now: "2026-03-06T15:00:00Z", date: "2026-03-09", lead: 2, want: []string{short}},
		{name: "well over a weekend", now: "2026-03-06T15:00:00Z", date: "2026-03-10", lead: 2},
		{name: "over Easter", now: "2026-04-02T15:00:00Z", date: "2026-04-06", lead: 2, want: []string{short}},
		{name: "Saturday", now: "2026-03-02T15:00:00Z", date: "2026-03-14", lead: 2, want: []string{closed}},
		{name: "Saturday and soon", now: "2026-03-05T15:00:00Z", date: "2026-03-07", lead: 2, want: []string{closed, short}},
		{name: "federal holiday", now: "2026-03-02T15:00:00Z", date: "2026-07-01", lead: 2, want: []string{closed}},
		{name: "no federal holiday for the carrier", now: "2026-03-02T15:00:00Z", date: "2026-07-01", holidays: carrier, lead: 2},
		{name: "holiday of the carrier", now: "2026-03-02T15:00:00Z", date: "2026-08-03", holidays: carrier, lead: 2, want: []string{closed}},
		{name: "last holiday of the carrier", now: "2026-03-02T15:00:00Z", date: "2026-12-28", holidays: carrier, lead: 2, want: []string{closed}},
		{name: "beyond the carrier's list", now: "2026-03-02T15:00:00Z", date: "2027-03-26", holidays: carrier, lead: 2, want: []string{closed}},
		{name: "twice", now: "2026-03-02T15:00:00Z", date: "2026-11-01", time: "01:00", lead: 2, want: []string{closed, ambiguous}},
		{name: "just before twice", now: "2026-03-02T15:00:00Z", date: "2026-11-01", time: "00:59", lead: 2, want: []string{closed}},
		{name: "just after twice", now: "2026-03-02T15:00:00Z", date: "2026-11-01", time: "02:00", lead: 2, want: []string{closed}},
		{name: "never", now: "2026-03-02T15:00:00Z", date: "2026-03-08", time: "02:00", lead: 0, want: []string{closed}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			now, err := time.Parse(time.RFC3339, tt.now)
			if err != nil {
				t.Fatal(err)
			}
			o := fullest(t, "general_product")
			o.Form.RequestedPortDate, o.Form.RequestedPortTime = nil, nil
			if tt.date != "" {
				o.Form.RequestedPortDate = &tt.date
			}
			if tt.time != "" {
				o.Form.RequestedPortTime = &tt.time
			}
			violations, warnings := Review(o, Facts{Now: now, Holidays: tt.holidays, MinLeadBusinessDays: tt.lead})
			var got []string
			for _, v := range violations {
				if v.Field != "order.form.requested_port_date" {
					t.Errorf("the violation is about %s", v.Field)
				}
				got = append(got, "past")
			}
			for _, w := range warnings {
				got = append(got, w.GetCode().String())
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestSpringGap: the hour that Eastern clocks leave out, to the minute.
func TestSpringGap(t *testing.T) {
	t.Parallel()
	for clock, exists := range map[string]bool{"01:59": true, "02:00": false, "02:59": false, "03:00": true} {
		o := smallest(t, "general_product")
		o.Form.RequestedPortDate, o.Form.RequestedPortTime = new("2027-03-14"), &clock
		if got := Validate(o); (got == nil) != exists {
			t.Errorf("at %s: %v", clock, got)
		}
	}
}

func TestReviewOfPostalCodes(t *testing.T) {
	t.Parallel()
	fits := map[string]string{
		"A": "NL", "B": "NS", "C": "PE", "E": "NB", "G": "QC", "H": "QC", "J": "QC", "K": "ON", "L": "ON", "M": "ON", "N": "ON",
		"P": "ON", "R": "MB", "S": "SK", "T": "AB", "V": "BC", "Y": "YT",
	}
	order := fullest(t, "general_product")
	check := func(country, province, code string) int {
		o := clone(order)
		o.Form.ServiceAddress.Country, o.Form.ServiceAddress.Province, o.Form.ServiceAddress.PostalCode = country, province, code
		_, warnings := Review(o, goldenFacts())
		return len(warnings)
	}
	for letter, home := range fits {
		for province := range provinces {
			if got := check("CA", province, letter+"1A 1A1"); (got == 0) != (province == home) {
				t.Errorf("%s1A 1A1 in %s: %d warnings", letter, province, got)
			}
		}
	}
	for province, want := range map[string]int{"NT": 0, "NU": 0, "YT": 1} {
		if got := check("CA", province, "X1A 1A1"); got != want {
			t.Errorf("X1A 1A1 in %s: %d warnings", province, got)
		}
	}
	for _, refused := range [][3]string{{"US", "NY", "M5H 2N2"}, {"CA", "XX", "M5H 2N2"}, {"CA", "BC", "x"}} {
		if got := check(refused[0], refused[1], refused[2]); got != 0 {
			t.Errorf("%v: %d warnings on what is refused anyway", refused, got)
		}
	}
}

func TestProvincesAndStatesAreApart(t *testing.T) {
	t.Parallel()
	if len(provinces) != 13 || len(states) != 50+1+5+3+3 {
		t.Errorf("%d provinces and %d states", len(provinces), len(states))
	}
	for p := range provinces {
		if states[p] {
			t.Errorf("%s is both", p)
		}
	}
}

func TestReviewWithoutParts(t *testing.T) {
	t.Parallel()
	for _, o := range []*portinv1.PortInOrder{
		nil,
		{},
		{Form: &portinv1.PortForm{}},
		{Target: &portinv1.PortInOrder_BusinessLine{}},
		{Target: &portinv1.PortInOrder_BusinessLine{BusinessLine: &portinv1.BusinessLine{Lines: []*portinv1.BusinessLine_Line{nil, {}}}}},
		// What is refused as no number is not doubted too.
		{Target: &portinv1.PortInOrder_VirtualFax{VirtualFax: &portinv1.VirtualFax{Numbers: []string{"8221000100", "2901000100"}}}},
	} {
		if violations, warnings := Review(o, Facts{}); violations != nil || warnings != nil {
			t.Errorf("Review(%v) = %v, %v", o, violations, warnings)
		}
	}
}
