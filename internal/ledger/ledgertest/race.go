package ledgertest

import (
	"errors"
	"fmt"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// raceCases are many callers that want the same.
func raceCases() []aCase {
	return []aCase{
		{"of many that claim a key one gets it", oneClaimsAKey},
		{"of many that claim an order again one gets it", oneClaimsAgain},
		{"of many that claim a number one gets it", oneHoldsANumber},
		{"of many that have a ticket one gets it", oneHasATicket},
		{"steps of one order come one after another", stepsAreSerial},
	}
}

func oneClaimsAKey(t *trial) {
	const callers = 200
	stores := t.stores(3)
	got, errs := make([]ledger.Record, callers), make([]error, callers)
	claim := func(i int) ledger.Record {
		return with(Record(i), func(r *ledger.Record) { r.RequestID = Record(0).RequestID })
	}
	together(callers, func(i int) { got[i], errs[i] = stores[i%len(stores)].Claim(t.Context(), claim(i), Entry("claimed")) })
	won := -1
	for i, err := range errs {
		if err == nil && won >= 0 {
			t.Errorf("callers %d and %d both claimed the key", won, i)
		}
		if err == nil {
			won = i
		}
	}
	if won < 0 {
		t.Fatalf("nobody claimed the key:%s", joined(errs))
	}
	for i, err := range errs {
		if i != won && !errors.Is(err, ledger.ErrMoved) {
			t.Errorf("caller %d, who did not claim the key: %v, want ErrMoved", i, err)
		}
		if diff := difference(claim(won), got[i]); diff != "" {
			t.Errorf("the order that caller %d got (-want +got):\n%s", i, diff)
		}
		if i != won {
			t.absent(claim(i))
		}
	}
	t.counted("after the claims", ledger.Counts{Sending: 1})
	t.same("the events", []ledger.Event{ledger.Claimed(claim(won), Entry("claimed"))}, unnumbered(t.told(claim(won))))
}

func oneClaimsAgain(t *trial) {
	const callers = 50
	stores := t.stores(3)
	again := Resend(t.notSent(1))
	claim := func(i int) ledger.Record {
		return with(again, func(r *ledger.Record) { r.Owner = fmt.Sprint("caller ", i) })
	}
	got, errs := make([]ledger.Record, callers), make([]error, callers)
	together(callers, func(i int) { got[i], errs[i] = stores[i%len(stores)].Claim(t.Context(), claim(i), Entry("claimed")) })
	at := t.found(again)
	winners := 0
	for i, err := range errs {
		if err == nil {
			winners++
			t.same("the order", claim(i), at)
		} else if !errors.Is(err, ledger.ErrMoved) {
			t.Errorf("Claim: %v, want ErrMoved", err)
		}
		t.same("the order that a caller got", at, got[i])
	}
	if winners != 1 || len(t.told(again)) != 3 {
		t.Errorf("%d callers claimed the order again, and it has %d events", winners, len(t.told(again)))
	}
}

// oneHoldsANumber lets orders of several numbers each, in any order, have every number in common with some other order:
// whoever locks them one by one in the order of the record waits for somebody who waits for him.
func oneHoldsANumber(t *trial) {
	const callers, numbers, each = 200, 60, 4
	stores := t.stores(3)
	claim := func(i int) ledger.Record {
		return with(Record(i), func(r *ledger.Record) {
			r.Numbers = nil
			for k := range each {
				r.Numbers = append(r.Numbers, Number((i*7+k*(13+i%5*2))%numbers))
			}
		})
	}
	errs := make([]error, callers)
	together(callers, func(i int) { _, errs[i] = stores[i%len(stores)].Claim(t.Context(), claim(i), Entry("claimed")) })
	holder := map[string]int{}
	for i, err := range errs {
		if err != nil {
			continue
		}
		for _, n := range claim(i).Numbers {
			if other, held := holder[n]; held {
				t.Errorf("orders %d and %d both hold %s", other, i, n)
			}
			holder[n] = i
		}
	}
	winners := 0
	for i, err := range errs {
		if err == nil {
			winners++
			t.same("an order that holds its numbers", claim(i), t.found(claim(i)))
			continue
		}
		t.absent(claim(i))
		held, ok := errors.AsType[*ledger.HeldError](err)
		if !ok {
			t.Errorf("Claim: %v, want a *HeldError", err)
			continue
		}
		// The others are still sending, so whoever was named holds it to this moment.
		won, known := holder[held.Number]
		if !known {
			t.Errorf("%s refused an order, and nobody holds it", held.Number)
			continue
		}
		t.same("who holds which number", ledger.HeldError{Holder: claim(won), Number: held.Number}, *held)
	}
	if winners == 0 {
		t.Errorf("nobody holds a number:%s", joined(errs))
	}
	t.counted("after the claims", ledger.Counts{Sending: winners})
}

func oneHasATicket(t *trial) {
	const orders = 50
	stores := t.stores(3)
	var all []ledger.Record
	for i := range orders {
		all = append(all, t.claimed(Record(i)))
	}
	got, errs := make([]ledger.Record, orders), make([]error, orders)
	together(orders, func(i int) {
		got[i], errs[i] = stores[i%len(stores)].Advance(t.Context(), all[i].OrderID, Accept("T", all[i].Claimed))
	})
	winners := 0
	for i, err := range errs {
		switch {
		case err == nil:
			winners++
		case errors.Is(err, ledger.ErrTicketTaken):
			t.same("the order that comes with ErrTicketTaken", all[i], got[i])
		default:
			t.Errorf("Advance: %v, want ErrTicketTaken", err)
		}
		t.same("the order", got[i], t.found(all[i]))
	}
	if winners != 1 {
		t.Errorf("%d orders have one ticket", winners)
	}
}

func stepsAreSerial(t *trial) {
	const callers, each = 40, 5
	stores := t.stores(3)
	r := t.claimed(Record(1))
	errs := make([]error, callers)
	together(callers, func(i int) {
		for n := range each {
			if _, err := stores[i%len(stores)].Advance(t.Context(), r.OrderID, alter(func(r *ledger.Record) {
				r.Doubt.Asked++
				r.Looks = append(r.Looks, Ticket(i*each+n))
			})); err != nil {
				errs[i] = err
			}
		}
	})
	if text := joined(errs); text != "" {
		t.Fatalf("errors:%s", text)
	}
	got := t.found(r)
	seen := map[string]int{}
	for _, look := range got.Looks {
		seen[look]++
	}
	if got.Doubt.Asked != callers*each || len(seen) != callers*each+1 || len(got.Looks) != callers*each+1 {
		t.Errorf("%d of %d steps are left: Asked is %d, %d looks, %d different", got.Doubt.Asked, callers*each, got.Doubt.Asked, len(got.Looks), len(seen))
	}
	// Of many that would settle the order, one does, and the others see that it is settled.
	settled := make([]error, callers)
	together(callers, func(i int) {
		_, settled[i] = stores[i%len(stores)].Advance(t.Context(), r.OrderID, Move([]order.State{order.Refused, order.NotSent}[i%2], order.ByAnswer, Epoch()))
	})
	for _, err := range settled {
		if err != nil && !errors.Is(err, ledger.ErrMoved) {
			t.Errorf("Advance: %v, want ErrMoved", err)
		}
	}
	state := t.found(r).State
	told := t.told(r)
	t.same("the state that is told of", []order.State{order.Sending, state}, []order.State{told[0].State, told[len(told)-1].State})
	if len(told) != 2 {
		t.Errorf("%d events after one settlement", len(told))
	}
}
