package ledgertest

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// everyQuery fills a ledger once with orders that agree in many ways, and asks it random questions.
func everyQuery(t *trial) {
	var all []ledger.Record
	for i := range 80 {
		all = append(all, t.settled(i))
	}
	check(t.TB, 50, func(rt *rapid.T) {
		q := someQuery(rt, all)
		turnPages(rt, t.Store, q, all)
	})
}

// check checks a property some times, or as often as -rapid.checks says if it was asked. On an engine that writes to a
// disk, nobody wants to wait for a hundred times.
func check(t rapid.TB, times int, property func(rt *rapid.T)) {
	t.Helper()
	asked := flag.Lookup("rapid.checks").Value.String() != "100"
	begun, passed := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		// Once it has failed, every further time is about the smallest failure.
		if !asked && passed >= times && passed == begun {
			return
		}
		begun++
		property(rt)
		passed++
	})
}

// turnPages reads all pages of a query, and compares each with the page that the records have for it.
func turnPages(t rapid.TB, s ledger.Store, q ledger.Query, records []ledger.Record) {
	t.Helper()
	for n := range len(records) + 2 {
		got, more, err := s.List(context.Background(), q)
		if err != nil {
			t.Fatalf("List of %+v: %v", q, err)
		}
		want, wantMore := pageOf(q, records)
		if diff := difference(want, got); diff != "" || more != wantMore {
			t.Fatalf("page %d of %+v: more %v, want %v; (-want +got):\n%s", n, q, more, wantMore, diff)
		}
		if !more {
			return
		}
		q.After = place(got[len(got)-1])
	}
	t.Fatalf("List of %+v never ends", q)
}

// settled is the nth of the orders that everyQuery looks for, in any state and with any status.
func (t *trial) settled(n int) ledger.Record {
	t.Helper()
	// The digits of a number that jumps about choose each property for itself.
	die := n*2654435761%1_000_003 + n
	roll := func(sides int) int {
		got := die % sides
		die = die/sides + n*7919
		return got
	}
	r := with(Record(n), func(r *ledger.Record) {
		r.Tenant = []string{ledger.Default, "another"}[roll(2)]
		r.Created = Epoch().Add(time.Duration(roll(12)) * time.Second)
		r.Updated, r.Claimed = r.Created, r.Created
		r.CustomerReference = fmt.Sprint(roll(4))
		r.Content, r.Warnings = make([]byte, roll(50)), make([]byte, roll(50))
		r.Numbers = []string{Number(1000 + n)}
		if row := roll(9); row < 3 {
			r.History = orderID(row)
		}
	})
	to := order.States()[roll(5)]
	if to != order.Sending && to != order.InDoubt && to != order.Accepted {
		r.Numbers = append(r.Numbers, Number(roll(5)), Number(10+roll(5)))
	}
	r = t.claimed(r)
	words := append(order.Statuses(), "A NEW WORD", "")
	word, ticket := words[roll(len(words))], Ticket(n)
	why := [][]ledger.AttentionCode{
		reasons(ledger.AttentionNoProgress), reasons(ledger.AttentionNoTicket, ledger.AttentionNoProgress), reasons(ledger.AttentionDateChanged), 5: nil,
	}[roll(6)]
	disputing := roll(2) == 0
	updated := Epoch().Add(time.Duration(roll(12)) * time.Second)
	return t.advanced(r.OrderID, ledger.Step{By: order.ByAnswer, Now: updated, Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.State, r.Status, r.Disputing, r.Ticket = to, word, disputing, ticket
		for _, code := range why {
			r.Attend(code, "slow", updated)
		}
		return Entry("settled"), nil
	}})
}

// someQuery draws a query: few filters, most with a value that some order has.
func someQuery(rt *rapid.T, all []ledger.Record) ledger.Query {
	q := ledger.Query{
		Tenant: ledger.Default, Limit: rapid.IntRange(2, 30).Draw(rt, "limit"),
		MaxBytes: rapid.OneOf(rapid.IntRange(1, 500), rapid.Just(1<<30)).Draw(rt, "bytes"),
	}
	if len(all) == 0 {
		return q
	}
	some := rapid.SampledFrom(all)
	if q.Tenant = some.Draw(rt, "tenant of").Tenant; rapid.IntRange(0, 20).Draw(rt, "another tenant") == 0 {
		q.Tenant = "nobody"
	}
	near := func(at time.Time) time.Time {
		return at.Add(time.Duration(rapid.IntRange(-1, 1).Draw(rt, "microseconds")) * time.Microsecond)
	}
	drawn := map[string]func(r ledger.Record){
		"state": func(r ledger.Record) { q.States = []order.State{r.State} },
		"states": func(ledger.Record) {
			q.States = rapid.SliceOfN(rapid.SampledFrom(order.States()), 1, 3).Draw(rt, "states")
		},
		"categories": func(ledger.Record) {
			q.Categories = rapid.SliceOfN(rapid.Map(rapid.Uint8Range(1, 4), category), 1, 2).Draw(rt, "categories")
		},
		"reason": func(r ledger.Record) {
			if q.Attention = codesOf(r); len(q.Attention) == 0 {
				q.Attention = reasons(ledger.AttentionLateAnswer)
			}
		},
		"reasons": func(ledger.Record) {
			q.Attention = rapid.SliceOfN(rapid.SampledFrom(ledger.AttentionCodes()), 1, 3).Draw(rt, "reasons")
		},
		"number": func(r ledger.Record) {
			if len(r.Numbers) > 0 {
				q.Number = rapid.SampledFrom(r.Numbers).Draw(rt, "number")
			}
		},
		"history":   func(r ledger.Record) { q.History = r.History },
		"ticket":    func(r ledger.Record) { q.Ticket = r.Ticket },
		"reference": func(r ledger.Record) { q.CustomerReference = r.CustomerReference },
		"key":       func(r ledger.Record) { q.RequestID = r.RequestID },
		"attention": func(ledger.Record) { q.NeedsAttention = new(rapid.Bool().Draw(rt, "attention")) },
		"from":      func(r ledger.Record) { q.FromCreated = near(r.Created) },
		"before":    func(r ledger.Record) { q.BeforeCreated = near(r.Created) },
		"since":     func(r ledger.Record) { q.FromUpdated = near(r.Updated) },
		"until":     func(r ledger.Record) { q.BeforeUpdated = near(r.Updated) },
		"after":     func(r ledger.Record) { q.After = place(r) },
		"between": func(r ledger.Record) {
			q.After = ledger.Position{Created: near(r.Created), OrderID: rapid.SampledFrom([]string{"", "0", "~"}).Draw(rt, "id")}
		},
	}
	names := slices.Sorted(maps.Keys(drawn))
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 4, rapid.ID).Draw(rt, "filters") {
		drawn[name](some.Draw(rt, "order"))
	}
	return q
}

// category is a category by its number.
func category(n uint8) order.Category { return order.Category(n) }
