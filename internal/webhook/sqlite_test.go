package webhook

import (
	"net/http"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/ledger/sqlite"
	"github.com/portin/portin/internal/order"
)

// opens returns a ledger in a file.
func opens(t *testing.T, path string) ledger.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path, Carrier: "https://carrier.example/rest.svc"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closes(t *testing.T, s ledger.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// lives is the beginning of an order's life: two events.
func lives(t *testing.T, s ledger.Store, n int) {
	t.Helper()
	r := ledgertest.Record(n)
	if _, err := s.Claim(t.Context(), r, ledger.Entry{Actor: ledger.Actor{Kind: ledger.ByCaller}}); err != nil {
		t.Fatal(err)
	}
	_, err := s.Advance(t.Context(), r.OrderID, ledger.Step{By: order.ByAnswer, Now: r.Claimed.Add(time.Second), Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.State, r.Ticket = order.Accepted, ledgertest.Ticket(n)
		return ledger.Entry{Actor: ledger.Actor{Kind: ledger.ByCarrier}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// The same as over the ledger in memory, on a real one: failures, order, a restart, an update, a rotation, a replay.
func TestOnSQLite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "ledger.db")
		store := opens(t, path)
		h := newHouse(t, func(p *Params) { p.Ledger = store })
		stop := h.runs()
		lives(t, store, 1)
		id := h.creates(&portinv1.WebhookEndpoint{})
		picky := h.creates(&portinv1.WebhookEndpoint{
			Url: new("https://picky.example/?" + planted), States: []portinv1.OrderState{portinv1.OrderState_ORDER_STATE_ACCEPTED},
		})
		h.receiver.always(http.StatusServiceUnavailable)
		lives(t, store, 2)
		lives(t, store, 3)
		pass(time.Second)
		if n := len(h.receiver.got()); n != 4 {
			t.Errorf("%d messages, want the first of each order to each endpoint", n)
		}
		h.updates(id, &portinv1.WebhookEndpoint{Description: new("changed")})
		secret := h.rotates(id, nil)
		stop()
		closes(t, store)

		store = opens(t, path)
		defer closes(t, store)
		again := newHouse(t, func(p *Params) { p.Ledger = store })
		defer again.runs()()
		pass(time.Minute)
		got := map[string][]string{}
		for _, m := range again.receiver.got() {
			got[m.host] = append(got[m.host], m.Data.Sequence)
			if m.host == "receiver.example" {
				again.verified(m, secret)
				again.verified(m, h.secrets[0])
			}
		}
		for host := range got {
			got[host] = sorted(got[host])
		}
		if diff := cmp.Diff(map[string][]string{"receiver.example": {"3", "4", "5", "6"}, "picky.example": {"4", "6"}}, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if e := again.reads(id); e.GetDescription() != "changed" || e.GetPendingCount() != 0 || e.SuccessTime == nil || e.FailingSinceTime != nil {
			t.Errorf("the endpoint is %v", e)
		}
		resp, err := again.Replay(t.Context(), tenant, &portinv1.ReplayWebhookDeliveriesRequest{EndpointId: picky, FromSequence: new(int64(5))})
		if err != nil || resp.GetReplayedCount() != 1 {
			t.Errorf("replayed %v, %v", resp, err)
		}
		pass(time.Second)
		if diff := cmp.Diff([]string{"6"}, sequences(again.receiver.got())); diff != "" {
			t.Errorf("events of the replay (-want +got):\n%s", diff)
		}

		// Disabled by 410, and enabled again: it goes on, and what waited is due at once.
		again.receiver.always(http.StatusGone)
		lives(t, store, 4)
		pass(time.Second)
		if e := again.reads(id); !e.GetDisabled() || e.GetDisabledReason() != goneReason || e.GetPendingCount() != 2 {
			t.Errorf("the endpoint is %v", e)
		}
		again.receiver.answers(nil)
		again.receiver.got()
		again.updates(id, &portinv1.WebhookEndpoint{}, "disabled")
		again.updates(picky, &portinv1.WebhookEndpoint{Url: new(aURL)}, "disabled", "url")
		pass(time.Second)
		if diff := cmp.Diff([]string{"7", "8", "8"}, sorted(sequences(again.receiver.got()))); diff != "" {
			t.Errorf("events after the endpoints were enabled (-want +got):\n%s", diff)
		}
		for range 2 {
			if err := again.DeleteEndpoint(t.Context(), tenant, picky); err != nil {
				t.Error(err)
			}
		}
		if list := again.lists(id); len(list) != 6 {
			t.Errorf("%d deliveries, want 6", len(list))
		}
	})
}

// Two workers on one SQLite ledger take nothing twice.
func TestTwoWorkersOnSQLite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := opens(t, filepath.Join(t.TempDir(), "ledger.db"))
		defer closes(t, store)
		one := newHouse(t, func(p *Params) { p.Ledger = store })
		two := newHouse(t, func(p *Params) { p.Ledger = store })
		two.client = one.client
		defer one.runs()()
		defer two.runs()()
		one.creates(&portinv1.WebhookEndpoint{})
		var want []string
		for n := range 30 {
			lives(t, store, n)
			want = append(want, itoa(2*n+1), itoa(2*n+2))
		}
		pass(time.Minute)
		if diff := cmp.Diff(sorted(want), sorted(sequences(one.receiver.got()))); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}
