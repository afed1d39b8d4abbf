package postgres

import "fmt"

// The ways to a page, by what leads: each is a query for id and at, the time of creation, of the newest orders that pass,
// one more than the page has.

// asKeys is what each selects of orders o.
const asKeys = "SELECT o.order_id AS id, o.created AS at FROM orders o WHERE "

// direct goes from the newest order on, or straight to the one with that key or ticket.
func (f filter) direct() statement {
	s := statement{sql: asKeys}
	f.tenant(&s)
	f.created(&s, "o")
	f.rest(&s)
	updatedIn(&s, f.reach)
	if f.Number != "" {
		s.and("EXISTS (SELECT FROM numbers n WHERE n.order_id = o.order_id AND n.tenant = o.tenant AND n.number = %s)", f.Number)
	}
	s.sql += newest(&s, "o", f.Limit+1)
	return s
}

// byNumber goes through the orders for a number.
func (f filter) byNumber() statement {
	s := statement{sql: "SELECT n.order_id AS id, n.created AS at FROM numbers n JOIN orders o ON o.order_id = n.order_id WHERE "}
	f.tenant(&s)
	s.sql += " AND n.tenant = o.tenant"
	s.and("n.number = %s", f.Number)
	f.created(&s, "n")
	f.rest(&s)
	updatedIn(&s, f.reach)
	s.sql += newest(&s, "n", f.Limit+1)
	return s
}

// byShelf merges the newest orders of each shelf.
func (f filter) byShelf() statement {
	return f.shelf(f.reach, f.Limit+1)
}

// onShelf is what byShelf goes through, up to one more than few.
func (f filter) onShelf() statement {
	return f.shelf(everything, few+1)
}

func (f filter) shelf(r reach, limit int) statement {
	standing, attention := f.shelves()
	var s statement
	s.sql = "SELECT k.id, k.at FROM unnest(" + s.arg(standing) + "::smallint[], " + s.arg(attention) + "::boolean[]) AS w (standing, attention) " +
		"CROSS JOIN LATERAL (" + asKeys
	f.tenant(&s)
	s.sql += " AND o.standing = w.standing AND o.needs_attention = w.attention"
	f.reference(&s)
	f.created(&s, "o")
	updatedIn(&s, r)
	s.sql += newest(&s, "o", limit) + ") AS k ORDER BY k.at DESC, k.id DESC LIMIT " + s.arg(limit)
	return s
}

// inRange is what was updated in the range, up to one more than few.
func (f filter) inRange() statement {
	s := statement{sql: "SELECT FROM orders o WHERE "}
	f.tenant(&s)
	updatedIn(&s, f.reach)
	s.sql += " ORDER BY o.updated LIMIT " + s.arg(few+1)
	return s
}

// ends is the first and the last update in the range; NULL when there is none.
func (f filter) ends() statement {
	s := statement{sql: "SELECT min(o.updated), max(o.updated) FROM orders o WHERE "}
	f.tenant(&s)
	updatedIn(&s, f.reach)
	return s
}

// byUpdate reads and sorts all that was updated in the range.
func (f filter) byUpdate() statement {
	s := statement{sql: `WITH o AS MATERIALIZED (
		SELECT order_id, created, tenant, standing, needs_attention, customer_reference FROM orders o WHERE `}
	f.tenant(&s)
	updatedIn(&s, f.reach)
	s.sql += ") SELECT o.order_id AS id, o.created AS at FROM o WHERE "
	f.tenant(&s)
	f.created(&s, "o")
	f.rest(&s)
	s.sql += newest(&s, "o", f.Limit+1)
	return s
}

// bySpan merges the newest orders of each span that a range is cut into.
func (f filter) bySpan(r reach) statement {
	runs, ends := r.cut()
	var s statement
	or := ""
	for _, end := range ends {
		s.sql += or + "(" + asKeys
		f.tenant(&s)
		f.created(&s, "o")
		f.rest(&s)
		updatedIn(&s, end)
		s.sql += newest(&s, "o", f.Limit+1) + ")"
		or = " UNION ALL "
	}
	for _, run := range runs {
		s.sql += or + "(SELECT k.id, k.at FROM generate_series(" + s.arg(run.first) + "::bigint, " + s.arg(run.before-1) + "::bigint) AS w (span) " +
			"CROSS JOIN LATERAL (" + asKeys
		f.tenant(&s)
		// A number in the text, not an argument: the index is over an expression, and has to be recognised.
		s.sql += fmt.Sprintf(" AND (o.updated >> %d) = w.span", run.width)
		f.created(&s, "o")
		f.rest(&s)
		s.sql += newest(&s, "o", f.Limit+1) + ") AS k)"
		or = " UNION ALL "
	}
	s.sql = "SELECT id, at FROM (" + s.sql + ") AS k ORDER BY at DESC, id DESC LIMIT " + s.arg(f.Limit+1)
	return s
}
