package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/portin/portin/internal/ledger"
)

// tries is how often a call is made at the most, the first time included.
const tries = 5

// SQLSTATEs that a call knows what to do about.
const (
	uniqueViolation     = "23505"
	readOnlyTransaction = "25006"
	serializationFailed = "40001"
	deadlockDetected    = "40P01"
)

// errAgain makes a transaction begin anew: what it saw is no longer so.
var errAgain = errors.New("another transaction was faster")

// refusal is an answer of the ledger's own. It is returned as it is, after a rollback.
type refusal struct{ error }

func (r *refusal) Unwrap() error { return r.error }

// refuse makes an error an answer.
func refuse(err error) error { return &refusal{err} }

// uncertain is the error of a commit. Only some say that nothing was committed.
type uncertain struct{ error }

func (u *uncertain) Unwrap() error { return u.error }

// writing is a transaction that writes.
type writing struct {
	pgx.Tx

	// told is whether it has written events.
	told bool
}

// call does something on a connection, within the time that a call has. It does it anew where it is certain that nothing
// was committed and likely that it goes well then: after a conflict with another transaction, and on another connection
// when this one broke.
func (s *Store) call(ctx context.Context, what string, do func(context.Context, *pgx.Conn) error) error {
	if s.life.Err() != nil {
		return ledger.ErrClosed
	}
	within, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	stay := context.AfterFunc(s.life, cancel) //nolint:contextcheck // the store's own life ends a call too
	defer stay()
	for try := 1; ; try++ {
		again, err := s.try(within, do)
		if err == nil {
			return nil
		}
		if answer, ok := errors.AsType[*refusal](err); ok {
			return answer.error
		}
		if !again || try == tries || within.Err() != nil {
			return s.explain(ctx, within, what, err)
		}
	}
}

// try does it once, and says whether it may be done again.
func (s *Store) try(ctx context.Context, do func(context.Context, *pgx.Conn) error) (again bool, err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return false, err
	}
	// A connection that broke or is still in a transaction is not given back but thrown away.
	defer conn.Release()
	err = do(ctx, conn.Conn())
	if err == nil {
		return false, nil
	}
	switch state(err) {
	case serializationFailed, deadlockDetected:
		return true, err
	case readOnlyTransaction:
		// The server became a standby under us; what used to be the standby takes writes.
		s.pool.Reset()
		return true, err
	}
	if conn.Conn().IsClosed() {
		s.broken.Store(time.Now().UnixNano())
		_, committing := errors.AsType[*uncertain](err)
		return !committing, err
	}
	return errors.Is(err, errAgain), err
}

// explain is an error in terms of the call. That the store's own patience has ended is not said by the caller's error for
// a deadline, which may be far.
func (s *Store) explain(ctx, within context.Context, what string, err error) error {
	switch {
	case s.life.Err() != nil:
		return ledger.ErrClosed
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", what, ctx.Err())
	case within.Err() != nil:
		return fmt.Errorf("%s: PostgreSQL did not answer within %v: %v", what, s.timeout, err) //nolint:errorlint // see above
	}
	return fmt.Errorf("%s: %w", what, err)
}

// write makes a transaction: all that do writes, or nothing.
func (s *Store) write(ctx context.Context, what string, do func(context.Context, *writing) error) error {
	return s.call(ctx, what, func(ctx context.Context, conn *pgx.Conn) error {
		tx, err := conn.BeginTx(ctx, pgx.TxOptions{BeginQuery: s.begin})
		if err != nil {
			return err
		}
		w := &writing{Tx: tx}
		if err := do(ctx, w); err != nil {
			_ = tx.Rollback(ctx) // Where that fails the connection is thrown away, which is the same.
			return err
		}
		err = tx.Commit(ctx)
		if w.told {
			s.hints.give() // Without an answer it may have been carried out all the same.
		}
		if err != nil {
			return &uncertain{err}
		}
		return nil
	})
}

// change is write for what changes an order. Every error but an answer comes without one.
func (s *Store) change(
	ctx context.Context, what string, do func(context.Context, *writing) (ledger.Record, error),
) (r ledger.Record, err error) {
	answered := false
	err = s.write(ctx, what, func(ctx context.Context, tx *writing) (err error) {
		r, err = do(ctx, tx)
		_, answered = errors.AsType[*refusal](err)
		return err
	})
	if err != nil && !answered {
		return ledger.Record{}, err
	}
	return r, err
}

// state is the SQLSTATE of an error; empty when it is not the server's.
func state(err error) string {
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pgErr.Code
	}
	return ""
}

// violates reports whether an error says that a row would break a unique index.
func violates(err error, index string) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pgErr.Code == uniqueViolation && pgErr.ConstraintName == index
}
