package ledgertest

import (
	"errors"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// guardCases are numbers that are held beyond what the state of their order says.
func guardCases() []aCase {
	return []aCase{
		{"an order that was corrected holds what it did not hand on", holdsWhatItKept},
		{"an order holds what it guards in every state but when it was ported", holdsWhatItGuards},
		{"an order that guards its numbers is claimed again", guardIsClaimedAgain},
		{"an order that guards its numbers is corrected instead of sent", guardIsCorrected},
	}
}

// guard is a claimed order that guards its numbers.
func (t *trial) guard(n int) ledger.Record {
	t.Helper()
	return t.claimed(with(Record(n), func(r *ledger.Record) { r.Guards = true }))
}

// part is an order with some of its numbers, to ask who holds them.
func part(r ledger.Record, numbers ...string) ledger.Record {
	return with(r, func(r *ledger.Record) { r.Numbers = numbers })
}

func holdsWhatItKept(t *trial) {
	was := t.fared(1, order.StatusRejected)
	kept, handed := was.Numbers[0], was.Numbers[1]
	r := t.claimed(with(Correct(was, 2), func(r *ledger.Record) { r.Numbers = []string{Number(900), handed} }))
	was = t.found(was)
	t.same("what was not handed on", []string{kept}, was.Kept)
	check := func(holds bool, when string) {
		t.Helper()
		t.held(part(was, kept), holds, when)
		t.held(r, true, when+": the correction")
	}
	check(true, "corrected")
	t.refused(with(Record(3), func(r *ledger.Record) { r.Numbers = []string{kept} }), was, kept)
	t.reopen()
	check(true, "opened again")
	was = t.advanced(was.OrderID, Fare(order.StatusConfirmed, was.Updated))
	check(true, "revived")
	was = t.advanced(was.OrderID, Fare(order.StatusExpired, was.Updated))
	check(false, "over")
	was = t.advanced(was.OrderID, Fare(order.StatusPending, was.Updated))
	check(true, "open once more")
	was = t.advanced(was.OrderID, Fare(order.StatusExpired, was.Updated))

	// Of the numbers of both, only what it comes to hold again is another order's business.
	other := t.claimed(with(Record(4), func(r *ledger.Record) { r.Numbers = []string{kept} }))
	open := Fare(order.StatusPending, other.Claimed)
	open.By = order.ByEvidence
	got, err := t.Advance(t.Context(), was.OrderID, open)
	t.holds(err, other, kept)
	t.same("the order that comes with *HeldError", was, got)
	open.By = 0
	before := t.seen(was, other)
	t.collided(before, open, t.advanced(was.OrderID, open))
	t.same("the correction", r, t.found(r))
	t.advanced(other.OrderID, Move(order.Refused, order.ByAnswer, other.Claimed))
	check(true, "after the other one is over")
}

func holdsWhatItGuards(t *trial) {
	cancelled := t.guard(1)
	t.advanced(cancelled.OrderID, Accept(Ticket(1), cancelled.Claimed))
	for i, c := range []struct {
		order ledger.Record
		step  ledger.Step
	}{
		{t.guard(2), Move(order.NotSent, order.ByAnswer, cancelled.Claimed)},
		{t.guard(3), Move(order.Refused, order.ByAnswer, cancelled.Claimed)},
		{cancelled, Fare(order.StatusCancelled, cancelled.Claimed)},
	} {
		is := t.advanced(c.order.OrderID, c.step)
		t.held(is, true, "guarded")
		t.refused(with(Record(10+i), func(r *ledger.Record) { r.Numbers = is.Numbers[1:] }), is, is.Numbers[1])
		t.reopen()
		is = t.advanced(is.OrderID, alter(func(r *ledger.Record) { r.Guards = false }))
		t.held(is, false, "no longer guarded")
		// Guarded again, the numbers may be another's by now.
		other := t.claimed(with(Record(20+i), func(r *ledger.Record) { r.Numbers = is.Numbers[:1] }))
		before := t.seen(is, other)
		again := alter(func(r *ledger.Record) { r.Guards = true })
		t.collided(before, again, t.advanced(is.OrderID, again))
		t.held(part(is, is.Numbers[1]), true, "guarded again")
	}
	ported := t.guard(4)
	t.advanced(ported.OrderID, Accept(Ticket(4), ported.Claimed))
	ported = t.advanced(ported.OrderID, Fare(order.StatusCompleted, ported.Claimed))
	t.held(ported, false, "ported")
}

func guardIsClaimedAgain(t *trial) {
	late := t.notSent(2)
	r := t.claimed(with(Record(1), func(r *ledger.Record) { r.Guards, r.Numbers = true, late.Numbers }))
	r = t.advanced(r.OrderID, Move(order.NotSent, order.ByAnswer, r.Claimed))
	again := Resend(r)
	t.same("the order that is sent again", again, t.claimed(again))
	t.held(again, true, "sent again")
	r = t.advanced(r.OrderID, Move(order.NotSent, order.ByAnswer, again.Claimed))
	t.held(r, true, "not sent again")

	// The carrier has another order of the numbers after all.
	late = t.advanced(late.OrderID, Accept(Ticket(2), again.Claimed))
	r = t.found(r)
	before := t.seen(r, late)
	t.refused(Resend(r), late, r.Numbers[0])
	t.same("the orders", before, t.seen(r, late))
	late = t.advanced(late.OrderID, Fare(order.StatusCancelled, again.Claimed))
	t.held(r, true, "the other one is over")
	last := with(Resend(r), func(r *ledger.Record) { r.Guards = false })
	t.same("the order that is sent a third time", last, t.claimed(last))
	t.advanced(late.OrderID, Fare(order.StatusPending, last.Claimed))
	t.advanced(late.OrderID, Fare(order.StatusCancelled, last.Claimed))
	last = t.advanced(last.OrderID, Move(order.NotSent, order.ByAnswer, last.Claimed))
	t.held(last, false, "not sent, and no longer a guard")
}

func guardIsCorrected(t *trial) {
	was := t.guard(1)
	was = t.advanced(was.OrderID, Move(order.NotSent, order.ByAnswer, was.Claimed))
	r := t.claimed(with(Correct(was, 2), func(r *ledger.Record) { r.Guards, r.Numbers = true, was.Numbers[:1] }))
	now := t.found(was)
	t.held(r, true, "the correction")
	t.held(part(now, was.Numbers[1]), true, "the number that the correction does without")
	before := t.seen(now, r)
	t.moved(Resend(now), now)
	t.same("the orders", before, t.seen(now, r))
	// Its own answer may still come, late; it has nothing to hold that the correction has.
	now = t.advanced(was.OrderID, Accept(Ticket(1), r.Claimed.Add(time.Hour)))
	t.held(r, true, "the carrier has the order that was corrected")
	if now.Attends(ledger.AttentionNumbersHeldTwice) {
		t.Errorf("the order is marked: %v", now.Attention)
	}
	plain := t.notSent(5)
	if _, err := t.Claim(t.Context(), Correct(plain, 6), Entry("claimed")); !errors.Is(err, ledger.ErrNotCorrectable) {
		t.Errorf("Claim for an order that was not sent and guards nothing: %v, want ErrNotCorrectable", err)
	}
}
