package ledgertest

import (
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// ownersCases are whose a port-in is, for those who may not be told of another tenant's.
func ownersCases() []aCase {
	return []aCase{
		{"a ticket and a number that is held have their owners", ticketsHaveOwners},
		{"a number that two orders hold has both owners", bothOwn},
	}
}

// owned wants a ticket and a number to be these tenants'.
func (t *trial) owned(what, account, ticket, number string, want ...string) {
	t.Helper()
	got, err := t.Owners(t.Context(), account, ticket, number)
	if err != nil {
		t.Fatalf("%s: Owners: %v", what, err)
	}
	t.same(what+": the owners", want, got)
}

func ticketsHaveOwners(t *trial) {
	a := t.claimed(with(Record(1), func(r *ledger.Record) { r.Tenant = "a" }))
	b := t.claimed(with(Record(2), func(r *ledger.Record) { r.Tenant = "b" }))
	t.advanced(a.OrderID, Accept("T-a", Epoch()))
	account := a.CarrierAccount
	t.owned("a ticket", account, "T-a", "", "a")
	t.owned("a number that is held", account, "", b.Numbers[1], "b")
	t.owned("one's ticket and another's number", account, "T-a", b.Numbers[0], "a", "b")
	t.owned("both of one", account, "T-a", a.Numbers[0], "a")
	t.owned("a ticket at another account", "another", "T-a", "")
	t.owned("what nobody has", account, "T-c", Number(99))
	t.owned("nothing", account, "", "")
	t.advanced(a.OrderID, Fare(order.StatusCompleted, Epoch()))
	t.advanced(b.OrderID, Move(order.Refused, order.ByAnswer, Epoch()))
	t.owned("when both are over", account, "T-a", b.Numbers[0], "a")
}

func bothOwn(t *trial) {
	a := t.claimed(with(Record(1), func(r *ledger.Record) { r.Tenant = "a" }))
	t.advanced(a.OrderID, Move(order.NotSent, order.ByAnswer, Epoch()))
	b := t.claimed(with(Record(2), func(r *ledger.Record) { r.Tenant, r.Numbers = "b", a.Numbers }))
	t.advanced(a.OrderID, Accept("T-a", Epoch()))
	t.owned("a number", b.CarrierAccount, "", a.Numbers[0], "a", "b")
}
