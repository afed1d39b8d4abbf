package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/ledger/postgres"
	"github.com/portin/portin/internal/ledger/postgres/pgtest"
	"github.com/portin/portin/internal/order"
)

// back is within what time a store has to work again once the server is back.
const back = 5 * time.Second

// opened is a store on a database, whose calls end soon.
func opened(t *testing.T, url string, patience time.Duration) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), postgres.Config{URL: url, Carrier: ledgertest.Carrier, Timeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestFault19_DownAndBack(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t)
	s := opened(t, c.URL(), 3*time.Second)
	was, err := s.Claim(t.Context(), ledgertest.Record(1), ledgertest.Entry("claimed"))
	if err != nil {
		t.Fatal(err)
	}
	for i, immediate := range []bool{true, false} {
		fresh := ledgertest.Record(2 + i)
		c.Stop(t, immediate)
		for name, call := range calls(s, was, fresh) {
			began := time.Now()
			// Without a deadline: a caller who has none must not wait for ever.
			if err := call(context.Background()); err == nil {
				t.Errorf("%s went well without a server", name)
			}
			if took := time.Since(began); took > 10*time.Second { // three, and what a busy machine adds
				t.Errorf("%s took %v to fail", name, took)
			}
		}
		c.Start(t)
		started := time.Now()
		for name, call := range calls(s, was, fresh) {
			for err := call(t.Context()); err != nil && name != "Claim" && name != "Advance"; err = call(t.Context()) {
				if time.Since(started) > back {
					t.Fatalf("%s, %v after the server is back: %v", name, back, err)
				}
			}
		}
		if got, err := s.Find(t.Context(), fresh.Tenant, fresh.OrderID); err != nil || cmp.Diff(fresh.Numbers, got.Numbers) != "" {
			t.Errorf("the order that was claimed once the server was back: %v, error %v", got, err)
		}
	}
	c.Stop(t, true)
	if another, err := postgres.Open(context.Background(), postgres.Config{URL: c.URL(), Carrier: ledgertest.Carrier}); err == nil {
		t.Errorf("Open without a server: %v", another.Close())
	}
}

// All connections of a pool are dead after a restart, and all were in use a moment before. The first call has to find that out
// by itself, however many there are.
func TestFault19_EveryConnectionIsDead(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t)
	s := opened(t, c.URL(), 20*time.Second)
	gate := pgtest.Connect(t, c.URL())
	if _, err := gate.Exec(t.Context(), "BEGIN; SELECT FROM ledger FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	const connections = 16
	ended := make(chan error, connections)
	for range connections {
		go func() { ended <- s.Check(context.WithoutCancel(t.Context())) }()
	}
	waiting(t, c.URL(), connections)
	if _, err := gate.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	for range connections {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	c.Stop(t, true)
	c.Start(t)
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("the first call after a restart: %v", err)
	}
}

// A server that crashes while many write loses nothing that was acknowledged, and nothing is there by half.
func TestFault19_CrashUnderWrites(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t)
	s := opened(t, c.URL(), 5*time.Second)
	const writers, each = 8, 400
	var wg sync.WaitGroup
	acknowledged := make([]int, writers)
	working := make(chan struct{}, writers)
	for i := range writers {
		wg.Go(func() {
			for n := range each {
				r := ledgertest.Record(i*each + n)
				if _, err := s.Claim(t.Context(), r, ledgertest.Entry("claimed")); err != nil {
					return
				}
				acknowledged[i]++
				if n == 3 {
					working <- struct{}{}
				}
			}
		})
	}
	for range writers {
		<-working
	}
	c.Stop(t, true)
	wg.Wait()
	c.Start(t)
	there := 0
	for i := range writers {
		for n := range min(acknowledged[i]+1, each) {
			r := ledgertest.Record(i*each + n)
			_, err := s.Find(t.Context(), r.Tenant, r.OrderID)
			switch events, eventsErr := s.Events(t.Context(), r.Tenant, r.OrderID, false, 0, 10); {
			case err == nil && len(events) == 1 && eventsErr == nil:
				there++
			case errors.Is(err, ledger.ErrNotFound) && errors.Is(eventsErr, ledger.ErrNotFound) && n == acknowledged[i]:
			default:
				t.Errorf("writer %d, order %d of %d: %v, %d events, %v", i, n, acknowledged[i], err, len(events), eventsErr)
			}
		}
	}
	if counts, err := s.Count(t.Context()); err != nil || counts.Sending != there {
		t.Errorf("%+v, error %v; %d orders are there", counts, err, there)
	}
}

