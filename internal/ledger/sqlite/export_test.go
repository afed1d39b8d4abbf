package sqlite

import (
	"context"
	"errors"
	"fmt"
)

// Blank makes a file that has the shape of this binary and is nobody's ledger yet: it has neither an identity nor a carrier.
func Blank(ctx context.Context, path string) (err error) {
	if err := create(path); err != nil {
		return err
	}
	db, err := connect(path, writing)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, fmt.Sprintf(`PRAGMA application_id = %d`, mark)); err != nil {
		return err
	}
	return migrate(ctx, db)
}
