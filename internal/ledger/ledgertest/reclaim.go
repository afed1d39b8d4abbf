package ledgertest

import (
	"errors"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// reclaimCases are claims of orders that were NOT_SENT.
func reclaimCases() []aCase {
	return []aCase{
		{"an order that was not sent is claimed again", claimedAgain},
		{"only an order that was not sent is claimed again", onlyNotSentAgain},
		{"only the next attempt is claimed", onlyTheNextAttempt},
		{"only the order of the key is claimed again", onlyTheKeysOrder},
		{"an order that is not there is not claimed again", onlyWhatIsThere},
		{"a claim replaces neither the fence nor what is fixed", fixedAtTheFirstClaim},
		{"an order whose numbers went elsewhere is not claimed again", numbersWentElsewhere},
	}
}

// notSent is an order that was claimed and could not be sent.
func (t *trial) notSent(n int) ledger.Record {
	t.Helper()
	r := t.claimed(Record(n))
	return t.advanced(r.OrderID, ledger.Step{By: order.ByAnswer, Now: r.Claimed, Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.State, r.Problem = order.NotSent, "nobody answers"
		return Entry("not sent"), nil
	}})
}

func claimedAgain(t *trial) {
	r := t.notSent(1)
	want := t.told(r)
	for range 3 {
		again := with(Resend(r), func(r *ledger.Record) {
			r.Owner, r.Looks, r.Problem, r.Warnings = r.Owner+"'", append(r.Looks, Ticket(r.Attempt)), "", []byte("other warnings")
		})
		t.same("the order that Claim returns", again, t.claimed(again))
		t.same("the order", again, t.found(again))
		t.held(again, true, "claimed again")
		back := Move(order.NotSent, order.ByAnswer, again.Claimed)
		r = t.advanced(r.OrderID, back)
		_, told, err := back.Apply(again)
		if err != nil {
			t.Fatal(err)
		}
		want = append(append(want, ledger.Claimed(again, Entry("claimed"))), told...)
	}
	t.same("the events", unnumbered(want), unnumbered(t.told(r)))
}

func onlyNotSentAgain(t *trial) {
	for i, to := range []order.State{order.Sending, order.Refused, order.InDoubt, order.Accepted} {
		r := t.claimed(Record(i))
		if to != order.Sending {
			r = t.advanced(r.OrderID, Move(to, order.ByAnswer, r.Claimed))
		}
		before := t.seen(r)
		t.moved(Resend(r), r)
		t.same("the order in "+to.String(), before, t.seen(r))
	}
}

func onlyTheNextAttempt(t *trial) {
	r := t.notSent(1)
	before := t.seen(r)
	for _, attempt := range []int{1, 3, 4} {
		t.moved(with(Resend(r), func(r *ledger.Record) { r.Attempt = attempt }), r)
		t.same("the order", before, t.seen(r))
		t.held(r, false, "after a claim of the wrong attempt")
	}
	again := t.claimed(Resend(r))
	t.moved(Resend(r), again)
	t.moved(Resend(again), again)
}

func onlyTheKeysOrder(t *trial) {
	r, other := t.notSent(1), t.notSent(2)
	before := t.seen(r, other)
	// The key leads to the one, the id to the other or to none.
	for _, id := range []string{other.OrderID, Record(3).OrderID} {
		t.moved(with(Resend(r), func(r *ledger.Record) { r.OrderID = id }), r)
	}
	t.same("the orders", before, t.seen(r, other))
	t.absent(Record(3))
	t.held(r, false, "after a claim of another order's key")
}

func onlyWhatIsThere(t *trial) {
	r := Resend(Record(1))
	_, err := t.Claim(t.Context(), r, Entry("claimed"))
	if !errors.Is(err, ledger.ErrMoved) && !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("Claim of the second attempt of an order that is not there: %v, want ErrMoved or ErrNotFound", err)
	}
	t.absent(r)
	t.held(r, false, "after a second attempt without a first")
	// Nor is another tenant's.
	mine := t.notSent(2)
	before := t.seen(mine)
	theirs := with(Resend(mine), func(r *ledger.Record) { r.Tenant = "another" })
	if _, err := t.Claim(t.Context(), theirs, Entry("claimed")); !errors.Is(err, ledger.ErrMoved) && !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("Claim of another tenant's order: %v, want ErrMoved or ErrNotFound", err)
	}
	t.same("the order that another tenant claimed", before, t.seen(mine))
}

func fixedAtTheFirstClaim(t *trial) {
	r := t.notSent(1)
	taken := t.takenOne(ledger.Turn{State: order.NotSent, Now: r.Due, Until: r.Due.Add(time.Hour), Limit: 1})
	again := Full(2)
	again.OrderID, again.RequestID, again.Attempt, again.Fence = r.OrderID, r.RequestID, 2, 99
	again.CarrierAccount = "another account"
	want := fixed(again, r)
	want.Fence, want.Successor, want.Kept = taken.Fence, "", nil
	t.same("the order that Claim returns", want, t.claimed(again))
	t.everywhere("after the second claim", want)
	t.held(want, true, "the numbers of the first claim")
	t.held(again, false, "the numbers that the second claim made up")
}

func numbersWentElsewhere(t *trial) {
	r := t.notSent(1)
	other := t.claimed(with(Record(2), func(r *ledger.Record) { r.Numbers, r.Tenant = []string{Number(2)}, "another" }))
	before := t.seen(r, other)
	t.refused(Resend(r), other, Number(2))
	t.same("the orders", before, t.seen(r, other))
	t.held(with(r, func(r *ledger.Record) { r.Numbers = []string{Number(3)} }), false, "the number that nobody holds")
	t.advanced(other.OrderID, Move(order.Refused, order.ByAnswer, other.Claimed))
	t.claimed(Resend(r))
}
