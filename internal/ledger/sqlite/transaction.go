package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	sqlite3 "modernc.org/sqlite/lib"
)

// transaction is what writes write by.
type transaction struct {
	*line

	// sequence is that of the latest event; before is what it was when the transaction began.
	sequence, before int64
	// recent is what the writer remembers.
	recent recent
	// wrote tells that the write that is carried out has changed something.
	wrote bool
}

// errUndo says that a write has failed after it had changed something, which only a savepoint could undo.
var errUndo = errors.New("a write that failed has to be undone")

// begin begins a transaction, beside which nobody writes.
func begin(ctx context.Context, l *line, recent recent) (*transaction, error) {
	if err := l.connect(ctx); err != nil {
		return nil, err
	}
	t := &transaction{line: l, recent: recent}
	_, err := l.exec(ctx, `BEGIN IMMEDIATE`)
	if err == nil {
		_, err = t.one(ctx, `SELECT sequence FROM ledger WHERE one = 1`, nil, &t.sequence)
		t.before = t.sequence
	}
	if err != nil {
		l.drop() // Whatever is wrong with this connection, the next transaction gets a new one.
		return nil, err
	}
	return t, nil
}

// exec changes something.
func (t *transaction) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	t.wrote = true
	return t.line.exec(ctx, query, args...)
}

// carry carries out one write. Most that fail do so before they have changed anything, and leave nothing to undo; for the
// others it returns errUndo.
func (t *transaction) carry(_ context.Context, j *write) error {
	t.wrote = false
	j.outcome = t.guard(j.do)
	if j.outcome != nil && t.wrote {
		return errUndo
	}
	return nil
}

// carryAlone carries out one write in a savepoint: when it fails it leaves nothing behind and touches no other write. It costs
// about a tenth more than carry. An error says that the whole transaction is no more.
func (t *transaction) carryAlone(ctx context.Context, j *write) error {
	if _, err := t.line.exec(ctx, `SAVEPOINT one`); err != nil {
		return fmt.Errorf("set a savepoint: %w", err)
	}
	sequence := t.sequence
	if j.outcome = t.guard(j.do); j.outcome != nil {
		t.sequence = sequence
		clear(t.recent)
		if _, err := t.line.exec(ctx, `ROLLBACK TO one`); err != nil {
			// A failing disk ends the transaction. Why it did is what the write met, not that the savepoint is gone.
			return fmt.Errorf("the transaction was lost: %w", j.outcome)
		}
	}
	if _, err := t.line.exec(ctx, `RELEASE one`); err != nil {
		return fmt.Errorf("release a savepoint: %w", err)
	}
	return nil
}

// guard makes an error of a panic. What was thrown may hold anything, so only its type is told.
func (t *transaction) guard(do func(t *transaction) error) (err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			err = fmt.Errorf("a write panicked with a %T", thrown)
		}
	}()
	return do(t)
}

// commit writes the sequence, last of all, and commits.
func (t *transaction) commit(ctx context.Context) error {
	var err error
	if t.sequence != t.before {
		_, err = t.exec(ctx, `UPDATE ledger SET sequence = ? WHERE one = 1`, t.sequence)
	}
	if err == nil {
		_, err = t.line.exec(ctx, `COMMIT`)
	}
	if err != nil {
		t.rollback(ctx)
	}
	return err
}

// rollback undoes everything. That there is nothing left to undo is no failure (SQLITE_ERROR); a connection that cannot even
// undo is given up, which undoes as well.
func (t *transaction) rollback(ctx context.Context) {
	clear(t.recent)
	if _, err := t.line.exec(ctx, `ROLLBACK`); err != nil && code(err) != sqlite3.SQLITE_ERROR {
		t.drop()
	}
}
