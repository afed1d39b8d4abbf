package tracker_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/sqlite"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/tracker"
)

var errEnough = errors.New("the caller has had enough")

// On a real ledger with several writers, a caller that comes back again and again has every event once and in order.
func TestAWatchOfARealLedger(t *testing.T) {
	t.Parallel()
	store, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "ledger.db"), Carrier: "https://carrier.example/rest.svc"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	w := started(t, nil, func(p *tracker.WatchParams) { p.Ledger, p.Recent = store, 5 })
	const writers, orders = 4, 50
	var writing sync.WaitGroup
	for i := range writers {
		writing.Go(func() {
			for n := range orders {
				if err := settle(t.Context(), store, i*orders+n); err != nil {
					t.Error(err)
				}
			}
		})
	}
	token, seen, known := "", []int64{}, map[string]order.State{}
	for last := false; !last; {
		told := 0
		err := w.Watch(t.Context(), ledger.Default, &portinv1.WatchPortInOrdersRequest{ResumeToken: token}, func(u tracker.Update) error {
			token = u.Token
			if u.Order != nil {
				known[u.Order.Value.OrderID] = u.Order.Value.State
			}
			if u.Event != nil {
				seen = append(seen, u.Event.Value.Sequence)
				last = u.Event.Value.Sequence == 2*writers*orders
			}
			told++
			if told == 7 || last {
				return errEnough
			}
			return nil
		})
		if !errors.Is(err, errEnough) {
			t.Fatalf("the watch ended with %v", err)
		}
	}
	writing.Wait()
	first := 2*writers*orders - len(seen) + 1
	want := []int64{}
	for n := first; n <= 2*writers*orders; n++ {
		want = append(want, int64(n))
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	accepted := 0
	for _, s := range known {
		if s == order.Accepted {
			accepted++
		}
	}
	if accepted != writers*orders {
		t.Errorf("%d orders are known to be accepted, want %d", accepted, writers*orders)
	}
}

// settle places an order that is accepted.
func settle(ctx context.Context, store *sqlite.Store, n int) error {
	now := time.Now().UTC().Truncate(time.Microsecond)
	r := ledger.Record{
		OrderID: orderID(n), Tenant: ledger.Default, RequestID: fmt.Sprintf("0193e3a0-0000-4000-8000-%012d", n), CarrierAccount: ledger.Default,
		Target: "trunk_did", Content: []byte("order"), Numbers: []string{fmt.Sprintf("+1416%07d", 2_000_000+n)}, History: orderID(n),
		State: order.Sending, Attempt: 1, Owner: "a test", Lease: time.Minute, Created: now, Claimed: now, Updated: now,
	}
	if _, err := store.Claim(ctx, r, ledger.Entry{Actor: ledger.Actor{Kind: ledger.ByCaller}}); err != nil {
		return err
	}
	_, err := store.Advance(ctx, r.OrderID, ledger.Step{By: order.ByAnswer, Now: now, Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.State, r.Ticket = order.Accepted, fmt.Sprint("T-", n)
		return ledger.Entry{Actor: ledger.Actor{Kind: ledger.ByCarrier}}, nil
	}})
	return err
}
