package postgres

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/ledger/postgres/pgtest"
)

// misled are the orders whose row in queues is not that of their first pending delivery.
const misled = `SELECT coalesce(q.order_id, d.order_id) FROM queues q FULL JOIN (
		SELECT DISTINCT ON (endpoint_id, order_id) endpoint_id, order_id, sequence, due FROM deliveries WHERE state = 'PENDING'
		ORDER BY endpoint_id, order_id, sequence
	) AS d USING (endpoint_id, order_id) WHERE (q.sequence, q.due) IS DISTINCT FROM (d.sequence, d.due)`

// hooked is a store with an endpoint.
func hooked(t *testing.T, url string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{URL: url, Carrier: ledgertest.Carrier})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	e := ledger.Endpoint{EndpointID: "e", Tenant: "t", Version: 1, Content: []byte("c"), Created: ledgertest.Epoch()}
	if _, err := s.PutEndpoint(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	return s
}

// Whatever is added, taken, settled, delivered again and forgotten at the same time, of each order the first pending delivery is
// the one that is handed out next, none is lost, and no two are under way.
func TestQueuesAreRightWhateverMeets(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	admin := pgtest.Connect(t, url)
	if _, err := admin.Exec(t.Context(), "ALTER ROLE postgres IN DATABASE "+admin.Config().Database+" SET deadlock_timeout = '1h'"); err != nil {
		t.Fatal(err)
	}
	s := hooked(t, url)
	now := ledgertest.Epoch()
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range int64(40) {
			var some []ledger.Delivery
			for n := range int64(5) {
				some = append(some, ledger.Delivery{OrderID: fmt.Sprint(rand.IntN(40)), Sequence: 10*i + n + 1, Time: now, Due: now})
			}
			if err := s.Enqueue(t.Context(), "e", 10*i, 10*i+10, some); err != nil {
				t.Error(err)
			}
		}
	})
	for range 3 {
		wg.Go(func() { deliver(t, s, now) })
	}
	wg.Go(func() {
		for range 15 {
			states := []ledger.DeliveryState{ledger.DeliveryGivenUp, ledger.DeliveryDelivered}[:1+rand.IntN(2)]
			if _, err := s.Redeliver(t.Context(), "t", "e", rand.Int64N(300), states, now); err != nil {
				t.Error(err)
			}
			if _, err := s.ForgetDeliveries(t.Context(), now.Add(time.Second), 3); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Go(func() {
		e := ledger.Endpoint{EndpointID: "e", Tenant: "t", Version: 1, Content: []byte("c")}
		for range 30 {
			e.Version, e.Disabled = e.Version+1, !e.Disabled
			if _, err := s.PutEndpoint(t.Context(), e); err != nil {
				t.Error(err)
			}
			if _, err := s.ForgetDeliveries(t.Context(), now.Add(time.Second), 2); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	rows, err := admin.Query(t.Context(), misled)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if diff := cmp.Diff([]string{}, wrong); diff != "" || err != nil {
		t.Errorf("orders whose queue is wrong, error %v (-want +got):\n%s", err, diff)
	}
	if err := s.DeleteEndpoint(t.Context(), "t", "e"); err != nil {
		t.Fatal(err)
	}
	left := 0
	const all = `SELECT (SELECT count(*) FROM endpoints) + (SELECT count(*) FROM deliveries) + (SELECT count(*) FROM queues)`
	if err := admin.QueryRow(t.Context(), all).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d rows are left of an endpoint that was removed, error %v", left, err)
	}
}

// deliver takes and settles for a while, each time in some way.
func deliver(t *testing.T, s *Store, now time.Time) {
	t.Helper()
	for range 100 {
		taken, err := s.TakeDeliveries(t.Context(), "e", now, now.Add(time.Hour), 1+rand.IntN(5))
		if err != nil {
			t.Error(err)
		}
		of := map[string]int64{}
		for _, d := range taken {
			if of[d.OrderID] != 0 {
				t.Errorf("order %s: deliveries %d and %d were handed out together", d.OrderID, of[d.OrderID], d.Sequence)
			}
			of[d.OrderID] = d.Sequence
			d.Due, d.Attempt = now.Add(time.Duration(rand.IntN(2))*time.Minute), d.Attempt+1
			d.State = []ledger.DeliveryState{ledger.DeliveryPending, ledger.DeliveryDelivered, ledger.DeliveryGivenUp}[rand.IntN(3)]
			if err := s.SettleDelivery(t.Context(), d); err != nil && !errors.Is(err, ledger.ErrNotFound) && !errors.Is(err, ledger.ErrMoved) {
				t.Error(err)
			}
		}
	}
}
