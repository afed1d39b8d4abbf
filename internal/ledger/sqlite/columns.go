package sqlite

import (
	"strings"
)

// The columns of orders, in the order in which stored.values and stored.places have them. Those of the first list are fixed
// by the first claim; those of the last are found by indexes and written only when they change.
const (
	fixedColumns = `order_id, tenant, request_id, carrier_account, target, customer_reference, created, elsewhere, history, predecessor`
	plainColumns = `attempt, owner, lease_ns, fence, warnings, looks, look_failed, reply, message, error_id, reason, problem, ` +
		`retry_after_ns, doubt_since, doubt_asked, doubt_finding, doubt_agreed, doubt_counted, attention, status, disputing, ` +
		`port_date, claimed, settled, successor, validated, rejects, checked, progressed, kept, guards, closed`
	indexedColumns = `state, needs_attention, class, length, span, due, ticket, updated, erased`
)

// How many columns the lists have.
const (
	fixedCount   = 10
	plainCount   = 32
	indexedCount = 9
	columnCount  = fixedCount + plainCount + indexedCount
)

// insertOrder writes a new order; its arguments are the values.
func insertOrder() string {
	return `INSERT INTO orders (` + fixedColumns + `, ` + plainColumns + `, ` + indexedColumns + `) VALUES (?` +
		strings.Repeat(`, ?`, columnCount-1) + `)`
}

// updateOrder changes an order: all plain columns and those of the indexed ones that changed, for SQLite touches every index
// of a column that an UPDATE names. Its arguments are the values of these columns, in their order, and the serial.
func updateOrder(changed [indexedCount]bool) string {
	names := strings.Split(plainColumns, `, `)
	for i, name := range strings.Split(indexedColumns, `, `) {
		if changed[i] {
			names = append(names, name)
		}
	}
	return `UPDATE orders SET ` + strings.Join(names, ` = ?, `) + ` = ? WHERE serial = ?`
}

// selected are the columns that stored.places reads, of the tables orders o and contents c.
const selected = `o.serial, c.content, c.numbers, ` +
	`o.order_id, o.tenant, o.request_id, o.carrier_account, o.target, o.customer_reference, o.created, o.elsewhere, o.history, o.predecessor, ` +
	`o.attempt, o.owner, o.lease_ns, o.fence, o.warnings, o.looks, o.look_failed, o.reply, o.message, o.error_id, o.reason, ` +
	`o.problem, o.retry_after_ns, o.doubt_since, o.doubt_asked, o.doubt_finding, o.doubt_agreed, o.doubt_counted, o.attention, ` +
	`o.status, o.disputing, o.port_date, o.claimed, o.settled, o.successor, o.validated, o.rejects, o.checked, o.progressed, o.kept, o.guards, o.closed, ` +
	`o.state, o.needs_attention, o.class, o.length, o.span, o.due, o.ticket, o.updated, o.erased`
