package ledgertest

import (
	"errors"
	"slices"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// claimCases are the claim of new orders.
func claimCases() []aCase {
	return []aCase{
		{"nothing is found in an empty ledger", nothingIsFound},
		{"a claim is told of", claimIsTold},
		{"a key leads to one order", keyIsTaken},
		{"a key stays taken whatever becomes of its order", keyStaysTaken},
		{"a key is a tenant's own", keyIsATenants},
		{"an order is its tenant's own", orderIsATenants},
		{"an order id cannot be claimed twice", idIsTaken},
		{"a number that is held refuses a claim", numberIsHeld},
		{"the first number in the order of the record is named", firstNumberIsNamed},
		{"the key is looked at before the numbers", keyBeforeNumbers},
		{"a claim that fails leaves nothing behind", failedClaimLeavesNothing},
		{"an order of a thousand numbers", thousandNumbers},
	}
}

// refused fails the test unless a claim is refused because another order holds a number.
func (t *trial) refused(r, holder ledger.Record, number string) {
	t.Helper()
	_, err := t.Claim(t.Context(), r, Entry("claimed"))
	t.holds(err, holder, number)
}

// holds fails the test unless an error is the *HeldError that names this holder and number.
func (t *trial) holds(err error, holder ledger.Record, number string) {
	t.Helper()
	held, ok := errors.AsType[*ledger.HeldError](err)
	if !ok {
		t.Fatalf("error %v, want a *HeldError", err)
	}
	t.same("who holds which number", &ledger.HeldError{Holder: holder, Number: number}, held)
}

// moved fails the test unless a claim is refused with ErrMoved and this order.
func (t *trial) moved(r, want ledger.Record) {
	t.Helper()
	got, err := t.Claim(t.Context(), r, Entry("claimed"))
	if !errors.Is(err, ledger.ErrMoved) {
		t.Fatalf("Claim of order %s, attempt %d: %v, want ErrMoved", r.OrderID, r.Attempt, err)
	}
	t.same("the order that comes with ErrMoved", want, got)
}

func nothingIsFound(t *trial) {
	r := Record(1)
	t.absent(r)
	if _, err := t.FindKey(t.Context(), r.Tenant, r.RequestID); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("FindKey: %v, want ErrNotFound", err)
	}
	if _, err := t.Advance(t.Context(), r.OrderID, Move(order.InDoubt, order.ByAnswer, r.Created)); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("Advance: %v, want ErrNotFound", err)
	}
	page, more, err := t.List(t.Context(), ledger.Query{Tenant: r.Tenant, Limit: 10, MaxBytes: 1000})
	if len(page) > 0 || more || err != nil {
		t.Errorf("List: %d orders, more %v, error %v", len(page), more, err)
	}
	t.everyState(func(turn ledger.Turn) { t.same("Take", []ledger.Record(nil), t.taken(turn)) })
	t.same("Sending", []ledger.Lease(nil), t.leases())
	t.counted("an empty ledger", ledger.Counts{})
	if err := t.Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
}

func claimIsTold(t *trial) {
	r := Record(1)
	entry := ledger.Entry{Actor: ledger.Actor{Kind: ledger.ByOperator, Name: "x"}, Note: "note", Ticket: "T", Unverified: true, Type: ledger.EventEvidence}
	if _, err := t.Claim(t.Context(), r, entry); err != nil {
		t.Fatal(err)
	}
	told := t.told(r)
	t.same("the events", []ledger.Event{ledger.Claimed(r, entry)}, unnumbered(told))
	if told[0].Sequence <= 0 {
		t.Errorf("the first sequence is %d: whoever reads after 0 misses it", told[0].Sequence)
	}
}

func keyIsTaken(t *trial) {
	first := t.claimed(Record(1))
	before := t.seen(first)
	other := with(Record(2), func(r *ledger.Record) { r.RequestID = first.RequestID })
	t.moved(other, first)
	t.absent(other)
	t.held(other, false, "the order that came second")
	t.moved(first, first)
	t.same("the order that came first", before, t.seen(first))
}

func keyStaysTaken(t *trial) {
	for i, to := range []order.State{order.NotSent, order.Refused, order.InDoubt, order.Accepted} {
		first := t.claimed(Record(2 * i))
		now := t.advanced(first.OrderID, Move(to, order.ByAnswer, first.Claimed))
		if to == order.Accepted {
			now = t.advanced(first.OrderID, Fare(order.StatusCancelled, first.Claimed))
		}
		before := t.seen(first)
		other := with(Record(2*i+1), func(r *ledger.Record) { r.RequestID = first.RequestID })
		t.moved(other, now)
		t.absent(other)
		t.same("the order in "+to.String(), before, t.seen(first))
	}
}

func keyIsATenants(t *trial) {
	first := t.claimed(Record(1))
	other := with(Record(2), func(r *ledger.Record) { r.RequestID, r.Tenant = first.RequestID, "another" })
	other = t.claimed(other)
	for _, want := range []ledger.Record{first, other} {
		got, err := t.FindKey(t.Context(), want.Tenant, want.RequestID)
		if err != nil {
			t.Fatal(err)
		}
		t.same("the order of the key", want, got)
	}
}

