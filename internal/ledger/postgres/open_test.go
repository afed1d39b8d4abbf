package postgres_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/ledger/postgres"
	"github.com/portin/portin/internal/ledger/postgres/pgtest"
)

// Replicas that start at once on an empty database all come up, on one ledger.
func TestManyOpenAnEmptyDatabaseAtOnce(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	const replicas = 8
	stores, errs := make([]*postgres.Store, replicas), make([]error, replicas)
	var wg sync.WaitGroup
	for i := range replicas {
		wg.Go(func() {
			stores[i], errs[i] = postgres.Open(t.Context(), postgres.Config{URL: database, Carrier: ledgertest.Carrier, MaxConns: 2})
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	ids := map[string]bool{}
	for i, s := range stores {
		if s == nil {
			continue
		}
		ids[s.ID()] = true
		if _, err := s.Claim(t.Context(), ledgertest.Record(i), ledgertest.Entry("")); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(ids) != 1 {
		t.Errorf("the replicas are on ledgers %v", ids)
	}
}

// A newer binary has migrated the database: columns, tables and a number more. This one goes on with what it knows.
func TestANewerSchemaOpens(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	s := opened(t, database, 0)
	id := s.ID()
	newer := pgtest.Connect(t, database)
	for _, statement := range []string{
		"ALTER TABLE orders ADD COLUMN colour text NOT NULL DEFAULT 'green'",
		"CREATE TABLE colours (name text)",
		"INSERT INTO migrations (version_id, is_applied) VALUES (99999, true)",
	} {
		if _, err := newer.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	// Both the binary that was running and one that starts.
	for i, s := range []*postgres.Store{s, opened(t, database, 0)} {
		want, err := s.Claim(t.Context(), ledgertest.Record(i), ledgertest.Entry(""))
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Find(t.Context(), want.Tenant, want.OrderID)
		if err != nil || cmp.Diff(want, got) != "" || s.ID() != id {
			t.Errorf("error %v, ledger %s, want %s; (-want +got):\n%s", err, s.ID(), id, cmp.Diff(want, got))
		}
	}
}

// Whoever runs the service need not be whoever may change tables, once they are there.
func TestTablesThatAreThereNeedNoOwner(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t)
	if err := opened(t, c.URL(), 0).Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := pgtest.Connect(t, c.URL()).Exec(t.Context(),
		"CREATE ROLE clerk LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO clerk"); err != nil {
		t.Fatal(err)
	}
	s := opened(t, strings.Replace(c.URL(), "postgres@", "clerk@", 1), 0)
	if _, err := s.Claim(t.Context(), ledgertest.Record(1), ledgertest.Entry("")); err != nil {
		t.Error(err)
	}
}

// There are texts that a database of another encoding cannot keep.
func TestOnlyUTF8(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t)
	if _, err := pgtest.Connect(t, c.URL()).Exec(t.Context(), "CREATE DATABASE old TEMPLATE template0 ENCODING 'LATIN1'"); err != nil {
		t.Fatal(err)
	}
	s, err := postgres.Open(t.Context(), postgres.Config{URL: strings.Replace(c.URL(), "/postgres?", "/old?", 1), Carrier: "c"})
	if err == nil {
		t.Fatal(s.Close())
	}
	if !strings.Contains(err.Error(), "LATIN1") {
		t.Errorf("%v does not name the encoding", err)
	}
}

// A password is in no error, however the URL is spoilt and whatever the server says.
func TestNoErrorHoldsThePassword(t *testing.T) {
	t.Parallel()
	const password = "correct%20horse"
	database := pgtest.Database(t)
	parsed, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	socket := url.QueryEscape(parsed.Query().Get("host"))
	for _, u := range []string{
		"", "nonsense", password, "host=localhost password=" + password, "mysql://u:" + password + "@localhost/d",
		"postgres://u:" + password + "@localhost:port/d", "postgres://u:" + password + "%zz@localhost/d", "postgres://u:" + password + "\x7f@localhost/d",
		"postgres://u:p@ss" + password + "@localhost:99999999/d", "postgres://u:" + password + "@[::1/d",
		"postgres://u@localhost/d?sslmode=" + password, "postgres://u:" + password + "@localhost/d?sslmode=maybe",
		"postgres://u@localhost/d?password=" + password + "&connect_timeout=x", "postgres://u@localhost/d?pool_max_conns=" + password,
		"postgres://u:" + password + "@127.0.0.1:1/d", "postgres://u:" + password + "@/nosuchdatabase?host=" + socket,
		"postgres://nosuchrole:" + password + "@" + strings.TrimPrefix(database, "postgres://postgres@"),
		"postgres://u:" + password + "@host.invalid/d?connect_timeout=1",
	} {
		s, err := postgres.Open(t.Context(), postgres.Config{URL: u, Carrier: "c", Timeout: time.Second})
		if err == nil {
			t.Errorf("%q was opened: %v", u, s.Close())
			continue
		}
		for _, secret := range []string{"correct", "horse"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error for %q: %v", u, err)
			}
		}
	}
}

// A call that is under way when the store is closed ends, and says why.
func TestCloseEndsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	s := opened(t, database, time.Hour)
	gate := pgtest.Connect(t, database)
	if _, err := gate.Exec(t.Context(), "BEGIN; SELECT FROM ledger FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := s.Claim(context.WithoutCancel(t.Context()), ledgertest.Record(1), ledgertest.Entry(""))
		ended <- err
	}()
	pgtest.Blocked(t, database)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("the call that was under way: %v, want ErrClosed", err)
	}
}
