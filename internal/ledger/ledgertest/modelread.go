package ledgertest

import (
	"slices"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// take is Store.Take of one order.
func (m *model) take(r ledger.Record, t ledger.Turn) ledger.Record {
	r = handed(m.orders[r.OrderID], t.Until)
	m.put(r)
	return r
}

// due are the orders of a turn, the longest due first.
func (m *model) due(t ledger.Turn) []ledger.Record {
	var due []ledger.Record
	for _, r := range m.all() {
		if r.State == t.State && !r.Due.IsZero() && !r.Due.After(t.Now) {
			due = append(due, r)
		}
	}
	slices.SortFunc(due, func(a, b ledger.Record) int { return a.Due.Compare(b.Due) })
	return due
}

// counts is Store.Count.
func (m *model) counts() ledger.Counts {
	c := ledger.Counts{ByAttention: eachReason(0)}
	for _, r := range m.orders {
		switch r.State {
		case order.Sending:
			c.Sending++
		case order.InDoubt:
			c.InDoubt++
			c.InDoubtDue = sooner(c.InDoubtDue, r.Due)
		case order.Accepted:
			c.AcceptedDue = sooner(c.AcceptedDue, r.Due)
		case order.NotSent, order.Refused:
		}
		if len(r.Attention) > 0 {
			c.NeedsAttention++
		}
		for _, code := range codesOf(r) {
			c.ByAttention[code]++
		}
		switch r.Category() {
		case order.CategoryOpen:
			c.Open++
		case order.CategoryScheduled:
			c.Scheduled++
		case order.CategoryAttention:
			c.Attention++
		case order.CategoryClosed:
		}
	}
	return c
}

// sooner is the sooner of two times, where zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// codesOf are the reasons for which an order needs attention, each once.
func codesOf(r ledger.Record) []ledger.AttentionCode {
	var codes []ledger.AttentionCode
	for _, a := range r.Attention {
		if !slices.Contains(codes, a.Code) {
			codes = append(codes, a.Code)
		}
	}
	return codes
}

// leases is Store.Sending.
func (m *model) leases() []ledger.Lease {
	var leases []ledger.Lease
	for _, r := range m.all() {
		if r.State == order.Sending {
			leases = append(leases, ledger.Lease{OrderID: r.OrderID, Attempt: r.Attempt, Owner: r.Owner, Term: r.Lease})
		}
	}
	return leases
}
