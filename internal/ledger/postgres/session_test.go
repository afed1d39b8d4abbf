package postgres

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/ledger/postgres/pgtest"
	"github.com/portin/portin/internal/order"
)

func testStore(t *testing.T, url string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{URL: url, Carrier: ledgertest.Carrier, MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Behind PgBouncer the next transaction meets another session: nothing may be left in this one, and nothing expected of it.
func TestNothingOutlivesItsTransaction(t *testing.T) {
	t.Parallel()
	s := testStore(t, pgtest.Database(t))
	state := func() (left []string) {
		t.Helper()
		err := s.call(t.Context(), "look", func(ctx context.Context, conn *pgx.Conn) error {
			const look = `SELECT 'statement ' || name FROM pg_prepared_statements
				UNION ALL SELECT 'setting ' || name || ' ' || setting FROM pg_settings WHERE name <> 'transaction_deferrable' AND source = 'session'
				UNION ALL SELECT 'lock ' || locktype FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'
				UNION ALL SELECT 'listening ' || pg_listening_channels()`
			rows, err := conn.Query(ctx, look)
			if err != nil {
				return err
			}
			left, err = pgx.CollectRows(rows, pgx.RowTo[string])
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return left
	}
	before := state()
	r := ledgertest.Record(1)
	_, claimErr := s.Claim(t.Context(), r, ledgertest.Entry(""))
	_, advanceErr := s.Advance(t.Context(), r.OrderID, ledgertest.Move(order.NotSent, order.ByAnswer, r.Claimed))
	_, _, listErr := s.List(t.Context(), ledger.Query{Tenant: r.Tenant, FromUpdated: r.Created, Limit: 1, MaxBytes: 1})
	_, takeErr := s.Take(t.Context(), ledger.Turn{State: order.NotSent, Now: r.Due, Until: r.Due, Limit: 1})
	hint, stop := s.Hint()
	defer stop()
	soon(t, hint, "once it listens")
	for _, err := range []error{claimErr, advanceErr, listErr, takeErr, s.Check(t.Context())} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(before, state()); diff != "" {
		t.Errorf("what a session remembers (-before +after):\n%s", diff)
	}
	for _, what := range before {
		if strings.HasPrefix(what, "statement") || strings.HasPrefix(what, "lock") || strings.HasPrefix(what, "listening") {
			t.Errorf("the session has a %s", what)
		}
	}
}

// An answered commit is on disk, whatever the database's default. A stronger default is left as it is.
func TestACommitIsDurable(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	for set, want := range map[string]string{"off": "on", "on": "on", "local": "local", "remote_apply": "remote_apply"} {
		admin := pgtest.Connect(t, url)
		if _, err := admin.Exec(t.Context(), "ALTER DATABASE "+admin.Config().Database+" SET synchronous_commit = "+set); err != nil {
			t.Fatal(err)
		}
		s := testStore(t, url)
		got := ""
		err := s.write(t.Context(), "look", func(ctx context.Context, tx *writing) error {
			return tx.QueryRow(ctx, "SELECT current_setting('synchronous_commit')").Scan(&got)
		})
		if err != nil || got != want {
			t.Errorf("synchronous_commit is %s in a transaction, where %s is the default: error %v", got, set, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
