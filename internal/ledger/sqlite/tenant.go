package sqlite

import "context"

// Adopt has a tenant adopt what belongs to ledger.Default, unless one has; see ledger.Store.
func (s *Store) Adopt(ctx context.Context, tenant string) (adopted string, err error) {
	err = s.writer.write(ctx, func(ctx context.Context, t *transaction) error {
		if tenant != "" {
			if _, err := t.exec(ctx, `UPDATE ledger SET adopted_by = ? WHERE one = 1 AND adopted_by = ''`, text(tenant)); err != nil {
				return err
			}
		}
		_, err := t.one(ctx, `SELECT adopted_by FROM ledger WHERE one = 1`, nil, &adopted)
		return err
	})
	if err != nil {
		return "", doing("adopt what belongs to nobody", err)
	}
	return adopted, nil
}
