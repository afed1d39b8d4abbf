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

// recognize refuses what is no ledger, and tells whether the file is marked as one already. It changes nothing, so that another
// program's file stays what it is.
func recognize(ctx context.Context, path string) (marked bool, err error) {
	db, err := connect(path, reading)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var id, tables int
	err = db.QueryRowContext(ctx, `SELECT a.application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id a`).
		Scan(&id, &tables)
	switch {
	case foreign(err):
		return false, fmt.Errorf("the file is no SQLite database: %w", err)
	case err != nil:
		return false, err
	case id != mark && (id != 0 || tables > 0):
		return false, errors.New("the file is another program's database")
	}
	return id == mark, nil
}

// establish brings a database to the shape of this binary and makes it, or finds it to be, this carrier's ledger. It returns
// the ledger's identity.
func establish(ctx context.Context, db *sql.DB, marked bool, carrier string) (string, error) {
	var journal string
	if err := db.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&journal); err != nil {
		return "", err
	}
	if journal != "wal" {
		return "", fmt.Errorf("SQLite keeps no write-ahead log on this disk, but has journal mode %q", journal)
	}
	if !marked {
		if _, err := db.ExecContext(ctx, fmt.Sprintf(`PRAGMA application_id = %d`, mark)); err != nil {
			return "", err
		}
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
	if _, err := db.ExecContext(ctx, adopt); err != nil {
		return "", fmt.Errorf("have what an older binary accepted followed: %w", err)
	}
	return id, nil
}

// adopt makes due what an older binary has accepted while it had the file: it follows no order, and so it leaves none due. Its
// events say so: they do not tell how the order stood. What this costs grows with the open orders alone; the condition of their
// index is repeated word for word, so that SQLite uses it.
const adopt = `UPDATE orders INDEXED BY orders_open SET due = CASE settled WHEN 0 THEN updated ELSE settled END
	WHERE class BETWEEN 102 AND 107 AND due = 0
		AND EXISTS (SELECT 1 FROM events e INDEXED BY events_order WHERE e.serial = orders.serial AND e.state = 5 AND e.now_stands = 0)`

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
