package ledger_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/order"
)

// over is a record of an order that is over, with something personal in every field that can have it.
func over() ledger.Record {
	r := ledgertest.Full(1)
	r.State, r.Status, r.Disputing, r.Guards = order.Accepted, order.StatusCancelled, false, false
	return r
}

func TestAnErasureSharesNothing(t *testing.T) {
	t.Parallel()
	r, want := over(), over()
	next, _, err := ledgertest.Erasure().Apply(r)
	if err != nil {
		t.Fatal(err)
	}
	spoil(next)
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("the record that an erasure began with (-want +got):\n%s", diff)
	}
}

// What is over is what no longer stands in the way of another order.
func TestOver(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state  order.State
		status order.Status
		guards bool
		want   bool
	}{
		{order.Sending, "", false, false},
		{order.InDoubt, "", false, false},
		{order.NotSent, "", false, true},
		{order.NotSent, "", true, false},
		{order.Refused, "", false, true},
		{order.Refused, "", true, false},
		{order.Accepted, "", false, false},
		{order.Accepted, order.StatusRejected, false, false},
		{order.Accepted, order.StatusCancelled, false, true},
		{order.Accepted, order.StatusCancelled, true, false},
		{order.Accepted, order.StatusCompleted, true, true},
	} {
		r := ledger.Record{State: c.state, Status: c.status, Guards: c.guards}
		if got := r.Over(); got != c.want {
			t.Errorf("in %s, %q, guarding %v: over %v", c.state, c.status, c.guards, got)
		}
		_, _, err := ledgertest.Erasure().Apply(r)
		if (err == nil) != c.want || err != nil && !errors.Is(err, ledger.ErrMoved) {
			t.Errorf("in %s, %q, guarding %v: erased with %v", c.state, c.status, c.guards, err)
		}
	}
}

// An order that an operator has closed may have any word of the carrier's for its status.
func TestAnErasedOrderKeepsNoWordThatMayBeAnything(t *testing.T) {
	t.Parallel()
	for word, want := range map[order.Status]order.Status{order.StatusHold: order.StatusHold, "UNDER-REVIEW": "UNDER-REVIEW", "HELD, ask John": ""} {
		r := over()
		r.Status, r.Closed = word, r.Updated
		next, e, err := ledgertest.Erasure().Apply(r)
		if err != nil || next.Status != want || e.Status != want || next.Category() != order.CategoryClosed || e.Is != next.Standing() {
			t.Errorf("of the status %q %q is left, and %q in the event; category %v, %v", word, next.Status, e.Status, next.Category(), err)
		}
	}
}

// Of what the carrier wrote, only what can be nothing else than an identifier or a day stays.
func TestWhatAnErasedEventKeeps(t *testing.T) {
	t.Parallel()
	e := ledger.Event{Sequence: 3, Note: "John moved", Ticket: "T-1", PortDate: "2026-12-01", Status: order.StatusConfirmedWithDateChange, Actor: ledger.Actor{Kind: ledger.ByCaller, Name: "billing"}}
	want := e
	want.Note = ""
	if diff := cmp.Diff(want, e.Erase()); diff != "" {
		t.Errorf("an event (-want +got):\n%s", diff)
	}
	e.Ticket, e.PortDate, e.Status = "John's", "2026-12-01 if John is in", "HELD, ask John"
	want.Ticket, want.PortDate, want.Status = "", "", ""
	if diff := cmp.Diff(want, e.Erase()); diff != "" {
		t.Errorf("an event in which the carrier wrote something else (-want +got):\n%s", diff)
	}
}
