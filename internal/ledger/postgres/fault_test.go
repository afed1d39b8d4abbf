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

// calls are every method that talks to the server, on an order that is there and one that is not.
func calls(s ledger.Store, was, fresh ledger.Record) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"FindKey": func(ctx context.Context) error { _, err := s.FindKey(ctx, was.Tenant, was.RequestID); return err },
		"Find":    func(ctx context.Context) error { _, err := s.Find(ctx, was.Tenant, was.OrderID); return err },
		"Claim":   func(ctx context.Context) error { _, err := s.Claim(ctx, fresh, ledgertest.Entry("")); return err },
		"Advance": func(ctx context.Context) error {
			_, err := s.Advance(ctx, was.OrderID, ledgertest.Move(order.InDoubt, order.ByLease, was.Claimed))
			return err
		},
		"List": func(ctx context.Context) error {
			_, _, err := s.List(ctx, ledger.Query{Tenant: was.Tenant, Limit: 1, MaxBytes: 1, FromUpdated: was.Created})
			return err
		},
		"Events": func(ctx context.Context) error { _, err := s.Events(ctx, was.Tenant, was.OrderID, 0, 1); return err },
		"Take": func(ctx context.Context) error {
			_, err := s.Take(ctx, ledger.Turn{State: order.Sending, Now: was.Due, Until: was.Due.Add(time.Hour), Limit: 1})
			return err
		},
		"Sending": func(ctx context.Context) error { _, err := s.Sending(ctx); return err },
		"Count":   func(ctx context.Context) error { _, err := s.Count(ctx); return err },
		"Check":   s.Check,
	}
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
			if took := time.Since(began); took > 4*time.Second {
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
			switch events, eventsErr := s.Events(t.Context(), r.Tenant, r.OrderID, 0, 10); {
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
		if events, err := s.Events(t.Context(), was.Tenant, r, 0, 10); err != nil || len(events) != want {
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
	fresh := ledgertest.Record(1)
	ended := make(chan error, 1)
	go func() {
		_, err := s.Claim(context.WithoutCancel(t.Context()), fresh, ledgertest.Entry("claimed"))
		ended <- err
	}()
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
		if took := time.Since(began); took > 3*time.Second {
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
