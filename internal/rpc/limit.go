package rpc

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/identity"
)

// Limiter bounds how often each caller calls, so that one that runs wild does not take the service from the others. Whoever has
// no name is not told apart, and not limited. Build it with NewLimiter; nil limits nobody. It is safe for concurrent use.
type Limiter struct {
	perSecond rate.Limit
	burst     int

	mu      sync.Mutex
	callers map[string]*rate.Limiter
}

// mostCallers is from how many callers on those are forgotten who have not called for so long that they may call as if they
// never had.
const mostCallers = 10_000

// NewLimiter allows each caller so many calls a second, and so many at once after a silence.
func NewLimiter(perSecond float64, burst int) *Limiter {
	return &Limiter{perSecond: rate.Limit(perSecond), burst: burst, callers: map[string]*rate.Limiter{}}
}

// of is the limiter of a caller.
func (l *Limiter) of(c identity.Caller, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := c.Tenant + "\x00" + c.Name
	own, known := l.callers[key]
	if !known {
		if len(l.callers) >= mostCallers {
			l.forget(now)
		}
		own = rate.NewLimiter(l.perSecond, l.burst)
		l.callers[key] = own
	}
	return own
}

// forget drops the callers that are as if they never had called.
func (l *Limiter) forget(now time.Time) {
	for key, own := range l.callers {
		if own.TokensAt(now) >= float64(l.burst) {
			delete(l.callers, key)
		}
	}
}

// check counts a call of a caller, or says when it may be made.
func (l *Limiter) check(caller identity.Caller, now time.Time) error {
	if l == nil || caller.Name == "" {
		return nil
	}
	turn := l.of(caller, now).ReserveN(now, 1)
	if wait := turn.DelayFrom(now); wait > 0 {
		turn.CancelAt(now)
		return fault.New(fault.ReasonRateLimited, "the caller calls more often than it may; nothing was done").WithRetryAfter(wait)
	}
	return nil
}
