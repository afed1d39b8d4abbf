package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Adopt has a tenant adopt what belongs to ledger.Default, unless one has. Who comes second waits at the ledger's row and reads
// who came first.
func (s *Store) Adopt(ctx context.Context, tenant string) (adopted string, err error) {
	const (
		adopting = `UPDATE ledger SET adopted_by = $1 WHERE adopted_by = '' AND $1::text <> ''`
		who      = `SELECT adopted_by FROM ledger`
	)
	err = s.write(ctx, "adopt what belongs to nobody", func(ctx context.Context, tx *writing) error {
		if _, err := tx.Exec(ctx, adopting, clean(tenant)); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, who)
		if err != nil {
			return err
		}
		adopted, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return "", err
	}
	return adopted, nil
}
