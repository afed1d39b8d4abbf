package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/postgres/pgtest"
	"github.com/portin/portin/internal/order"
)

// BenchmarkFlat asks the same of a ledger of a thousand orders and of one of a million, in turn, and prints what each takes:
//
//	go test -run '^$' -bench Flat -benchtime 1x -timeout 1h ./internal/ledger/postgres
func BenchmarkFlat(b *testing.B) {
	c := pgtest.Start(b)
	if _, err := pgtest.Connect(b, c.URL()).Exec(b.Context(), "ALTER SYSTEM SET shared_buffers = '4GB'"); err != nil {
		b.Fatal(err)
	}
	c.Stop(b, false)
	c.Start(b)
	small, large := grown(b, c.Database(b), 1000), grown(b, c.Database(b), 1_000_000)
	for b.Loop() {
		fmt.Fprintf(os.Stdout, "\n%-44s %10s %10s %10s %10s %7s %7s\n", "", "1,000: p50", "p99", "1 m.: p50", "p99", "p50", "p99")
		for _, a := range asked() {
			var took [2][]time.Duration
			for range 500 {
				for i, g := range []*growth{small, large} {
					took[i] = append(took[i], fastest(b, a.call(g)))
				}
			}
			at := func(i, percent int) time.Duration { return took[i][len(took[i])*percent/100].Round(time.Microsecond) }
			for i := range took {
				took[i] = took[i][20:] // The first meet a cold cache.
				slices.Sort(took[i])
			}
			fmt.Fprintf(os.Stdout, "%-44s %10v %10v %10v %10v %7.2f %7.2f\n", a.name, at(0, 50), at(0, 99), at(1, 50), at(1, 99),
				float64(at(1, 50))/float64(at(0, 50)), float64(at(1, 99))/float64(at(0, 99)))
		}
	}
}

// fastest is what a call takes at the least of three times: what the machine has to do beside it is not what is measured.
func fastest(b *testing.B, call func(context.Context) error) time.Duration {
	b.Helper()
	least := time.Hour
	for range 3 {
		began := time.Now()
		if err := call(b.Context()); err != nil {
			b.Fatal(err)
		}
		least = min(least, time.Since(began))
	}
	return least
}

// pace is the time between two orders.
const pace = 30 * time.Second

// growth is a ledger of n orders, the latest of which is of now.
type growth struct {
	*Store
	n      int
	now    time.Time
	random *rand.Rand
}

