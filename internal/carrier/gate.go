package carrier

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/portin/portin/internal/fault"
)

// gate is the breaker in front of submissions. It closes the way to the carrier after a few failures of one kind in a
// row: refused credentials, where every further try could lock the account, or a carrier that cannot be reached, where
// every caller would wait for the same failed dial. After the pause one submission goes through and decides.
//
// Only a carrier that read an order proves the way open. A 429, an order in doubt and a caller who left prove nothing:
// they neither close the gate nor open it.
//
// A gate without credentials is shut: nothing goes through it, and nothing opens it.
//
// Look-ups need no open gate, but for one that is closed for credentials. That they are refused themselves they count apart.
type gate struct {
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}] // nil in a gate that is shut
	paused  atomic.Pointer[pause]
	rest    time.Duration
	lookups lockout

	// The streak of failures, touched only by the breaker's hooks, which run under its lock.
	limits map[error]int
	last   error
	streak int
}

// pause is a time in which nothing is sent.
type pause struct {
	why   error
	until time.Time
}

// What a submission proved, for the breaker.
var (
	errCredentials = errors.New("the credentials were refused")
	errUnreachable = errors.New("the carrier was not reached")
	errNoProof     = errors.New("nothing was proved")
	errNobody      = errors.New("the service was given no credentials")
)

func newGate(b Breaker) *gate {
	g := &gate{rest: b.Pause, limits: map[error]int{errCredentials: b.Credentials, errUnreachable: b.Unreachable}}
	g.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout:      b.Pause,
		IsExcluded:   func(err error) bool { return errors.Is(err, errNoProof) },
		IsSuccessful: g.count,
		ReadyToTrip:  func(gobreaker.Counts) bool { return g.streak >= g.limits[g.last] },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			switch to {
			case gobreaker.StateClosed:
				g.paused.Store(nil)
			case gobreaker.StateOpen:
				g.paused.Store(&pause{why: g.last, until: time.Now().Add(b.Pause)}) // gobreaker's clock is time.Now
			case gobreaker.StateHalfOpen: // still paused for all but one
			}
		},
	})
	return g
}

func newShutGate(b Breaker) *gate { return &gate{rest: b.Pause} }

// pause is the one in force, or nil.
func (g *gate) pause() *pause {
	if g.breaker == nil {
		return &pause{why: errNobody, until: time.Now().Add(g.rest)}
	}
	return g.paused.Load()
}

// count keeps the streak; gobreaker's own counts do not tell one kind of failure from another.
func (g *gate) count(err error) bool {
	if !errors.Is(err, g.last) {
		g.streak = 0
	}
	g.last = err
	g.streak++
	return err == nil
}

// enter asks to send. It returns the function to report with, or the pause that stands in the way.
func (g *gate) enter() (leave func(error), closed *pause) {
	if g.breaker != nil {
		leave, err := g.breaker.Allow()
		if err == nil {
			return leave, nil
		}
	}
	if p := g.pause(); p != nil {
		return nil, p
	}
	return nil, &pause{why: errUnreachable} // the pause ended between the two lines above
}

// locked is why nothing at all is asked while there are no credentials, or submissions pause because they are refused, or so many
// look-ups in a row were: every further try could lock the account. It is nil when there is no such pause, or its time is over.
func (g *gate) locked() *fault.Error {
	p := g.pause()
	if p != nil && !errors.Is(p.why, errUnreachable) && time.Now().Before(p.until) {
		return p.outcome().Fault
	}
	if wait := g.lookups.enter(g.limits[errCredentials], g.rest); wait > 0 {
		return fault.New(fault.ReasonCarrierCredentials, messageCredentials).WithRetryAfter(wholeSeconds(wait))
	}
	return nil
}

// lockout counts the look-ups in a row whose credentials the carrier refused with a 401. A 403 can be about a single list that the
// account may not see: it does not count.
type lockout struct {
	mu     sync.Mutex
	streak int
	until  time.Time
}

// enter is how long a look-up has to wait. Once so many were refused, one goes through in a rest.
func (l *lockout) enter(limit int, rest time.Duration) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.streak < limit {
		return 0
	}
	if wait = time.Until(l.until); wait <= 0 {
		l.until = time.Now().Add(rest)
	}
	return wait
}

// met counts what a look-up met.
func (l *lockout) met(class Class, status int, rest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case status == http.StatusUnauthorized:
		l.streak++
		l.until = time.Now().Add(rest)
	case class == ClassAnswered, class == ClassNone:
		l.streak = 0
	}
}

// proof is what the class of a submission tells the breaker.
func proof(class Class, given failure) error {
	switch class {
	case ClassCredentials:
		return errCredentials
	case ClassNotWritten:
		if given == failureCancelled {
			return errNoProof
		}
		return errUnreachable
	case ClassAccepted, ClassAttention, ClassRefused, ClassInvalid, ClassTurnedAway:
		return nil
	case ClassBusy, ClassInDoubt, ClassPaused, ClassAnswered, ClassNone, ClassUnreadable:
	}
	return errNoProof
}

// outcome is what a submission comes to that the gate held back.
func (p pause) outcome() Outcome {
	reason, message := fault.ReasonCarrierUnreachable, "the carrier cannot be reached; submissions pause, and nothing was sent to it"
	switch {
	case errors.Is(p.why, errCredentials):
		reason, message = fault.ReasonCarrierCredentials, messageCredentials+"; submissions pause, and nothing was sent"
	case errors.Is(p.why, errNobody):
		reason, message = fault.ReasonCarrierCredentials, messageNobody
	}
	return Outcome{
		Settlement: NotSent,
		Evidence:   string(ClassPaused) + ": nothing was written, because " + p.why.Error(),
		Fault:      fault.New(reason, message).WithRetryAfter(wholeSeconds(time.Until(p.until))),
	}
}
