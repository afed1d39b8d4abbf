package postgres

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// everything is every time of update.
var everything = reach{math.MinInt64, math.MaxInt64} //nolint:gochecknoglobals // a constant that Go cannot write

// filter is a query in the terms of the tables.
type filter struct {
	ledger.Query

	// standings are what Standing may be; nil is anything.
	standings []int16
	// reach is when an order may have been updated.
	reach reach
	// few and far are the bounds of that name.
	few, far int
}

func newFilter(q ledger.Query) filter {
	q.Tenant, q.Number, q.Ticket = clean(q.Tenant), clean(q.Number), clean(q.Ticket)
	q.CustomerReference, q.RequestID, q.After.OrderID = clean(q.CustomerReference), clean(q.RequestID), clean(q.After.OrderID)
	q.History = clean(q.History)
	f := filter{Query: q, reach: everything, few: few, far: far}
	if wanted := q.Standings(); wanted != nil && len(wanted) < len(standings(ledger.Query{States: order.States()})) {
		f.standings = standings(q)
	}
	if !q.FromUpdated.IsZero() {
		f.reach.from = bound(q.FromUpdated)
	}
	if !q.BeforeUpdated.IsZero() {
		f.reach.before = bound(q.BeforeUpdated)
	}
	return f
}

// standings is Query.Standings in the type of the column; empty, and not nil, when it is empty.
func standings(q ledger.Query) []int16 {
	all := []int16{}
	for _, s := range q.Standings() {
		all = append(all, int16(s))
	}
	return all
}

// none reports whether no order can pass.
func (f filter) none() bool {
	return f.standings != nil && len(f.standings) == 0 || !f.Wants(true) && !f.Wants(false)
}

// shelved reports whether a condition stands that one of the indexes by standing serves.
func (f filter) shelved() bool {
	return f.standings != nil || f.NeedsAttention != nil || f.CustomerReference != ""
}

// statement is a query with its arguments.
type statement struct {
	sql  string
	args []any
}

// arg adds an argument and returns its placeholder.
func (s *statement) arg(value any) string {
	s.args = append(s.args, value)
	return "$" + strconv.Itoa(len(s.args))
}

// and adds a condition, whose %s becomes the value's placeholder.
func (s *statement) and(condition string, value any) {
	s.sql += " AND " + fmt.Sprintf(condition, s.arg(value))
}

// tenant begins the conditions on orders o.
func (f filter) tenant(s *statement) { s.sql += "o.tenant = " + s.arg(f.Tenant) }

// created adds the conditions on the place in the list, of the table with that name. Of the two upper bounds only the nearer
// one is written: an index is entered by one of them, and it may be the farther one.
func (f filter) created(s *statement, table string) {
	if !f.FromCreated.IsZero() {
		s.and(table+".created >= %s", bound(f.FromCreated))
	}
	begun := f.After != (ledger.Position{})
	if !f.BeforeCreated.IsZero() && (!begun || bound(f.BeforeCreated) <= micros(f.After.Created)) {
		s.and(table+".created < %s", bound(f.BeforeCreated))
	} else if begun {
		s.sql += " AND (" + table + ".created, " + table + ".order_id) < (" + s.arg(micros(f.After.Created)) + ", " + s.arg(f.After.OrderID) + ")"
	}
}

// updatedIn adds the conditions on the time of update.
func updatedIn(s *statement, r reach) {
	if r.from != math.MinInt64 {
		s.and("o.updated >= %s", r.from)
	}
	if r.before != math.MaxInt64 {
		s.and("o.updated < %s", r.before)
	}
}

// rest adds the conditions that are neither on the place in the list nor on the time of update.
func (f filter) rest(s *statement) {
	if f.standings != nil {
		s.and("o.standing = ANY(%s)", f.standings)
	}
	if f.NeedsAttention != nil {
		s.and("o.needs_attention = %s", *f.NeedsAttention)
	}
	f.reference(s)
	f.reason(s)
	if f.RequestID != "" {
		s.and("o.request_id = ANY(%s::text[])", []string{f.RequestID, placedElsewhere + f.RequestID})
	}
	if f.Ticket != "" {
		s.and("o.ticket = %s", f.Ticket)
	}
	if f.History != "" {
		s.and("coalesce(nullif(o.history, ''), o.order_id) = %s", f.History)
	}
	if f.Number != "" {
		s.and("EXISTS (SELECT FROM numbers n WHERE n.order_id = o.order_id AND n.tenant = o.tenant AND n.number = %s)", f.Number)
	}
}

// reference adds the condition on the caller's reference.
func (f filter) reference(s *statement) {
	if f.CustomerReference != "" {
		s.and("o.customer_reference = %s", f.CustomerReference)
	}
}

// reason adds the condition on the reasons for attention, of which no index knows: it reads the order.
func (f filter) reason(s *statement) {
	if len(f.Attention) > 0 {
		s.and("EXISTS (SELECT FROM json_array_elements(o.attention::json) AS a WHERE a->>'code' = ANY(%s::text[]))", names(f.Attention))
	}
}

// shelves are the standings that an order may have, each with and without a need for attention as far as wanted: the
// prefixes of the indexes by standing.
func (f filter) shelves() (standing []int16, attention []bool) {
	wanted := f.standings
	if wanted == nil {
		wanted = standings(ledger.Query{States: order.States()})
	}
	for _, w := range wanted {
		for _, a := range []bool{false, true} {
			if f.Wants(a) {
				standing, attention = append(standing, w), append(attention, a)
			}
		}
	}
	return standing, attention
}

// newest is the end of a query for the first orders of a list, of the table with that name.
func newest(s *statement, table string, limit int) string {
	return strings.ReplaceAll(" ORDER BY t.created DESC, t.order_id DESC LIMIT ", "t.", table+".") + s.arg(limit)
}