func orderIsATenants(t *trial) {
	r := t.claimed(Record(1))
	for _, tenant := range []string{"another", "", "DEFAULT", "default "} {
		t.absent(with(r, func(r *ledger.Record) { r.Tenant = tenant }))
		if _, err := t.FindKey(t.Context(), tenant, r.RequestID); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("FindKey for tenant %q: %v, want ErrNotFound", tenant, err)
		}
	}
}

func idIsTaken(t *trial) {
	first := t.claimed(Record(1))
	before := t.seen(first)
	other := with(Record(2), func(r *ledger.Record) { r.OrderID = first.OrderID })
	if _, err := t.Claim(t.Context(), other, Entry("claimed")); err == nil {
		t.Error("an order id was claimed by a second key")
	}
	if _, err := t.FindKey(t.Context(), other.Tenant, other.RequestID); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("FindKey of the second key: %v, want ErrNotFound", err)
	}
	t.same("the order that was there", before, t.seen(first))
	t.held(other, false, "the numbers of the second key")
}

func numberIsHeld(t *trial) {
	for i, tenant := range []string{ledger.Default, "another"} {
		first := t.claimed(Record(3 * i))
		now := t.advanced(first.OrderID, Accept(Ticket(i), first.Claimed))
		other := with(Record(3*i+1), func(r *ledger.Record) {
			r.Tenant, r.CarrierAccount, r.Numbers = tenant, tenant, []string{Number(900 + i), first.Numbers[1]}
		})
		t.refused(other, now, first.Numbers[1])
		t.absent(other)
		t.held(first, true, "after the refusal")
	}
}

func firstNumberIsNamed(t *trial) {
	a, b := t.claimed(Record(1)), t.claimed(Record(2))
	asks := func(numbers ...string) ledger.Record {
		return with(Record(3), func(r *ledger.Record) { r.Numbers = numbers })
	}
	t.refused(asks(Number(100), b.Numbers[0], a.Numbers[0]), b, b.Numbers[0])
	t.refused(asks(Number(100), a.Numbers[1], b.Numbers[0], a.Numbers[0]), a, a.Numbers[1])
	t.refused(asks(Number(9_999_999), Number(0), b.Numbers[1], b.Numbers[0]), b, b.Numbers[1])
	t.claimed(asks(Number(9_999_999), Number(0)))
}

func keyBeforeNumbers(t *trial) {
	first, holder := t.claimed(Record(1)), t.claimed(Record(2))
	// A replay under another order id: its numbers are held by the very order that has its key.
	t.moved(with(first, func(r *ledger.Record) { r.OrderID = Record(3).OrderID }), first)
	t.moved(with(Record(3), func(r *ledger.Record) { r.RequestID, r.Numbers = first.RequestID, holder.Numbers }), first)
}

func failedClaimLeavesNothing(t *trial) {
	holder := t.claimed(Record(1))
	before := t.seen(holder)
	other := with(Record(2), func(r *ledger.Record) { r.Numbers = append(r.Numbers, holder.Numbers[1]) })
	for range 2 {
		t.refused(other, holder, holder.Numbers[1])
		t.absent(other)
		if _, err := t.FindKey(t.Context(), other.Tenant, other.RequestID); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("FindKey of the key that was refused: %v, want ErrNotFound", err)
		}
	}
	t.same("the order that holds the number", before, t.seen(holder))
	t.counted("after the refusal", ledger.Counts{Sending: 1})
	t.held(with(other, func(r *ledger.Record) { r.Numbers = r.Numbers[:2] }), false, "the other numbers of the order")
	// The key, the id and the numbers are as free as ever.
	t.advanced(holder.OrderID, Move(order.Refused, order.ByAnswer, holder.Claimed))
	t.claimed(other)
	t.same("the order that could be claimed at last", []ledger.Event{ledger.Claimed(other, Entry("claimed"))}, unnumbered(t.told(other)))
}

func thousandNumbers(t *trial) {
	var numbers []string
	for i := range 1000 {
		numbers = append(numbers, Number(100_000+i*7919%1000))
	}
	first := t.claimed(with(Record(1), func(r *ledger.Record) { r.Numbers = numbers }))
	t.same("the numbers, in their order", numbers, t.found(first).Numbers)
	rest := with(Record(2), func(r *ledger.Record) {
		r.Numbers = nil
		for i := range 999 {
			r.Numbers = append(r.Numbers, Number(200_000+i))
		}
	})
	t.refused(with(rest, func(r *ledger.Record) { r.Numbers = append(r.Numbers, numbers[500]) }), first, numbers[500])
	backwards := slices.Clone(numbers)
	slices.Reverse(backwards)
	t.refused(with(rest, func(r *ledger.Record) { r.Numbers = append(r.Numbers, backwards...) }), first, backwards[0])
	t.claimed(rest)
	t.advanced(first.OrderID, Move(order.NotSent, order.ByAnswer, first.Claimed))
	t.claimed(with(Record(3), func(r *ledger.Record) { r.Numbers = backwards }))
}
