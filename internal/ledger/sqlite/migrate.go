package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/google/uuid"
	"github.com/pressly/goose/v3"

	"github.com/portin/portin/internal/ledger"
)

//go:embed migrations/*.sql
var migrations embed.FS

// mark stands in the head of the file ("port" in ASCII), by which a ledger is told from another program's database.
const mark = 0x706f7274

// establish brings a database to the shape of this binary and makes it, or finds it to be, this carrier's ledger. It returns
// the ledger's identity.
func establish(ctx context.Context, db *sql.DB, carrier string) (string, error) {
	if err := recognize(ctx, db); err != nil {
		return "", err
	}
	if err := migrate(ctx, db); err != nil {
		return "", err
	}
	const found = `INSERT INTO ledger (one, id, carrier, sequence, probe) VALUES (1, ?, ?, 0, 0) ON CONFLICT DO NOTHING`
	if _, err := db.ExecContext(ctx, found, uuid.NewString(), carrier); err != nil {
		return "", err
	}
	var id, owner string
	if err := db.QueryRowContext(ctx, `SELECT id, carrier FROM ledger WHERE one = 1`).Scan(&id, &owner); err != nil {
		return "", err
	}
	if owner != carrier {
		return "", fmt.Errorf("%w: it is that of %q, not of %q", ledger.ErrOtherCarrier, owner, carrier)
	}
	return id, nil
}

// recognize refuses what is no ledger, and marks what is nothing yet.
func recognize(ctx context.Context, db *sql.DB) error {
	var journal string
	err := db.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&journal)
	if foreign(err) {
		return fmt.Errorf("the file is no SQLite database: %w", err)
	}
	if err != nil {
		return err
	}
	if journal != "wal" {
		return fmt.Errorf("the disk has no write-ahead log for SQLite, but journal mode %q", journal)
	}
	var marked, tables int
	err = db.QueryRowContext(ctx, `SELECT a.application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id a`).
		Scan(&marked, &tables)
	switch {
	case err != nil:
		return err
	case marked == mark:
		return nil
	case marked != 0 || tables > 0:
		return errors.New("the file is another program's database")
	}
	_, err = db.ExecContext(ctx, fmt.Sprintf(`PRAGMA application_id = %d`, mark))
	return err
}

// migrate brings the shape of a database up to date. What a newer binary has added stays, and is of no concern.
func migrate(ctx context.Context, db *sql.DB) error {
	folder, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, folder,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}
