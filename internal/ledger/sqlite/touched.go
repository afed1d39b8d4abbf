package sqlite

import (
	"context"
	"math"
	"slices"
)

// A range of updates in the order of creation is a question that no index answers by itself: orders created long apart are
// changed at the same time. But the lag, from the creation to the latest change, ties the two together. Orders whose lag has
// the same number of digits n were changed between 2^(n-1) and 2^n seconds after their creation; so those that were changed in
// a range were created in a window not much wider than the range, and in that window most of them qualify. Where the range is
// narrow beside the lag they do not, but then the range has few orders, and these are sorted instead (see few).

// span is orders of a class whose lags are alike.
type span struct {
	class

	lag int64
}

// findSpans hops from span to span over the index.
const findSpans = `WITH RECURSIVE
	span(serial) AS (
		SELECT (SELECT h.serial FROM orders h INDEXED BY orders_touched WHERE h.tenant = :tenant
			ORDER BY h.standing, h.needs_attention, h.lag LIMIT 1)
		UNION ALL
		SELECT (SELECT h.serial FROM orders h INDEXED BY orders_touched WHERE h.tenant = :tenant
			AND (h.standing, h.needs_attention, h.lag) > (o.standing, o.needs_attention, o.lag)
			ORDER BY h.standing, h.needs_attention, h.lag LIMIT 1)
			FROM span CROSS JOIN orders o ON o.serial = span.serial)
	SELECT o.standing, o.needs_attention, o.lag FROM span CROSS JOIN orders o ON o.serial = span.serial`

// spans are those of a tenant that have orders.
func (l *line) spans(ctx context.Context, w wanted) (all []span, err error) {
	err = l.each(ctx, findSpans, named(map[string]any{"tenant": w.Tenant}), func(from row) error {
		var s span
		err := from.Scan(&s.standing, &s.attention, &s.lag)
		if slices.Contains(w.classes, s.class) {
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
		s := stream{class: p.class, lag: p.lag, least: w.fromCreated, below: w.below}
		shortest, longest := p.bounds()
		if w.fromUpdated != math.MinInt64 {
			s.least = max(s.least, w.fromUpdated-longest)
		}
		if w.beforeUpdated != math.MaxInt64 && p.lag >= 0 {
			s.below = s.below.min(place{created: w.beforeUpdated - shortest})
		}
		if s.least < s.below.created || s.least == s.below.created && s.below.orderID != "" {
			all = append(all, s)
		}
	}
	return all
}

// bounds are the shortest lag of a span and one that is longer than all of its lags, in microseconds. A clock that ran
// backwards has no shortest.
func (p span) bounds() (shortest, longest int64) {
	switch {
	case p.lag < 0:
		return math.MinInt64, 0
	case p.lag == 0:
		return 0, second
	}
	return second << (p.lag - 1), second << p.lag
}
