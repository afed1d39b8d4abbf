package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
)

// owners finds the tenants by what is unique across all of them.
const owners = `SELECT tenant FROM orders WHERE ticket = $2 AND carrier_account = $1 AND ticket <> ''
	UNION SELECT o.tenant FROM holds h CROSS JOIN LATERAL unnest(h.order_ids) AS held (id) JOIN orders o ON o.order_id = held.id WHERE h.number = $3`

// Owners returns whose orders have a ticket or hold a number.
func (s *Store) Owners(ctx context.Context, account, ticket, number string) (tenants []string, err error) {
	err = s.call(ctx, "find whose a port-in is", func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, owners, clean(account), clean(ticket), clean(number))
		if err != nil {
			return err
		}
		tenants, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(tenants)
	return tenants, nil
}
