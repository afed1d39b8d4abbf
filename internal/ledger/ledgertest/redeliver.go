package ledgertest

import (
	"errors"
	"slices"
	"time"

	"github.com/portin/portin/internal/ledger"
)

// triedAll are deliveries of which every third was delivered, given up and is pending, each of an order of its own. They
// come with their endpoint, the lowest sequence first.
func (t *trial) triedAll(n, count int) (ledger.Endpoint, []ledger.Delivery) {
	t.Helper()
	var all []ledger.Delivery
	for i := range count {
		all = append(all, Delivery(Record(i).OrderID, int64(i+1), 0))
	}
	e := t.stocked(n, all)
	for i, d := range bySequence(t.takenDeliveries(e, Epoch(), count)) {
		all[i] = t.settledAs(d, deliveryStates()[(i+1)%3])
	}
	return e, all
}

// bySequence sorts deliveries, the lowest sequence first.
func bySequence(all []ledger.Delivery) []ledger.Delivery {
	slices.SortFunc(all, func(a, b ledger.Delivery) int { return int(a.Sequence - b.Sequence) })
	return all
}

// matches compares all deliveries of an endpoint, the lowest sequence first.
func (t *trial) matches(when string, e ledger.Endpoint, want []ledger.Delivery) {
	t.Helper()
	got := t.shown(e)
	slices.Reverse(got)
	t.same(when, want, got)
}

// again is a delivery as it is made pending again.
func again(d ledger.Delivery, now time.Time) ledger.Delivery {
	d.State, d.Attempt, d.Due = ledger.DeliveryPending, 0, now
	d.Fence++
	return d
}

// redelivered makes all deliveries of an endpoint in some states pending again, and fails unless they are so many.
func (t *trial) redelivered(e ledger.Endpoint, now time.Time, want int, states ...ledger.DeliveryState) {
	t.Helper()
	if n, err := t.Redeliver(t.Context(), e.Tenant, e.EndpointID, 0, states, now); n != want || err != nil {
		t.Errorf("Redeliver in %v: %d, %v; want %d", states, n, err, want)
	}
}

func madeAgain(t *trial) {
	now := Epoch().AddDate(0, 0, 2).Add(999 * time.Nanosecond)
	for i, c := range []struct {
		from   int64
		states []ledger.DeliveryState
		want   int
	}{
		{0, deliveryStates()[2:], 3}, {4, deliveryStates()[1:], 4}, {5, deliveryStates(), 5}, {9, deliveryStates()[1:], 0}, {100, deliveryStates(), 0},
	} {
		e, all := t.triedAll(2*i, 9)
		other, others := t.triedAll(2*i+1, 3)
		n, err := t.Redeliver(t.Context(), e.Tenant, e.EndpointID, c.from, c.states, now)
		if err != nil || n != c.want {
			t.Errorf("Redeliver from %d in %v: %d, %v; want %d", c.from, c.states, n, err, c.want)
		}
		var due []ledger.Delivery
		for j, d := range all {
			if d.Sequence >= c.from && slices.Contains(c.states, d.State) {
				all[j] = again(d, now.Truncate(time.Microsecond))
				due = append(due, taking(all[j], now.AddDate(0, 0, 1).Truncate(time.Microsecond)))
			}
		}
		t.matches("the deliveries", e, all)
		t.matches("the deliveries of another endpoint", other, others)
		got := t.takenDeliveries(e, now, 100)
		got = slices.DeleteFunc(got, func(d ledger.Delivery) bool { return d.Attempt > 0 }) // Those that were pending all the time.
		t.same("what is handed out again", due, bySequence(got))
	}
	if _, err := t.Redeliver(t.Context(), ledger.Default, Endpoint(99).EndpointID, 0, deliveryStates(), now); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("Redeliver of an endpoint that is not there: %v, want ErrNotFound", err)
	}
}

