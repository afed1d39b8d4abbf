package sqlite

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
)

// endpointOf is a new endpoint on a store, and how deliveries are queued for it.
func endpointOf(t *testing.T, s *Store) (e ledger.Endpoint, queue func(ds ...ledger.Delivery) error) {
	t.Helper()
	e, err := s.PutEndpoint(t.Context(), ledgertest.Endpoint(1))
	if err != nil {
		t.Fatal(err)
	}
	at := e.Cursor
	return e, func(ds ...ledger.Delivery) error {
		err := s.Enqueue(t.Context(), e.EndpointID, at, at+1, ds)
		if err == nil {
			at++
		}
		return err
	}
}

// Whatever happens to the deliveries of an order, the first that is pending has the mark, and no other one.
func TestTheFirstPendingDeliveryIsMarked(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	e, queue := endpointOf(t, s)
	die := rand.New(rand.NewPCG(1, 2))
	states := []ledger.DeliveryState{ledger.DeliveryPending, ledger.DeliveryDelivered, ledger.DeliveryGivenUp}
	var taken []ledger.Delivery
	now := ledgertest.Epoch()
	for n := range int64(60) {
		var err error
		switch die.IntN(7) {
		case 0, 1:
			order := ledgertest.Record(die.IntN(3)).OrderID
			err = queue(ledgertest.Delivery(order, 2*n+1, 0), ledgertest.Delivery(order, 2*n+2, 0))
		case 2:
			var some []ledger.Delivery
			some, err = s.TakeDeliveries(t.Context(), e.EndpointID, now, now, 3)
			taken = append(taken, some...)
		case 3:
			if len(taken) > 0 {
				d := taken[die.IntN(len(taken))]
				d.State = states[die.IntN(3)]
				_ = s.SettleDelivery(t.Context(), d) // Some were taken again since.
			}
		case 4:
			_, err = s.Redeliver(t.Context(), e.Tenant, e.EndpointID, 2*n-20, states[die.IntN(3):], now)
		case 5:
			e.Version, e.Disabled = e.Version+1, !e.Disabled
			_, err = s.PutEndpoint(t.Context(), e)
		case 6:
			_, err = s.ForgetDeliveries(t.Context(), now.AddDate(1, 0, 0), 2)
		}
		if err != nil {
			t.Fatal(err)
		}
		intact(t, s)
	}
	if _, err := s.ForgetDeliveries(t.Context(), now.AddDate(1, 0, 0), 1000); err != nil {
		t.Fatal(err)
	}
	intact(t, s)
	if left := asked[int](t, s, `SELECT count(*) FROM deliveries WHERE state <> 'PENDING'`); left > 0 {
		t.Errorf("%d deliveries that are over are left", left)
	}
}

// An event is queued once: a second time is a mistake, of which nothing is left.
func TestADeliveryIsQueuedOnce(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	e, queue := endpointOf(t, s)
	first, second := ledgertest.Delivery(ledgertest.Record(1).OrderID, 1, 0), ledgertest.Delivery(ledgertest.Record(2).OrderID, 2, 0)
	if err := queue(first); err != nil {
		t.Fatal(err)
	}
	if err := queue(second, first); err == nil {
		t.Error("an event was queued twice")
	}
	if n := asked[int](t, s, `SELECT count(*) FROM deliveries`); n != 1 {
		t.Errorf("%d deliveries, want 1", n)
	}
	if err := queue(second); err != nil {
		t.Error(err)
	}
	got, err := s.TakeDeliveries(t.Context(), e.EndpointID, ledgertest.Epoch(), ledgertest.Epoch().Add(time.Hour), 10)
	if err != nil || len(got) != 2 {
		t.Errorf("%d deliveries are handed out, %v; want 2", len(got), err)
	}
	intact(t, s)
}
