package ledgertest

import (
	"errors"
	"slices"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// correctCases are claims of orders that correct another one.
func correctCases() []aCase {
	return []aCase{
		{"an order that corrects another one takes its place and its numbers", takesItsPlace},
		{"an order that cannot be corrected comes back as it is", notCorrectable},
		{"an order that the tenant does not have cannot be corrected", correctsItsOwn},
		{"a key that is taken is answered before the order that it corrects", keyBeforePredecessor},
		{"a number that a third order holds refuses a correction", thirdHolds},
		{"an order is sent again whatever became of the one that it corrects", resentWithoutPredecessor},
		{"an order that was corrected holds nothing any more", correctedHoldsNothing},
		{"of many that correct an order one does", oneCorrects},
	}
}

// fared is an order that the carrier has accepted and has this word for.
func (t *trial) fared(n int, word order.Status) ledger.Record {
	t.Helper()
	r := t.claimed(Record(n))
	t.advanced(r.OrderID, Accept(Ticket(n), r.Claimed))
	return t.advanced(r.OrderID, Fare(word, r.Claimed))
}

// correctable are orders that another one may correct, one of each kind.
func (t *trial) correctable() []ledger.Record {
	t.Helper()
	all := []ledger.Record{t.inState(1, order.Refused)}
	for i, word := range []order.Status{order.StatusRejected, order.StatusCompleted, order.StatusExpired, order.StatusFullCancellation} {
		all = append(all, t.fared(2+i, word))
	}
	return all
}

func takesItsPlace(t *trial) {
	for i, was := range t.correctable() {
		before := t.seen(was)[0]
		// One number stays, one comes and one does not go over.
		r := with(Correct(was, 100+i), func(r *ledger.Record) { r.Numbers = []string{Number(900 + i), was.Numbers[0]} })
		t.same("the order that Claim returns", r, t.claimed(r))
		next, told := ledger.Succeed(was, r, Entry("claimed").Actor, r.Claimed)
		got := t.seen(was, r)
		t.same("the orders", []ledger.Record{next, r}, []ledger.Record{got[0].Record, got[1].Record})
		told = slices.Concat(before.Events, told, []ledger.Event{ledger.Claimed(r, Entry("claimed"))})
		all := slices.Concat(got[0].Events, got[1].Events)
		t.same("the events of both", unnumbered(told), unnumbered(all))
		for n := 1; n < len(all); n++ {
			if all[n].Sequence <= all[n-1].Sequence {
				t.Errorf("event %d has sequence %d after %d", n, all[n].Sequence, all[n-1].Sequence)
			}
		}
		t.held(r, true, "the numbers of the correction")
		t.held(with(was, func(r *ledger.Record) { r.Numbers = r.Numbers[1:] }), was.Holds(), "the number that the correction does without")
	}
}

// uncorrected fails the test unless a claim is refused because of the order that it would correct, and changes nothing.
func (t *trial) uncorrected(r, was ledger.Record, when string) {
	t.Helper()
	before := t.seen(was)
	got, err := t.Claim(t.Context(), r, Entry("claimed"))
	if !errors.Is(err, ledger.ErrNotCorrectable) {
		t.Fatalf("%s: Claim: %v, want ErrNotCorrectable", when, err)
	}
	t.same(when+": the order that comes with ErrNotCorrectable", before[0].Record, got)
	t.same(when+": the order that was not corrected", before, t.seen(was))
	t.absent(r)
}

func notCorrectable(t *trial) {
	for i, s := range []order.State{order.Sending, order.NotSent, order.InDoubt, order.Accepted} {
		was := t.inState(i, s)
		t.uncorrected(Correct(was, 100+i), was, s.String())
		t.held(was, was.Holds(), s.String())
	}
	for i, word := range []order.Status{order.StatusPending, order.StatusConfirmed, order.StatusHold, "A NEW WORD"} {
		was := t.fared(10+i, word)
		t.uncorrected(Correct(was, 110+i), was, string(word))
	}
	was := t.fared(20, order.StatusRejected)
	was = t.advanced(was.OrderID, alter(func(r *ledger.Record) { r.Disputing = true }))
	t.uncorrected(Correct(was, 120), was, "REJECTED, disputing")
	was = t.advanced(was.OrderID, alter(func(r *ledger.Record) { r.Disputing = false }))
	r := t.claimed(Correct(was, 121))
	t.uncorrected(Correct(was, 122), t.found(was), "corrected already")
	// What is over can be corrected once more, but not in the place of the first.
	t.advanced(r.OrderID, Move(order.Refused, order.ByAnswer, r.Claimed))
	t.uncorrected(Correct(was, 123), t.found(was), "corrected by an order that is over")
	t.claimed(Correct(r, 124))
}

func correctsItsOwn(t *trial) {
	foreign := t.claimed(with(Record(1), func(r *ledger.Record) { r.Tenant = "another" }))
	foreign = t.advanced(foreign.OrderID, Move(order.Refused, order.ByAnswer, foreign.Claimed))
	before := t.seen(foreign)
	mine := func(was ledger.Record, n int) ledger.Record {
		return with(Correct(was, n), func(r *ledger.Record) { r.Tenant = ledger.Default })
	}
	for i, was := range []ledger.Record{foreign, Record(2)} {
		if _, err := t.Claim(t.Context(), mine(was, 10+i), Entry("claimed")); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("Claim for an order that the tenant does not have: %v, want ErrNotFound", err)
		}
		t.absent(mine(was, 10+i))
	}
	t.same("the order of another tenant", before, t.seen(foreign))
	t.held(foreign, false, "after a correction that was none")
}