func madeAgainUnderWay(t *trial) {
	a := Record(1).OrderID
	all := []ledger.Delivery{Delivery(a, 1, 0), Delivery(a, 2, 0), Delivery(Record(2).OrderID, 3, 1)}
	e := t.stocked(1, all)
	before := t.handedOut("at first", e, Epoch().Add(time.Second), 10, 1, 3)
	over := t.settledAs(before[1], ledger.DeliveryDelivered)
	now := Epoch().Add(time.Minute)
	// One is under way, one waits behind it, and one is over.
	all[0], all[1], all[2] = again(before[0], now), again(all[1], now), again(over, now)
	t.redelivered(e, now, 3, deliveryStates()...)
	for _, late := range before {
		for _, late.State = range deliveryStates() {
			late.Attempt, late.Content = 7, []byte("too late")
			if err := t.SettleDelivery(t.Context(), late); !errors.Is(err, ledger.ErrMoved) {
				t.Errorf("SettleDelivery of %d as %s by who had it before: %v, want ErrMoved", late.Sequence, late.State, err)
			}
		}
	}
	t.matches("the deliveries that were made pending again", e, all)
	// Somebody else gets them at once, and settles them.
	taken := bySequence(t.takenDeliveries(e, now, 10))
	until := now.AddDate(0, 0, 1)
	t.same("what is handed out again", []ledger.Delivery{taking(all[0], until), taking(all[2], until)}, taken)
	all[0], all[2] = t.settledAs(taken[0], ledger.DeliveryDelivered), t.settledAs(taken[1], ledger.DeliveryDelivered)
	t.matches("the deliveries that were delivered again", e, all)
	t.handedOut("the second of the order", e, now, 10, 2)
}

// forgets wants so many deliveries to be forgotten.
func (t *trial) forgets(before time.Time, limit, want int) {
	t.Helper()
	n, err := t.ForgetDeliveries(t.Context(), before, limit)
	if err != nil || n != want {
		t.Errorf("ForgetDeliveries before %v, at most %d: %d, %v; want %d", before, limit, n, err, want)
	}
}

func forgotten(t *trial) {
	e, all := t.triedAll(1, 12)
	other, others := t.triedAll(2, 4)
	t.forgets(all[0].Time, 100, 0)
	t.matches("nothing was forgotten", e, all)
	// Of the first four, one is pending; the two endpoints have them alike.
	t.forgets(all[4].Time, 100, 6)
	over := func(list []ledger.Delivery, before time.Time) []ledger.Delivery {
		return slices.DeleteFunc(slices.Clone(list), func(d ledger.Delivery) bool {
			return d.State != ledger.DeliveryPending && d.Time.Before(before)
		})
	}
	t.matches("what is left", e, over(all, all[4].Time))
	t.matches("what is left of another endpoint", other, over(others, all[4].Time))
	for _, want := range []int{2, 2, 1, 0} {
		t.forgets(all[11].Time.Add(time.Hour), 2, want)
	}
	t.matches("what is pending", e, over(all, all[11].Time.Add(time.Hour)))
	t.waiting("", map[string]int{e.EndpointID: 4, other.EndpointID: 1})
}

// shutForgotten has two deliveries of each of three orders, so that the second is the next once the first is forgotten.
func shutForgotten(t *trial) {
	var all []ledger.Delivery
	for i := range 6 {
		all = append(all, Delivery(Record(i%3).OrderID, int64(i+1), 0))
	}
	enabled, shut := t.stocked(1, all), t.stocked(2, all)
	late := all[5].Time.AddDate(0, 0, 1)
	t.forgets(late, 100, 0)
	shut = t.put(next(shut))
	t.forgets(all[0].Time, 100, 0)
	t.forgets(all[2].Time, 1, 1)
	t.forgets(all[2].Time, 100, 1)
	for i := range all {
		all[i].EndpointID = shut.EndpointID
	}
	t.matches("what is left", shut, all[2:])
	t.waiting("", map[string]int{enabled.EndpointID: 6, shut.EndpointID: 4})
	shut = t.put(next(shut))
	t.forgets(late, 100, 0)
	taken := t.takenDeliveries(shut, Epoch().AddDate(1, 0, 0), 100)
	slices.SortFunc(taken, func(a, b ledger.Delivery) int { return int(a.Sequence - b.Sequence) })
	var handed []int64
	for _, d := range taken {
		handed = append(handed, d.Sequence)
	}
	t.same("what is handed out of each order", []int64{3, 4, 5}, handed)

	// What is under way when its endpoint is disabled is forgotten too, and settled no more.
	shut = t.put(next(shut))
	t.forgets(late, 100, 4)
	t.matches("nothing is left", shut, nil)
	if err := t.SettleDelivery(t.Context(), taken[0]); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("SettleDelivery of what was forgotten: %v, want ErrNotFound", err)
	}
	t.waiting("", map[string]int{enabled.EndpointID: 6})
	if got := t.takenDeliveries(enabled, Epoch().AddDate(1, 0, 0), 100); len(got) != 3 {
		t.Errorf("%d deliveries of the other endpoint are handed out, want 3", len(got))
	}
}
