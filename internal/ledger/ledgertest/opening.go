package ledgertest

import (
	"context"
	"errors"
	"regexp"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// openingCases are what a ledger is when it is opened, and opened again.
func openingCases() []aCase {
	return []aCase{
		{"a ledger keeps its identity", keepsItsID},
		{"a ledger refuses another carrier", refusesOtherCarriers},
		{"a ledger that is not shared is opened once", openedOnce},
		{"a shared ledger is one to all its stores", sharedIsOne},
		{"everything is there when a ledger is opened again", allIsThereAgain},
		{"a store outlives the context that it was opened with", outlivesItsContext},
		{"opening ends with its context", openingIsCancelled},
	}
}

func keepsItsID(t *trial) {
	id := t.ID()
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
		t.Errorf("the ledger's identity is %q, want a UUID in lower case", id)
	}
	t.claimed(Record(1))
	t.reopen()
	if t.ID() != id {
		t.Errorf("the ledger's identity is %s, and was %s", t.ID(), id)
	}
	if other := begin(t.TB, t.engine); other.ID() == id {
		t.Errorf("two ledgers have the identity %s", id)
	}
}

func refusesOtherCarriers(t *trial) {
	r := t.claimed(Record(1))
	if err := t.Close(); err != nil {
		t.Fatal(err)
	}
	for _, carrier := range []string{"https://other.example/rest.svc", "", Carrier + "2"} {
		s, err := t.ledger.Open(t.Context(), carrier)
		if err == nil {
			_ = s.Close()
		}
		if !errors.Is(err, ledger.ErrOtherCarrier) {
			t.Errorf("Open for carrier %q: %v, want ErrOtherCarrier", carrier, err)
		}
	}
	// A refusal leaves the ledger open for its own.
	t.Store = t.open()
	t.same("the order", r, t.found(r))
	if !t.ledger.Shared {
		return
	}
	if _, err := t.ledger.Open(t.Context(), "https://other.example/rest.svc"); !errors.Is(err, ledger.ErrOtherCarrier) {
		t.Errorf("Open for another carrier beside an open store: %v, want ErrOtherCarrier", err)
	}
}

func openedOnce(t *trial) {
	if t.Exclusive() == t.ledger.Shared {
		t.Errorf("Exclusive is %v for a ledger of which several stores may be open: %v", t.Exclusive(), t.ledger.Shared)
	}
	if t.ledger.Shared {
		return
	}
	r := t.claimed(Record(1))
	for range 3 {
		s, err := t.ledger.Open(t.Context(), Carrier)
		if err == nil {
			_ = s.Close()
		}
		if !errors.Is(err, ledger.ErrInUse) {
			t.Errorf("a second Open: %v, want ErrInUse", err)
		}
	}
	t.same("the order", r, t.found(r))
	t.claimed(Record(2))
	t.reopen()
	t.claimed(Record(3))
}

func sharedIsOne(t *trial) {
	if !t.ledger.Shared {
		return
	}
	mine := t.Store
	other := t.open()
	if mine.ID() != other.ID() {
		t.Errorf("two stores on one ledger have the identities %s and %s", mine.ID(), other.ID())
	}
	r := t.claimed(Record(1))
	t.Store = other
	t.same("the order in another store", r, t.found(r))
	t.moved(with(Record(2), func(n *ledger.Record) { n.RequestID = r.RequestID }), r)
	t.refused(with(Record(2), func(n *ledger.Record) { n.Numbers = r.Numbers[1:] }), r, r.Numbers[1])
	want := t.advanced(r.OrderID, Accept("T", r.Claimed))
	t.Store = mine
	t.same("the order that another store changed", want, t.found(r))
	if err := other.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	t.claimed(Record(3))
}

func allIsThereAgain(t *trial) {
	var all []ledger.Record
	for i, s := range order.States() {
		all = append(all, t.inState(i, s))
	}
	all[4] = t.advanced(all[4].OrderID, become(with(Full(50), func(r *ledger.Record) { r.State, r.Closed = order.Accepted, time.Time{} }), order.ByAnswer))
	until := Epoch().AddDate(1, 0, 0)
	all[1] = t.takenOne(ledger.Turn{State: order.NotSent, Now: all[1].Due, Until: until, Limit: 1})
	before := t.seen(all...)
	for range 3 {
		t.reopen()
		t.same("the orders", before, t.seen(all...))
		t.counted("opened again", ledger.Counts{
			Sending: 1, InDoubt: 1, NeedsAttention: 1, Attention: 1,
			ByAttention: eachReason(1, ledger.AttentionNoTicket, ledger.AttentionLateAnswer),
		})
		turnPages(t.TB, t.Store, whole(), all)
		t.same("what is not due", []ledger.Record(nil), t.taken(ledger.Turn{State: order.NotSent, Now: until.Add(-1), Until: until, Limit: 1}))
		t.moved(all[0], all[0])
	}
	for _, r := range all {
		t.held(r, r.Holds(), "opened again, in "+r.State.String())
	}
	other := t.claimed(Record(60))
	t.ticketTaken(other, Accept(all[4].Ticket, Epoch()))
	last := before[4].Events[len(before[4].Events)-1].Sequence
	if first := t.told(other)[0].Sequence; first <= last {
		t.Errorf("the first sequence of a ledger that was opened again is %d, after %d", first, last)
	}
}

func outlivesItsContext(t *trial) {
	if err := t.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	s, err := t.ledger.Open(ctx, Carrier)
	cancel()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	t.Store = s
	r := t.claimed(Record(1))
	t.same("the order", r, t.found(r))
}

func openingIsCancelled(t *trial) {
	if err := t.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err := t.ledger.Open(ctx, Carrier); err == nil {
		_ = s.Close()
		t.Error("a ledger was opened with a context that was cancelled")
	}
	// What was begun was given back.
	t.Store = t.open()
	t.claimed(Record(1))
}
