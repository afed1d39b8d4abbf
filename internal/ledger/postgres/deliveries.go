package postgres

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/portin/portin/internal/ledger"
)

const deliveryColumns = `d.endpoint_id, d.order_id, d.sequence, d.at, d.state, d.attempt, d.due, d.fence, d.content`

const (
	readDeliveries = `SELECT ` + deliveryColumns + ` FROM deliveries d WHERE d.endpoint_id = $1 AND d.sequence < $2
		ORDER BY d.sequence DESC LIMIT $3`

	// readDeliveriesIn merges the latest of each state.
	readDeliveriesIn = `SELECT ` + deliveryColumns + ` FROM unnest($4::text[]) AS w (state) CROSS JOIN LATERAL (
			SELECT ` + deliveryColumns + ` FROM deliveries d WHERE d.endpoint_id = $1 AND d.state = w.state AND d.sequence < $2
			ORDER BY d.sequence DESC LIMIT $3
		) AS d ORDER BY d.sequence DESC LIMIT $3`

	// countPending is as long as what is pending.
	countPending = `SELECT e.endpoint_id, p.n FROM endpoints e CROSS JOIN LATERAL (
			SELECT count(*) AS n FROM deliveries d WHERE d.endpoint_id = e.endpoint_id AND d.state = 'PENDING'
		) AS p WHERE p.n > 0 AND ($1::text = '' OR e.tenant = $1)`

	whichAgain = `SELECT DISTINCT order_id FROM deliveries WHERE endpoint_id = $1 AND state = ANY($2::text[]) AND sequence >= $3`
)

// Enqueue adds deliveries to an endpoint. The row of the endpoint is locked by the move of its cursor: who comes second finds
// it elsewhere.
func (s *Store) Enqueue(ctx context.Context, endpointID string, from, to int64, deliveries []ledger.Delivery) error {
	endpointID = clean(endpointID)
	return s.write(ctx, "add deliveries", func(ctx context.Context, tx *writing) error {
		done, err := tx.Exec(ctx, `UPDATE endpoints SET cursor = $3 WHERE endpoint_id = $1 AND cursor = $2`, endpointID, from, to)
		if err != nil {
			return err
		}
		if done.RowsAffected() == 0 {
			return tx.missing(ctx, `SELECT EXISTS (SELECT FROM endpoints WHERE endpoint_id = $1)`, endpointID)
		}
		if len(deliveries) == 0 {
			return nil
		}
		var sequences, times, dues []int64
		var orders []string
		for _, d := range deliveries {
			sequences, orders = append(sequences, d.Sequence), append(orders, clean(d.OrderID))
			times, dues = append(times, micros(d.Time)), append(dues, micros(d.Due))
		}
		const add = `INSERT INTO deliveries (endpoint_id, sequence, order_id, at, state, attempt, due, fence, content)
			SELECT $1, sequence, order_id, at, 'PENDING', 0, due, 0, '' FROM
				unnest($2::bigint[], $3::text[], $4::bigint[], $5::bigint[]) AS d (sequence, order_id, at, due)`
		_, err = tx.queued(ctx, endpointID, sorted(orders), add, endpointID, sequences, orders, times, dues)
		return err
	})
}

// Deliveries returns deliveries of a tenant's endpoint, the highest sequence first.
func (s *Store) Deliveries(
	ctx context.Context, tenant, endpointID string, states []ledger.DeliveryState, before int64, limit int,
) (page []ledger.Delivery, more bool, err error) {
	endpointID = clean(endpointID)
	err = s.call(ctx, "list deliveries", func(ctx context.Context, conn *pgx.Conn) error {
		const known = `SELECT ` + endpointColumns + ` FROM endpoints WHERE endpoint_id = $1 AND tenant = $2`
		if _, err := endpoint(ctx, conn, known, endpointID, clean(tenant)); err != nil {
			return err
		}
		read := listDeliveries(endpointID, states, before, limit+1)
		rows, err := conn.Query(ctx, read.sql, read.args...)
		if err != nil {
			return err
		}
		page, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (ledger.Delivery, error) { return delivery(row) })
		return err
	})
	if err != nil {
		return nil, false, err
	}
	more = len(page) > limit
	return none(page[:min(limit, len(page))]), more, nil
}

func listDeliveries(endpointID string, states []ledger.DeliveryState, before int64, limit int) (s statement) {
	if before == 0 {
		before = 1<<63 - 1
	}
	s.args = []any{endpointID, before, limit}
	if s.sql = readDeliveries; len(states) > 0 {
		s.sql, s.args = readDeliveriesIn, append(s.args, sorted(names(states)))
	}
	return s
}

// names are words of the ledger, such as states, as a query takes them.
func names[S ~string](words []S) []string {
	all := []string{}
	for _, word := range words {
		all = append(all, clean(string(word)))
	}
	return all
}

// PendingDeliveries counts the pending deliveries of each endpoint of a tenant, or of all.
func (s *Store) PendingDeliveries(ctx context.Context, tenant string) (map[string]int, error) {
	counts := map[string]int{}
	err := s.call(ctx, "count pending deliveries", func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, countPending, clean(tenant))
		if err != nil {
			return err
		}
		var id string
		var n int
		found := map[string]int{}
		_, err = pgx.ForEachRow(rows, []any{&id, &n}, func() error {
			found[strings.Clone(id)] = n
			return nil
		})
		maps.Copy(counts, found)
		return err
	})
	if err != nil {
		return nil, err
	}
	return counts, nil
}

// Redeliver makes deliveries of a tenant's endpoint pending again. Those that come to be in one of the states while it waits
// for the queues are left to the next call.
func (s *Store) Redeliver(
	ctx context.Context, tenant, endpointID string, from int64, states []ledger.DeliveryState, now time.Time,
) (n int, err error) {
	endpointID = clean(endpointID)
	err = s.write(ctx, "deliver again", func(ctx context.Context, tx *writing) error {
		const lock = `SELECT ` + endpointColumns + ` FROM endpoints WHERE endpoint_id = $1 AND tenant = $2 FOR NO KEY UPDATE`
		if _, err := endpoint(ctx, tx, lock, endpointID, clean(tenant)); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, whichAgain, endpointID, names(states), from)
		if err != nil {
			return err
		}
		orders, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		slices.Sort(orders)
		const again = `UPDATE deliveries SET state = 'PENDING', attempt = 0, due = $5, fence = fence + 1
			WHERE endpoint_id = $1 AND state = ANY($2::text[]) AND sequence >= $3 AND order_id = ANY($4::text[])`
		n, err = tx.queued(ctx, endpointID, orders, again, endpointID, names(states), from, some(orders), micros(now))
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// missing is why a statement found nothing to change: that it is not there, or that it is not as it was thought to be.
func (tx *writing) missing(ctx context.Context, exists string, args ...any) error {
	var there bool
	if err := tx.QueryRow(ctx, exists, args...).Scan(&there); err != nil {
		return err
	}
	if !there {
		return refuse(ledger.ErrNotFound)
	}
	return refuse(ledger.ErrMoved)
}

// delivery reads what before names, and then a delivery by its columns.
func delivery(row pgx.CollectableRow, before ...any) (d ledger.Delivery, err error) {
	var at, due int64
	err = row.Scan(append(before, &d.EndpointID, &d.OrderID, &d.Sequence, &at, &d.State, &d.Attempt, &due, &d.Fence, &d.Content)...)
	d.Time, d.Due, d.Content = moment(at), moment(due), none(d.Content)
	return d, err
}
