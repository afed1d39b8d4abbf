package ledger_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/order"
)

func TestCategoryIsOfAcceptedOrders(t *testing.T) {
	t.Parallel()
	for _, s := range order.States() {
		for _, word := range append(order.Statuses(), "", "A NEW WORD") {
			for _, disputing := range []bool{false, true} {
				want := order.Category(0)
				if s == order.Accepted {
					want = max(order.CategoryOpen, word.Category(disputing))
				}
				r := ledger.Record{State: s, Status: word, Disputing: disputing}
				if got := r.Category(); got != want {
					t.Errorf("%v with status %q, disputing %v: category %d, want %d", s, word, disputing, got, want)
				}
			}
		}
	}
}

// What an operator has closed is over whatever the carrier says, as far as it was accepted.
func TestAnOperatorClosesAcceptedOrders(t *testing.T) {
	t.Parallel()
	for _, s := range order.States() {
		for _, word := range append(order.Statuses(), "", "A NEW WORD") {
			want := order.Category(0)
			if s == order.Accepted {
				want = order.CategoryClosed
			}
			r := ledger.Record{State: s, Status: word, Closed: ledgertest.Epoch()}
			if got := r.Category(); got != want || s == order.Accepted && (r.Holds() || !r.Over() || !r.Correctable()) {
				t.Errorf("%v with status %q: category %d, want %d", s, word, got, want)
			}
		}
	}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state  order.State
		status order.Status
		want   bool
	}{
		{order.Sending, "", true},
		{order.Sending, order.StatusCompleted, true},
		{order.NotSent, "", false},
		{order.NotSent, order.StatusPending, false},
		{order.Refused, "", false},
		{order.InDoubt, "", true},
		{order.InDoubt, order.StatusCancelled, true},
		{order.Accepted, "", true},
		{order.Accepted, order.StatusPending, true},
		{order.Accepted, order.StatusRejected, true}, // The porting team may revive it.
		{order.Accepted, "A NEW WORD", true},
		{order.Accepted, order.StatusCompleted, false},
		{order.Accepted, order.StatusExpired, false},
	} {
		if got := (ledger.Record{State: c.state, Status: c.status}).Holds(); got != c.want {
			t.Errorf("%v with status %q holds its numbers: %v, want %v", c.state, c.status, got, c.want)
		}
		if (ledger.Record{State: c.state, Status: c.status, Successor: "another"}).Holds() {
			t.Errorf("%v with status %q holds its numbers, which another order has", c.state, c.status)
		}
	}
}

// TestGuards has orders hold numbers that their state alone would let go.
func TestGuards(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state  order.State
		status order.Status
		guards bool // instead of holding the numbers as they do anyhow, or of letting them go
	}{
		{order.Sending, "", false},
		{order.InDoubt, "", false},
		{order.NotSent, "", true},
		{order.NotSent, order.StatusCompleted, true},
		{order.Refused, "", true},
		{order.Accepted, order.StatusPending, false},
		{order.Accepted, order.StatusRejected, false},
		{order.Accepted, order.StatusCancelled, true},
		{order.Accepted, order.StatusFullCancellation, true},
		{order.Accepted, order.StatusExpired, true},
		{order.Accepted, order.StatusCompleted, false}, // It has them, and the other one cannot have them any more.
	} {
		r := ledger.Record{State: c.state, Status: c.status, Numbers: []string{"a", "b"}, Guards: true}
		plain := ledger.Record{State: c.state, Status: c.status, Numbers: r.Numbers}
		if r.Guarding() != c.guards || plain.Guarding() {
			t.Errorf("%v with status %q guards its numbers: %v, want %v", c.state, c.status, r.Guarding(), c.guards)
		}
		if want := plain.Holds() || c.guards; r.Holds() != want {
			t.Errorf("%v with status %q holds what it guards: %v, want %v", c.state, c.status, r.Holds(), want)
		}
	}
}

