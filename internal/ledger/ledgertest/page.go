package ledgertest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/portin/portin/internal/ledger"
)

// wanted reports whether a query wants an order, read word by word.
func wanted(q ledger.Query, r ledger.Record) bool {
	is := func(filter, value string) bool { return filter == "" || filter == value }
	within := func(from, before, at time.Time) bool {
		return (from.IsZero() || !at.Before(from)) && (before.IsZero() || at.Before(before))
	}
	return q.Tenant == r.Tenant &&
		(len(q.States) == 0 || slices.Contains(q.States, r.State)) &&
		(len(q.Categories) == 0 || slices.Contains(q.Categories, r.Category())) &&
		(q.Number == "" || slices.Contains(r.Numbers, q.Number)) &&
		is(q.Ticket, r.Ticket) && is(q.CustomerReference, r.CustomerReference) && is(q.RequestID, r.RequestID) &&
		is(q.History, r.History) &&
		(q.NeedsAttention == nil || *q.NeedsAttention == (len(r.Attention) > 0)) &&
		(len(q.Attention) == 0 || slices.ContainsFunc(q.Attention, r.Attends)) &&
		within(q.FromCreated, q.BeforeCreated, r.Created) && within(q.FromUpdated, q.BeforeUpdated, r.Updated)
}

// newer orders records as a list has them: newest first.
func newer(a, b ledger.Record) int {
	return cmp.Or(b.Created.Compare(a.Created), strings.Compare(b.OrderID, a.OrderID))
}

// place is an order's place in a list.
func place(r ledger.Record) ledger.Position {
	return ledger.Position{Created: r.Created, OrderID: r.OrderID}
}

// allOf is what a query finds on all its pages.
func allOf(q ledger.Query, records []ledger.Record) []ledger.Record {
	var all []ledger.Record
	for _, r := range records {
		beyond := q.After == ledger.Position{} || newer(ledger.Record{OrderID: q.After.OrderID, Created: q.After.Created}, r) < 0
		if beyond && wanted(q, r) {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, newer)
	return all
}

// pageOf is the page that a query asks for, and whether there are more.
func pageOf(q ledger.Query, records []ledger.Record) (page []ledger.Record, more bool) {
	all := allOf(q, records)
	size := 0
	for i, r := range all {
		size += len(r.Content) + len(r.Warnings)
		if i > 0 && (i == q.Limit || size > q.MaxBytes) {
			return all[:i], true
		}
	}
	return all, false
}
