package postgres

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Who waits for events is given a hint by the transactions of its own process, once they are committed, and by those of
// others through NOTIFY, for which the store keeps one connection beside the pool from the first Hint on.
//
// Behind PgBouncer in transaction mode a connection has no server process of its own, and what that hears comes across to
// anybody or to nobody. Hints of other processes are then missing, and nothing else: who listens looks at Changes now and
// then all the same.

// channel is what NOTIFY and LISTEN call it.
const channel = "portin"

const (
	// firstPause and longestPause bound the wait before the listener's connection is made anew.
	firstPause, longestPause = 100 * time.Millisecond, 10 * time.Second
	// silence is how long nothing may come before the connection has to prove that it lives.
	silence = 30 * time.Second
)

// hints are the channels of those who wait for events. The zero value has none.
type hints struct {
	mu  sync.Mutex
	all map[chan struct{}]struct{}
}

// give gives everybody a hint, and waits for nobody: one that has a hint already needs no second.
func (h *hints) give() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.all {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func (h *hints) add(c chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all == nil {
		h.all = map[chan struct{}]struct{}{}
	}
	h.all[c] = struct{}{}
}

func (h *hints) remove(c chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.all, c)
}

// listener is the goroutine that listens, from the first wish until the store is closed.
type listener struct {
	config *pgx.ConnConfig

	mu      sync.Mutex
	started bool
	closed  bool
	running sync.WaitGroup
}

func (l *listener) start(listen func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.started && !l.closed {
		l.started = true
		l.running.Go(listen)
	}
}

// close waits for the end of a goroutine whose life is over already.
func (l *listener) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.running.Wait()
}

// Hint returns a channel on which something comes soon after events were committed, until stop is called, which may be done
// more than once.
func (s *Store) Hint() (hint <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	s.hints.add(c)
	s.listener.start(s.listen)
	return c, func() { s.hints.remove(c) }
}

// heard is called for every notification, on whatever connection it comes.
func (s *Store) heard(*pgconn.PgConn, *pgconn.Notification) { s.hints.give() }

// listen keeps a connection that listens.
func (s *Store) listen() {
	for failures := 0; ; failures++ {
		if s.heed(s.life) {
			failures = 0
		}
		again := time.NewTimer(pause(failures))
		select {
		case <-again.C:
		case <-s.life.Done():
			again.Stop()
			return
		}
	}
}

// pause is the wait after so many failures in a row. No two replicas come back to a server at the same time.
func pause(failures int) time.Duration {
	longest := longestPause
	if failures < 10 {
		longest = min(firstPause<<failures, longestPause)
	}
	return longest/2 + rand.N(longest/2) //nolint:gosec // nothing secret
}

// heed listens on a new connection until that is lost, and reports whether it came to that. What happened before is missed:
// so it begins with a hint.
func (s *Store) heed(ctx context.Context) (listened bool) {
	conn, err := pgx.ConnectConfig(ctx, s.listener.config)
	if err != nil {
		return false
	}
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingTimeout)
		defer cancel()
		_ = conn.Close(last)
	}()
	if !within(ctx, s.timeout, func(ctx context.Context) error {
		_, err := conn.Exec(ctx, "LISTEN "+channel)
		return err
	}) {
		return false
	}
	s.hints.give()
	for ctx.Err() == nil && lives(ctx, conn, silence) {
		continue
	}
	return true
}

// lives waits until something was heard, or for as long as nothing may come, and reports whether the connection is there.
func lives(ctx context.Context, conn *pgx.Conn, silence time.Duration) bool {
	return within(ctx, silence, conn.PgConn().WaitForNotification) || !conn.IsClosed() && within(ctx, pingTimeout, conn.Ping)
}

// within reports whether something goes well in that time.
func within(ctx context.Context, limit time.Duration, do func(context.Context) error) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return do(ctx) == nil
}
