package ledgertest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/portin/portin/internal/ledger"
)

// deliveryCases are what becomes of events on their way to an endpoint.
func deliveryCases() []aCase {
	return []aCase{
		{"deliveries are queued from one place to a later one", queuedFromPlaceToPlace},
		{"every field of a delivery is kept", deliveryIsKept},
		{"a taker settles a delivery by its fence", settledByFence},
		{"the latest delivery is shown first", latestDeliveryFirst},
		{"pending deliveries are counted for each endpoint", pendingAreCounted},
		{"deliveries are made pending again", madeAgain},
		{"who had a delivery before it is made pending again cannot settle it", madeAgainUnderWay},
		{"deliveries that are over are forgotten", forgotten},
		{"what waits for a disabled endpoint is forgotten", shutForgotten},
	}
}

// deliveryStates are all states of deliveries.
func deliveryStates() []ledger.DeliveryState {
	return []ledger.DeliveryState{ledger.DeliveryPending, ledger.DeliveryDelivered, ledger.DeliveryGivenUp}
}

// Delivery is a new delivery of an event, due so many seconds after the suite's time begins.
func Delivery(orderID string, sequence int64, due int) ledger.Delivery {
	return ledger.Delivery{
		OrderID: orderID, Sequence: sequence, State: ledger.DeliveryPending,
		Time: Epoch().Add(time.Duration(sequence) * time.Minute), Due: Epoch().Add(time.Duration(due) * time.Second),
	}
}

// queued queues deliveries for an endpoint, from its cursor to so far beyond, which must succeed.
func (t *trial) queued(e ledger.Endpoint, by int64, deliveries ...ledger.Delivery) {
	t.Helper()
	if err := t.Enqueue(t.Context(), e.EndpointID, e.Cursor, e.Cursor+by, deliveries); err != nil {
		t.Fatalf("Enqueue: %v", err)
	}
}

// stocked is a new endpoint that has deliveries, whose EndpointID it sets in them.
func (t *trial) stocked(n int, deliveries []ledger.Delivery) ledger.Endpoint {
	t.Helper()
	e := t.put(Endpoint(n))
	for i := range deliveries {
		deliveries[i].EndpointID = e.EndpointID
	}
	t.queued(e, 1000, deliveries...)
	e.Cursor += 1000
	return e
}

// takenDeliveries are the deliveries that are handed out until a day later.
func (t *trial) takenDeliveries(e ledger.Endpoint, now time.Time, limit int) []ledger.Delivery {
	t.Helper()
	got, err := t.TakeDeliveries(t.Context(), e.EndpointID, now, now.AddDate(0, 0, 1), limit)
	if err != nil {
		t.Fatalf("TakeDeliveries: %v", err)
	}
	return got
}

// taking is a delivery as it is handed out.
func taking(d ledger.Delivery, until time.Time) ledger.Delivery {
	d.Due = until
	d.Fence++
	return d
}

// shown are all deliveries of an endpoint, the latest first.
func (t *trial) shown(e ledger.Endpoint) []ledger.Delivery {
	t.Helper()
	got, more, err := t.Deliveries(t.Context(), e.Tenant, e.EndpointID, nil, 0, 10_000)
	if err != nil || more {
		t.Fatalf("Deliveries: more %v, error %v", more, err)
	}
	return got
}

// waiting compares how many deliveries are pending.
func (t *trial) waiting(tenant string, want map[string]int) {
	t.Helper()
	got, err := t.PendingDeliveries(t.Context(), tenant)
	if err != nil {
		t.Fatalf("PendingDeliveries: %v", err)
	}
	t.same("the pending deliveries of "+tenant, want, got)
}

// settledAs settles a delivery that was taken, which must succeed.
func (t *trial) settledAs(d ledger.Delivery, s ledger.DeliveryState) ledger.Delivery {
	t.Helper()
	d.State, d.Attempt, d.Content = s, d.Attempt+1, fmt.Appendf(nil, "try %d of %d", d.Attempt+1, d.Sequence)
	if err := t.SettleDelivery(t.Context(), d); err != nil {
		t.Fatalf("SettleDelivery of %d: %v", d.Sequence, err)
	}
	return d
}

