package sqlite

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/portin/portin/internal/ledger"
)

// A read whose caller leaves gives its connection up, with all that it has open: the last connection alone folds the log into the
// file, and what was erased would be left in it.
func TestACloseFoldsTheLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	s := opened(t, path)
	for n := range 30 {
		claim(t, s, planted(n))
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 60 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(3000))*time.Microsecond)
				_, _, _ = s.List(ctx, ledger.Query{Tenant: planted(0).Tenant, Limit: 20, MaxBytes: 1 << 20})
				_, _ = s.Changes(ctx, 0, 100)
				_, _ = s.Count(ctx)
				cancel()
			}
		})
	}
	all.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); err == nil {
		t.Error("the log is still there")
	}
}
