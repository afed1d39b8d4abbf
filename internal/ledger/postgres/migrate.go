package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrateTimeout bounds all migrations together: an index on a large table takes its time.
const migrateTimeout = 10 * time.Minute

// migrating is the key of the lock that replicas which start at once take in turn. It is held by a transaction, not by a
// session: behind PgBouncer a session is nobody's.
const migrating = 0x706f7274696e // "portin"

// migrate brings the tables up to date. Migrations are numbered and additive, and never changed once they have landed: a
// schema that is newer than this binary knows is left as it is, and serves it.
func migrate(ctx context.Context, config *pgx.ConnConfig) (err error) {
	ctx, cancel := context.WithTimeout(ctx, migrateTimeout)
	defer cancel()
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, db.Close()) }()
	folder, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, folder, goose.WithTableName("migrations"),
		goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	lock, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, released(lock)) }()
	// The transaction is idle while the migrations run, which a server's default may not allow for long.
	for _, statement := range []string{"SET LOCAL idle_in_transaction_session_timeout = 0", "SET LOCAL statement_timeout = 0"} {
		if _, err := lock.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	if _, err := lock.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(migrating)); err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// released ends the transaction that holds the lock. It has written nothing.
func released(lock *sql.Tx) error {
	if err := lock.Rollback(); !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}