// grown makes a ledger of n orders by COPY.
func grown(b *testing.B, url string, n int) *growth {
	b.Helper()
	s, err := Open(b.Context(), Config{URL: url, Carrier: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	g := &growth{Store: s, n: n, now: time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC), random: rand.New(rand.NewPCG(1, 2))}
	conn := pgtest.Connect(b, url)
	copyIn := func(table string, columns []string, row func(i int) ([]any, error)) {
		if _, err := conn.CopyFrom(b.Context(), pgx.Identifier{table}, columns, pgx.CopyFromSlice(n, row)); err != nil {
			b.Fatal(err)
		}
	}
	copyIn("orders", listed(recordColumns), func(i int) ([]any, error) {
		r := g.order(i)
		values, err := changingValues(r)
		return append(fixedValues(r), values...), err
	})
	copyIn("numbers", []string{"order_id", "number", "tenant", "created"}, func(i int) ([]any, error) {
		r := g.order(i)
		return []any{r.OrderID, r.Numbers[0], r.Tenant, micros(r.Created)}, nil
	})
	copyIn("events", listed("sequence, "+eventColumns), func(i int) ([]any, error) {
		r := g.order(i)
		return []any{int64(i + 1), r.OrderID, micros(r.Created), "CALLER", "", "CLAIMED", r.Attempt, int16(r.State), "", "", "", false, ""}, nil
	})
	if _, err := conn.Exec(b.Context(), "VACUUM ANALYZE"); err != nil {
		b.Fatal(err)
	}
	return g
}

// listed are the names in a list of columns.
func listed(columns string) []string {
	var names []string
	name := ""
	for _, c := range columns + "," {
		switch c {
		case ',':
			names, name = append(names, name), ""
		case ' ', '\n', '\t':
		default:
			name += string(c)
		}
	}
	return names
}

// order is the ith order, of which there is one every pace. Most are over, and were last updated some days after their claim;
// one in a hundred was touched again at any later time. What is rare is spread over the whole ledger.
func (g *growth) order(i int) ledger.Record {
	chance := rand.New(rand.NewPCG(uint64(i), 3))
	created := g.now.Add(-time.Duration(g.n-1-i) * pace)
	age := g.now.Sub(created)
	r := ledger.Record{
		OrderID: g.id(i), Tenant: "default", RequestID: fmt.Sprintf("key-%d", i), CarrierAccount: "default", Target: "trunk_did",
		CustomerReference: fmt.Sprintf("reference-%d", i/3), Content: make([]byte, 600), Numbers: []string{g.number(i)},
		State: order.Accepted, Attempt: 1, Ticket: fmt.Sprintf("ticket-%d", i), Status: order.StatusCompleted, Created: created, Claimed: created,
	}
	lasts := time.Duration(chance.ExpFloat64() * float64(4*24*time.Hour))
	if chance.IntN(100) == 0 {
		lasts = time.Duration(chance.Int64N(int64(age) + 1))
	}
	if lasts > age { // Still under way: touched at any time since.
		lasts = time.Duration(chance.Int64N(int64(age) + 1))
		r.Status = []order.Status{order.StatusPending, order.StatusConfirmed, order.StatusHold}[chance.IntN(3)]
		r.Due = g.now.Add(time.Duration(chance.IntN(600)) * time.Second)
	}
	r.Updated = created.Add(lasts)
	// A hundred each of what is rare, and a tenth each of what is frequent.
	switch nth, left := i/max(g.n/100, 1), i%max(g.n/100, 1); {
	case left == 1:
		r.State, r.Ticket = order.InDoubt, ""
	case left == 2:
		r.State, r.Ticket = order.Sending, ""
	case left == 3:
		r.Attend(ledger.AttentionNoProgress, "nothing happens", r.Updated)
	case left == 4 && nth%10 == 0:
		r.State, r.Ticket = order.NotSent, ""
	case i%10 == 5:
		r.State, r.Ticket = order.Refused, ""
	case i%10 == 6:
		r.CustomerReference = "everybody's"
	case i%10 == 7:
		r.Numbers = []string{"+14165550100"}
	case i%10 == 8 && i%100 < 50:
		r.Status, r.Disputing = order.StatusRejected, false
	}
	return r
}

func (g *growth) id(i int) string     { return fmt.Sprintf("01900000-0000-7000-8000-%012x", i) }
func (g *growth) number(i int) string { return fmt.Sprintf("+1416%07d", i/4) }

// asking is one kind of call.
type asking struct {
	name string
	call func(g *growth) func(context.Context) error
}

func asked() []asking {
	all := []asking{
		{"Find", func(g *growth) func(context.Context) error {
			id := g.id(g.random.IntN(g.n))
			return func(ctx context.Context) error { _, err := g.Find(ctx, "default", id); return err }
		}},
		{"FindKey", func(g *growth) func(context.Context) error {
			key := fmt.Sprintf("key-%d", g.random.IntN(g.n))
			return func(ctx context.Context) error { _, err := g.FindKey(ctx, "default", key); return err }
		}},
		{"Events", func(g *growth) func(context.Context) error {
			id := g.id(g.random.IntN(g.n))
			return func(ctx context.Context) error { _, err := g.Events(ctx, "default", id, 0, 50); return err }
		}},
		{"Count (as many are open as there are)", func(g *growth) func(context.Context) error {
			return func(ctx context.Context) error { _, err := g.Count(ctx); return err }
		}},
		{"Sending (the same)", func(g *growth) func(context.Context) error {
			return func(ctx context.Context) error { _, err := g.Sending(ctx); return err }
		}},
		{"Take 10", func(g *growth) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := g.Take(ctx, ledger.Turn{State: order.Accepted, Now: g.now.Add(time.Hour), Until: g.now.Add(time.Minute), Limit: 10})
				return err
			}
		}},
	}
	for _, w := range wantings() {
		for _, from := range []string{"first", "any"} {
			all = append(all, asking{"List " + w.name + ", " + from + " page", func(g *growth) func(context.Context) error {
				q := ledger.Query{Tenant: "default", Limit: 50, MaxBytes: 1 << 20}
				w.want(g, &q)
				if from == "any" {
					i := g.random.IntN(g.n)
					q.After = ledger.Position{Created: g.order(i).Created, OrderID: g.id(i)}
				}
				return func(ctx context.Context) error { _, _, err := g.List(ctx, q); return err }
			}})
		}
	}
	return all
}

// wanting is one kind of filter.
type wanting struct {
	name string
	want func(g *growth, q *ledger.Query)
}

