package ledgertest

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/portin/portin/internal/ledger"
)

// handoutCases are which deliveries are handed out, and to whom.
func handoutCases() []aCase {
	return []aCase{
		{"the longest due delivery is handed out first", longestDueDelivery},
		{"a delivery is not handed out again before its time", notDeliveredAgain},
		{"the deliveries of one order are handed out one after another", orderByOrder},
		{"what is made pending again comes before what is later", madeAgainInOrder},
		{"nothing is handed out for an endpoint that is disabled", nothingForTheDisabled},
		{"of many that move a cursor one does", oneMovesACursor},
		{"each delivery goes to one taker, in the order of its order", oneTakerInOrder},
	}
}

// dueEndpoints compares which endpoints have something to hand out.
func (t *trial) dueEndpoints(when string, now time.Time, want ...ledger.Endpoint) {
	t.Helper()
	got, err := t.DueEndpoints(t.Context(), now)
	if err != nil {
		t.Fatalf("%s: DueEndpoints: %v", when, err)
	}
	var ids []string
	for _, e := range want {
		ids = append(ids, e.EndpointID)
	}
	slices.Sort(ids)
	slices.Sort(got)
	t.same(when+": the endpoints that are due", ids, got)
}

// handedOut compares the sequences of what is handed out, and returns it.
func (t *trial) handedOut(when string, e ledger.Endpoint, now time.Time, limit int, want ...int64) []ledger.Delivery {
	t.Helper()
	got := t.takenDeliveries(e, now, limit)
	var sequences []int64
	for _, d := range got {
		sequences = append(sequences, d.Sequence)
	}
	t.same(when+": what is handed out", want, sequences)
	return got
}

func longestDueDelivery(t *trial) {
	var all []ledger.Delivery
	for i := range 11 {
		all = append(all, Delivery(Record(i).OrderID, int64(i+1), i*7%11))
	}
	e := t.stocked(1, all)
	other := t.stocked(2, []ledger.Delivery{Delivery(Record(1).OrderID, 1, 1)})
	slices.SortFunc(all, func(a, b ledger.Delivery) int { return a.Due.Compare(b.Due) })
	now := Epoch().Add(-time.Microsecond)
	t.dueEndpoints("before the first is due", now)
	t.handedOut("before the first is due", e, now, 10)
	t.dueEndpoints("once the first is due", Epoch(), e)
	for _, c := range []struct{ seconds, limit, from, to int }{
		{0, 3, 0, 1}, {4, 3, 1, 4}, {4, 3, 4, 5}, {4, 3, 5, 5}, {5, 1, 5, 6}, {100, 100, 6, 11}, {100, 100, 11, 11},
	} {
		now := Epoch().Add(time.Duration(c.seconds) * time.Second)
		var want []ledger.Delivery
		for _, d := range all[c.from:c.to] {
			want = append(want, taking(d, now.AddDate(0, 0, 1)))
		}
		t.same(fmt.Sprintf("what is handed out after %d seconds", c.seconds), want, t.takenDeliveries(e, now, c.limit))
	}
	t.dueEndpoints("once all was handed out", Epoch().Add(time.Minute), other)
}

func notDeliveredAgain(t *trial) {
	e := t.stocked(1, []ledger.Delivery{Delivery(Record(1).OrderID, 1, 0)})
	now := Epoch()
	for i := range 3 {
		d := t.handedOut("due", e, now, 5, 1)[0]
		t.same("the delivery that is handed out", []any{int64(i + 1), now.AddDate(0, 0, 1)}, []any{d.Fence, d.Due})
		before := d.Due.Add(-time.Microsecond)
		t.dueEndpoints("before it is due again", before)
		t.handedOut("before it is due again", e, before, 5)
		now = d.Due
		t.dueEndpoints("due again", now, e)
		if i == 1 {
			t.reopen()
		}
	}
	d := t.handedOut("due", e, now, 5, 1)[0]
	d.Due = now.Add(time.Minute)
	t.settledAs(d, ledger.DeliveryPending)
	t.dueEndpoints("before it is tried again", now.Add(time.Minute-time.Microsecond))
	d = t.handedOut("tried again", e, now.Add(time.Minute), 5, 1)[0]
	t.settledAs(d, ledger.DeliveryDelivered)
	t.dueEndpoints("delivered", now.AddDate(1, 0, 0))
	t.handedOut("delivered", e, now.AddDate(1, 0, 0), 5)
}

func orderByOrder(t *trial) {
	a, b := Record(1).OrderID, Record(2).OrderID
	// The later ones of an order are due before the first one.
	e := t.stocked(1, []ledger.Delivery{
		Delivery(a, 1, 5), Delivery(b, 2, 3), Delivery(a, 3, 0), Delivery(b, 4, 0), Delivery(a, 5, 1), Delivery(b, 6, 9),
	})
	other := t.stocked(2, []ledger.Delivery{Delivery(a, 3, 4)})
	at := func(seconds int) time.Time { return Epoch().Add(time.Duration(seconds) * time.Second) }
	t.dueEndpoints("when only later ones are due", at(2))
	t.handedOut("when only later ones are due", e, at(2), 10)
	second := t.handedOut("the first of one order", e, at(3), 10, 2)[0]
	t.dueEndpoints("the first is under way", at(4), other)
	t.handedOut("the first is under way", e, at(4), 10)
	first := t.handedOut("the first of the other order", e, at(5), 10, 1)[0]
	t.settledAs(second, ledger.DeliveryDelivered)
	fourth := t.handedOut("the second of one order", e, at(6), 10, 4)[0]
	first.Due = at(20)
	t.settledAs(first, ledger.DeliveryPending)
	t.handedOut("before the first is tried again", e, at(19), 10)
	t.settledAs(fourth, ledger.DeliveryDelivered)
	t.handedOut("the third of one order", e, at(19), 10, 6)
	first = t.handedOut("the first is tried again", e, at(20), 10, 1)[0]
	t.settledAs(first, ledger.DeliveryGivenUp)
	t.dueEndpoints("the first is given up", at(20), e, other)
	third := t.handedOut("the first is given up", e, at(20), 10, 3)[0]
	t.settledAs(third, ledger.DeliveryDelivered)
	t.handedOut("the last", e, at(20), 10, 5)
	t.handedOut("another endpoint", other, at(20), 10, 3)
	// A new one waits for those that are there.
	t.queued(e, 1, Delivery(a, 7, 0), Delivery(Record(3).OrderID, 8, 0))
	t.handedOut("new ones", e, at(21), 10, 8)
}

