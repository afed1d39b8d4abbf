package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/ledger/sqlite"
)

// TestStore holds the engine to the contract. Every ledger begins as a copy of one file that is migrated already: to migrate a
// file for each of the many cases would take longer than the cases do.
func TestStore(t *testing.T) {
	t.Parallel()
	blank := filepath.Join(t.TempDir(), "blank.db")
	if err := sqlite.Blank(t.Context(), blank); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(blank)
	if err != nil {
		t.Fatal(err)
	}
	ledgertest.Run(t, ledgertest.Engine{New: func(t testing.TB) ledgertest.Ledger {
		t.Helper()
		path := filepath.Join(t.TempDir(), "ledger.db")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return ledgertest.Ledger{Open: func(ctx context.Context, carrier string) (ledger.Store, error) {
			s, err := sqlite.Open(ctx, sqlite.Config{Path: path, Carrier: carrier})
			if err != nil {
				return nil, err
			}
			return s, nil
		}}
	}})
}