func queuedFromPlaceToPlace(t *trial) {
	t.claimed(Record(1))
	e := t.put(Endpoint(1))
	first, second := Delivery(Record(1).OrderID, 1, 1), Delivery(Record(2).OrderID, 2, 2)
	first.EndpointID, second.EndpointID = e.EndpointID, e.EndpointID
	t.queued(e, 10, first)
	e.Cursor += 10
	for _, from := range []int64{0, e.Cursor - 10, e.Cursor - 1, e.Cursor + 1} {
		if err := t.Enqueue(t.Context(), e.EndpointID, from, from+20, []ledger.Delivery{second}); !errors.Is(err, ledger.ErrMoved) {
			t.Errorf("Enqueue from %d, and the cursor is at %d: %v, want ErrMoved", from, e.Cursor, err)
		}
	}
	if err := t.Enqueue(t.Context(), Endpoint(2).EndpointID, 0, 1, []ledger.Delivery{second}); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("Enqueue for an endpoint that is not there: %v, want ErrNotFound", err)
	}
	t.same("the endpoints", []ledger.Endpoint{e}, t.endpoints(""))
	t.same("the deliveries", []ledger.Delivery{first}, t.shown(e))
	t.queued(e, 1) // Nothing was of interest.
	e.Cursor++
	t.queued(e, 5, second)
	e.Cursor += 5
	t.reopen()
	t.same("the endpoints", []ledger.Endpoint{e}, t.endpoints(""))
	t.same("the deliveries", []ledger.Delivery{second, first}, t.shown(e))
}

func deliveryIsKept(t *trial) {
	e := t.put(Endpoint(1))
	full := ledger.Delivery{
		EndpointID: "another", OrderID: Record(1).OrderID, Sequence: 7, Time: Epoch().Add(999 * time.Nanosecond).Local(), State: ledger.DeliveryGivenUp,
		Attempt: 9, Due: Epoch().Add(time.Second + 999*time.Nanosecond).Local(), Fence: 8, Content: []byte("not yet"),
	}
	if names := blanks(full); len(names) > 0 {
		t.Fatalf("the delivery leaves %s zero: fill it, and every engine needs a place for it", strings.Join(names, ", "))
	}
	want := ledger.Delivery{
		EndpointID: e.EndpointID, OrderID: full.OrderID, Sequence: 7, Time: Epoch(), State: ledger.DeliveryPending, Due: Epoch().Add(time.Second),
	}
	t.queued(e, 10, full)
	t.same("the delivery that is new", []ledger.Delivery{want}, t.shown(e))
	want = taking(want, want.Due.AddDate(0, 0, 1))
	t.same("the delivery that is handed out", []ledger.Delivery{want}, t.takenDeliveries(e, Epoch().Add(time.Second), 1))
	t.same("the delivery at rest", []ledger.Delivery{want}, t.shown(e))
	// What it is about stays.
	want.State, want.Attempt, want.Content = ledger.DeliveryPending, 3, []byte("\x00\xff content")
	for _, s := range deliveryStates() {
		want.State, want.Due = s, want.Due.Add(time.Hour)
		in := want
		in.OrderID, in.Time, in.Due = Record(2).OrderID, Epoch().AddDate(1, 0, 0), want.Due.Add(999*time.Nanosecond).Local()
		if err := t.SettleDelivery(t.Context(), in); err != nil {
			t.Fatalf("SettleDelivery: %v", err)
		}
		t.same("the delivery that is settled", []ledger.Delivery{want}, t.shown(e))
	}
	t.reopen()
	t.same("the delivery, opened again", []ledger.Delivery{want}, t.shown(e))
	want.Attempt, want.Content = 0, nil
	if err := t.SettleDelivery(t.Context(), want); err != nil {
		t.Fatalf("SettleDelivery: %v", err)
	}
	t.same("the delivery of which nothing is known", []ledger.Delivery{want}, t.shown(e))
}

