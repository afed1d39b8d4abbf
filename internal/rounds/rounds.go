// Package rounds goes through the orders that something is due for, round after round, for whoever asks the carrier about
// them.
//
// It promises that the processes on one ledger share the work, that the carrier is not asked faster than is allowed nor
// all at once, and that one which does not answer is asked less and less often: for one of its accounts, whose credentials it
// may refuse, without the others waiting for that. It refuses to know what is asked, or what an answer means.
package rounds

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

const (
	// batch is how many orders one turn takes, and inParallel how many of them at most are being looked at.
	batch, inParallel = 8, 4
	// turnTime is when an order that was taken and not brought back is due again.
	turnTime = 5 * time.Minute
	// longestRest is how long the rounds rest at most while the carrier cannot be asked, and longestAsked how long when it
	// has asked for it.
	longestRest, longestAsked = 2 * time.Minute, 15 * time.Minute
	// takeTimeout bounds one call of the ledger.
	takeTimeout = 10 * time.Second
)

// Taker hands out orders that are due; see ledger.Work.
type Taker interface {
	Take(ctx context.Context, t ledger.Turn) ([]ledger.Record, error)
}

// Rounds are rounds over the orders of one state. Build them with New.
type Rounds struct {
	Params

	pace *rate.Limiter
	// rests are of the carrier's accounts for which it did not answer the last time that it was asked.
	rests map[string]rest
}

// rest is how much longer than usual nothing is asked for an account, and until when.
type rest struct {
	length time.Duration
	end    time.Time
}

// Params are what rounds are built from. All but Panicked are required.
type Params struct {
	Ledger Taker
	// State is the state of the orders, and What they are called in the log.
	State order.State
	What  string
	Log   *slog.Logger
	// Now is a clock that never jumps; what is due is written in it.
	Now func() time.Time
	// Every is how often the ledger is asked what is due, and PerSecond about how many orders the carrier is asked at most.
	Every     time.Duration
	PerSecond float64
	// Accounts are the carrier's accounts that it can be asked for.
	Accounts func() []string
	// Look looks at an order that was taken. It asks the carrier when its round may. Its error is the ledger's.
	Look func(ctx context.Context, r ledger.Record, round *Round) error
	// Panicked is told of a panic that was survived; nil is nobody.
	Panicked func()
	// All has the rest of a round looked at, without asking, when the carrier answers for no account; otherwise the round ends.
	All bool
}

// New returns rounds that begin with Run.
func New(p Params) *Rounds {
	if p.Panicked == nil {
		p.Panicked = func() {}
	}
	return &Rounds{Params: p, pace: rate.NewLimiter(rate.Limit(p.PerSecond), 1), rests: map[string]rest{}}
}

// Jittered is a time that is longer by up to a fifth, so that what came together does not come back together.
func Jittered(d time.Duration) time.Duration {
	return d + rand.N(d/5+1) //nolint:gosec // chance, not a secret
}

