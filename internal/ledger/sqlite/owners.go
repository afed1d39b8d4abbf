package sqlite

import (
	"context"
	"slices"
)

// owners finds the tenants by the indexes of what is unique across all of them, but for a number that a second order holds.
const owners = `SELECT tenant FROM orders INDEXED BY orders_ticket WHERE ticket = :ticket AND carrier_account = :account AND ticket <> ''
	UNION SELECT o.tenant FROM numbers n INDEXED BY numbers_held CROSS JOIN orders o ON o.serial = n.serial WHERE n.number = :number AND n.held = 1
	UNION SELECT o.tenant FROM numbers n INDEXED BY numbers_beside CROSS JOIN orders o ON o.serial = n.serial WHERE n.number = :number AND n.held = 2`

// Owners returns whose orders have a ticket or hold a number; see ledger.Lists.
func (s *Store) Owners(ctx context.Context, account, ticket, number string) (tenants []string, err error) {
	args := named(map[string]any{"account": text(account), "ticket": text(ticket), "number": text(number)})
	err = s.reader.read(ctx, func(l *line) error {
		return l.each(ctx, owners, args, func(from row) error {
			var tenant string
			err := from.Scan(&tenant)
			tenants = append(tenants, tenant)
			return err
		})
	})
	if err != nil {
		return nil, doing("find whose a port-in is", err)
	}
	slices.Sort(tenants)
	return tenants, nil
}
