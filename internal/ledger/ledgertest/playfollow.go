package ledgertest

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// correct claims a new order in the place of another one, most often one that may be corrected.
func (p *play) correct(rt *rapid.T) {
	was, ok := p.actor(rt, ledger.Record.Correctable)
	if !ok {
		return
	}
	if was.State == order.Accepted && was.Successor == "" && rapid.Bool().Draw(rt, "rejected first") {
		was = p.fare(rt, was, order.StatusRejected)
	}
	p.claim(rt, with(p.someRecord(rt), func(r *ledger.Record) {
		r.History, r.Predecessor = was.History, was.OrderID
		r.Guards = rapid.Bool().Draw(rt, "guards")
		if !seldom(rt, "another tenant", 6) {
			r.Tenant = was.Tenant
		}
		switch pick(rt, "numbers", "all", "all", "some", "other") {
		case "all":
			r.Numbers = was.Numbers
		case "some":
			r.Numbers = slices.Compact(append(slices.Clone(was.Numbers[:min(1, len(was.Numbers))]), r.Numbers[0]))
		}
		if seldom(rt, "unknown", 12) {
			r.Predecessor = Record(4_999_999).OrderID
		}
	}))
}

// part has an order close that is corrected by one without some of its numbers.
func (p *play) part(rt *rapid.T) {
	apt := func(r ledger.Record) bool {
		return r.State == order.Accepted && r.Successor == "" && len(r.Numbers) > 1
	}
	was, ok := p.actor(rt, apt)
	if !ok || !apt(was) {
		return
	}
	was = p.fare(rt, was, order.StatusRejected)
	p.claim(rt, with(p.someRecord(rt), func(r *ledger.Record) {
		r.History, r.Predecessor, r.Tenant = was.History, was.OrderID, was.Tenant
		r.Numbers = was.Numbers[:1]
	}))
	p.fare(rt, was, pick(rt, "end", order.StatusCancelled, order.StatusCompleted))
}

// fare gives an order a status, and returns what has become of it.
func (p *play) fare(rt *rapid.T, r ledger.Record, to order.Status) ledger.Record {
	p.step(rt, r, Fare(to, p.moment(rt)), fmt.Sprint("to ", to))
	return p.model.orders[r.OrderID]
}

// follow follows an order that was placed elsewhere.
func (p *play) follow(rt *rapid.T) {
	r := with(p.someRecord(rt), func(r *ledger.Record) {
		r.Elsewhere, r.RequestID, r.State, r.Attempt, r.Ticket = true, r.OrderID, order.Accepted, 0, p.ticket(rt)
		r.Status, r.Claimed, r.Owner = pick(rt, "status", order.Status(""), order.StatusPending, order.StatusCompleted), time.Time{}, ""
		if seldom(rt, "no numbers", 4) {
			r.Numbers = nil
		}
	})
	entry := Entry("followed")
	got, err := p.Follow(p.Context(), r, entry)
	p.compare(rt, fmt.Sprintf("Follow of %+v", r), p.model.follow(r, entry), got, err)
	if err == nil {
		p.cast = append(p.cast, r.OrderID)
	}
}
