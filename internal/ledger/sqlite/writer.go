package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/portin/portin/internal/ledger"
)

// crowd is how many writes share a commit: so few that none waits long for the others.
const crowd = 256

// writer carries out all writes, one after the other, in one goroutine. Those that wait at the same time share a
// transaction and so one flush to the disk: it takes what is there, and waits for nobody.
type writer struct {
	db     *sql.DB
	line   *line
	recent recent
	// crowd is how many writes share a commit at the most.
	crowd    int
	waiting  chan *write
	stopping chan struct{}
	stopped  chan struct{}
	// hints are told of every commit that has events.
	hints   *hints
	commits atomic.Int64
}

// write is one write that waits to be carried out.
type write struct {
	do func(t *transaction) error
	// gone is the error of a caller that is no longer interested; it counts only before the write begins.
	gone func() error
	// outcome is what became of it, and answer is told that once it is on the disk.
	outcome error
	answer  chan error
	// left tells that it did not begin, because its caller was gone.
	left bool
}

// startWriter starts the goroutine that writes, by a pool that has one connection. The context outlives every write.
func startWriter(ctx context.Context, db *sql.DB) *writer {
	w := &writer{
		db: db, line: &line{db: db}, recent: recent{}, crowd: crowd,
		waiting: make(chan *write), stopping: make(chan struct{}), stopped: make(chan struct{}), hints: newHints(),
	}
	go w.run(ctx)
	return w
}

// stop lets the writes that wait be carried out, and no more. It is called once.
func (w *writer) stop() error {
	close(w.stopping)
	<-w.stopped
	return w.line.close()
}

// close gives the connection back.
func (w *writer) close() error { return w.db.Close() }

// write carries out a write and returns once it is on the disk, or when its context is done. It hands a context on that does
// not end: what has begun is carried out, whether or not somebody still waits. A write whose context is done before it begins
// is not.
func (w *writer) write(ctx context.Context, do func(ctx context.Context, t *transaction) error) error {
	j := &write{
		do:     func(t *transaction) error { return do(context.WithoutCancel(ctx), t) },
		gone:   ctx.Err,
		answer: make(chan error, 1),
	}
	select {
	case <-w.stopped:
		return ledger.ErrClosed
	default:
	}
	select {
	case w.waiting <- j:
		select {
		case err := <-j.answer:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	case <-ctx.Done():
		return ctx.Err()
	case <-w.stopped:
		return ledger.ErrClosed
	}
}

func (w *writer) run(ctx context.Context) {
	defer close(w.stopped)
	for {
		select {
		case first := <-w.waiting:
			w.serve(ctx, w.gather(first))
		case <-w.stopping:
			for group := w.gather(); len(group) > 0; group = w.gather() {
				w.serve(ctx, group)
			}
			return
		}
	}
}

// gather adds those who are waiting right now.
func (w *writer) gather(group ...*write) []*write {
	for len(group) < w.crowd {
		select {
		case next := <-w.waiting:
			group = append(group, next)
		default:
			return group
		}
	}
	return group
}

// serve carries out a group in one transaction and tells everybody what became of it. When the transaction fails, all of
// its writes have failed: even one that only looked may have seen what another of them did.
func (w *writer) serve(ctx context.Context, group []*write) {
	err := w.attempt(ctx, group, (*transaction).carry)
	if errors.Is(err, errUndo) {
		err = w.attempt(ctx, group, (*transaction).carryAlone)
	}
	for _, j := range group {
		if err != nil && !j.left {
			j.outcome = err
		}
		j.answer <- j.outcome
	}
}

// attempt carries out a group. The outcome of each write stands when it returns no error.
func (w *writer) attempt(ctx context.Context, group []*write, carry func(*transaction, context.Context, *write) error) error {
	t, err := begin(ctx, w.line, w.recent)
	if err != nil {
		return fmt.Errorf("begin a transaction: %w", err)
	}
	for _, j := range group {
		if j.left {
			continue
		}
		if j.outcome = j.gone(); j.outcome != nil {
			j.left = true
			continue
		}
		if err := carry(t, ctx, j); err != nil {
			t.rollback(ctx)
			return err
		}
	}
	if err := t.commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	w.commits.Add(1)
	if t.sequence != t.before {
		w.hints.tell()
	}
	return nil
}
