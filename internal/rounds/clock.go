package rounds

import "time"

// Clock is the wall clock of the moment it was made plus what has passed since: close to the wall clock as long as nobody
// sets that, and never jumping. What is due is written in it.
type Clock struct {
	elapsed func() time.Duration
	started time.Time
	begun   time.Duration
}

// NewClock returns a clock that goes on from now by what elapsed says; nil is what has passed by package time.
func NewClock(now time.Time, elapsed func() time.Duration) Clock {
	if elapsed == nil {
		start := time.Now()
		elapsed = func() time.Duration { return time.Since(start) }
	}
	return Clock{elapsed: elapsed, started: now, begun: elapsed()}
}

// Now is what it shows.
func (c Clock) Now() time.Time { return c.started.Add(c.elapsed() - c.begun) }
