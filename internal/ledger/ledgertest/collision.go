package ledgertest

import (
	"slices"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// collisionCases are orders that come to hold a number which another one holds.
func collisionCases() []aCase {
	return []aCase{
		{"a late answer beside another order marks both", lateAnswerCollides},
		{"a port that is open again beside another order marks both", reopenedCollides},
		{"a number that two hold is free when both are over", freeWhenBothAreOver},
		{"an order that collides with several marks all", collidesWithSeveral},
		{"an order that was marked is not told of twice", markedOnce},
		{"orders that hold already do not collide again", holdersDoNotCollide},
		{"evidence about a number that another order holds changes nothing", evidenceDoesNotCollide},
	}
}

// rivals are an order that was not sent and one that holds one of its numbers meanwhile: Number(100).
func (t *trial) rivals() (late, holder ledger.Record) {
	t.Helper()
	late = t.claimed(with(Record(1), func(r *ledger.Record) { r.Numbers = []string{Number(101), Number(100), Number(102)} }))
	late = t.advanced(late.OrderID, Move(order.NotSent, order.ByAnswer, late.Claimed))
	holder = t.claimed(with(Record(2), func(r *ledger.Record) { r.Numbers = []string{Number(103), Number(100)} }))
	return late, t.advanced(holder.OrderID, Accept("the holder's", holder.Claimed))
}

// collided fails the test unless a step, once taken, has made exactly the two orders of sight what the contract says:
// the first changed by the step, then both marked.
func (t *trial) collided(before []sight, s ledger.Step, got ledger.Record) {
	t.Helper()
	moving, other := before[0], before[1]
	next, told, err := s.Apply(moving.Record)
	if err != nil {
		t.Fatal(err)
	}
	next, marked := ledger.Collide(next, other.Record, s.Now)
	moving = sight{next, slices.Concat(moving.Events, told, marked)}
	next, marked = ledger.Collide(other.Record, moving.Record, s.Now)
	other = sight{next, slices.Concat(other.Events, marked)}
	t.same("the order that Advance returns", moving.Record, got)
	want := []sight{moving, other}
	now := t.seen(moving.Record, other.Record)
	for i := range want {
		want[i].Events, now[i].Events = unnumbered(want[i].Events), unnumbered(now[i].Events)
	}
	t.same("the two orders", want, now)
}

func lateAnswerCollides(t *trial) {
	late, holder := t.rivals()
	before := t.seen(late, holder)
	step := Accept("late", late.Claimed.Add(time.Hour))
	t.collided(before, step, t.advanced(late.OrderID, step))
	t.counted("two orders that need attention", ledger.Counts{
		NeedsAttention: 2, Open: 2, ByAttention: eachReason(2, ledger.AttentionNumbersHeldTwice),
	})
}

func reopenedCollides(t *trial) {
	for i, by := range []order.Cause{0, order.ByAnswer, order.ByOperator} {
		first := t.claimed(Record(2 * i))
		t.advanced(first.OrderID, Accept(Ticket(2*i), first.Claimed))
		first = t.advanced(first.OrderID, Fare(order.StatusCancelled, first.Claimed))
		second := t.claimed(with(Record(2*i+1), func(r *ledger.Record) { r.Tenant, r.Numbers = "another", first.Numbers }))
		step := Fare(order.StatusRejected, second.Claimed)
		step.By = by
		before := t.seen(first, second)
		t.collided(before, step, t.advanced(first.OrderID, step))
	}
}

func freeWhenBothAreOver(t *trial) {
	for i, firstOver := range []int{0, 1} {
		orders := []ledger.Record{t.notSent(2 * i), {}}
		orders[1] = t.claimed(with(Record(2*i+1), func(r *ledger.Record) { r.Numbers = orders[0].Numbers }))
		for j, r := range orders {
			orders[j] = t.advanced(r.OrderID, Accept(Ticket(2*i+j), r.Claimed))
		}
		over, still := orders[firstOver], orders[1-firstOver]
		t.advanced(over.OrderID, Fare(order.StatusCompleted, over.Claimed))
		t.held(still, true, "after one of two is over")
		t.refused(with(Record(100+i), func(r *ledger.Record) { r.Numbers = over.Numbers }), t.found(still), over.Numbers[0])
		t.reopen()
		t.held(still, true, "after one of two is over and the ledger was opened again")
		t.advanced(still.OrderID, Fare(order.StatusCompleted, still.Claimed))
		t.held(still, false, "after both are over")
		// Open again, the one that was over first holds alone.
		t.advanced(over.OrderID, Fare(order.StatusPending, over.Claimed))
		t.held(over, true, "after one of two is open again")
	}
}

func collidesWithSeveral(t *trial) {
	late := t.claimed(with(Record(1), func(r *ledger.Record) { r.Numbers = []string{Number(1), Number(2), Number(3), Number(4)} }))
	late = t.advanced(late.OrderID, Move(order.NotSent, order.ByAnswer, late.Claimed))
	var others []ledger.Record
	for i, numbers := range [][]string{{Number(4), Number(3)}, {Number(2)}} {
		others = append(others, t.claimed(with(Record(10+i), func(r *ledger.Record) { r.Numbers = numbers })))
	}
	got := t.advanced(late.OrderID, Accept("late", late.Claimed))
	t.same("the order", got, t.found(late))
	one, _ := ledger.Collide(late, others[0], late.Claimed)
	another, _ := ledger.Collide(late, others[1], late.Claimed)
	if difference(one.Attention, got.Attention) != "" && difference(another.Attention, got.Attention) != "" {
		t.Errorf("the order's attention is %v, want that of a collision with either", got.Attention)
	}
	for _, r := range others {
		want, told := ledger.Collide(r, late, late.Claimed)
		t.same("an order that held a number", want, t.found(r))
		t.same("its events", unnumbered(append([]ledger.Event{ledger.Claimed(r, Entry("claimed"))}, told...)), unnumbered(t.told(r)))
	}
	// Each number is the late one's as well.
	for _, r := range others {
		t.advanced(r.OrderID, Move(order.Refused, order.ByAnswer, late.Claimed))
	}
	t.held(late, true, "after the others are over")
}

func markedOnce(t *trial) {
	late, holder := t.rivals()
	t.advanced(late.OrderID, Accept("late", late.Claimed))
	t.advanced(late.OrderID, Fare(order.StatusCancelled, late.Claimed))
	before := t.seen(late, holder)
	step := Fare(order.StatusPending, late.Claimed.Add(time.Hour))
	t.collided(before, step, t.advanced(late.OrderID, step))
	// Where the mark was taken away, it is made anew.
	t.advanced(late.OrderID, Fare(order.StatusCancelled, late.Claimed))
	for _, r := range []ledger.Record{late, holder} {
		t.advanced(r.OrderID, ledger.Step{Now: late.Claimed, Change: func(r *ledger.Record) (ledger.Entry, error) {
			r.Unattend(ledger.AttentionNumbersHeldTwice)
			return Entry("seen to"), nil
		}})
	}
	before = t.seen(late, holder)
	t.collided(before, step, t.advanced(late.OrderID, step))
}

func holdersDoNotCollide(t *trial) {
	late, holder := t.rivals()
	t.advanced(late.OrderID, Accept("late", late.Claimed))
	// Both hold Number(100), and whatever happens to either now is its own business.
	for _, r := range []ledger.Record{late, holder} {
		t.advanced(r.OrderID, ledger.Step{Now: r.Claimed, Change: func(r *ledger.Record) (ledger.Entry, error) {
			r.Attention = nil
			return Entry("seen to"), nil
		}})
		step := Fare(order.StatusConfirmed, r.Claimed)
		step.By = order.ByEvidence
		if got := t.advanced(r.OrderID, step); len(got.Attention) > 0 {
			t.Errorf("an order that held its numbers all the time was marked: %v", got.Attention)
		}
	}
	// Evidence may settle one that holds together with another.
	closed := t.claimed(with(Record(11), func(r *ledger.Record) { r.Numbers = []string{Number(110)} }))
	t.advanced(closed.OrderID, Accept("closed", closed.Claimed))
	t.advanced(closed.OrderID, Fare(order.StatusCancelled, closed.Claimed))
	third := t.claimed(with(Record(12), func(r *ledger.Record) { r.Numbers = []string{Number(110)} }))
	third = t.advanced(third.OrderID, Move(order.InDoubt, order.ByLease, third.Claimed))
	t.advanced(closed.OrderID, Fare(order.StatusPending, closed.Claimed))
	if got := t.advanced(third.OrderID, Move(order.Accepted, order.ByEvidence, third.Claimed)); got.State != order.Accepted {
		t.Errorf("an order in doubt that holds its numbers with another is %v after evidence", got.State)
	}
}

func evidenceDoesNotCollide(t *trial) {
	late, holder := t.rivals()
	closed := t.claimed(Record(10))
	t.advanced(closed.OrderID, Accept("closed", closed.Claimed))
	closed = t.advanced(closed.OrderID, Fare(order.StatusCancelled, closed.Claimed))
	again := t.claimed(with(Record(11), func(r *ledger.Record) { r.Numbers, r.Tenant = closed.Numbers[1:], "another" }))
	before := t.seen(late, holder, closed, again)

	found := Accept("found", late.Claimed)
	found.By = order.ByEvidence
	got, err := t.Advance(t.Context(), late.OrderID, found)
	t.holds(err, holder, Number(100))
	t.same("the order that comes with *HeldError", late, got)

	open := Fare(order.StatusPending, closed.Claimed)
	open.By = order.ByEvidence
	got, err = t.Advance(t.Context(), closed.OrderID, open)
	t.holds(err, again, closed.Numbers[1])
	t.same("the order that comes with *HeldError", closed, got)

	t.same("the orders", before, t.seen(late, holder, closed, again))
	t.held(with(late, func(r *ledger.Record) { r.Numbers = []string{Number(101), Number(102)} }), false, "after evidence that was refused")
	// Once the number is free, the same evidence counts.
	t.advanced(holder.OrderID, Fare(order.StatusCompleted, holder.Claimed))
	t.held(t.advanced(late.OrderID, found), true, "after evidence that counts")
}
