package sqlite

import (
	"context"
	"fmt"

	sqlite3 "modernc.org/sqlite/lib"
)

// transaction is what writes write by.
type transaction struct {
	*line

	// sequence is that of the latest event; before is what it was when the transaction began.
	sequence, before int64
}

// begin begins a transaction, beside which nobody writes.
func begin(ctx context.Context, l *line) (*transaction, error) {
	if err := l.connect(ctx); err != nil {
		return nil, err
	}
	t := &transaction{line: l}
	_, err := t.exec(ctx, `BEGIN IMMEDIATE`)
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

// carry carries out one write in a savepoint: when it fails, or panics, it leaves nothing behind and touches no other write.
// lost says that the whole transaction is no more.
func (t *transaction) carry(ctx context.Context, do func(t *transaction) error) (outcome, lost error) {
	if _, err := t.exec(ctx, `SAVEPOINT one`); err != nil {
		return nil, fmt.Errorf("set a savepoint: %w", err)
	}
	sequence := t.sequence
	if outcome = t.guard(do); outcome != nil {
		t.sequence = sequence
		if _, err := t.exec(ctx, `ROLLBACK TO one`); err != nil {
			// A failing disk ends the transaction. Why it did is what the write met, not that the savepoint is gone.
			return nil, fmt.Errorf("the transaction was lost: %w", outcome)
		}
	}
	if _, err := t.exec(ctx, `RELEASE one`); err != nil {
		return nil, fmt.Errorf("release a savepoint: %w", err)
	}
	return outcome, nil
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
		_, err = t.exec(ctx, `COMMIT`)
	}
	if err != nil {
		t.rollback(ctx)
	}
	return err
}

// rollback undoes everything. That there is nothing left to undo is no failure (SQLITE_ERROR); a connection that cannot even
// undo is given up, which undoes as well.
func (t *transaction) rollback(ctx context.Context) {
	if _, err := t.exec(ctx, `ROLLBACK`); err != nil && code(err) != sqlite3.SQLITE_ERROR {
		t.drop()
	}
}