func keyBeforePredecessor(t *trial) {
	first, was := t.claimed(Record(1)), t.inState(2, order.Refused)
	before := t.seen(first, was)
	for i, predecessor := range []string{was.OrderID, first.OrderID, Record(3).OrderID} {
		r := with(Correct(was, 10+i), func(r *ledger.Record) { r.RequestID, r.Predecessor = first.RequestID, predecessor })
		t.moved(r, first)
		t.absent(r)
	}
	t.same("the orders", before, t.seen(first, was))
	// The same claim once more is answered with what the first one made.
	r := t.claimed(Correct(was, 20))
	t.moved(r, r)
}

func thirdHolds(t *trial) {
	for i, was := range t.correctable() {
		third := t.claimed(Record(50 + i))
		before := t.seen(was, third)
		r := with(Correct(was, 100+i), func(r *ledger.Record) { r.Numbers = append(r.Numbers, third.Numbers[1]) })
		t.refused(r, third, third.Numbers[1])
		t.absent(r)
		t.same("the orders", before, t.seen(was, third))
		t.held(was, was.Holds(), "after a correction that was refused")
		t.advanced(third.OrderID, Move(order.Refused, order.ByAnswer, third.Claimed))
		t.claimed(r)
		t.held(r, true, "after a correction that was made at last")
	}
}

func resentWithoutPredecessor(t *trial) {
	was := t.fared(1, order.StatusRejected)
	r := t.claimed(Correct(was, 2))
	r = t.advanced(r.OrderID, Move(order.NotSent, order.ByAnswer, r.Claimed))
	before := t.seen(was)
	again := Resend(r)
	t.same("the order that is sent again", again, t.claimed(again))
	t.same("the order that it corrects", before, t.seen(was))
	t.held(again, true, "sent again")
	// A later attempt corrects nothing, whatever it says.
	other, plain := t.inState(3, order.Refused), t.notSent(4)
	before = t.seen(other)
	t.same("the order that corrected nothing", Resend(plain), t.claimed(with(Resend(plain), func(r *ledger.Record) { r.Predecessor = other.OrderID })))
	t.same("the order that nobody corrected", before, t.seen(other))
}

func correctedHoldsNothing(t *trial) {
	was := t.fared(1, order.StatusRejected)
	r := t.claimed(Correct(was, 2))
	for i, word := range []order.Status{order.StatusPending, order.StatusCompleted, order.StatusConfirmed} {
		next := t.advanced(was.OrderID, Fare(word, Epoch().Add(time.Duration(i)*time.Hour)))
		if next.Attends(ledger.AttentionNumbersHeldTwice) || next.Successor != r.OrderID {
			t.Errorf("an order that was corrected by %s is %+v", r.OrderID, next)
		}
		t.held(r, true, "the order that was corrected fares "+string(word))
		if i == 1 {
			t.reopen()
		}
	}
	t.same("the order that corrects it", r, t.found(r))
	t.advanced(r.OrderID, Move(order.Refused, order.ByAnswer, r.Claimed))
	t.held(r, false, "the order that corrects it is over")
	t.claimed(with(Record(3), func(n *ledger.Record) { n.Numbers = r.Numbers }))
}

func oneCorrects(t *trial) {
	const callers = 40
	stores := t.stores(3)
	was := t.fared(1, order.StatusRejected)
	before := t.told(was)
	claim := func(i int) ledger.Record {
		return with(Correct(was, 100+i), func(r *ledger.Record) { r.Numbers = []string{was.Numbers[i%2], Number(1000 + i)} })
	}
	got, errs := make([]ledger.Record, callers), make([]error, callers)
	together(callers, func(i int) { got[i], errs[i] = stores[i%len(stores)].Claim(t.Context(), claim(i), Entry("claimed")) })
	won := slices.Index(errs, nil)
	if won < 0 {
		t.Fatalf("nobody corrected the order:%s", joined(errs))
	}
	next, told := ledger.Succeed(was, claim(won), Entry("claimed").Actor, claim(won).Claimed)
	t.same("the order", next, t.found(was))
	t.same("its events", unnumbered(slices.Concat(before, told)), unnumbered(t.told(was)))
	for i, err := range errs {
		if i == won {
			continue
		}
		if !errors.Is(err, ledger.ErrNotCorrectable) {
			t.Errorf("caller %d: %v, want ErrNotCorrectable", i, err)
		}
		t.same("the order that a caller who came late got", next, got[i])
		t.absent(claim(i))
	}
	t.held(claim(won), true, "the numbers of the correction")
}
