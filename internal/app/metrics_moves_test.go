package app

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/ledger/sqlite"
	"github.com/portin/portin/internal/order"
)

// Orders that are over are in no gauge, for nobody counts them all again and again. Each is counted when it comes to that.
func TestOrdersAreCountedByWhatBecomesOfThem(t *testing.T) {
	t.Parallel()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "ledger.db"), Carrier: ledgertest.Carrier})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	moves := newMovesMetric()
	seen := &seenLedger{Store: s, traces: &traces{}, calls: newLedgerMetric(), moves: moves}
	change := func(n int, by order.Cause, change func(r *ledger.Record) error) {
		t.Helper()
		_, err := seen.Advance(t.Context(), ledgertest.Record(n).OrderID, ledger.Step{By: by, Now: ledgertest.Epoch(), Change: func(r *ledger.Record) (ledger.Entry, error) {
			return ledger.Entry{}, change(r)
		}})
		if err != nil && !errors.Is(err, ledger.ErrMoved) {
			t.Fatal(err)
		}
	}
	to := func(state order.State) func(r *ledger.Record) error {
		return func(r *ledger.Record) error {
			r.State = state
			return nil
		}
	}
	says := func(word order.Status) func(r *ledger.Record) error {
		return func(r *ledger.Record) error {
			r.Status = word
			return nil
		}
	}
	for n := 1; n <= 4; n++ {
		if _, err := seen.Claim(t.Context(), ledgertest.Record(n), ledgertest.Entry("")); err != nil {
			t.Fatal(err)
		}
	}
	change(1, order.ByAnswer, to(order.Accepted))
	change(2, order.ByAnswer, to(order.Refused))
	change(3, order.ByAnswer, to(order.NotSent))
	change(4, order.ByAnswer, to(order.InDoubt))
	change(4, order.ByEvidence, to(order.Accepted))
	change(1, 0, says(order.StatusPending))
	change(1, 0, says(order.StatusCompleted))
	change(1, 0, says(order.StatusCompleted)) // nothing new
	change(4, 0, func(r *ledger.Record) error {
		r.Status = order.StatusCompleted
		return ledger.ErrMoved
	})

	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(moves)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, m := range families[0].GetMetric() {
		got[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
	}
	want := map[string]float64{"accepted": 2, "refused": 1, "not_sent": 1, "in_doubt": 1, "closed": 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("orders by what they came to (-want +got):\n%s", diff)
	}
}