func madeAgainInOrder(t *trial) {
	a := Record(1).OrderID
	e := t.stocked(1, []ledger.Delivery{Delivery(a, 1, 0), Delivery(a, 2, 0), Delivery(a, 3, 0), Delivery(a, 4, 0)})
	for i := range int64(2) {
		t.settledAs(t.handedOut("one after another", e, Epoch(), 10, i+1)[0], ledger.DeliveryGivenUp)
	}
	third := t.handedOut("the third", e, Epoch(), 10, 3)[0]
	t.redelivered(e, Epoch(), 2, ledger.DeliveryGivenUp)
	first := t.handedOut("the first, again", e, Epoch(), 10, 1)[0]
	// What was under way is over all the same, but what comes after it has to wait.
	t.settledAs(third, ledger.DeliveryDelivered)
	t.dueEndpoints("the first is under way", Epoch())
	t.settledAs(first, ledger.DeliveryDelivered)
	t.dueEndpoints("the second is next", Epoch(), e)
	t.settledAs(t.handedOut("the second, again", e, Epoch(), 10, 2)[0], ledger.DeliveryDelivered)
	t.handedOut("the fourth", e, Epoch(), 10, 4)
}

func nothingForTheDisabled(t *trial) {
	e := t.stocked(1, []ledger.Delivery{Delivery(Record(1).OrderID, 1, 0)})
	e = t.put(altered(e, func(e *ledger.Endpoint) { e.Version, e.Disabled = 2, true }))
	t.dueEndpoints("disabled", Epoch().Add(time.Hour))
	t.handedOut("disabled", e, Epoch().Add(time.Hour), 10)
	t.queued(e, 1, Delivery(Record(2).OrderID, 2, 0)) // What happens meanwhile is not lost.
	e.Cursor++
	t.waiting("", map[string]int{e.EndpointID: 2})
	e = t.put(altered(e, func(e *ledger.Endpoint) { e.Version, e.Disabled = 3, false }))
	t.dueEndpoints("enabled again", Epoch(), e)
	if got := t.takenDeliveries(e, Epoch(), 10); len(got) != 2 {
		t.Errorf("%d deliveries were handed out, want 2", len(got))
	}
	t.handedOut("an endpoint that is not there", Endpoint(9), Epoch(), 10)
}

func oneMovesACursor(t *trial) {
	const callers, rounds = 24, 10
	stores := t.stores(3)
	e := t.put(Endpoint(1))
	won := make([]int, callers)
	together(callers, func(i int) {
		for n := range int64(rounds) {
			d := Delivery(Record(i).OrderID, n+1, 0)
			if err := stores[i%len(stores)].Enqueue(t.Context(), e.EndpointID, e.Cursor+n, e.Cursor+n+1, []ledger.Delivery{d}); err == nil {
				won[i]++
			}
		}
	})
	total := 0
	for i, n := range won {
		total += n
		queued := slices.DeleteFunc(t.shown(e), func(d ledger.Delivery) bool { return d.OrderID != Record(i).OrderID })
		t.same(fmt.Sprintf("how many caller %d queued", i), n, len(queued))
	}
	is := t.endpoints("")[0]
	if int64(total) != is.Cursor-e.Cursor || total == 0 {
		t.Errorf("the cursor was moved %d times and stands %d further on", total, is.Cursor-e.Cursor)
	}
}

// oneTakerInOrder has many takers deliver all that there is: each delivery once, and those of an order one after another.
func oneTakerInOrder(t *trial) {
	const orders, each, takers = 12, 6, 12
	stores := t.stores(3)
	var all []ledger.Delivery
	for n := range orders * each {
		all = append(all, Delivery(Record(n*5%orders).OrderID, int64(n+1), n%7))
	}
	e := t.stocked(1, all)
	now, until := Epoch().Add(time.Minute), Epoch().AddDate(1, 0, 0)
	var mu sync.Mutex
	delivered := map[string][]int64{}
	var count atomic.Int64
	errs := make([]error, takers)
	together(takers, func(i int) {
		s := stores[i%len(stores)]
		for turn := 0; turn < 20*orders*each && count.Load() < orders*each && errs[i] == nil; turn++ {
			page, err := s.TakeDeliveries(t.Context(), e.EndpointID, now, until, 1+i%3)
			errs[i] = err
			for _, d := range page {
				mu.Lock()
				delivered[d.OrderID] = append(delivered[d.OrderID], d.Sequence)
				mu.Unlock()
				d.State = ledger.DeliveryDelivered
				if err := s.SettleDelivery(t.Context(), d); err != nil {
					errs[i] = err
				}
				count.Add(1)
			}
		}
	})
	if text := joined(errs); text != "" {
		t.Fatalf("errors:%s", text)
	}
	want := map[string][]int64{}
	for _, d := range all {
		want[d.OrderID] = append(want[d.OrderID], d.Sequence)
	}
	t.same("what was delivered of each order", want, delivered)
	t.waiting("", nil)
}
