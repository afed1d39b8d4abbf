package sqlite

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/order"
)

// BenchmarkCommit is performance row 7: 64 writers that claim and settle, with shared commits and with one commit a write.
func BenchmarkCommit(b *testing.B) {
	for b.Loop() {
	}
	const rounds, orders = 7, 1500
	var ratios, flushes []float64
	for range rounds {
		alone, _ := commits(b, 1, orders/5)
		together, shared := commits(b, crowd, orders)
		ratios = append(ratios, together/alone)
		flushes = append(flushes, shared)
		b.Logf("alone %.0f/s, together %.0f/s, ratio %.1f, flushes a write %.3f", alone, together, together/alone, shared)
	}
}

// commits is how many writes a second 64 writers get done, and how many commits a write took.
func commits(b *testing.B, crowd, orders int) (perSecond, flushes float64) {
	s, err := Open(b.Context(), Config{Path: filepath.Join(b.TempDir(), "ledger.db"), Carrier: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	s.writer.crowd = crowd
	var next atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range 64 {
		wg.Go(func() {
			for {
				n := int(next.Add(1))
				if n > orders {
					return
				}
				r := ledgertest.Record(n)
				r.Content = make([]byte, 600)
				if _, err := s.Claim(b.Context(), r, ledgertest.Entry("claimed")); err != nil {
					b.Error(err)
				}
				if _, err := s.Advance(b.Context(), r.OrderID, ledgertest.Accept(fmt.Sprint(n), r.Claimed)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(start)
	return float64(2*orders) / took.Seconds(), float64(s.writer.commits.Load()) / float64(2*orders)
}

// sizes are the ledgers that are compared.
const (
	small = 1000
	large = 1_000_000
)

// listCase is a query that a page is asked of, for a ledger of any size.
type listCase struct {
	name  string
	query func(b bulk, die *rand.Rand) ledger.Query
}

// listCases are every filter alone, and those that are likely together.
func listCases() []listCase {
	type set = func(q *ledger.Query, b bulk, die *rand.Rand)
	states := func(s ...order.State) set { return func(q *ledger.Query, _ bulk, _ *rand.Rand) { q.States = s } }
	categories := func(c ...order.Category) set { return func(q *ledger.Query, _ bulk, _ *rand.Rand) { q.Categories = c } }
	attention := func(is bool) set { return func(q *ledger.Query, _ bulk, _ *rand.Rand) { q.NeedsAttention = &is } }
	created := func(from, before float64) set {
		return func(q *ledger.Query, b bulk, _ *rand.Rand) { q.FromCreated, q.BeforeCreated = b.at(from), b.at(before) }
	}
	updated := func(from, before float64) set {
		return func(q *ledger.Query, b bulk, _ *rand.Rand) {
			if from > 0 {
				q.FromUpdated = b.at(from)
			}
			if before < 1 {
				q.BeforeUpdated = b.at(before)
			}
		}
	}
	since := func(d time.Duration) set {
		return func(q *ledger.Query, b bulk, _ *rand.Rand) { q.FromUpdated = b.at(1).Add(-d) }
	}
	within := func(d time.Duration) set {
		return func(q *ledger.Query, b bulk, die *rand.Rand) {
			q.FromUpdated = b.at(die.Float64())
			q.BeforeUpdated = q.FromUpdated.Add(d)
		}
	}
	reference := func(q *ledger.Query, _ bulk, die *rand.Rand) {
		q.CustomerReference = fmt.Sprintf("reference %d", die.IntN(40))
	}
	one := func(fill func(q *ledger.Query, i int)) set {
		return func(q *ledger.Query, b bulk, die *rand.Rand) { fill(q, die.IntN(b.n)) }
	}
	var all []listCase
	add := func(name string, sets ...set) {
		all = append(all, listCase{name, func(b bulk, die *rand.Rand) ledger.Query {
			q := ledger.Query{Tenant: "default", Limit: 20, MaxBytes: 1 << 20}
			for _, s := range sets {
				s(&q, b, die)
			}
			return q
		}})
	}
	add("no filter")
	for _, s := range order.States() {
		add("state "+s.String(), states(s))
	}
	add("three states", states(order.Sending, order.InDoubt, order.NotSent))
	add("categories open, attention", categories(order.CategoryOpen, order.CategoryAttention))
	add("category closed", categories(order.CategoryClosed))
	add("needs attention", attention(true))
	add("needs no attention", attention(false))
	add("number", one(func(q *ledger.Query, i int) { q.Number = fmt.Sprintf("+1416%07d", i/10) }))
	add("ticket", one(func(q *ledger.Query, i int) { q.Ticket = fmt.Sprintf("TICKET-%d", i) }))
	add("request id", one(func(q *ledger.Query, i int) {
		q.RequestID = fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(i*2654435761), i)
	}))
	add("reference", reference)
	add("created in the middle", created(0.25, 0.75))
	add("created in the first tenth", created(0, 0.1))
	add("updated in the last minute", since(time.Minute))
	add("updated in the last hours", since(5*time.Hour))
	add("updated within some hours", within(5*time.Hour))
	add("updated since the middle", updated(0.5, 1))
	add("updated since the last tenth", updated(0.9, 1))
	add("not updated since the middle", updated(0, 0.5))
	add("updated in the middle", updated(0.25, 0.75))
	add("updated in a twentieth", updated(0.5, 0.55))
	add("state NOT_SENT, created in the middle", states(order.NotSent), created(0.25, 0.75))
	add("state ACCEPTED, updated since the middle", states(order.Accepted), updated(0.5, 1))
	add("state NOT_SENT, updated in the last hours", states(order.NotSent), since(5*time.Hour))
	add("states, attention, updated in the middle", states(order.InDoubt, order.Accepted), attention(true), updated(0.25, 0.75))
	add("category closed, updated since the last tenth", categories(order.CategoryClosed), updated(0.9, 1))
	add("category open, needs no attention", categories(order.CategoryOpen), attention(false))
	add("category attention, needs attention", categories(order.CategoryAttention), attention(true))
	add("reference, state ACCEPTED", reference, states(order.Accepted))
	add("reference, created in the middle", reference, created(0.25, 0.75))
	add("reference, updated in the last hours", reference, since(5*time.Hour))
	add("reference, updated since the middle", reference, updated(0.5, 1))
	add("number, state ACCEPTED", one(func(q *ledger.Query, i int) { q.Number = fmt.Sprintf("+1604%07d", i/10) }), states(order.Accepted))
	return all
}

// BenchmarkList is performance row 9, for lists: pages of 20 orders, the first and any other, of a large ledger and of a small one
// in turn. It prints the goal's ratio.
func BenchmarkList(b *testing.B) {
	for b.Loop() {
	}
	ledgers := []bulk{newBulk(b, small), newBulk(b, large)}
	for _, c := range listCases() {
		for _, far := range []bool{false, true} {
			name := c.name + ", first page"
			if far {
				name = c.name + ", any page"
			}
			compare(b, name, ledgers, func(s bulk, die *rand.Rand) (int, error) {
				q := c.query(s, die)
				if far {
					q.After = ledger.Position{Created: s.at(die.Float64()), OrderID: "x"}
				}
				page, _, err := s.List(b.Context(), q)
				return len(page), err
			})
		}
	}
}

// BenchmarkFind is performance row 9, for single orders and what is counted.
func BenchmarkFind(b *testing.B) {
	for b.Loop() {
	}
	ledgers := []bulk{newBulk(b, small), newBulk(b, large)}
	compare(b, "Find", ledgers, func(s bulk, die *rand.Rand) (int, error) {
		i := die.IntN(s.n)
		_, err := s.Find(b.Context(), "default", fmt.Sprintf("%08x-0000-7000-8000-%012x", i, i))
		return 1, err
	})
	compare(b, "FindKey", ledgers, func(s bulk, die *rand.Rand) (int, error) {
		i := die.IntN(s.n)
		_, err := s.FindKey(b.Context(), "default", fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(i*2654435761), i))
		return 1, err
	})
	compare(b, "Events", ledgers, func(s bulk, die *rand.Rand) (int, error) {
		i := die.IntN(s.n)
		all, err := s.Events(b.Context(), "default", fmt.Sprintf("%08x-0000-7000-8000-%012x", i, i), 0, 50)
		return len(all), err
	})
	compare(b, "Take", ledgers, func(s bulk, die *rand.Rand) (int, error) {
		all, err := s.Take(b.Context(), ledger.Turn{State: order.Accepted, Now: s.at(1), Until: s.at(2), Limit: 1})
		return len(all), err
	})
}

// compare asks two ledgers in turn and prints how long they took, the larger one beside the smaller one: the medians, the times
// that one of a hundred exceeds, and the ratio of these. That ratio is the median of seven rounds, as the machine is not ours alone.
func compare(b *testing.B, name string, ledgers []bulk, ask func(s bulk, die *rand.Rand) (int, error)) {
	b.Helper()
	const rounds, questions = 7, 100
	die := rand.New(rand.NewPCG(1, 2))
	var p50, p99 [2][]time.Duration
	var ratios []float64
	var orders [2]int
	for range rounds {
		var took [2][]time.Duration
		for range questions {
			for i, s := range ledgers {
				start := time.Now()
				got, err := ask(s, die)
				took[i] = append(took[i], time.Since(start))
				if err != nil {
					b.Fatalf("%s: %v", name, err)
				}
				orders[i] += got
			}
		}
		for i := range took {
			slices.Sort(took[i])
			p50[i], p99[i] = append(p50[i], took[i][questions/2]), append(p99[i], took[i][questions*99/100])
		}
		ratios = append(ratios, float64(last(p99[1]))/float64(last(p99[0])))
	}
	b.Logf("%-55s p50 %8v %8v  p99 %8v %8v  ratio %4.1f  orders %5.1f %5.1f", name, median(p50[0]), median(p50[1]), median(p99[0]), median(p99[1]),
		median(ratios), float64(orders[0])/rounds/questions, float64(orders[1])/rounds/questions)
}

// median is the middle one; last the one that was added last.
func median[T cmp.Ordered](all []T) T { return slices.Sorted(slices.Values(all))[len(all)/2] }
func last[T any](all []T) T           { return all[len(all)-1] }
