package postgres

import (
	"fmt"
	"math"
	"strings"
)

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
	s.sql += newest(&s, "o", f.Limit+1)
	return s
}

// byHistory reads and sorts the orders of a row, which are as many as one order was corrected.
func (f filter) byHistory() statement {
	var s statement
	s.sql = "SELECT o.order_id AS id, o.created AS at FROM (" + history(&s, f.Tenant, f.History) + ") AS h JOIN orders o USING (order_id) WHERE "
	f.tenant(&s)
	f.created(&s, "o")
	f.rest(&s)
	updatedIn(&s, f.reach)
	s.sql += newest(&s, "o", f.Limit+1)
	return s
}

// history is a query for the IDs of the orders of a row. Those but for the first have an index of their own, whose condition
// stands here word by word, or the server would not take it.
func history(s *statement, tenant, first string) string {
	t, h := s.arg(tenant), s.arg(first)
	return "SELECT order_id FROM orders WHERE tenant = " + t + " AND order_id = " + h + " AND history IN ('', order_id) UNION ALL " +
		"SELECT order_id FROM orders WHERE tenant = " + t + " AND history = " + h + " AND history <> '' AND history <> order_id"
}

// byNumber goes through the orders for a number.
func (f filter) byNumber() statement {
	s := statement{sql: "SELECT n.order_id AS id, n.created AS at FROM numbers n JOIN orders o ON o.order_id = n.order_id WHERE "}
	f.tenant(&s)
	s.sql += " AND n.tenant = o.tenant"
	s.and("n.number = %s", f.Number)
	f.Number = ""
	f.created(&s, "n")
	f.rest(&s)
	updatedIn(&s, f.reach)
	s.sql += newest(&s, "n", f.Limit+1)
	return s
}

// byShelf merges the newest orders of each shelf.
func (f filter) byShelf() statement {
	var s statement
	s.sql = "SELECT k.id, k.at FROM "
	f.shelf(&s, f.Limit+1)
	s.sql += " ORDER BY k.at DESC, k.id DESC LIMIT " + s.arg(f.Limit+1)
	return s
}

// shelf adds the newest orders k of each shelf w, by what the indexes by standing know: nothing of the other conditions, but
// where a reason for attention is wanted. The shelves of what needs attention have few orders, and each of them may be read.
func (f filter) shelf(s *statement, limit int) {
	standing, attention := f.shelves()
	s.sql += "unnest(" + s.arg(standing) + "::smallint[], " + s.arg(attention) + "::boolean[]) WITH ORDINALITY AS w (standing, attention, shelf) " +
		"CROSS JOIN LATERAL (SELECT o.order_id AS id, o.created AS at, o.updated FROM orders o WHERE "
	f.tenant(s)
	s.sql += " AND o.standing = w.standing AND o.needs_attention = w.attention"
	f.reference(s)
	f.created(s, "o")
	if len(f.Attention) > 0 {
		f.reason(s)
		updatedIn(s, f.reach)
	}
	s.sql += newest(s, "o", limit) + ") AS k"
}

// walk goes through the newest orders of each shelf and picks out what was updated in the range. It selects lists of id and
// at, and whether they decide the page: whether it is full, or nothing was left out. What is as old as the oldest that was
// seen of a shelf, or older, is not certain to be the next and is left to others.
func (f filter) walk() statement {
	standing, _ := f.shelves()
	each := max(f.far/len(standing), 1)
	s := statement{sql: "WITH passed AS MATERIALIZED (SELECT k.id, k.at, k.updated, w.shelf FROM "}
	f.shelf(&s, each)
	s.sql += `), seen AS (
		SELECT max(oldest) AS at FROM (SELECT min(at) AS oldest FROM passed GROUP BY shelf HAVING count(*) >= ` + s.arg(each) + `) AS unfinished
	), page AS MATERIALIZED (
		SELECT o.id, o.at FROM passed o WHERE o.at > coalesce((SELECT at FROM seen), ` + s.arg(int64(math.MinInt64)) + `)`
	updatedIn(&s, f.reach)
	enough := s.arg(f.Limit + 1)
	s.sql += ` ORDER BY o.at DESC, o.id DESC LIMIT ` + enough + `
	)
	SELECT coalesce(array_agg(id), '{}'), coalesce(array_agg(at), '{}'), count(*) >= ` + enough + ` OR (SELECT at IS NULL FROM seen) FROM page`
	return s
}

// named are orders whose place is known.
func named(ids []string, times []int64) statement {
	s := statement{}
	s.sql = "SELECT k.id, k.at FROM unnest(" + s.arg(ids) + "::text[], " + s.arg(times) + "::bigint[]) AS k (id, at)"
	return s
}

// inRange is how many were updated in the range, up to one more than few.
func (f filter) inRange() statement {
	s := statement{sql: "SELECT count(*) FROM (SELECT FROM orders o WHERE "}
	f.tenant(&s)
	updatedIn(&s, f.reach)
	s.sql += " ORDER BY o.updated LIMIT " + s.arg(f.few+1) + ") AS found"
	return s
}

// ends is the first and the last update of all.
func (f filter) ends() statement {
	s := statement{sql: "SELECT min(o.updated), max(o.updated) FROM orders o WHERE "}
	f.tenant(&s)
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

// bySpan merges the newest orders of each span that a range is cut into, run by run, the latest first: the latest updated are
// most often the newest. As soon as a page is full, later runs are asked for nothing that is older than its last order.
func (f filter) bySpan(r reach) statement {
	s := statement{sql: "WITH "}
	enough, name := s.arg(f.Limit+1), ""
	for i, run := range r.cut() {
		before := name
		name = fmt.Sprintf("run_%d", i)
		s.sql += name + " AS MATERIALIZED (SELECT id, at FROM ("
		if before != "" {
			s.sql += "SELECT id, at FROM " + before + " UNION ALL "
		}
		f.run(&s, run, func() {
			if before != "" {
				s.sql += " AND o.created >= coalesce((SELECT at FROM " + before + " ORDER BY at DESC, id DESC OFFSET " + s.arg(f.Limit) +
					" LIMIT 1), " + s.arg(int64(math.MinInt64)) + ")"
			}
		})
		s.sql += ") AS k ORDER BY at DESC, id DESC LIMIT " + enough + "), "
	}
	s.sql = strings.TrimSuffix(s.sql, ", ") + " SELECT id, at FROM " + name
	return s
}

// run adds the query for the newest orders of each span of a run, with a condition more.
func (f filter) run(s *statement, r run, more func()) {
	if r.width == 0 {
		s.sql += "(" + asKeys
		f.tenant(s)
		updatedIn(s, reach{r.first, r.before})
	} else {
		s.sql += "(SELECT k.id, k.at FROM generate_series(" + s.arg(r.first) + "::bigint, " + s.arg(r.before-1) + "::bigint) AS w (span) " +
			"CROSS JOIN LATERAL (" + asKeys
		f.tenant(s)
		// A number in the text, not an argument: the index is over an expression, and has to be recognised.
		s.sql += fmt.Sprintf(" AND (o.updated >> %d) = w.span", r.width)
	}
	f.created(s, "o")
	f.rest(s)
	more()
	s.sql += newest(s, "o", f.Limit+1)
	if r.width > 0 {
		s.sql += ") AS k"
	}
	s.sql += ")"
}
