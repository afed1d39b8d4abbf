package sqlite

import (
	"context"

	"github.com/portin/portin/internal/ledger"
)

// What is told of all tenants.
const (
	latestSequence = `SELECT sequence FROM ledger WHERE one = 1`
	changes        = `SELECT ` + eventColumns + ` FROM events e CROSS JOIN orders o ON o.serial = e.serial
		WHERE e.sequence > ? ORDER BY e.sequence LIMIT ?`
	ordersByIDs = `SELECT ` + selected + ` FROM json_each(?) j CROSS JOIN orders o ON o.order_id = j.value
		CROSS JOIN contents c ON c.serial = o.serial`
)

// Head is the sequence of the latest event; 0 when there is none.
func (s *Store) Head(ctx context.Context) (head int64, err error) {
	err = s.reader.read(ctx, func(l *line) error {
		_, err := l.one(ctx, latestSequence, nil, &head)
		return err
	})
	return head, doing("read the head", err)
}

// Changes returns events of all tenants, oldest first; see ledger.Feed. Sequences are given by the one writer in the order
// of its commits, so that no event appears behind one that was seen.
func (s *Store) Changes(ctx context.Context, after int64, limit int) (all []ledger.Event, err error) {
	err = s.reader.read(ctx, func(l *line) (err error) {
		all, err = l.events(ctx, changes, after, limit)
		return err
	})
	if err != nil {
		return nil, doing("read the changes", err)
	}
	return all, nil
}

// Records returns the orders with these IDs, of all tenants.
func (s *Store) Records(ctx context.Context, orderIDs []string) (all []ledger.Record, err error) {
	ids, err := list(orderIDs)
	if err != nil {
		return nil, err
	}
	err = s.reader.read(ctx, func(l *line) error {
		return l.each(ctx, ordersByIDs, []any{ids}, func(from row) error {
			s, err := read(from)
			all = append(all, s.record)
			return err
		})
	})
	if err != nil {
		return nil, doing("read orders", err)
	}
	return all, nil
}
