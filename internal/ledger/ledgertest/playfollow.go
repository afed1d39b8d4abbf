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
		p.step(rt, was, Fare(order.StatusRejected, p.moment(rt)), "to REJECTED")
		was = p.model.orders[was.OrderID]
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
