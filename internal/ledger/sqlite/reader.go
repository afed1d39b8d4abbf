package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/portin/portin/internal/ledger"
)

// reader reads, on several connections at once, beside the writer.
type reader struct {
	db *sql.DB
	// idle are the lines that nobody reads on.
	idle   chan *line
	closed chan struct{}
}

// newReader reads by a pool that has this many connections.
func newReader(db *sql.DB, lines int) *reader {
	r := &reader{db: db, idle: make(chan *line, lines), closed: make(chan struct{})}
	for range lines {
		r.idle <- &line{db: db}
	}
	return r
}

// close waits for the reads that have begun, and lets no more begin. It is called once.
func (r *reader) close() error {
	close(r.closed)
	var err error
	for range cap(r.idle) {
		err = errors.Join(err, (<-r.idle).close())
	}
	return errors.Join(err, r.db.Close())
}

// read lets do read on a line. Each statement sees what was committed before it began.
func (r *reader) read(ctx context.Context, do func(l *line) error) error {
	select {
	case <-r.closed:
		return ledger.ErrClosed
	default:
	}
	select {
	case l := <-r.idle:
		defer func() { r.idle <- l }()
		err := l.connect(ctx)
		if err == nil {
			err = do(l)
		}
		if err != nil && !errors.Is(err, ledger.ErrNotFound) {
			l.drop()
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-r.closed:
		return ledger.ErrClosed
	}
}

// look is read, but all statements see the same moment.
func (r *reader) look(ctx context.Context, do func(l *line) error) error {
	return r.read(ctx, func(l *line) error {
		if _, err := l.exec(ctx, `BEGIN`); err != nil {
			return err
		}
		err := do(l)
		_, ended := l.exec(context.WithoutCancel(ctx), `COMMIT`)
		return errors.Join(err, ended)
	})
}
