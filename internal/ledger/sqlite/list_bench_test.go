package sqlite

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// BenchmarkList asks for pages of 20 orders, the first and any other, of a ledger of a thousand orders and of one of a million, in
// turn, and prints what that takes:
//
//	go test -run '^$' -bench 'List|Find' -benchtime 1x -timeout 1h ./internal/ledger/sqlite
func BenchmarkList(b *testing.B) {
	small, large := newBulk(b, 1000), newBulk(b, 1_000_000)
	for b.Loop() {
		heading()
		for _, c := range listCases() {
			compare(b, c.name+", first page", small, large, func(s bulk, die *rand.Rand) func() error {
				return s.page(b, c.query(s, die))
			})
			compare(b, c.name+", any page", small, large, func(s bulk, die *rand.Rand) func() error {
				// A page that is as long as the other ledger's, if there is any.
				q := c.query(s, die)
				for range 20 {
					q.After = ledger.Position{Created: s.at(die.Float64()), OrderID: "x"}
					if page, _, err := s.List(b.Context(), q); err != nil || len(page) == q.Limit {
						break
					}
				}
				return s.page(b, q)
			})
		}
	}
}

// page asks for a page.
func (b bulk) page(t testing.TB, q ledger.Query) func() error {
	t.Helper()
	return func() error {
		_, _, err := b.List(t.Context(), q)
		return err
	}
}

// BenchmarkFind asks the same two ledgers for single orders, and for what periodic work and an operator want to know.
func BenchmarkFind(b *testing.B) {
	small, large := newBulk(b, 1000), newBulk(b, 1_000_000)
	for b.Loop() {
		heading()
		compare(b, "Find", small, large, func(s bulk, die *rand.Rand) func() error {
			id := s.orderID(die.IntN(s.n))
			return func() error { _, err := s.Find(b.Context(), ledger.Default, id); return err }
		})
		compare(b, "FindKey", small, large, func(s bulk, die *rand.Rand) func() error {
			key := s.requestID(die.IntN(s.n))
			return func() error { _, err := s.FindKey(b.Context(), ledger.Default, key); return err }
		})
		compare(b, "Events", small, large, func(s bulk, die *rand.Rand) func() error {
			id := s.orderID(die.IntN(s.n))
			return func() error { _, err := s.Events(b.Context(), ledger.Default, id, false, 0, 50); return err }
		})
		compare(b, "OfNumber", small, large, func(s bulk, die *rand.Rand) func() error {
			q := ledger.NumberQuery{Number: s.number(die.IntN(s.n)), FromUpdated: s.at(1), Limit: 1}
			return func() error { _, err := s.OfNumber(b.Context(), q); return err }
		})
		compare(b, "Take", small, large, func(s bulk, _ *rand.Rand) func() error {
			turn := ledger.Turn{State: order.InDoubt, Now: s.at(1), Until: s.at(1), Limit: 5}
			return func() error { _, err := s.Take(b.Context(), turn); return err }
		})
	}
}

// heading is the heading of the columns of compare.
func heading() {
	fmt.Fprintf(os.Stdout, "\n%-50s %9s %9s %9s %9s %6s %6s\n", "", "1,000 p50", "p99", "1 m. p50", "p99", "p50", "p99")
}

// compare asks both ledgers in turn. What is compared is the fastest of three answers to the same question: the machine is not
// there for this alone.
func compare(b *testing.B, name string, small, large bulk, question func(s bulk, die *rand.Rand) func() error) {
	b.Helper()
	const questions = 400
	var took [2][]time.Duration
	for n := range questions {
		for i, s := range []bulk{small, large} {
			ask, least := question(s, rand.New(rand.NewPCG(1, uint64(n)))), time.Hour
			for range 3 {
				began := time.Now()
				if err := ask(); err != nil {
					b.Fatalf("%s: %v", name, err)
				}
				least = min(least, time.Since(began))
			}
			took[i] = append(took[i], least)
		}
	}
	at := func(i, percent int) time.Duration {
		slices.Sort(took[i])
		return took[i][questions*percent/100].Round(time.Microsecond)
	}
	ratio := func(percent int) float64 { return float64(at(1, percent)) / float64(at(0, percent)) }
	fmt.Fprintf(os.Stdout, "%-50s %9v %9v %9v %9v %6.2f %6.2f\n", name, at(0, 50), at(0, 99), at(1, 50), at(1, 99), ratio(50), ratio(99))
}

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
	reason := func(q *ledger.Query, _ bulk, _ *rand.Rand) {
		q.Attention = []ledger.AttentionCode{ledger.AttentionNoProgress}
	}
	var all []listCase
	add := func(name string, sets ...set) {
		all = append(all, listCase{name, func(b bulk, die *rand.Rand) ledger.Query {
			q := ledger.Query{Tenant: ledger.Default, Limit: 20, MaxBytes: 1 << 20}
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
	add("needs attention for a reason", reason)
	add("needs attention for a reason, reference", reason, reference)
	add("needs attention for a reason, updated in the last hours", reason, since(5*time.Hour))
	add("number", func(q *ledger.Query, b bulk, die *rand.Rand) { q.Number = b.number(die.IntN(b.n)) })
	add("ticket", func(q *ledger.Query, b bulk, die *rand.Rand) { q.Ticket = b.ticket(die.IntN(b.n)) })
	add("request id", func(q *ledger.Query, b bulk, die *rand.Rand) { q.RequestID = b.requestID(die.IntN(b.n)) })
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
	add("number, state ACCEPTED", func(q *ledger.Query, b bulk, die *rand.Rand) { q.Number = b.number(die.IntN(b.n)) }, states(order.Accepted))
	return all
}
