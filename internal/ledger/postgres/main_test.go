package postgres_test

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/ledger/postgres"
	"github.com/portin/portin/internal/ledger/postgres/pgtest"
)

type suite struct{ m *testing.M }

func (s suite) Run() int { return pgtest.Main(s.m) }

func TestMain(m *testing.M) { goleak.VerifyTestMain(suite{m}) }

// TestStore holds the engine to the contract.
func TestStore(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, ledgertest.Engine{New: func(t testing.TB) ledgertest.Ledger {
		t.Helper()
		url := pgtest.Database(t)
		return ledgertest.Ledger{Shared: true, Open: func(ctx context.Context, carrier string) (ledger.Store, error) {
			return postgres.Open(ctx, postgres.Config{URL: url, Carrier: carrier})
		}}
	}})
}
