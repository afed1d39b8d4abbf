package ledgertest

import (
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// ofNumberCases are what is told of a number across tenants.
func ofNumberCases() []aCase {
	return []aCase{
		{"the orders of a number are those of all tenants", numbersHaveOrders},
		{"the orders of a number are those that the query leaves", numbersAreFiltered},
		{"no more orders of a number are returned than are wanted", numbersAreBounded},
	}
}

// ofNumber wants a query for a number to find these orders, in any order.
func (t *trial) ofNumber(what string, q ledger.NumberQuery, want ...ledger.Record) {
	t.Helper()
	got, err := t.OfNumber(t.Context(), q)
	if err != nil {
		t.Fatalf("%s: OfNumber: %v", what, err)
	}
	slices.SortFunc(got, byOrderID)
	slices.SortFunc(want, byOrderID)
	t.same(what+": the orders", want, got)
}

func numbersHaveOrders(t *trial) {
	a := t.claimed(with(Record(1), func(r *ledger.Record) { r.Tenant = "a" }))
	a = t.advanced(a.OrderID, Move(order.Refused, order.ByAnswer, Epoch()))
	b := t.claimed(with(Record(2), func(r *ledger.Record) {
		r.Tenant, r.CarrierAccount, r.Numbers = "b", "another", []string{Number(90), a.Numbers[1], a.Numbers[1]}
	}))
	b = t.advanced(b.OrderID, Accept("T-b", Epoch()))
	b = t.advanced(b.OrderID, Fare(order.StatusCompleted, Epoch()))
	c := t.claimed(with(Record(3), func(r *ledger.Record) { r.Tenant, r.Numbers = "c", []string{a.Numbers[1]} }))
	elsewhere, err := t.Follow(t.Context(), with(Elsewhere(4), func(r *ledger.Record) { r.Numbers = []string{Number(91)} }), Entry("followed"))
	if err != nil {
		t.Fatal(err)
	}
	t.claimed(Record(5))
	t.ofNumber("a number that one has, and does not hold", ledger.NumberQuery{Number: a.Numbers[0], Limit: 10}, a)
	t.ofNumber("a number that three have", ledger.NumberQuery{Number: a.Numbers[1], Limit: 10}, a, b, c)
	t.ofNumber("the first of two numbers", ledger.NumberQuery{Number: Number(90), Limit: 10}, b)
	t.ofNumber("a number of an order that was placed elsewhere", ledger.NumberQuery{Number: Number(91), Limit: 10}, elsewhere)
	t.ofNumber("a number that nobody has", ledger.NumberQuery{Number: Number(92), Limit: 10})
	t.ofNumber("no number", ledger.NumberQuery{Limit: 10})
}

func numbersAreFiltered(t *trial) {
	at := func(minutes int) time.Time { return Epoch().Add(time.Duration(minutes) * time.Minute) }
	number := Number(90)
	of := func(n, minutes int, moves ...order.State) ledger.Record {
		r := t.claimed(with(Record(n), func(r *ledger.Record) { r.Tenant, r.Numbers = Ticket(n), []string{number} }))
		for _, s := range moves {
			r = t.advanced(r.OrderID, Move(s, order.ByAnswer, at(minutes)))
		}
		return r
	}
	refused := of(1, 10, order.Refused)
	notSent := of(2, 20, order.NotSent)
	doubtful := of(3, 30, order.InDoubt)
	doubtful = t.advanced(doubtful.OrderID, Move(order.Refused, order.ByAnswer, at(30)))
	sending := of(4, 0)
	all := []ledger.Record{refused, notSent, doubtful, sending}
	t.ofNumber("all", ledger.NumberQuery{Number: number, Limit: 10}, all...)
	t.ofNumber("all but one", ledger.NumberQuery{Number: number, But: notSent.OrderID, Limit: 10}, refused, doubtful, sending)
	t.ofNumber("from the moment of a change", ledger.NumberQuery{Number: number, FromUpdated: at(20), But: sending.OrderID, Limit: 10}, notSent, doubtful)
	t.ofNumber("from after it", ledger.NumberQuery{Number: number, FromUpdated: at(20).Add(time.Nanosecond), But: sending.OrderID, Limit: 10}, doubtful)
	t.ofNumber("unsettled: one is being sent", ledger.NumberQuery{Number: number, Unsettled: true, Limit: 10}, sending)
	sending = t.advanced(sending.OrderID, Move(order.InDoubt, order.ByAnswer, at(40)))
	t.ofNumber("unsettled: one is in doubt", ledger.NumberQuery{Number: number, Unsettled: true, Limit: 10}, sending)
	t.ofNumber("unsettled, but that one", ledger.NumberQuery{Number: number, Unsettled: true, But: sending.OrderID, Limit: 10})
	t.advanced(sending.OrderID, Accept("T-4", at(50)))
	t.ofNumber("unsettled: none is", ledger.NumberQuery{Number: number, Unsettled: true, Limit: 10})
}

func numbersAreBounded(t *trial) {
	number := Number(90)
	for n := range 5 {
		r := t.claimed(with(Record(n), func(r *ledger.Record) { r.Tenant, r.Numbers = Ticket(n), []string{number} }))
		t.advanced(r.OrderID, Move(order.Refused, order.ByAnswer, Epoch()))
	}
	for _, limit := range []int{0, 1, 4, 5, 6} {
		got, err := t.OfNumber(t.Context(), ledger.NumberQuery{Number: number, Limit: limit})
		if err != nil || len(got) != min(limit, 5) {
			t.Errorf("OfNumber with a limit of %d: %d orders, error %v", limit, len(got), err)
		}
	}
}

func byOrderID(a, b ledger.Record) int { return strings.Compare(a.OrderID, b.OrderID) }

// wants is NumberQuery's word on an order.
func wants(q ledger.NumberQuery, r ledger.Record) bool {
	return slices.Contains(r.Numbers, q.Number) && r.OrderID != q.But && !r.Updated.Before(q.FromUpdated) &&
		(!q.Unsettled || r.State == order.Sending || r.State == order.InDoubt)
}

// ofNumber asks for the orders of a number of the scene.
func (p *play) ofNumber(rt *rapid.T) {
	r, ok := p.actor(rt, anybody)
	if !ok || len(r.Numbers) == 0 {
		return
	}
	q := ledger.NumberQuery{Number: pick(rt, "number", r.Numbers...), Unsettled: rapid.Bool().Draw(rt, "unsettled"), Limit: 1000}
	if rapid.Bool().Draw(rt, "but one") {
		q.But = r.OrderID
	}
	if rapid.Bool().Draw(rt, "from a time") {
		q.FromUpdated = p.moment(rt)
	}
	var want []ledger.Record
	for _, o := range p.model.all() {
		if wants(q, o) {
			want = append(want, o)
		}
	}
	got, err := p.OfNumber(p.Context(), q)
	slices.SortFunc(got, byOrderID)
	slices.SortFunc(want, byOrderID)
	if diff := difference(want, got); diff != "" || err != nil {
		rt.Fatalf("OfNumber of %+v: error %v; (-want +got):\n%s", q, err, diff)
	}
}
