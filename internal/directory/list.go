package directory

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/portin/portin/internal/fault"
)

// fetchTimeout bounds a fetch that nobody may be waiting for any more. The carrier's client bounds its look-ups itself;
// this holds if it should not.
const fetchTimeout = time.Minute

// list is one list of the carrier's, kept for a while. There is at most one copy of it: a newer one takes the place of an
// older one, and none that is older than the TTL is ever handed out.
type list[T any] struct {
	config Config
	name   List
	fetch  func(context.Context) ([]T, error)
	flight singleflight.Group

	mu   sync.Mutex
	last reading[T]
	// failed is the last failure, which is passed on for a moment instead of asking again.
	failed   error
	failedAt time.Time
}

// reading is a list as it was at a time. Its items are shared and never written to.
type reading[T any] struct {
	items []T
	at    time.Time // when the carrier began to be asked; zero for no reading
}

func newList[T any](config Config, name List, fetch func(context.Context) ([]T, error)) *list[T] {
	return &list[T]{config: config, name: name, fetch: fetch}
}

// read returns a reading that is not older than maxAge, from memory or from the carrier. It waits no longer than ctx; the
// carrier's answer is kept even if everybody has left.
func (l *list[T]) read(ctx context.Context, maxAge time.Duration) (reading[T], error) {
	got, known, err := l.known(maxAge)
	l.config.Observer.Read(l.name, hadFrom(known, err))
	if known {
		return got, err
	}
	results := l.flight.DoChan("", func() (any, error) {
		if got, known, err := l.known(maxAge); known { // somebody else's flight has just landed
			return got, err
		}
		detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		return l.ask(detached)
	})
	select {
	case result := <-results:
		got, _ := result.Val.(reading[T])
		return got, result.Err
	case <-ctx.Done():
		return reading[T]{}, left(ctx)
	}
}

// known is what memory says: a reading that is young enough, or a failure a moment ago.
func (l *list[T]) known(maxAge time.Duration) (got reading[T], known bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.config.Now()
	if age := now.Sub(l.last.at); !l.last.at.IsZero() && 0 <= age && age < maxAge {
		return l.last, true, nil
	}
	if since := now.Sub(l.failedAt); l.failed != nil && 0 <= since && since < l.config.NegativeTTL {
		return reading[T]{}, true, l.failed
	}
	return reading[T]{}, false, nil
}

// ask reads the list from the carrier and remembers what came of it.
func (l *list[T]) ask(ctx context.Context) (reading[T], error) {
	got := reading[T]{at: l.config.Now()}
	var err error
	got.items, err = l.safely(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failed, l.failedAt = err, l.config.Now()
		return reading[T]{}, err
	}
	l.last, l.failed = got, nil
	l.config.Observer.Renewed(l.name, got.at)
	return got, nil
}

// safely makes a panic an error.
func (l *list[T]) safely(ctx context.Context) (items []T, err error) {
	err = guarded(func() error {
		items, err = l.fetch(ctx)
		return err
	})
	return items, err
}

// guarded makes a panic an error, for what is done in a goroutine of its own, where it would end the process.
func guarded(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.Internal(fault.Panicked(p))
		}
	}()
	return do()
}

// left is the error of a caller who does not wait any longer.
func left(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fault.New(fault.ReasonDeadlineExceeded, "the caller's deadline ended before the carrier answered")
	}
	return fault.New(fault.ReasonCancelled, "the caller left before the carrier answered")
}
