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
		return []any{int64(i + 1), r.OrderID, micros(r.Created), "CALLER", "", "CLAIMED", r.Attempt, int16(r.State), "", "", "", false, "", int16(0), int16(r.Standing())}, nil
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
		{"OfNumber", func(g *growth) func(context.Context) error {
			q := ledger.NumberQuery{Number: g.number(g.random.IntN(g.n)), FromUpdated: g.now, Limit: 1}
			return func(ctx context.Context) error { _, err := g.OfNumber(ctx, q); return err }
		}},
		{"Events", func(g *growth) func(context.Context) error {
			id := g.id(g.random.IntN(g.n))
			return func(ctx context.Context) error { _, err := g.Events(ctx, "default", id, false, 0, 50); return err }
		}},
		{"Events of a row", func(g *growth) func(context.Context) error {
			id := g.id(g.random.IntN(g.n))
			return func(ctx context.Context) error { _, err := g.Events(ctx, "default", id, true, 0, 50); return err }
		}},
		{"Changes 100", func(g *growth) func(context.Context) error {
			after := g.random.Int64N(int64(g.n))
			return func(ctx context.Context) error { _, err := g.Changes(ctx, after, 100); return err }
		}},
		{"Records of 50", func(g *growth) func(context.Context) error {
			var ids []string
			for range 50 {
				ids = append(ids, g.id(g.random.IntN(g.n)))
			}
			return func(ctx context.Context) error { _, err := g.Records(ctx, ids); return err }
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
