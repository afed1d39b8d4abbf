package sqlite

import (
	"context"
	"math"
	"slices"
)

// A range of updates in the order of creation is a question that no index answers by itself: orders created long apart are
// changed at the same time. But how long after its creation an order was changed ties the two together. The orders of one
// length were changed after a like time; so those that were changed in a range were created in a window not much wider than the
// range, and in that window most of them qualify. Where the range is narrow beside the length they do not, but
// then the range has few orders, and these are sorted instead (see few).

// The lengths that there are, the spans, and those of the orders with one reference are found by hopping over their index.
const (
	hop      = `WITH RECURSIVE present(run) AS (SELECT (SELECT `
	hopOver  = ` ORDER BY run LIMIT 1) UNION ALL SELECT (SELECT `
	hopOn    = ` > p.run ORDER BY run LIMIT 1) FROM present p WHERE p.run IS NOT NULL) SELECT run FROM present WHERE run IS NOT NULL`
	ofLength = `h.length AS run FROM orders h INDEXED BY orders_length WHERE h.tenant = :tenant`
	ofSpan   = `h.span AS run FROM orders h INDEXED BY orders_span WHERE h.tenant = :tenant`
	ofOne    = `h.span AS run FROM orders h INDEXED BY orders_reference WHERE h.tenant = :tenant AND h.customer_reference = :reference
		AND h.customer_reference <> ''`

	findLengths    = hop + ofLength + hopOver + ofLength + ` AND h.length` + hopOn
	findSpans      = hop + ofSpan + hopOver + ofSpan + ` AND h.span` + hopOn
	findReferences = hop + ofOne + hopOver + ofOne + ` AND h.span` + hopOn
)

// spans are those that a query finds and that have orders of the classes that are wanted.
func (l *line) spans(ctx context.Context, w wanted, find string) (all []span, err error) {
	err = l.each(ctx, find, named(map[string]any{"tenant": w.Tenant, "reference": w.CustomerReference}), func(from row) error {
		var s span
		err := from.Scan(&s)
		if s.class() == 0 || slices.Contains(w.classes, s.class()) {
			all = append(all, s)
		}
		return err
	})
	return all, err
}

// windows are the streams in which orders that were changed in the range can be, each narrowed down to when these were
// created.
func (w wanted) windows(spans []span) []stream {
	all := make([]stream, 0, len(spans))
	for _, p := range spans {
		s := stream{run: int64(p), least: w.fromCreated, below: w.below}
		shortest, longest := p.length().bounds()
		if w.fromUpdated != math.MinInt64 {
			s.least = max(s.least, w.fromUpdated-longest)
		}
		if w.beforeUpdated != math.MaxInt64 && shortest != math.MinInt64 {
			s.below = s.below.min(place{created: w.beforeUpdated - shortest})
		}
		if s.least <= s.below.created {
			all = append(all, s)
		}
	}
	return all
}
