package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/ledger/postgres/pgtest"
)

// While what is before it is being settled, a delivery is added. Whoever comes second sees what the first has done: it is handed
// out next.
func TestADeliveryIsAddedWhileTheOneBeforeIsSettled(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	s := opened(t, url, 0)
	now := ledgertest.Epoch()
	if _, err := s.PutEndpoint(t.Context(), ledger.Endpoint{EndpointID: "e", Tenant: "t", Version: 1, Created: now}); err != nil {
		t.Fatal(err)
	}
	if err := s.Enqueue(t.Context(), "e", 0, 1, []ledger.Delivery{{OrderID: "o", Sequence: 1, Time: now, Due: now}}); err != nil {
		t.Fatal(err)
	}
	taken, err := s.TakeDeliveries(t.Context(), "e", now, now.Add(time.Hour), 1)
	if err != nil || len(taken) != 1 {
		t.Fatal(taken, err)
	}
	// The gate lets either come as far as the queue's row.
	gate := pgtest.Connect(t, url)
	if _, err := gate.Exec(t.Context(), "BEGIN; SELECT FROM queues FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 2)
	go func() {
		taken[0].State = ledger.DeliveryDelivered
		ended <- s.SettleDelivery(context.WithoutCancel(t.Context()), taken[0])
	}()
	waiting(t, url, 1)
	go func() {
		ended <- s.Enqueue(context.WithoutCancel(t.Context()), "e", 1, 2, []ledger.Delivery{{OrderID: "o", Sequence: 2, Time: now, Due: now}})
	}()
	waiting(t, url, 2)
	if _, err := gate.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	taken, err = s.TakeDeliveries(t.Context(), "e", now, now.Add(time.Hour), 5)
	if err != nil || len(taken) != 1 || taken[0].Sequence != 2 {
		t.Errorf("%+v are handed out, want the second; error %v", taken, err)
	}
}
