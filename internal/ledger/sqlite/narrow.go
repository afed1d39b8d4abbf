package sqlite

// A narrow plan finds the few orders that one filter leaves, holds every other filter against each of them, and sorts what is
// left where the index does not. The orders h are chosen first; only those of the page are read wholly.
const (
	narrowOrders = `SELECT ` + selected + ` FROM (SELECT h.serial FROM `
	narrowRest   = ` AND (h.created, h.order_id) < (:created, :order_id) AND h.created >= :from_created
		AND h.updated >= :from_updated AND h.updated < :before_updated
		AND (:request_id = '' OR h.request_id = :request_id) AND (:ticket = '' OR h.ticket = :ticket)
		AND (:reference = '' OR h.customer_reference = :reference)
		AND (:history = '' OR :history = CASE h.history WHEN '' THEN h.order_id ELSE h.history END)
		AND (:number = '' OR EXISTS (SELECT 1 FROM numbers m WHERE m.tenant = h.tenant AND m.number = :number
			AND m.created = h.created AND m.order_id = h.order_id))
		AND (:reasons = '[]' OR ` + forReason + `)
		AND h.class IN (SELECT value FROM json_each(:classes))`
	narrowSort  = ` ORDER BY h.created DESC, h.order_id DESC`
	narrowLimit = ` LIMIT :limit) found CROSS JOIN orders o ON o.serial = found.serial CROSS JOIN contents c ON c.serial = found.serial`

	byKey    = narrowOrders + `orders h INDEXED BY orders_key WHERE h.tenant = :tenant AND h.request_id = :request_id` + narrowRest + narrowLimit
	byTicket = narrowOrders + `orders h INDEXED BY orders_ticket WHERE h.ticket = :ticket AND h.ticket <> '' AND h.tenant = :tenant` +
		narrowRest + narrowSort + narrowLimit
	byUpdate  = narrowOrders + `orders h INDEXED BY orders_updated WHERE h.tenant = :tenant` + narrowRest + narrowSort + narrowLimit
	byHistory = narrowOrders + `(` + ordersOfHistory + `) f CROSS JOIN orders h ON h.serial = f.serial WHERE h.tenant = :tenant` +
		narrowRest + narrowSort + narrowLimit
	byNumber = narrowOrders + `numbers n CROSS JOIN orders h ON h.serial = n.serial
		WHERE n.tenant = :tenant AND n.number = :number AND (n.created, n.order_id) < (:created, :order_id) AND n.created >= :from_created` +
		narrowRest + ` ORDER BY n.created DESC, n.order_id DESC` + narrowLimit
)

// forReason tells whether an order h needs attention for one of the reasons. No index knows: it reads the order.
const forReason = `EXISTS (SELECT 1 FROM json_each(h.attention) j WHERE j.value ->> 'code' IN (SELECT value FROM json_each(:reasons)))`

// ordersOfHistory are the orders that correct each other: the first, which says nothing of it, and the others.
const ordersOfHistory = `SELECT serial FROM orders INDEXED BY orders_history WHERE tenant = :tenant AND history = :history AND history <> ''
	UNION ALL SELECT serial FROM orders INDEXED BY orders_id WHERE order_id = :history AND tenant = :tenant AND history = ''`

// fewUpdated finds the order by which a range of updates has more than so many; it reads the index alone.
const fewUpdated = `SELECT 1 FROM orders INDEXED BY orders_updated WHERE tenant = ? AND updated >= ? AND updated < ? LIMIT 1 OFFSET ?`

// narrow is a query with one of the narrow plans.
func (w wanted) narrow(query string) (plan, error) {
	classes, err := list(w.classes)
	if err != nil {
		return plan{}, err
	}
	reasons, err := list(w.Attention)
	if err != nil {
		return plan{}, err
	}
	return plan{query, named(map[string]any{
		"tenant": w.Tenant, "created": w.below.created, "order_id": w.below.orderID, "from_created": w.fromCreated,
		"from_updated": w.fromUpdated, "before_updated": w.beforeUpdated, "request_id": w.RequestID, "ticket": w.Ticket,
		"reference": w.CustomerReference, "history": w.History, "number": w.Number, "classes": classes, "reasons": reasons,
		"limit": w.Limit + 1,
	})}, nil
}
