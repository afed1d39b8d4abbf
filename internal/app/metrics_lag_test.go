package app

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/ledger/sqlite"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/rounds"
)

// lags are the metrics that say how late something is.
func lags(t *testing.T, a *App) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(orderMetrics{app: a})
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]float64{}
	for _, f := range families {
		switch f.GetName() {
		case "portin_orders_poll_lag_seconds", "portin_orders_in_doubt_lag_seconds", "portin_webhook_lag_seconds":
			shown[f.GetName()] = f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	return shown
}

func TestHowLateTheServiceIs(t *testing.T) {
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
	now := ledgertest.Epoch()
	a := &App{ledger: &openLedger{Store: s}, clock: rounds.NewClock(now, func() time.Duration { return 0 })}
	due := func(n int, to order.State, late time.Duration) {
		r := ledgertest.Record(n)
		if _, err := s.Claim(t.Context(), r, ledgertest.Entry("")); err != nil {
			t.Fatal(err)
		}
		_, err := s.Advance(t.Context(), r.OrderID, ledger.Step{By: order.ByAnswer, Now: now, Change: func(r *ledger.Record) (ledger.Entry, error) {
			r.State, r.Due = to, now.Add(-late)
			return ledger.Entry{}, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	shows := func(when string, accepted, inDoubt float64) {
		t.Helper()
		want := map[string]float64{
			"portin_orders_poll_lag_seconds": accepted, "portin_orders_in_doubt_lag_seconds": inDoubt, "portin_webhook_lag_seconds": 0,
		}
		if diff := cmp.Diff(want, lags(t, a)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	shows("without an order", 0, 0)
	due(1, order.Accepted, -time.Minute)
	shows("with one that is due later", 0, 0)
	due(2, order.Accepted, 90*time.Second)
	due(3, order.Accepted, 30*time.Second)
	due(4, order.InDoubt, 10*time.Second)
	shows("with some that are late", 90, 10)

	e, err := s.PutEndpoint(t.Context(), ledgertest.Endpoint(1))
	if err != nil {
		t.Fatal(err)
	}
	d := ledgertest.Delivery(ledgertest.Record(1).OrderID, e.Cursor+1, 0)
	d.Due = time.Now().Add(-time.Hour)
	if err := s.Enqueue(t.Context(), e.EndpointID, e.Cursor, e.Cursor+1, []ledger.Delivery{d}); err != nil {
		t.Fatal(err)
	}
	if lag := lags(t, a)["portin_webhook_lag_seconds"]; lag < 3600 || lag > 3700 {
		t.Errorf("a delivery that was due an hour ago is late by %v s", lag)
	}
}
