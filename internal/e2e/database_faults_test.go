package e2e_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/config"
	"github.com/portin/portin/internal/ledger/postgres/pgtest"
	"github.com/portin/portin/internal/sandbox"
)

// hurry is how soon orders have to be taken again once the database is back: five seconds on a machine that has nothing else
// to do, which one that runs all tests at once is not; the log has the time.
const hurry = 20 * time.Second

// PostgreSQL is crashed, stopped and started again under load, and its connections are ended in the middle of what they do.
func TestFault19_PostgreSQLGoesAndComes(t *testing.T) {
	t.Parallel()
	cluster := pgtest.Start(t)
	s := serve(t, newStandin(t, sandbox.Config{}), config.Ledger{URL: config.Secret(cluster.URL())}, curious)
	s.must(t, overGRPC, s.carrier.order(t, ""), newKey(), accepted)
	c := &campaign{carrier: s.carrier}
	ctx, stop := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	var mu sync.Mutex
	answers := map[string]int{}
	for i := range 6 {
		callers.Go(func() {
			for ctx.Err() == nil {
				r := c.another(t, true)
				for ctx.Err() == nil { // until it is placed
					answer := s.portIn(ctx, faces()[i%2], r.order, r.key)
					mu.Lock()
					answers[fmt.Sprint(answer.order.GetState(), answer.reason)]++
					mu.Unlock()
					r.hear(answer)
					if answer.order.GetState() == accepted {
						break
					}
					within(t, 100*time.Millisecond, func() bool { return false })
				}
			}
		})
	}

	const all = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
	conn, ended := pgtest.Connect(t, cluster.URL()), 0
	for range 40 { // in the middle of what they do
		var n int
		if err := conn.QueryRow(t.Context(), all).Scan(&n); err != nil {
			t.Fatal(err)
		}
		ended += n
		within(t, 50*time.Millisecond, func() bool { return false })
	}
	before := s.carrier.Counts().Tickets
	if !within(t, hurry, func() bool { return s.carrier.Counts().Tickets > before }) {
		t.Errorf("no order for %v after connections were ended", hurry)
	}
	for _, immediate := range []bool{true, false} {
		cluster.Stop(t, immediate)
		until(t, "the service is not ready", func() bool { return s.ready(t) == 503 })
		before = s.carrier.Counts().Tickets
		cluster.Start(t)
		begun := time.Now()
		if !within(t, hurry, func() bool { return s.carrier.Counts().Tickets > before }) {
			t.Errorf("no order for %v after PostgreSQL was back", hurry)
		}
		t.Logf("the first order came %v after PostgreSQL was back", time.Since(begun))
		until(t, "the service is ready", func() bool { return s.ready(t) == 200 })
	}
	stop()
	callers.Wait()

	ledger := map[string]*portinv1.PortInOrder{}
	until(t, "nothing is owed", func() bool { return s.metric(t, "portin_ledger_results_owed") == 0 && len(s.list(t, sending)) == 0 })
	for _, o := range s.list(t) {
		ledger[o.GetRequestId()] = o
	}
	for _, r := range c.all() {
		var tickets []sandbox.Ticket
		for _, ticket := range s.carrier.Tickets() {
			if slices.Contains(ticket.Numbers, r.number) {
				tickets = append(tickets, ticket)
			}
		}
		if problem := judge(ledger[r.key], r.last(), s.carrier.OrdersFor(r.number), tickets); problem != "" {
			t.Errorf("request %s: %s; its caller heard %+v, the order is %v", r.key, problem, r.last(), ledger[r.key])
		}
	}
	t.Logf("%d connections ended; %d orders; the answers were %v", ended, len(ledger), answers)
}

// A binary that meets a ledger which a newer one has brought further works with it.
func TestFault35_ALedgerOfTomorrowOpens(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, e engine) {
		s := start(t, e)
		o, key := s.carrier.order(t, ""), newKey()
		id := s.must(t, overGRPC, o, key, accepted).orderID
		s.restful(t) // it is followed: what comes back is the order as it now is
		before := s.get(t, id)
		s.quit(t)
		versions := map[engine]string{sqlite: "goose_db_version", postgres: "migrations"}[e]
		alter(t, e, s.ledger,
			"ALTER TABLE orders ADD COLUMN shade TEXT NOT NULL DEFAULT 'blue'",
			"ALTER TABLE events ADD COLUMN shade TEXT",
			"CREATE TABLE tomorrow (one INTEGER)",
			fmt.Sprintf("INSERT INTO %[1]s (version_id, is_applied) SELECT max(version_id) + 1, %[2]s FROM %[1]s", versions,
				map[engine]string{sqlite: "1", postgres: "true"}[e]))

		s = serve(t, s.carrier, s.ledger)
		again := s.must(t, overGRPC, o, key, accepted)
		if diff := cmp.Diff(before, again.order, protocmp.Transform()); diff != "" || !again.replayed {
			t.Errorf("on the ledger of tomorrow (-before +now):\n%s", diff)
		}
		next := s.must(t, overJSON, s.carrier.order(t, ""), newKey(), accepted)
		if n := len(s.events(t, next.orderID)); n < 2 {
			t.Errorf("a new order has %d events", n)
		}
	})
}

// alter changes a ledger that no service has open.
func alter(t *testing.T, e engine, l config.Ledger, statements ...string) {
	t.Helper()
	do := func(statement string) error {
		_, err := pgtest.Connect(t, l.URL.Reveal()).Exec(t.Context(), statement)
		return err
	}
	if e == sqlite {
		db, err := sql.Open("sqlite", l.File)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		do = func(statement string) error {
			_, err := db.ExecContext(t.Context(), statement)
			return err
		}
	}
	for _, statement := range statements {
		if err := do(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}
