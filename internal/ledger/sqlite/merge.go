package sqlite

// A merged plan finds any page of any number of orders at the same cost. Orders of one class stand in an index in the order of
// lists; each class that is wanted is a stream, and the page is merged from the streams. The merge is a recursive query whose
// queue is sorted: it begins with the first order of each stream, and each order that leaves the queue is replaced by the next
// one of its stream. So it reads as many orders as the page has, and one for each stream.
const (
	mergeOrders = `WITH RECURSIVE
		stream(run, least, created, order_id) AS MATERIALIZED (
			SELECT value->>0, value->>1, value->>2, value->>3 FROM json_each(:streams)),
		merged(serial, created, order_id, run, least) AS (
			SELECT o.serial, o.created, +o.order_id, p.run, p.least
				FROM stream p CROSS JOIN orders o ON o.serial = (`
	mergeAgain = `)
			UNION ALL
			SELECT o.serial, o.created, +o.order_id, p.run, p.least
				FROM merged p CROSS JOIN orders o ON o.serial = (`
	mergeLimit = `)
			ORDER BY 2 DESC, 3 DESC
			LIMIT :limit)
		SELECT ` + selected + ` FROM merged CROSS JOIN orders o ON o.serial = merged.serial CROSS JOIN contents c ON c.serial = merged.serial`

	// The next order of a stream p.
	nextOrder   = `SELECT h.serial FROM orders h INDEXED BY `
	nextBelow   = ` AND (h.created, h.order_id) < (p.created, p.order_id) AND h.created >= p.least`
	nextTouched = ` AND h.updated >= :from_updated AND h.updated < :before_updated`
	nextSort    = ` ORDER BY h.created DESC, h.order_id DESC LIMIT 1`

	nextInClass       = nextOrder + `orders_class WHERE h.tenant = :tenant AND h.class = p.run` + nextBelow
	nextOfClass       = nextInClass + nextSort
	nextWithReference = nextOrder + `orders_reference WHERE h.tenant = :tenant AND h.customer_reference = :reference
		AND h.customer_reference <> '' AND h.span = p.run` + nextBelow + nextTouched
	nextOfReference = nextWithReference + nextSort
	nextOfLength    = nextOrder + `orders_length WHERE h.tenant = :tenant AND h.length = p.run` + nextBelow + nextTouched + nextSort
	nextOfSpan      = nextOrder + `orders_span WHERE h.tenant = :tenant AND h.span = p.run` + nextBelow + nextTouched + nextSort

	// Streams of orders that need attention are short, so they may pass by those that need it for another reason.
	nextOfReason          = nextInClass + nextTouched + ` AND ` + forReason + nextSort
	nextOfReferenceReason = nextWithReference + ` AND ` + forReason + nextSort

	mergeClasses         = mergeOrders + nextOfClass + mergeAgain + nextOfClass + mergeLimit
	mergeReference       = mergeOrders + nextOfReference + mergeAgain + nextOfReference + mergeLimit
	mergeLengths         = mergeOrders + nextOfLength + mergeAgain + nextOfLength + mergeLimit
	mergeSpans           = mergeOrders + nextOfSpan + mergeAgain + nextOfSpan + mergeLimit
	mergeReasons         = mergeOrders + nextOfReason + mergeAgain + nextOfReason + mergeLimit
	mergeReferenceReason = mergeOrders + nextOfReferenceReason + mergeAgain + nextOfReferenceReason + mergeLimit
)

// stream is a run of orders in the order of lists, from below a place down to a creation.
type stream struct {
	// run is the class, the length or the span.
	run   int64
	least int64
	below place
}

// streams are the classes that are wanted.
func (w wanted) streams() []stream {
	all := make([]stream, 0, len(w.classes))
	for _, c := range w.classes {
		all = append(all, stream{run: int64(c), least: w.fromCreated, below: w.below})
	}
	return all
}

// merge is a query with one of the merged plans.
func (w wanted) merge(query string, streams []stream) (plan, error) {
	rows := make([][]any, 0, len(streams))
	for _, s := range streams {
		rows = append(rows, []any{s.run, s.least, s.below.created, s.below.orderID})
	}
	runs, err := list(rows)
	if err != nil {
		return plan{}, err
	}
	reasons, err := list(w.Attention)
	if err != nil {
		return plan{}, err
	}
	return plan{query, named(map[string]any{
		"tenant": w.Tenant, "streams": runs, "reference": w.CustomerReference, "reasons": reasons,
		"from_updated": w.fromUpdated, "before_updated": w.beforeUpdated, "limit": w.Limit + 1,
	})}, nil
}
