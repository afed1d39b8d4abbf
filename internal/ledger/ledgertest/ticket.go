package ledgertest

import (
	"errors"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// ticketCases are that a ticket has one order.
func ticketCases() []aCase {
	return []aCase{
		{"a ticket has one order of an account", ticketIsTaken},
		{"a ticket stays taken whatever becomes of its order", ticketStaysTaken},
		{"tickets are told apart exactly", ticketsAreExact},
		{"a ticket that an order gives up is free", ticketIsGivenUp},
		{"no ticket is nobody's", noTicketIsNobodys},
	}
}

// ticketTaken fails the test unless a step is refused because another order has the ticket, and changes nothing.
func (t *trial) ticketTaken(r ledger.Record, s ledger.Step) {
	t.Helper()
	before := t.seen(r)
	got, err := t.Advance(t.Context(), r.OrderID, s)
	if !errors.Is(err, ledger.ErrTicketTaken) {
		t.Fatalf("Advance: %v, want ErrTicketTaken", err)
	}
	t.same("the order that comes with ErrTicketTaken", before[0].Record, got)
	t.same("the order whose ticket is another's", before, t.seen(r))
}

func ticketIsTaken(t *trial) {
	first := t.claimed(Record(1))
	first = t.advanced(first.OrderID, Accept("T", first.Claimed))
	for i, tenant := range []string{ledger.Default, "another"} {
		other := t.claimed(with(Record(10+i), func(r *ledger.Record) { r.Tenant = tenant }))
		t.ticketTaken(other, Accept("T", other.Claimed))
		t.held(other, true, "after the ticket was refused")
		t.advanced(other.OrderID, Accept(Ticket(i), other.Claimed))
		t.ticketTaken(other, alter(func(r *ledger.Record) { r.Ticket = "T" }))
	}
	account := t.claimed(with(Record(20), func(r *ledger.Record) { r.CarrierAccount = "another" }))
	t.advanced(account.OrderID, Accept("T", account.Claimed))
	// An order may say its own ticket again.
	t.advanced(first.OrderID, alter(func(r *ledger.Record) { r.Ticket, r.PortDate = "T", "2026-05-01" }))
}

// alter is a step without a cause, for what is no change of state.
func alter(change func(r *ledger.Record)) ledger.Step {
	return ledger.Step{Now: Epoch(), Change: func(r *ledger.Record) (ledger.Entry, error) {
		change(r)
		return Entry("changed"), nil
	}}
}

func ticketStaysTaken(t *trial) {
	for i, to := range []order.State{order.NotSent, order.Refused, order.InDoubt, order.Accepted} {
		first, other := t.claimed(Record(2*i)), t.claimed(Record(2*i+1))
		step := Accept(Ticket(i), first.Claimed)
		change := step.Change
		step.Change = func(r *ledger.Record) (ledger.Entry, error) {
			e, err := change(r)
			r.State, r.Status = to, order.StatusCancelled
			return e, err
		}
		t.advanced(first.OrderID, step)
		t.ticketTaken(other, Accept(Ticket(i), other.Claimed))
	}
}

func ticketsAreExact(t *trial) {
	tickets := []string{"ticket", "TICKET", "Ticket", " ticket", "ticket ", "ticke\u0301t", "tick\u00e9t", "1", "01", "1.0"}
	for i, ticket := range tickets {
		r := t.claimed(Record(i))
		if _, err := t.Advance(t.Context(), r.OrderID, Accept(ticket, r.Claimed)); err != nil {
			t.Errorf("Advance to ticket %q, which is like others: %v", ticket, err)
		}
	}
	for i, ticket := range tickets {
		page, _, err := t.List(t.Context(), ledger.Query{Tenant: ledger.Default, Ticket: ticket, Limit: 10, MaxBytes: 1 << 20})
		if err != nil || len(page) != 1 || page[0].OrderID != Record(i).OrderID {
			t.Errorf("List of ticket %q: %d orders, error %v", ticket, len(page), err)
		}
	}
}

func ticketIsGivenUp(t *trial) {
	first, other := t.claimed(Record(1)), t.claimed(Record(2))
	t.advanced(first.OrderID, Accept("T", first.Claimed))
	t.ticketTaken(other, Accept("T", other.Claimed))
	t.advanced(first.OrderID, alter(func(r *ledger.Record) { r.Ticket = "U" }))
	t.advanced(other.OrderID, Accept("T", other.Claimed))
	t.ticketTaken(first, alter(func(r *ledger.Record) { r.Ticket = "T" }))
	t.advanced(other.OrderID, alter(func(r *ledger.Record) { r.Ticket = "" }))
	t.advanced(first.OrderID, alter(func(r *ledger.Record) { r.Ticket = "T" }))
}

func noTicketIsNobodys(t *trial) {
	for i := range 3 {
		r := t.claimed(Record(i))
		t.advanced(r.OrderID, Accept("", r.Claimed))
	}
}
