package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/ledger/postgres"
	"github.com/portin/portin/internal/ledger/postgres/pgtest"
	"github.com/portin/portin/internal/order"
)

// An order that comes to hold a number beside another one locks the number and then the other order, whose release locks the
// two the other way round. The server ends one of the two, which begins anew: nobody is told.
func TestCollisionAgainstRelease(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	s := opened(t, url, 20*time.Second)
	admin := pgtest.Connect(t, url)
	if _, err := admin.Exec(t.Context(), "ALTER ROLE postgres IN DATABASE "+admin.Config().Database+" SET deadlock_timeout = '50ms'"); err != nil {
		t.Fatal(err)
	}
	s = reopened(t, s, url)
	late, holder := ledgertest.Record(1), ledgertest.Record(2)
	holder.Numbers = late.Numbers
	for _, act := range []func() (ledger.Record, error){
		func() (ledger.Record, error) { return s.Claim(t.Context(), late, ledgertest.Entry("")) },
		func() (ledger.Record, error) {
			return s.Advance(t.Context(), late.OrderID, ledgertest.Move(order.NotSent, order.ByAnswer, late.Claimed))
		},
		func() (ledger.Record, error) { return s.Claim(t.Context(), holder, ledgertest.Entry("")) },
	} {
		if _, err := act(); err != nil {
			t.Fatal(err)
		}
	}
	gate, err := admin.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gate.Exec(t.Context(), "SELECT FROM holds FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 2)
	advance := func(id string, step ledger.Step) {
		_, err := s.Advance(context.WithoutCancel(t.Context()), id, step)
		ended <- err
	}
	go advance(late.OrderID, ledgertest.Accept("late", late.Claimed))
	pgtest.Blocked(t, url)
	go advance(holder.OrderID, ledgertest.Move(order.Refused, order.ByAnswer, holder.Claimed))
	waiting(t, url, 2)
	if err := gate.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	probe := ledgertest.Record(3)
	probe.Numbers = late.Numbers
	_, err = s.Claim(t.Context(), probe, ledgertest.Entry(""))
	if held, ok := errors.AsType[*ledger.HeldError](err); !ok || held.Holder.OrderID != late.OrderID {
		t.Errorf("who holds the number: %v, want order %s", err, late.OrderID)
	}
}

// reopened closes a store and opens another: new connections have new settings.
func reopened(t *testing.T, s *postgres.Store, url string) *postgres.Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return opened(t, url, 20*time.Second)
}

// waiting waits until so many connections wait for a lock.
func waiting(t *testing.T, url string, n int) {
	t.Helper()
	conn := pgtest.Connect(t, url)
	look, late := time.NewTicker(5*time.Millisecond), time.NewTimer(20*time.Second)
	defer look.Stop()
	defer late.Stop()
	const query = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
	for now := 0; now != n; {
		if err := conn.QueryRow(t.Context(), query).Scan(&now); err != nil {
			t.Fatal(err)
		}
		select {
		case <-look.C:
		case <-late.C:
			t.Fatalf("%d connections wait for a lock, want %d", now, n)
		}
	}
}
