package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/ledger/postgres/pgtest"
)

// soon waits for a hint.
func soon(t *testing.T, hint <-chan struct{}, when string) {
	t.Helper()
	late := time.NewTimer(20 * time.Second)
	defer late.Stop()
	select {
	case <-hint:
	case <-late.C:
		t.Fatalf("no hint %s", when)
	}
}

// ear waits for the connection of a database that listens, any but one, and returns its backend.
func ear(t *testing.T, url string, but int) int {
	t.Helper()
	conn := pgtest.Connect(t, url)
	look, late := time.NewTicker(5*time.Millisecond), time.NewTimer(20*time.Second)
	defer look.Stop()
	defer late.Stop()
	const query = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN portin' AND state = 'idle' AND pid <> $1`
	for {
		var backend int
		err := conn.QueryRow(t.Context(), query, but).Scan(&backend)
		if err == nil {
			return backend
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			t.Fatal(err)
		}
		select {
		case <-look.C:
		case <-late.C:
			t.Fatal("nobody listens")
		}
	}
}

// What another process does comes across, also when the connection that heard of it was lost, and after the server was away.
// Each new connection begins with a hint: something may have been missed.
func TestHintsComeAgainAfterTheConnectionWasLost(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t)
	s, other := testStore(t, c.URL()), testStore(t, c.URL())
	hint, stop := s.Hint()
	defer stop()
	backend, n := 0, 0
	for _, lose := range []func(){
		func() {}, func() { c.Terminate(t, backend) }, func() { c.Stop(t, true); c.Start(t) }, func() { c.Stop(t, false); c.Start(t) },
	} {
		lose()
		soon(t, hint, "once it listens")
		backend = ear(t, c.URL(), backend)
		for again := 0; again < 2; {
			n++
			_, err := other.Claim(t.Context(), ledgertest.Record(n), ledgertest.Entry(""))
			if err != nil {
				continue // The server has not been back for long.
			}
			again++
			soon(t, hint, "of what another process did")
		}
	}
}

// What the process itself does needs no connection for it, and no listener keeps a writer.
func TestHintsOfItsOwnNeedNoListener(t *testing.T) {
	t.Parallel()
	s := testStore(t, pgtest.Database(t))
	nowhere, err := pgx.ParseConfig("postgres://nobody@127.0.0.1:1/nothing")
	if err != nil {
		t.Fatal(err)
	}
	s.listener.config = nowhere
	hint, stop := s.Hint()
	second, stopSecond := s.Hint()
	defer stopSecond()
	for i := range 3 {
		r := ledgertest.Record(i)
		if _, err := s.Claim(t.Context(), r, ledgertest.Entry("")); err != nil {
			t.Fatal(err)
		}
		soon(t, hint, "of a claim")
		soon(t, second, "of a claim for the second")
	}
	stop()
	stop()
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Claim(t.Context(), ledgertest.Record(9), ledgertest.Entry("")); err != nil {
		t.Fatal(err)
	}
	soon(t, second, "for the second, once the first has stopped")
	select {
	case <-hint:
		t.Error("a hint came after stop")
	case <-second:
		t.Error("a second hint came of one claim")
	default:
	}
}

// Where somebody has listened and not read for days the server has no place left for hints, and a transaction that gives one
// fails. The server of this test says so, as far as a session sees.
func TestNoPlaceForHintsKeepsNoWriter(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	testStore(t, url)
	admin := pgtest.Connect(t, url)
	usage := func(now string) {
		for _, statement := range []string{
			"CREATE SCHEMA IF NOT EXISTS full_queue",
			"CREATE OR REPLACE FUNCTION full_queue.pg_notification_queue_usage() RETURNS double precision LANGUAGE sql AS 'SELECT " + now + "::float8'",
			"CREATE OR REPLACE FUNCTION full_queue.pg_notify(text, text) RETURNS void LANGUAGE plpgsql AS 'BEGIN RAISE disk_full; END'",
			"ALTER ROLE postgres IN DATABASE " + admin.Config().Database + " SET search_path = full_queue, pg_catalog, public",
		} {
			if _, err := admin.Exec(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	usage("0.3")
	s := testStore(t, url)
	if _, err := s.Claim(t.Context(), ledgertest.Record(1), ledgertest.Entry("")); err != nil {
		t.Error(err)
	}
	usage("0.2")
	if _, err := s.Claim(t.Context(), ledgertest.Record(2), ledgertest.Entry("")); err == nil {
		t.Error("no hint is given although there is place for it")
	}
}

// A store that is closed has no listener, whenever that is, and starts none.
func TestCloseEndsTheListener(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t)
	begun, away, late := testStore(t, c.URL()), testStore(t, c.URL()), testStore(t, c.URL())
	hint, stop := begun.Hint()
	defer stop()
	soon(t, hint, "once it listens")
	if err := begun.Close(); err != nil {
		t.Error(err)
	}
	if err := late.Close(); err != nil {
		t.Error(err)
	}
	_, stopLate := late.Hint()
	stopLate()
	if late.listener.started {
		t.Error("a closed store listens")
	}
	c.Stop(t, true)
	_, stopAway := away.Hint()
	defer stopAway()
	if err := away.Close(); err != nil {
		t.Error(err)
	}
}

// A connection on which nothing comes is asked whether it lives, and goes on when it does.
func TestSilenceIsNotTheEnd(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t)
	conn := pgtest.Connect(t, c.URL())
	for range 3 {
		if !lives(t.Context(), conn, time.Millisecond) {
			t.Fatal("a connection that lives is given up")
		}
	}
	c.Stop(t, true)
	for range 2 {
		if lives(t.Context(), conn, time.Millisecond) {
			t.Error("a connection that is dead is kept")
		}
	}
}

func TestPausesGrowToABound(t *testing.T) {
	t.Parallel()
	for failures, bounds := range map[int][2]time.Duration{
		0: {50 * time.Millisecond, 100 * time.Millisecond}, 3: {400 * time.Millisecond, 800 * time.Millisecond},
		9: {5 * time.Second, 10 * time.Second}, 10: {5 * time.Second, 10 * time.Second}, 1 << 40: {5 * time.Second, 10 * time.Second},
	} {
		seen := map[time.Duration]bool{}
		for range 100 {
			p := pause(failures)
			if seen[p] = true; p < bounds[0] || p >= bounds[1] {
				t.Fatalf("a pause of %v after %d failures, want one of %v", p, failures, bounds)
			}
		}
		if len(seen) < 2 {
			t.Errorf("all pauses after %d failures are the same", failures)
		}
	}
}

// A transaction that is undone gives no hint, and one without events neither.
func TestNoEventNoHint(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	s := testStore(t, url)
	ears := pgtest.Connect(t, url)
	if _, err := ears.Exec(t.Context(), "LISTEN "+channel); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Advance(t.Context(), "nobody's", ledger.Step{}); !errors.Is(err, ledger.ErrNotFound) {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Claim(t.Context(), ledgertest.Record(1), ledgertest.Entry("")); err != nil {
		t.Fatal(err)
	}
	enough, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := ears.WaitForNotification(enough); err != nil {
		t.Error(err)
	}
	// What was committed before this statement has been heard when it is answered.
	if _, err := ears.Exec(t.Context(), "SELECT"); err != nil {
		t.Fatal(err)
	}
	cancel()
	if n, err := ears.WaitForNotification(enough); err == nil {
		t.Errorf("a second notification came: %+v", n)
	}
}
