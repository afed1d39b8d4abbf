package sqlite

import (
	"context"
	"math"
	"slices"
)

// A range of updates in the order of creation is a question that no index answers by itself: orders created long apart are
// changed at the same time. But how long after its creation an order was changed ties the two together. The orders of one
// span were changed after a like time; so those that were changed in a range were created in a window not much wider than the
// range, and in that window most of them qualify. Where the range is narrow beside the time of the span they do not, but
// then the range has few orders, and these are sorted instead (see few).

// The spans that there are, of all orders of a tenant and of those with one reference, are found by hopping over the index.
const (
	hop     = `WITH RECURSIVE present(span) AS (SELECT (SELECT h.span FROM orders h INDEXED BY `
	hopOn   = ` ORDER BY h.span LIMIT 1) UNION ALL SELECT (SELECT h.span FROM orders h INDEXED BY `
	hopEnd  = ` AND h.span > p.span ORDER BY h.span LIMIT 1) FROM present p WHERE p.span IS NOT NULL) SELECT span FROM present WHERE span IS NOT NULL`
	overAll = `orders_span WHERE h.tenant = :tenant`
	overOne = `orders_reference WHERE h.tenant = :tenant AND h.customer_reference = :reference AND h.customer_reference <> ''`

	allSpans       = hop + overAll + hopOn + overAll + hopEnd
	referenceSpans = hop + overOne + hopOn + overOne + hopEnd
)

// spans are those of the classes that are wanted.
func (l *line) spans(ctx context.Context, w wanted, find string) (all []span, err error) {
	err = l.each(ctx, find, named(map[string]any{"tenant": w.Tenant, "reference": w.CustomerReference}), func(from row) error {
		var s span
		err := from.Scan(&s)
		if slices.Contains(w.classes, s.class()) {
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
		shortest, longest := p.bounds()
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
