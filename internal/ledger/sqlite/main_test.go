package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
)

// TestMain is also the main of the processes that tests start: see child_test.go.
func TestMain(m *testing.M) {
	if act := os.Getenv(childAct); act != "" {
		os.Exit(child(act, os.Getenv(childPath)))
	}
	goleak.VerifyTestMain(m)
}

// opened is a store on a file, which is closed at the end of the test.
func opened(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{Path: path, Carrier: ledgertest.Carrier})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// fresh is a store on a new file.
func fresh(t testing.TB) *Store {
	t.Helper()
	return opened(t, filepath.Join(t.TempDir(), "ledger.db"))
}

// do carries out a statement that the store itself does not have.
func do(t testing.TB, s *Store, query string) {
	t.Helper()
	err := s.writer.write(t.Context(), func(ctx context.Context, t *transaction) error {
		_, err := t.exec(ctx, query)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// asked is what a query that the store itself does not have finds in its only row.
func asked[T any](t testing.TB, s *Store, query string, args ...any) (answer T) {
	t.Helper()
	err := s.reader.read(t.Context(), func(l *line) error {
		_, err := l.one(t.Context(), query, args, &answer)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return answer
}

// claim claims an order, which must succeed.
func claim(t testing.TB, s *Store, r ledger.Record) ledger.Record {
	t.Helper()
	got, err := s.Claim(t.Context(), r, ledgertest.Entry("claimed"))
	if err != nil {
		t.Fatalf("Claim of %s: %v", r.OrderID, err)
	}
	return got
}

// intact fails the test unless the file is as SQLite left it and every order has what belongs to it.
func intact(t testing.TB, s *Store) {
	t.Helper()
	if got := asked[string](t, s, `PRAGMA integrity_check`); got != "ok" {
		t.Errorf("integrity check: %s", got)
	}
	for what, query := range map[string]string{
		"broken references":               `SELECT count(*) FROM pragma_foreign_key_check`,
		"orders without contents":         `SELECT count(*) FROM orders WHERE serial NOT IN (SELECT serial FROM contents)`,
		"orders without events":           `SELECT count(*) FROM orders WHERE serial NOT IN (SELECT serial FROM events)`,
		"orders without numbers":          `SELECT count(*) FROM orders WHERE erased = 0 AND serial NOT IN (SELECT serial FROM numbers)`,
		"events beyond the sequence":      `SELECT count(*) FROM events WHERE sequence > (SELECT sequence FROM ledger)`,
		"open orders that hold no number": `SELECT count(*) FROM orders WHERE state IN (1, 4) AND serial NOT IN (SELECT serial FROM numbers WHERE held > 0)`,
		"corrected orders that hold some": `SELECT count(*) FROM orders o JOIN numbers n ON n.serial = o.serial WHERE o.successor <> '' AND n.held > 0`,
		"marks of what is not the first pending delivery": `SELECT count(*) FROM deliveries d WHERE d.first = 1 AND d.sequence IS NOT
			(SELECT min(p.sequence) FROM deliveries p WHERE p.endpoint = d.endpoint AND p.order_id = d.order_id AND p.state = 'PENDING')`,
		"orders with pending deliveries and no mark": `SELECT count(*) FROM (SELECT 1 FROM deliveries GROUP BY endpoint, order_id
			HAVING sum(state = 'PENDING') > 0 AND sum(first) <> 1)`,
		"orders that are over and hold some": `SELECT count(*) FROM orders o JOIN numbers n ON n.serial = o.serial WHERE o.state IN (2, 3) AND n.held > 0`,
	} {
		if n := asked[int](t, s, query); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
}
