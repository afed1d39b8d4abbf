package webhook

import (
	"slices"
	"time"
)

const (
	// giveUpAfter is how long a delivery is tried, from its first try on.
	giveUpAfter = 3 * 24 * time.Hour
	// disableAfter is how long an endpoint may take nothing before it is disabled.
	disableAfter = 5 * 24 * time.Hour
	// shortestWait and longestWait bound what an endpoint may ask for with Retry-After.
	shortestWait = 5 * time.Second
	longestWait  = time.Hour
)

// pauses are how long a delivery rests after each of its first tries, but for a quarter more or less; then it rests for two
// to four hours.
var pauses = [...]time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour}

// longestPause is the most that pause answers.
const longestPause = 4 * time.Hour

// pause is how long a delivery rests that was tried so often.
func (w *Webhooks) pause(tries int) time.Duration {
	if tries > len(pauses) {
		return longestPause/2 + time.Duration(w.chance()*float64(longestPause/2))
	}
	usual := pauses[max(tries, 1)-1]
	return usual*3/4 + time.Duration(w.chance()*float64(usual/2))
}

// streak is how an endpoint has fared lately, as this process saw it. It keeps an endpoint that is down from being tried once
// for every order that waits for it.
type streak struct {
	// orders are those that it did not take an event of since it last took one, as many as matter.
	orders []string
	// failures counts the tries that failed since they are so many, and rests is when the endpoint is tried again.
	failures int
	rests    time.Time
}

// patience is of how many orders an endpoint may refuse an event before it rests: single events that it does not like must
// not hold up the others.
const patience = 4

// down reports whether the endpoint seems to take nothing at all.
func (s streak) down() bool { return len(s.orders) >= patience }

// after is the streak after another try.
func (s streak) after(orderID string, o outcome, now time.Time) streak {
	if o.taken() {
		return streak{}
	}
	if !s.down() && !slices.Contains(s.orders, orderID) {
		s.orders = append(slices.Clone(s.orders), orderID)
	}
	rest := min(o.wait, time.Minute)
	if s.down() {
		rest = max(rest, min(time.Second<<min(s.failures, 6), time.Minute))
		s.failures++
	}
	s.rests = now.Add(rest)
	return s
}