func TestHeld(t *testing.T) {
	t.Parallel()
	r := ledger.Record{State: order.Accepted, Numbers: []string{"a", "b", "c"}}
	over := r
	over.Status = order.StatusExpired
	corrected := r
	corrected.Successor, corrected.Kept = "another", []string{"b"}
	both := corrected
	both.Status = order.StatusExpired
	for _, c := range []struct {
		before, after      ledger.Record
		held, gained, lost []string
	}{
		{ledger.Record{}, r, r.Numbers, r.Numbers, nil},
		{r, r, r.Numbers, nil, nil},
		{r, over, nil, nil, r.Numbers},
		{over, r, r.Numbers, r.Numbers, nil},
		{r, corrected, []string{"b"}, nil, []string{"a", "c"}},
		{corrected, both, nil, nil, []string{"b"}},
		{both, corrected, []string{"b"}, []string{"b"}, nil},
	} {
		gained, lost := ledger.Shift(c.before, c.after)
		if diff := cmp.Diff([][]string{c.held, c.gained, c.lost}, [][]string{c.after.Held(), gained, lost}); diff != "" {
			t.Errorf("%+v: held, gained and lost (-want +got):\n%s", c.after, diff)
		}
	}
}

func TestCorrectable(t *testing.T) {
	t.Parallel()
	for _, s := range order.States() {
		for _, word := range append(order.Statuses(), "", "A NEW WORD") {
			for _, disputing := range []bool{false, true} {
				r := ledger.Record{State: s, Status: word, Disputing: disputing}
				over := word.Category(disputing) == order.CategoryClosed || word == order.StatusRejected && !disputing
				if want := s == order.Refused || s == order.Accepted && over; r.Correctable() != want {
					t.Errorf("%v with status %q, disputing %v, may be corrected: %v, want %v", s, word, disputing, r.Correctable(), want)
				}
				r.Guards = true // Then one that was not sent may be, too.
				if want := s == order.NotSent || s == order.Refused || s == order.Accepted && over; r.Correctable() != want {
					t.Errorf("%v with status %q, disputing %v, guards its numbers and may be corrected: %v, want %v", s, word, disputing, r.Correctable(), want)
				}
				if r.Successor = "another"; r.Correctable() {
					t.Errorf("%v with status %q may be corrected twice", s, word)
				}
			}
		}
	}
}

func TestAttention(t *testing.T) {
	t.Parallel()
	var r ledger.Record
	r.Attend(ledger.AttentionNoTicket, "first", later())
	r.Attend(ledger.AttentionLateAnswer, "second", later())
	r.Attend(ledger.AttentionNoTicket, "not told twice", later().AddDate(1, 0, 0))
	want := []ledger.Attention{
		{Code: ledger.AttentionNoTicket, Description: "first", Since: later()}, {Code: ledger.AttentionLateAnswer, Description: "second", Since: later()},
	}
	if diff := cmp.Diff(want, r.Attention); diff != "" {
		t.Errorf("after Attend (-want +got):\n%s", diff)
	}
	if !r.Attends(ledger.AttentionNoTicket) || !r.Attends(ledger.AttentionLateAnswer) || r.Attends(ledger.AttentionNoProgress) {
		t.Errorf("Attends is wrong about %v", r.Attention)
	}
	r.Unattend(ledger.AttentionNoProgress)
	r.Unattend(ledger.AttentionNoTicket)
	if diff := cmp.Diff(want[1:], r.Attention); diff != "" {
		t.Errorf("after Unattend (-want +got):\n%s", diff)
	}
	r.Unattend(ledger.AttentionLateAnswer)
	if len(r.Attention) > 0 || r.Attends(ledger.AttentionLateAnswer) {
		t.Errorf("after the last Unattend: %v", r.Attention)
	}
}

func TestCloneSharesNothing(t *testing.T) {
	t.Parallel()
	r := ledgertest.Full(1)
	clone := r.Clone()
	if diff := cmp.Diff(r, clone); diff != "" {
		t.Errorf("a clone (-want +got):\n%s", diff)
	}
	spoil(clone)
	if diff := cmp.Diff(ledgertest.Full(1), r); diff != "" {
		t.Errorf("the record whose clone was spoilt (-want +got):\n%s", diff)
	}
}

func TestHeldErrorNamesNoNumber(t *testing.T) {
	t.Parallel()
	held := &ledger.HeldError{Holder: ledgertest.Full(1), Number: ledgertest.Number(3)}
	text := held.Error()
	if !strings.Contains(text, held.Holder.OrderID) {
		t.Errorf("%q does not name the order", text)
	}
	for _, secret := range append(held.Holder.Numbers, held.Number, held.Holder.Tenant, held.Holder.CustomerReference) {
		if strings.Contains(text, secret) {
			t.Errorf("%q names %q", text, secret)
		}
	}
}
