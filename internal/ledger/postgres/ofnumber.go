package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/portin/portin/internal/ledger"
)

// findOfNumber reads the few orders that have a number, and holds the filters against each of them.
const findOfNumber = `SELECT ` + recordColumns + ` FROM orders
	WHERE order_id = ANY (ARRAY(SELECT order_id FROM numbers WHERE number = $1 AND order_id <> $2))
		AND updated >= $3 AND (NOT $4 OR state IN (1, 4)) LIMIT $5`

// OfNumber returns orders of any tenant that ask for a number.
func (s *Store) OfNumber(ctx context.Context, q ledger.NumberQuery) (all []ledger.Record, err error) {
	since := newFilter(ledger.Query{FromUpdated: q.FromUpdated}).reach.from
	err = s.call(ctx, "find the orders of a number", func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, findOfNumber, clean(q.Number), clean(q.But), since, q.Unsettled, max(q.Limit, 0))
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, record)
		return err
	})
	if err != nil {
		return nil, err
	}
	return none(all), nil
}