func settledByFence(t *trial) {
	e := t.stocked(1, []ledger.Delivery{Delivery(Record(1).OrderID, 1, 0)})
	for _, d := range []ledger.Delivery{{EndpointID: e.EndpointID, Sequence: 2}, {EndpointID: Endpoint(2).EndpointID, Sequence: 1}} {
		if err := t.SettleDelivery(t.Context(), d); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("SettleDelivery of what is not there: %v, want ErrNotFound", err)
		}
	}
	first := t.takenDeliveries(e, Epoch(), 1)[0]
	second := t.takenDeliveries(e, first.Due, 1)[0]
	first.State, first.Content = ledger.DeliveryDelivered, []byte("too late")
	if err := t.SettleDelivery(t.Context(), first); !errors.Is(err, ledger.ErrMoved) {
		t.Errorf("SettleDelivery by a taker whose turn is over: %v, want ErrMoved", err)
	}
	t.same("the delivery", []ledger.Delivery{second}, t.shown(e))
	want := t.settledAs(second, ledger.DeliveryDelivered)
	t.same("the delivery that is settled", []ledger.Delivery{want}, t.shown(e))
}

func latestDeliveryFirst(t *trial) {
	var all []ledger.Delivery
	for i := range 12 {
		all = append(all, Delivery(Record(i).OrderID, int64(10*i+5), i))
	}
	e := t.stocked(1, all)
	other := []ledger.Delivery{Delivery(Record(1).OrderID, 15, 0), Delivery(Record(1).OrderID, 16, 0)}
	t.stocked(2, other)
	for i, d := range t.takenDeliveries(e, Epoch().Add(7*time.Second), 8) {
		all[i] = t.settledAs(d, deliveryStates()[i%3])
	}
	slices.Reverse(all)
	for _, states := range [][]ledger.DeliveryState{
		nil, deliveryStates(), deliveryStates()[:1], deliveryStates()[1:2], deliveryStates()[2:], deliveryStates()[1:],
		{ledger.DeliveryGivenUp, ledger.DeliveryPending},
		{"ANOTHER"},
	} {
		for _, before := range []int64{0, 5, 6, 56, 1000} {
			for limit := 1; limit <= 13; limit += 4 {
				var want []ledger.Delivery
				for _, d := range all {
					if (before == 0 || d.Sequence < before) && (len(states) == 0 || slices.Contains(states, d.State)) {
						want = append(want, d)
					}
				}
				got, more, err := t.Deliveries(t.Context(), e.Tenant, e.EndpointID, states, before, limit)
				if err != nil {
					t.Fatal(err)
				}
				what := fmt.Sprintf("%d deliveries in %v before %d", limit, states, before)
				t.same(what, want[:min(limit, len(want))], got)
				t.same(what+", and more", len(want) > limit, more)
			}
		}
	}
	if _, _, err := t.Deliveries(t.Context(), e.Tenant, Endpoint(3).EndpointID, nil, 0, 10); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("Deliveries of an endpoint that is not there: %v, want ErrNotFound", err)
	}
}

func pendingAreCounted(t *trial) {
	t.waiting("", nil)
	theirs := t.put(altered(Endpoint(1), func(e *ledger.Endpoint) { e.Tenant, e.Disabled = "another", true }))
	t.queued(theirs, 1, Delivery(Record(1).OrderID, 1, 0))
	e := t.stocked(2, []ledger.Delivery{Delivery(Record(1).OrderID, 1, 0), Delivery(Record(1).OrderID, 2, 0), Delivery(Record(2).OrderID, 3, 5000)})
	t.stocked(3, nil)
	t.waiting("", map[string]int{theirs.EndpointID: 1, e.EndpointID: 3})
	t.waiting("another", map[string]int{theirs.EndpointID: 1})
	t.waiting("nobody", nil)
	first := t.takenDeliveries(e, Epoch(), 1)[0]
	t.waiting(e.Tenant, map[string]int{e.EndpointID: 3})
	t.settledAs(first, ledger.DeliveryDelivered)
	t.waiting(e.Tenant, map[string]int{e.EndpointID: 2})
	second := t.settledAs(t.takenDeliveries(e, Epoch(), 1)[0], ledger.DeliveryPending)
	t.waiting(e.Tenant, map[string]int{e.EndpointID: 2})
	t.settledAs(second, ledger.DeliveryGivenUp)
	t.settledAs(t.takenDeliveries(e, Epoch().AddDate(1, 0, 0), 1)[0], ledger.DeliveryDelivered)
	t.waiting(e.Tenant, nil)
	t.waiting("", map[string]int{theirs.EndpointID: 1})
}
