package carrier

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// unreachableWait is what callers are told to wait when no connection could be made.
	unreachableWait = 5 * time.Second
	// busyWait is the wait that a 429 without a readable Retry-After asks for.
	busyWait = 30 * time.Second
)

// clock is what the waits of errors are reckoned by.
type clock struct {
	now     func() time.Time
	longest time.Duration
}

func shortWait(met, clock) time.Duration { return unreachableWait }

func waitOfAnswer(m met, c clock) time.Duration { return c.retryAfter(m.retryAfter) }

// retryAfter reads a Retry-After, which is a number of seconds or an HTTP date. The result is whole seconds, at least
// one and at most the longest: a misconfigured carrier must not silence its callers for a year.
func (c clock) retryAfter(header string) time.Duration {
	header = strings.TrimSpace(header)
	wait := busyWait
	if seconds, ok := delaySeconds(header); ok {
		wait = seconds
	} else if date, err := http.ParseTime(header); err == nil {
		wait = date.Sub(c.now())
	}
	return wholeSeconds(min(wait, c.longest))
}

// delaySeconds reads digits and nothing else. A number too large for anybody to wait for is simply large.
func delaySeconds(text string) (time.Duration, bool) {
	const large = 1_000_000_000
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		seconds = large
	}
	return time.Duration(min(seconds, large)) * time.Second, true
}

// wholeSeconds rounds a wait up, to a second at least.
func wholeSeconds(wait time.Duration) time.Duration {
	return max((wait + time.Second - 1).Truncate(time.Second), time.Second)
}
