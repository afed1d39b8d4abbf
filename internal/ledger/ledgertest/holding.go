package ledgertest

import (
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// holdingCases are how long an order holds its numbers.
func holdingCases() []aCase {
	return []aCase{
		{"numbers are held in some states and free in others", heldByState},
		{"numbers are held until a status closes the order", heldByStatus},
		{"an order that an operator closed holds no numbers, whatever the carrier says", closedByOperator},
		{"a number passes from order to order", numberPassesOn},
	}
}

// closedByOperator has an order closed that is open at the carrier.
func closedByOperator(t *trial) {
	r := t.claimed(Record(1))
	r = t.advanced(r.OrderID, Accept(Ticket(1), r.Claimed))
	t.counted("open", ledger.Counts{Open: 1})
	step := ledger.Step{Now: r.Claimed, Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.Closed, r.Due = r.Claimed, time.Time{}
		return ledger.Entry{Type: ledger.EventClosed, Actor: ledger.Actor{Kind: ledger.ByOperator}, Note: "withdrawn", Unverified: true}, nil
	}}
	want, events, err := step.Apply(r)
	t.same("no error", "", said(err))
	before := t.told(r)
	t.same("the order that Advance returns", want, t.advanced(r.OrderID, step))
	t.same("its events", unnumbered(append(before, events...)), unnumbered(t.told(r)))
	r = t.found(r)
	t.held(r, false, "closed")
	for _, word := range []order.Status{order.StatusPending, order.StatusHold, order.StatusCompleted, order.StatusRejected, "A NEW WORD"} {
		t.advanced(r.OrderID, Fare(word, r.Claimed))
		t.held(r, false, "closed, then "+string(word))
	}
	t.counted("closed", ledger.Counts{})
	closed := ledger.Query{Tenant: r.Tenant, Categories: []order.Category{order.CategoryClosed}, Limit: 10, MaxBytes: 1 << 20}
	page, _, err := t.List(t.Context(), closed)
	t.same("what is closed", []ledger.Record{t.found(r)}, page)
	t.same("no error", "", said(err))
	other := t.claimed(with(Record(2), func(n *ledger.Record) { n.Numbers = r.Numbers }))
	t.held(other, true, "beside the one that was closed")
	t.reopen()
	t.advanced(r.OrderID, Fare(order.StatusConfirmed, r.Claimed))
	t.held(other, true, "after the carrier went on with the one that was closed")
}

// heldByState walks every way through the states and looks after each step.
func heldByState(t *trial) {
	type leg struct {
		to order.State
		by order.Cause
	}
	const again = order.ByResend
	ways := [][]leg{
		{{order.NotSent, order.ByAnswer}, {order.Sending, again}, {order.NotSent, order.ByAnswer}, {order.Sending, again}},
		{{order.Refused, order.ByAnswer}},
		{{order.InDoubt, order.ByAnswer}, {order.NotSent, order.ByAnswer}, {order.Sending, again}, {order.Accepted, order.ByAnswer}},
		{{order.InDoubt, order.ByLease}, {order.Refused, order.ByAnswer}},
		{{order.InDoubt, order.ByLease}, {order.Accepted, order.ByEvidence}},
		{{order.InDoubt, order.ByLease}, {order.NotSent, order.ByOperator}, {order.Accepted, order.ByAnswer}},
		{{order.InDoubt, order.ByAnswer}, {order.Accepted, order.ByOperator}},
		{{order.NotSent, order.ByAnswer}, {order.Accepted, order.ByEvidence}},
		{{order.InDoubt, order.ByAnswer}, {order.Accepted, order.ByAnswer}},
		{{order.Accepted, order.ByAnswer}},
	}
	for i, way := range ways {
		r := t.claimed(Record(i))
		t.held(r, true, "SENDING")
		for _, l := range way {
			if l.by == again {
				r = t.claimed(Resend(r))
			} else {
				r = t.advanced(r.OrderID, Move(l.to, l.by, r.Claimed))
			}
			t.held(r, r.Holds(), l.to.String())
		}
	}
}

func heldByStatus(t *trial) {
	r := t.claimed(Record(1))
	r = t.advanced(r.OrderID, Accept(Ticket(1), r.Claimed))
	for _, word := range append(order.Statuses(), "A NEW WORD", "") {
		// Each word follows both a word that holds and one that does not.
		for _, before := range []order.Status{order.StatusPending, order.StatusCompleted} {
			t.advanced(r.OrderID, Fare(before, r.Claimed))
			now := t.advanced(r.OrderID, Fare(word, r.Claimed))
			t.held(r, now.Holds(), string(before)+", then "+string(word))
		}
	}
	t.advanced(r.OrderID, Fare(order.StatusRejected, r.Claimed))
	t.advanced(r.OrderID, ledger.Step{Now: r.Claimed, Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.Disputing = true
		return Entry("disputing"), nil
	}})
	t.held(r, true, "REJECTED, disputing")
	// A change of something else gives nothing back and takes nothing.
	for _, word := range []order.Status{order.StatusPending, order.StatusCompleted} {
		now := t.advanced(r.OrderID, Fare(word, r.Claimed))
		t.advanced(r.OrderID, ledger.Step{Now: r.Claimed.Add(time.Hour), Change: func(r *ledger.Record) (ledger.Entry, error) {
			r.PortDate, r.Due = r.PortDate+"!", r.Due.Add(time.Hour)
			return Entry("moved to another day"), nil
		}})
		t.held(r, now.Holds(), string(word)+", then another day")
	}
	// A status on an order that is not accepted says nothing about its numbers.
	other := t.claimed(Record(2))
	t.advanced(other.OrderID, Fare(order.StatusCompleted, other.Claimed))
	t.held(other, true, "SENDING with a closed status")
}

func numberPassesOn(t *trial) {
	var last ledger.Record
	for i := range 10 {
		r := with(Record(i), func(r *ledger.Record) { r.Numbers = []string{Number(1), Number(100 + i)} })
		if i > 0 {
			t.refused(r, last, Number(1))
			t.advanced(last.OrderID, Fare(order.StatusCompleted, last.Claimed))
		}
		r = t.claimed(r)
		last = t.advanced(r.OrderID, Accept(Ticket(i), r.Claimed))
		t.held(last, true, "after the number was passed on")
	}
	// The orders that had it come back to nothing when they change once more.
	t.advanced(Record(0).OrderID, Fare(order.StatusCancelled, last.Claimed))
	t.held(last, true, "after an older order changed")
	t.reopen()
	t.held(last, true, "after the ledger was opened again")
	t.claimed(with(Record(20), func(r *ledger.Record) { r.Numbers = []string{Number(100), Number(108)} }))
}