// Waited waits and reports true, or false when ctx has ended.
func Waited(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// Run makes rounds until ctx ends.
func (r *Rounds) Run(ctx context.Context) {
	for Waited(ctx, Jittered(r.Every)+r.resting()) {
		all := r.begin()
		err := r.make(ctx, all)
		if err != nil && ctx.Err() == nil {
			r.Log.ErrorContext(ctx, "orders could not be looked after", slog.String("which", r.What), slog.Any("error", err))
		}
		r.end(all)
	}
}

// resting is how much longer than usual it is until the carrier may be asked for one account at least.
func (r *Rounds) resting() time.Duration {
	soonest := time.Duration(0)
	for i, account := range r.Accounts() {
		left := max(0, time.Until(r.rests[account].end.Add(-r.Every))) // none for one that does not rest
		if i == 0 || left < soonest {
			soonest = left
		}
	}
	return soonest
}

// begin begins a round in which the accounts that rest are left alone.
func (r *Rounds) begin() *accounts {
	all := &accounts{pace: r.pace, rounds: map[string]*Round{}}
	for account, rest := range r.rests {
		if time.Until(rest.end) > 0 {
			round := all.of(account)
			round.down, round.rests = true, true
		}
	}
	return all
}

// end has the accounts rest for which the carrier did not answer, longer than the last time. A round without a question says
// nothing about it.
func (r *Rounds) end(all *accounts) {
	for account, round := range all.rounds {
		asked, answered, down := round.came()
		switch {
		case round.rests:
		case down: // also when the ledger failed then: the carrier is let rest all the same
			length := max(min(longestRest, max(2*r.rests[account].length, r.Every)), min(longestAsked, asked))
			r.rests[account] = rest{length: length, end: time.Now().Add(r.Every + length)}
		case answered:
			delete(r.rests, account)
		}
	}
}

// make looks at all orders that are due. The first turn, one order after the other, finds out whether the carrier answers.
func (r *Rounds) make(ctx context.Context, all *accounts) error {
	for parallel := 1; ; parallel = inParallel {
		taken, err := r.take(ctx)
		if err != nil {
			return err
		}
		var group errgroup.Group
		group.SetLimit(parallel)
		for _, record := range taken {
			group.Go(func() error { return r.look(ctx, record, all.of(record.CarrierAccount)) })
		}
		err = group.Wait()
		if err != nil || len(taken) < batch || ctx.Err() != nil || (!r.All && all.down(r.Accounts())) {
			return err
		}
	}
}

// take takes the orders of one turn.
func (r *Rounds) take(ctx context.Context) (taken []ledger.Record, err error) {
	defer func() {
		if p := recover(); p != nil {
			r.Panicked()
			err = fault.Panicked(p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, takeTimeout)
	defer cancel()
	now := r.Now()
	return r.Ledger.Take(ctx, ledger.Turn{State: r.State, Now: now, Until: now.Add(Jittered(turnTime)), Limit: batch})
}

func (r *Rounds) look(ctx context.Context, record ledger.Record, round *Round) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.Panicked()
			err = fault.Panicked(p)
		}
	}()
	return r.Look(ctx, record, round)
}

// accounts is one round for all accounts of the carrier.
type accounts struct {
	pace *rate.Limiter

	mu     sync.Mutex
	rounds map[string]*Round
}

// of is the round of an account.
func (a *accounts) of(account string) *Round {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.rounds[account] == nil {
		a.rounds[account] = &Round{pace: a.pace}
	}
	return a.rounds[account]
}

// down reports whether the carrier answers for none of these accounts.
func (a *accounts) down(names []string) bool {
	return !slices.ContainsFunc(names, func(account string) bool { return !a.of(account).isDown() })
}

// Round is one round for one account of the carrier. Its methods are safe for concurrent use.
type Round struct {
	pace *rate.Limiter
	// rests tells that the account rests: nothing is asked for it.
	rests bool

	mu sync.Mutex
	// missed counts the questions in a row without an answer.
	missed         int
	answered, down bool
	after          time.Duration
}

// tolerated is how many questions in a row may meet what cannot be read before the carrier counts as one that does not
// answer: about a single order it may never have an answer that can be.
const tolerated = 3

// MayAsk waits until the carrier may be asked once more, and reports whether it may at all: it does not answer any more in
// this round, or ctx has ended.
func (r *Round) MayAsk(ctx context.Context) bool {
	if r.isDown() || r.pace.Wait(ctx) != nil {
		return false
	}
	return !r.isDown() // it may have gone while this one waited
}

// Answered notes that the carrier answered.
func (r *Round) Answered() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answered, r.missed = true, 0
}

// NoAnswer notes that the carrier did not answer, with the error that it came to.
func (r *Round) NoAnswer(err error) {
	f := fault.From(err)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.missed++
	r.down = r.down || f.Reason != fault.ReasonCarrierUnreadable || r.missed >= tolerated
	r.after = max(r.after, f.RetryAfter)
}

func (r *Round) isDown() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.down
}

// came is what the round came to, and how long the carrier asked to be let rest.
func (r *Round) came() (asked time.Duration, answered, down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.after, r.answered, r.down
}
