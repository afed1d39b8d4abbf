package sqlite

import (
	"context"

	"github.com/portin/portin/internal/ledger"
)

// ofNumber reads the few orders that have a number, and holds the filters against each of them.
const ofNumber = `SELECT ` + selected + ` FROM numbers n INDEXED BY numbers_everybody
	CROSS JOIN orders o ON o.serial = n.serial CROSS JOIN contents c ON c.serial = o.serial
	WHERE n.number = :number AND o.order_id <> :but AND o.updated >= :from_updated AND (NOT :unsettled OR o.state IN (1, 4)) LIMIT :limit`

// OfNumber returns orders of any tenant that ask for a number; see ledger.Lists.
func (s *Store) OfNumber(ctx context.Context, q ledger.NumberQuery) (all []ledger.Record, err error) {
	since := wantedBy(ledger.Query{FromUpdated: q.FromUpdated}).fromUpdated
	args := named(map[string]any{
		"number": text(q.Number), "but": text(q.But), "from_updated": since, "unsettled": number(q.Unsettled), "limit": max(q.Limit, 0),
	})
	err = s.reader.read(ctx, func(l *line) error {
		return l.each(ctx, ofNumber, args, func(from row) error {
			s, err := read(from)
			all = append(all, s.record)
			return err
		})
	})
	if err != nil {
		return nil, doing("find the orders of a number", err)
	}
	return all, nil
}
