package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

var errNoLedger = errors.New("the ledger's own row is gone")

const countOpen = `SELECT (SELECT count(*) FROM orders WHERE state = $1), (SELECT count(*) FROM orders WHERE state = $2),
	coalesce((SELECT due FROM orders WHERE state = 5 AND due <> 0 ORDER BY due LIMIT 1), 0),
	coalesce((SELECT due FROM orders WHERE state = $2 AND due <> 0 ORDER BY due LIMIT 1), 0),
	coalesce((SELECT min(q.due) FROM endpoints AS e CROSS JOIN LATERAL (
		SELECT due FROM queues WHERE queues.endpoint_id = e.endpoint_id ORDER BY due LIMIT 1) AS q WHERE NOT e.disabled), 0),
	(SELECT count(*) FROM orders WHERE needs_attention), open, scheduled, attention, (
		SELECT json_object_agg(code, orders) FROM (
			SELECT a->>'code' AS code, count(DISTINCT o.order_id) AS orders
			FROM orders AS o CROSS JOIN json_array_elements(o.attention::json) AS a WHERE o.needs_attention GROUP BY 1
		) AS attending
	) FROM (
		SELECT count(*) FILTER (WHERE standing = 51) AS open, count(*) FILTER (WHERE standing = 52) AS scheduled,
			count(*) FILTER (WHERE standing = 53) AS attention FROM orders WHERE state = 5 AND standing <> 54
	) AS accepted`

// Count counts what an operator has to know of. Each count is as long as its part of an index that has only orders that are
// not over, and what is due first is read at the beginning of one.
func (s *Store) Count(ctx context.Context) (c ledger.Counts, err error) {
	err = s.call(ctx, "count orders", func(ctx context.Context, conn *pgx.Conn) error {
		var accepted, doubtful, delivery int64
		err := conn.QueryRow(ctx, countOpen, int16(order.Sending), int16(order.InDoubt)).
			Scan(&c.Sending, &c.InDoubt, &accepted, &doubtful, &delivery, &c.NeedsAttention, &c.Open, &c.Scheduled, &c.Attention, &c.ByAttention)
		c.AcceptedDue, c.InDoubtDue, c.DeliveryDue = moment(accepted), moment(doubtful), moment(delivery)
		return err
	})
	if err != nil {
		return ledger.Counts{}, err
	}
	return c, nil
}

// Check writes to the row whose lock every event needs: a ledger that cannot be written to for any reason fails here too.
func (s *Store) Check(ctx context.Context) error {
	return s.write(ctx, "check the ledger", func(ctx context.Context, tx *writing) error {
		done, err := tx.Exec(ctx, `UPDATE ledger SET probe = probe + 1`)
		if err == nil && done.RowsAffected() != 1 {
			return errNoLedger
		}
		return err
	})
}