func wantings() []wanting {
	since := func(d time.Duration) func(*growth, *ledger.Query) {
		return func(g *growth, q *ledger.Query) { q.FromUpdated = g.now.Add(-d) }
	}
	const day = 24 * time.Hour
	return []wanting{
		{"everything", func(*growth, *ledger.Query) {}},
		{"accepted", func(_ *growth, q *ledger.Query) { q.States = []order.State{order.Accepted} }},
		{"in doubt", func(_ *growth, q *ledger.Query) { q.States = []order.State{order.InDoubt} }},
		{"not sent, refused, in doubt", func(_ *growth, q *ledger.Query) {
			q.States = []order.State{order.NotSent, order.Refused, order.InDoubt}
		}},
		{"open, scheduled, attention", func(_ *growth, q *ledger.Query) {
			q.Categories = []order.Category{order.CategoryOpen, order.CategoryScheduled, order.CategoryAttention}
		}},
		{"closed", func(_ *growth, q *ledger.Query) { q.Categories = []order.Category{order.CategoryClosed} }},
		{"needs attention", func(_ *growth, q *ledger.Query) { q.NeedsAttention = new(true) }},
		{"needs none", func(_ *growth, q *ledger.Query) { q.NeedsAttention = new(false) }},
		{"accepted, needs attention", func(_ *growth, q *ledger.Query) {
			q.States, q.NeedsAttention = []order.State{order.Accepted}, new(true)
		}},
		{"number", func(g *growth, q *ledger.Query) { q.Number = g.number(g.random.IntN(g.n)) }},
		{"number of many orders", func(_ *growth, q *ledger.Query) { q.Number = "+14165550100" }},
		{"ticket", func(g *growth, q *ledger.Query) { q.Ticket = fmt.Sprintf("ticket-%d", g.random.IntN(g.n)) }},
		{"reference", func(g *growth, q *ledger.Query) {
			q.CustomerReference = fmt.Sprintf("reference-%d", g.random.IntN(g.n)/3)
		}},
		{"reference of many orders", func(_ *growth, q *ledger.Query) { q.CustomerReference = "everybody's" }},
		{"reference of many, attention", func(_ *growth, q *ledger.Query) {
			q.CustomerReference, q.Categories = "everybody's", []order.Category{order.CategoryAttention}
		}},
		{"request_id", func(g *growth, q *ledger.Query) { q.RequestID = fmt.Sprintf("key-%d", g.random.IntN(g.n)) }},
		{"created in an hour", func(g *growth, q *ledger.Query) {
			at := g.order(g.random.IntN(g.n)).Created
			q.FromCreated, q.BeforeCreated = at, at.Add(time.Hour)
		}},
		{"created until", func(g *growth, q *ledger.Query) { q.BeforeCreated = g.order(g.random.IntN(g.n)).Created }},
		{"created since, closed", func(g *growth, q *ledger.Query) {
			q.FromCreated, q.Categories = g.order(g.random.IntN(g.n)).Created, []order.Category{order.CategoryClosed}
		}},
		{"updated in the last minute", since(time.Minute)},
		{"updated in the last hour", since(time.Hour)},
		{"updated in the last day", since(day)},
		{"updated in the last week", since(7 * day)},
		{"updated in the last 100 days", since(100 * day)},
		{"updated since any time", func(g *growth, q *ledger.Query) { q.FromUpdated = g.order(g.random.IntN(g.n)).Created }},
		{"updated before any time", func(g *growth, q *ledger.Query) { q.BeforeUpdated = g.order(g.random.IntN(g.n)).Created }},
		{"updated between any two times", func(g *growth, q *ledger.Query) {
			a, b := g.random.IntN(g.n), g.random.IntN(g.n)
			q.FromUpdated, q.BeforeUpdated = g.order(min(a, b)).Created, g.order(max(a, b)).Created
		}},
		{"updated in the last minute, closed", func(g *growth, q *ledger.Query) {
			q.FromUpdated, q.Categories = g.now.Add(-time.Minute), []order.Category{order.CategoryClosed}
		}},
		{"updated in the last week, closed", func(g *growth, q *ledger.Query) {
			q.FromUpdated, q.Categories = g.now.Add(-7*day), []order.Category{order.CategoryClosed}
		}},
		{"updated in the last week, refused", func(g *growth, q *ledger.Query) {
			q.FromUpdated, q.States = g.now.Add(-7*day), []order.State{order.Refused}
		}},
		{"updated since any time, refused", func(g *growth, q *ledger.Query) {
			q.FromUpdated, q.States = g.order(g.random.IntN(g.n)).Created, []order.State{order.Refused}
		}},
		{"updated before any time, refused", func(g *growth, q *ledger.Query) {
			q.BeforeUpdated, q.States = g.order(g.random.IntN(g.n)).Created, []order.State{order.Refused}
		}},
		{"updated in the last week, needs attention", func(g *growth, q *ledger.Query) {
			q.FromUpdated, q.NeedsAttention = g.now.Add(-7*day), new(true)
		}},
		{"updated since any time, needs attention", func(g *growth, q *ledger.Query) {
			q.FromUpdated, q.NeedsAttention = g.order(g.random.IntN(g.n)).Created, new(true)
		}},
	}
}
