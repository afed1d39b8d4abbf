package ledgertest

import (
	"errors"
	"fmt"
	"io"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// crowdCases are many callers that want different things of the same orders.
func crowdCases() []aCase {
	return []aCase{
		{"what fails takes nothing with it", failuresAreAlone},
		{"orders that collide from both sides are both marked", collideFromBothSides},
		{"a number is never with nobody and never with two", numberChangesHands},
	}
}

// failuresAreAlone mixes callers whose claims and steps must fail with callers whose must not, so that an engine that
// writes for several of them at once has to tell them apart.
func failuresAreAlone(t *trial) {
	const callers = 120
	stores := t.stores(3)
	holder := t.claimed(Record(1000))
	key := t.claimed(Record(1001))
	before := t.seen(holder, key)
	claims, steps := make([]error, callers), make([]error, callers)
	claim := func(i int) ledger.Record {
		return with(Record(i), func(r *ledger.Record) {
			switch i % 4 {
			case 1:
				r.Numbers = append(r.Numbers, holder.Numbers[i/4%2])
			case 2:
				r.RequestID = key.RequestID
			}
		})
	}
	step := func(i int) (string, ledger.Step) {
		switch i % 4 {
		case 0:
			return claim(i).OrderID, Accept(Ticket(i), claim(i).Claimed)
		case 1:
			return holder.OrderID, failing(io.ErrUnexpectedEOF)
		case 2:
			return key.OrderID, alter(func(r *ledger.Record) {
				r.PortDate = "never"
				panic("in a crowd")
			})
		}
		return claim(i).OrderID, Move(order.Refused, order.ByLease, Epoch())
	}
	together(callers, func(i int) {
		s := stores[i%len(stores)]
		_, claims[i] = s.Claim(t.Context(), claim(i), Entry("claimed"))
		id, change := step(i)
		_, steps[i] = s.Advance(t.Context(), id, change)
	})
	for i := range callers {
		_, held := errors.AsType[*ledger.HeldError](claims[i])
		if claimed := i%4 == 0 || i%4 == 3; claimed != (claims[i] == nil) || (i%4 == 1) != held || (i%4 == 2) != errors.Is(claims[i], ledger.ErrMoved) {
			t.Errorf("Claim %d: %v", i, claims[i])
		}
		as := []bool{steps[i] == nil, errors.Is(steps[i], io.ErrUnexpectedEOF), steps[i] != nil, errors.Is(steps[i], ledger.ErrMoved)}
		if !as[i%4] {
			t.Errorf("Advance %d: %v", i, steps[i])
		}
		switch i % 4 {
		case 0, 3:
			t.afterwards(claim(i), Ticket(i), true, i%4 == 0)
		case 1, 2:
			t.absent(claim(i))
		}
	}
	t.same("the orders that nothing became of", before, t.seen(holder, key))
	t.counted("after the crowd", ledger.Counts{Sending: callers/4 + 2, Open: callers / 4})
}

// collideFromBothSides has pairs of orders come to hold each other's numbers at the same time. Whoever writes the one and
// then marks the other waits for somebody who does it the other way round.
func collideFromBothSides(t *trial) {
	const pairs = 30
	stores := t.stores(3)
	var all []ledger.Record
	for i := range pairs {
		first := t.notSent(2 * i)
		second := t.claimed(with(Record(2*i+1), func(r *ledger.Record) { r.Numbers = []string{first.Numbers[1], first.Numbers[0]} }))
		all = append(all, first, t.advanced(second.OrderID, Move(order.NotSent, order.ByAnswer, second.Claimed)))
	}
	errs := make([]error, 2*pairs)
	together(2*pairs, func(i int) {
		_, errs[i] = stores[i%len(stores)].Advance(t.Context(), all[i].OrderID, Accept(Ticket(i), Epoch()))
	})
	if text := joined(errs); text != "" {
		t.Fatalf("errors:%s", text)
	}
	for i, r := range all {
		want, _ := ledger.Collide(r, all[i^1], Epoch())
		got := t.found(r)
		t.same(fmt.Sprintf("the attention of order %d", i), want.Attention, got.Attention)
		if got.State != order.Accepted {
			t.Errorf("order %d is %v", i, got.State)
		}
		marks := 0
		for _, e := range t.told(r) {
			if e.Type == ledger.EventAttentionChanged {
				marks++
			}
		}
		if marks != 1 {
			t.Errorf("order %d was marked %d times", i, marks)
		}
	}
	t.counted("after the collisions", ledger.Counts{
		NeedsAttention: 2 * pairs, Open: 2 * pairs, ByAttention: eachReason(2*pairs, ledger.AttentionNumbersHeldTwice),
	})
}

// numberChangesHands has orders claim two numbers and give them back, over and over. Whoever was let in looks around: it
// has to be alone with its numbers.
func numberChangesHands(t *trial) {
	const callers, rounds = 12, 15
	stores := t.stores(3)
	errs, got := make([]error, callers), make([]int, callers)
	together(callers, func(i int) {
		s := stores[i%len(stores)]
		for n := range rounds {
			r := with(Record(i*rounds+n), func(r *ledger.Record) { r.Numbers = []string{Number((i + n) % 3), Number((i + n + 1 + n%2) % 3)} })
			_, err := s.Claim(t.Context(), r, Entry("claimed"))
			if _, refused := errors.AsType[*ledger.HeldError](err); refused {
				continue
			}
			if err == nil {
				got[i]++
				_, moved := s.Advance(t.Context(), r.OrderID, Move(order.InDoubt, order.ByLease, Epoch()))
				err = errors.Join(t.alone(s, r), moved)
			}
			if err == nil {
				_, err = s.Advance(t.Context(), r.OrderID, Move(order.Refused, order.ByAnswer, Epoch()))
			}
			errs[i] = errors.Join(errs[i], err)
		}
	})
	if text := joined(errs); text != "" {
		t.Errorf("errors:%s", text)
	}
	total := 0
	for _, n := range got {
		total += n
	}
	if total == 0 {
		t.Error("nobody ever held a number")
	}
	for n := range 3 {
		if id := t.holder(Number(n)); id != "" {
			t.Errorf("number %d is held by %s, and every order was refused", n, id)
		}
	}
	t.counted("after all", ledger.Counts{})
}

// alone is an error if another order than r holds a number of r.
func (t *trial) alone(s ledger.Store, r ledger.Record) error {
	for _, n := range r.Numbers {
		q := whole()
		q.Number = n
		page, _, err := s.List(t.Context(), q)
		if err != nil {
			return err
		}
		for _, other := range page {
			if other.Holds() != (other.OrderID == r.OrderID) {
				return fmt.Errorf("%s is held by %s, and %s is %v", n, r.OrderID, other.OrderID, other.State)
			}
		}
	}
	return nil
}
