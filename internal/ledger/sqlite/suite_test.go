package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/ledger/sqlite"
)

// TestStore holds the engine to the contract.
func TestStore(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, ledgertest.Engine{New: func(t testing.TB) ledgertest.Ledger {
		t.Helper()
		path := filepath.Join(t.TempDir(), "ledger.db")
		return ledgertest.Ledger{Open: func(ctx context.Context, carrier string) (ledger.Store, error) {
			s, err := sqlite.Open(ctx, sqlite.Config{Path: path, Carrier: carrier})
			if err != nil {
				return nil, err
			}
			return s, nil
		}}
	}})
}
