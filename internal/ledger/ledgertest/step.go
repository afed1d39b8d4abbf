package ledgertest

import (
	"errors"
	"io"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// stepCases are what a step may do, and what becomes of one that may not.
func stepCases() []aCase {
	return []aCase{
		{"only legal moves are made", onlyLegalMoves},
		{"an error of a step comes back as it is and changes nothing", stepsOwnError},
		{"a panic in a step ends in an error and nothing else", stepPanics},
		{"a step changes nothing that is fixed", stepLeavesTheFixed},
		{"a change without an event is kept and told to nobody", quietStep},
		{"a step of several changes has an event for each", loudStep},
		{"a step sees the order as it is", stepSeesTheOrder},
	}
}

// onlyLegalMoves tries every move from every state and for every cause against the table of package order.
func onlyLegalMoves(t *trial) {
	n := 0
	for _, from := range order.States() {
		var r ledger.Record
		for _, to := range order.States() {
			for by := order.ByAnswer; by <= order.ByResend && from != to; by++ {
				if r.State != from {
					n++
					r = t.inState(n, from)
				}
				r = t.tried(r, to, by)
			}
		}
	}
}

// tried tries a move, which is made if it is legal and otherwise changes nothing, and returns the order after it.
func (t *trial) tried(r ledger.Record, to order.State, by order.Cause) ledger.Record {
	t.Helper()
	before := t.seen(r)
	got, err := t.Advance(t.Context(), r.OrderID, Move(to, by, r.Claimed))
	if order.CanMove(r.State, to, by) {
		if err != nil || got.State != to {
			t.Errorf("%v to %v by cause %d: %v, %v", r.State, to, by, got.State, err)
		}
		return got
	}
	if !errors.Is(err, ledger.ErrMoved) {
		t.Fatalf("%v to %v by cause %d: %v, want ErrMoved", r.State, to, by, err)
	}
	t.same("the order that comes with ErrMoved", before[0].Record, got)
	t.same("the order that may not move", before, t.seen(r))
	return r
}

// inState is an order in a state.
func (t *trial) inState(n int, s order.State) ledger.Record {
	t.Helper()
	r := t.claimed(Record(n))
	if s != order.Sending {
		r = t.advanced(r.OrderID, Move(s, order.ByAnswer, r.Claimed))
	}
	return r
}

// failing is a step that changes everything and then fails.
func failing(err error) ledger.Step {
	return ledger.Step{By: order.ByAnswer, Now: Epoch(), Change: func(r *ledger.Record) (ledger.Entry, error) {
		*r = fixed(Full(9), *r)
		r.State = order.Accepted
		return Entry("in vain"), err
	}}
}

// stepError is an error that only errors.As finds.
type stepError struct{ code int }

func (stepError) Error() string { return "a step's own error" }

func stepsOwnError(t *trial) {
	r := t.claimed(t.fresh())
	before := t.seen(r)
	for _, want := range []error{io.ErrUnexpectedEOF, stepError{7}, ledger.ErrNotFound, ledger.ErrTicketTaken, ledger.ErrClosed} {
		_, err := t.Advance(t.Context(), r.OrderID, failing(want))
		if !errors.Is(err, want) {
			t.Errorf("Advance: %v, want %v", err, want)
		}
		t.same("the order after a step that failed", before, t.seen(r))
	}
	// A taker whose turn was given to another says ErrMoved, and wants to know what there is.
	got, err := t.Advance(t.Context(), r.OrderID, failing(ledger.ErrMoved))
	if !errors.Is(err, ledger.ErrMoved) {
		t.Errorf("Advance: %v, want ErrMoved", err)
	}
	t.same("the order that comes with ErrMoved", before[0].Record, got)
	t.same("the order after a step that failed", before, t.seen(r))
}

func stepPanics(t *trial) {
	r, other := t.claimed(Record(1)), t.claimed(Record(2))
	before := t.seen(r, other)
	for _, value := range []any{"a panic", io.EOF, 7} {
		_, err := t.Advance(t.Context(), r.OrderID, ledger.Step{By: order.ByAnswer, Now: Epoch(), Change: func(r *ledger.Record) (ledger.Entry, error) {
			r.State = order.Accepted
			panic(value)
		}})
		if err == nil {
			t.Errorf("a step that panicked with %v was carried out", value)
		}
		t.same("the orders after a step that panicked", before, t.seen(r, other))
	}
	t.claimed(Record(3))
	t.advanced(r.OrderID, Accept("T", r.Claimed))
}

func stepLeavesTheFixed(t *trial) {
	r := t.claimed(Record(1))
	before := t.seen(r)
	for field, change := range map[string]func(*ledger.Record){
		"OrderID":           func(r *ledger.Record) { r.OrderID = Record(2).OrderID },
		"Tenant":            func(r *ledger.Record) { r.Tenant = "another" },
		"RequestID":         func(r *ledger.Record) { r.RequestID = Record(2).RequestID },
		"CarrierAccount":    func(r *ledger.Record) { r.CarrierAccount = "another" },
		"Target":            func(r *ledger.Record) { r.Target = "virtual_fax" },
		"CustomerReference": func(r *ledger.Record) { r.CustomerReference = "" },
		"Content":           func(r *ledger.Record) { r.Content = []byte("other") },
		"Numbers":           func(r *ledger.Record) { r.Numbers = r.Numbers[:1] },
		"Numbers[0]":        func(r *ledger.Record) { r.Numbers[0] = Number(77) },
		"Created":           func(r *ledger.Record) { r.Created = r.Created.Add(time.Microsecond) },
	} {
		step := alter(func(r *ledger.Record) {
			r.State, r.Status = order.InDoubt, order.StatusPending
			change(r)
		})
		step.By = order.ByAnswer
		if _, err := t.Advance(t.Context(), r.OrderID, step); err == nil {
			t.Errorf("a step changed %s", field)
		}
		t.same("the order after a step that changed "+field, before, t.seen(r))
	}
	t.absent(Record(2))
}

func quietStep(t *trial) {
	r := t.claimed(Record(1))
	before := t.told(r)
	step := alter(func(r *ledger.Record) {
		r.Doubt = ledger.Doubt{Since: Epoch(), Asked: 3, Finding: "none", Agreed: 2, Counted: Epoch()}
		r.Due, r.Looks, r.Owner = time.Time{}, nil, "another"
		r.Attention = nil
	})
	step.Now = r.Updated.Add(time.Hour)
	want, _, err := step.Apply(r)
	if err != nil {
		t.Fatal(err)
	}
	t.same("the order that Advance returns", want, t.advanced(r.OrderID, step))
	t.same("the order", want, t.found(r))
	t.same("the events", before, t.told(r))
}

func loudStep(t *trial) {
	r := t.claimed(Record(1))
	want := t.told(r)
	now := r.Claimed
	for i, change := range []func(r *ledger.Record) ledger.EventType{
		func(r *ledger.Record) ledger.EventType {
			r.State, r.Ticket, r.Status, r.PortDate = order.Accepted, "T", order.StatusRejected, "2026-04-01"
			r.Attend(ledger.AttentionCarrierStatus, "rejected", now)
			return ""
		},
		func(*ledger.Record) ledger.EventType { return ledger.EventEvidence },
		func(r *ledger.Record) ledger.EventType {
			r.Disputing = true
			r.Unattend(ledger.AttentionCarrierStatus)
			return ledger.EventResolved
		},
		func(*ledger.Record) ledger.EventType { return "" },
		func(r *ledger.Record) ledger.EventType {
			r.Attend(ledger.AttentionNoProgress, "slow", now)
			r.Attend(ledger.AttentionDateChanged, "moved", now)
			return ""
		},
	} {
		now = now.Add(time.Minute)
		step := ledger.Step{By: order.ByAnswer, Now: now, Change: func(r *ledger.Record) (ledger.Entry, error) {
			e := ledger.Entry{Actor: ledger.Actor{Kind: ledger.ByCarrier}, Note: "a note", Ticket: "seen", Unverified: i%2 == 1}
			e.Type = change(r)
			return e, nil
		}}
		next, told, err := step.Apply(r)
		if err != nil {
			t.Fatal(err)
		}
		r = t.advanced(r.OrderID, step)
		t.same("the order", next, r)
		want = append(want, told...)
	}
	t.same("the events", unnumbered(want), unnumbered(t.told(r)))
}

func stepSeesTheOrder(t *trial) {
	want := t.claimed(t.fresh())
	var seen ledger.Record
	step := alter(func(r *ledger.Record) { seen = r.Clone() })
	t.advanced(want.OrderID, step)
	t.same("the order that a step is handed", want, seen)
	taken := t.takenOne(ledger.Turn{State: order.Sending, Now: want.Due, Until: want.Due.Add(time.Hour), Limit: 1})
	t.advanced(want.OrderID, step)
	t.same("the order that a step is handed after Take", taken, seen)
}
