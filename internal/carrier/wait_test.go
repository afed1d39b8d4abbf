package carrier_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/portin/portin/internal/carrier"
)

func TestFault08_RetryAfterIsWholeSecondsWithinBounds(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 500_000_000, time.UTC)
	const longest = 5 * time.Minute
	for header, want := range map[string]time.Duration{
		"":                               30 * time.Second,
		"soon":                           30 * time.Second,
		"-5":                             30 * time.Second,
		"1.5":                            30 * time.Second,
		"7 7":                            30 * time.Second,
		"+7":                             30 * time.Second,
		"0":                              time.Second,
		"1":                              time.Second,
		" 7 ":                            7 * time.Second,
		"007":                            7 * time.Second,
		"300":                            longest,
		"301":                            longest,
		"99999999999":                    longest,
		"9223372036854775807":            longest,
		"99999999999999999999":           longest,
		httpDate(now, 7.5):               8 * time.Second,
		httpDate(now, 8):                 8 * time.Second,
		httpDate(now, 86400):             longest,
		httpDate(now, -86400):            time.Second,
		"Mon, 02 Mar 2026":               30 * time.Second,
		"Monday, 02-Mar-26 12:00:07 GMT": 7 * time.Second,
	} {
		if got := carrier.RetryAfter(header, now, longest); got != want {
			t.Errorf("Retry-After %q is %v, want %v", header, got, want)
		}
	}
	if got := carrier.RetryAfter("", now, 10*time.Second); got != 10*time.Second {
		t.Errorf("the wait that nobody asked for is %v, which exceeds the cap", got)
	}
}

// httpDate is a date some seconds after now; HTTP dates have whole seconds.
func httpDate(now time.Time, seconds float64) string {
	return now.Add(time.Duration(seconds * float64(time.Second))).UTC().Format(http.TimeFormat)
}
