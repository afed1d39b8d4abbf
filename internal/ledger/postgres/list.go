package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/portin/portin/internal/ledger"
)

const (
	// few is how many orders may be read and sorted for a page. Where a filter lets more through, an index has to bring them
	// sorted.
	few = 250
	// far is how many orders may be passed by in search of a page.
	far = 1000
)

// List returns a page of orders. A page costs about the same however many orders there are and however far in it is: each
// filter has an index that brings its orders newest first, and a page begins after the last order of the one before.
// Which index leads is decided here and not left to the server, which goes by statistics that may be old.
func (s *Store) List(ctx context.Context, q ledger.Query) (page []ledger.Record, more bool, err error) {
	f := newFilter(q)
	if f.none() {
		return nil, false, nil
	}
	err = s.call(ctx, "list orders", func(ctx context.Context, conn *pgx.Conn) (err error) {
		page, more, err = f.find(ctx, conn)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return page, more, nil
}

// find takes the way to a page that suits the filter.
func (f filter) find(ctx context.Context, conn *pgx.Conn) (page []ledger.Record, more bool, err error) {
	switch {
	case f.RequestID != "" || f.Ticket != "":
		return f.page(ctx, conn, f.direct())
	case f.History != "":
		return f.page(ctx, conn, f.byHistory())
	case f.Number != "":
		return f.page(ctx, conn, f.byNumber())
	case len(f.Attention) > 0:
		return f.page(ctx, conn, f.byShelf())
	case f.reach != everything:
		return f.updated(ctx, conn)
	case f.shelved():
		return f.page(ctx, conn, f.byShelf())
	}
	return f.page(ctx, conn, f.direct())
}

// updated is a page of what was updated in a range. When that is few they are read and sorted. Otherwise, if something else
// is asked for too, the page is looked for among the newest of what that is: it may be rare, and most often lies there. When
// that did not decide it, the spans of the range lead.
//
// What the steps see is one snapshot: an order that was updated in between would leave the range by its upper end, and be on
// no page.
func (f filter) updated(ctx context.Context, conn *pgx.Conn) (page []ledger.Record, more bool, err error) {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = tx.Rollback(ctx) }() // It has only read.
	var inRange int
	count := f.inRange()
	if err := tx.QueryRow(ctx, count.sql, count.args...).Scan(&inRange); err != nil {
		return nil, false, err
	}
	if inRange <= f.few {
		return f.page(ctx, tx, f.byUpdate())
	}
	if f.shelved() {
		var ids []string
		var times []int64
		var decided bool
		walk := f.walk()
		if err := tx.QueryRow(ctx, walk.sql, walk.args...).Scan(&ids, &times, &decided); err != nil {
			return nil, false, err
		}
		if decided {
			return f.page(ctx, tx, named(ids, times))
		}
	}
	var least, most int64
	ends := f.ends()
	if err := tx.QueryRow(ctx, ends.sql, ends.args...).Scan(&least, &most); err != nil {
		return nil, false, err
	}
	return f.page(ctx, tx, f.bySpan(f.reach.widen(least, most)))
}

// page reads the orders that a query names by id and at, which are one more than the page may have. It ends before the
// order by which it would become too large.
func (f filter) page(ctx context.Context, q querier, s statement) (page []ledger.Record, more bool, err error) {
	limit, size := s.arg(f.Limit), s.arg(f.MaxBytes)
	query := `WITH page AS MATERIALIZED (` + s.sql + `)
		SELECT found, ` + recordColumns + ` FROM (
			SELECT (SELECT count(*) FROM page) AS found, row_number() OVER newest AS place,
				sum(octet_length(content) + octet_length(warnings)) OVER newest AS size, ` + recordColumns + `
			FROM page JOIN orders ON order_id = id WINDOW newest AS (ORDER BY at DESC, id DESC)
		) AS sized WHERE place <= ` + limit + ` AND (place = 1 OR size <= ` + size + `) ORDER BY place`
	rows, err := q.Query(ctx, query, s.args...)
	if err != nil {
		return nil, false, err
	}
	found := 0
	page, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (ledger.Record, error) { return scan(row, &found) })
	return none(page), found > len(page), err
}
