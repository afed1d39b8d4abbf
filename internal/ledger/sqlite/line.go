package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
)

// line is one connection with its prepared statements. It connects when it is first used, and again after it was dropped.
// One goroutine at a time uses it.
type line struct {
	db         *sql.DB
	conn       *sql.Conn
	statements map[string]*sql.Stmt
}

// row is a row that can be read once.
type row interface{ Scan(into ...any) error }

// errEnough ends line.each before the last row.
var errEnough = errors.New("enough")

// connect connects where there is no connection.
func (l *line) connect(ctx context.Context) error {
	if l.conn != nil {
		return nil
	}
	conn, err := l.db.Conn(ctx)
	if err != nil {
		return err
	}
	l.conn, l.statements = conn, map[string]*sql.Stmt{}
	return nil
}

// drop gives the connection up, with whatever transaction it may still be in: it has let somebody down.
func (l *line) drop() {
	if l.conn == nil {
		return
	}
	// The pool does not know them, and a connection with a statement stays open, with its files and their locks.
	for _, s := range l.statements {
		_ = s.Close()
	}
	// The error is the one that is asked for; it makes the pool throw the connection away.
	_ = l.conn.Raw(func(any) error { return driver.ErrBadConn })
	l.conn, l.statements = nil, nil
}

// close ends the connection's use.
func (l *line) close() error {
	if l.conn == nil {
		return nil
	}
	var err error
	for _, s := range l.statements {
		err = errors.Join(err, s.Close())
	}
	return errors.Join(err, l.conn.Close())
}

// statement is a prepared statement. The texts are few: none is made of what a caller says.
func (l *line) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := l.statements[query]; s != nil {
		return s, nil
	}
	s, err := l.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	l.statements[query] = s
	return s, nil
}

// exec carries out a statement that returns nothing, and says what it did.
func (l *line) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := l.statement(ctx, query) //nolint:sqlclosecheck // the line keeps it, and closes it with itself
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

// each reads rows, one after the other, until do returns an error. errEnough is none.
func (l *line) each(ctx context.Context, query string, args []any, do func(r row) error) (err error) {
	s, err := l.statement(ctx, query) //nolint:sqlclosecheck // the line keeps it, and closes it with itself
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		switch err := do(rows); {
		case errors.Is(err, errEnough):
			return nil
		case err != nil:
			return err
		}
	}
	return rows.Err()
}

// one reads the first row, if there is any.
func (l *line) one(ctx context.Context, query string, args []any, into ...any) (found bool, err error) {
	err = l.each(ctx, query, args, func(r row) error {
		if err := r.Scan(into...); err != nil {
			return err
		}
		found = true
		return errEnough
	})
	return found, err
}