// A connection that is ended in the midst of a transaction has changed nothing, and the call goes on with another one.
func TestFault19_KilledInATransaction(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t)
	s := opened(t, c.URL(), 20*time.Second)
	was, err := s.Claim(t.Context(), ledgertest.Record(1), ledgertest.Entry("claimed"))
	if err != nil {
		t.Fatal(err)
	}
	fresh := ledgertest.Record(2)
	for _, name := range []string{"Claim", "Advance", "Check"} {
		holder := pgtest.Connect(t, c.URL())
		if _, err := holder.Exec(t.Context(), "BEGIN; SELECT FROM ledger FOR UPDATE"); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- calls(s, was, fresh)[name](context.WithoutCancel(t.Context())) }()
		first := pgtest.Blocked(t, c.URL())
		c.Terminate(t, first)
		for second := first; second == first; second = pgtest.Blocked(t, c.URL()) {
			continue // A backend ends some time after it was told to.
		}
		if _, err := s.Find(t.Context(), fresh.Tenant, fresh.OrderID); name == "Claim" && !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("what a transaction wrote before it was ended: %v, want ErrNotFound", err)
		}
		if _, err := holder.Exec(t.Context(), "COMMIT"); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err != nil {
			t.Errorf("%s, whose connection was ended: %v", name, err)
		}
	}
	for r, want := range map[string]int{was.OrderID: 2, fresh.OrderID: 1} {
		if events, err := s.Events(t.Context(), was.Tenant, r, false, 0, 10); err != nil || len(events) != want {
			t.Errorf("%d events of order %s, want %d; error %v", len(events), r, want, err)
		}
	}
}

// A commit whose connection ends before it is answered may have been carried out, as here. The call must not say that it was
// not, nor try again, which would find its own key taken.
func TestFault19_CommitOfUnknownOutcome(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t)
	s := opened(t, c.URL(), 20*time.Second)
	admin := pgtest.Connect(t, c.URL())
	// A commit waits for a standby that does not exist; it is on disk here by then.
	standby := func(name string) {
		for _, statement := range []string{"ALTER SYSTEM SET synchronous_standby_names = '" + name + "'", "SELECT pg_reload_conf()"} {
			if _, err := admin.Exec(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	standby("nobody")
	ended := make(chan error, 1)
	claim := func(r ledger.Record) {
		_, err := s.Claim(context.WithoutCancel(t.Context()), r, ledgertest.Entry("claimed"))
		ended <- err
	}
	fresh := ledgertest.Record(1)
	for n, waits := 1, false; !waits; n++ {
		fresh = ledgertest.Record(n)
		go claim(fresh)
		select {
		case err := <-ended: // the server had not read its new settings yet
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(2 * time.Second):
			waits = true
		}
	}
	c.Terminate(t, pgtest.Waiting(t, c.URL(), "SyncRep"))
	err := <-ended
	if err == nil || errors.Is(err, ledger.ErrMoved) {
		t.Errorf("a commit that was not answered: %v", err)
	}
	standby("")
	if got, err := s.Find(t.Context(), fresh.Tenant, fresh.OrderID); err != nil || got.State != order.Sending {
		t.Errorf("read again, it is %v, error %v; this server had carried it out", got, err)
	}
}

// Whoever waits for a lock for too long gives up, and whoever keeps one for too long loses it.
func TestFault19_LocksEnd(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	s := opened(t, url, time.Second)
	was, err := s.Claim(t.Context(), ledgertest.Record(1), ledgertest.Entry("claimed"))
	if err != nil {
		t.Fatal(err)
	}
	holder := pgtest.Connect(t, url)
	if _, err := holder.Exec(t.Context(), "BEGIN; SELECT FROM ledger FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Claim", "Advance", "Check"} {
		began := time.Now()
		err := calls(s, was, ledgertest.Record(2))[name](context.Background())
		if err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s behind a lock: %v; the caller had no deadline", name, err)
		}
		if took := time.Since(began); took > 10*time.Second { // one, and what a busy machine adds
			t.Errorf("%s waited for %v", name, took)
		}
	}
	if _, err := holder.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	// A process that is stopped in the midst of a transaction, as by SIGSTOP, keeps its locks until the server has enough.
	began := time.Now()
	stopped := pgtest.Connect(t, url)
	for _, statement := range []string{postgres.BeginWriting(500 * time.Millisecond), "SELECT FROM ledger FOR UPDATE"} {
		if _, err := stopped.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for err := s.Check(t.Context()); err != nil; err = s.Check(t.Context()) {
		if time.Since(began) > back {
			t.Fatalf("a transaction that was left open still keeps others waiting: %v", err)
		}
	}
}

// When the standby takes over, connections to what was the primary only read.
func TestFault19_ServerOnlyReads(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t)
	s := opened(t, c.URL(), 5*time.Second)
	admin := pgtest.Connect(t, c.URL())
	demote := func(on bool) {
		if _, err := admin.Exec(t.Context(), fmt.Sprintf("ALTER DATABASE postgres SET default_transaction_read_only = %v", on)); err != nil {
			t.Fatal(err)
		}
	}
	demote(true)
	c.Stop(t, true)
	c.Start(t)
	if err := s.Check(t.Context()); err == nil {
		t.Fatal("a server that only reads was written to")
	}
	if _, err := s.Count(t.Context()); err != nil {
		t.Errorf("reading from a server that only reads: %v", err)
	}
	admin = pgtest.Connect(t, c.URL()+"&default_transaction_read_only=off")
	demote(false)
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("connections that only read are still used: %v", err)
	}
}
