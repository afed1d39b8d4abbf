package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/portin/portin/internal/ledger"
)

const (
	readHead = `SELECT sequence FROM ledger`

	readRecords = `SELECT ` + recordColumns + ` FROM orders WHERE order_id = ANY($1::text[])`
)

// Head is the sequence of the latest event. All events up to it are there to be read: see tell.
func (s *Store) Head(ctx context.Context) (head int64, err error) {
	err = s.call(ctx, "read the latest sequence", func(ctx context.Context, conn *pgx.Conn) error {
		err := conn.QueryRow(ctx, readHead).Scan(&head)
		if errors.Is(err, pgx.ErrNoRows) {
			return errNoLedger
		}
		return err
	})
	return head, err
}

// Changes returns events of all tenants, oldest first.
func (s *Store) Changes(ctx context.Context, after int64, limit int) (events []ledger.Event, err error) {
	err = s.call(ctx, "read events", func(ctx context.Context, conn *pgx.Conn) (err error) {
		events, err = readEvents(ctx, conn, changes(after, limit))
		return err
	})
	return events, err
}

// changes are the events after one. Their orders are looked up one by one, and not before it is known which they are.
func changes(after int64, limit int) (s statement) {
	s.sql = eventRows + "WHERE sequence > " + s.arg(after) + " ORDER BY sequence LIMIT " + s.arg(limit)
	return whole(s)
}

// Records returns the orders with these IDs.
func (s *Store) Records(ctx context.Context, orderIDs []string) (records []ledger.Record, err error) {
	ids := sorted(cleanAll(orderIDs))
	if len(ids) == 0 {
		return nil, nil
	}
	err = s.call(ctx, "read orders", func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, readRecords, ids)
		if err != nil {
			return err
		}
		records, err = pgx.CollectRows(rows, record)
		return err
	})
	return none(records), err
}
