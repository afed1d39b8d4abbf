package postgres

import (
	"fmt"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// wanting is one kind of filter.
type wanting struct {
	name string
	want func(g *growth, q *ledger.Query)
}

func wantings() []wanting {
	since := func(d time.Duration) func(*growth, *ledger.Query) {
		return func(g *growth, q *ledger.Query) { q.FromUpdated = g.now.Add(-d) }
	}
	reason := func(code ledger.AttentionCode) func(*growth, *ledger.Query) {
		return func(_ *growth, q *ledger.Query) { q.Attention = []ledger.AttentionCode{code} }
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
		{"frequent reason", reason(ledger.AttentionNoProgress)},
		{"reason that none has", reason(ledger.AttentionLateAnswer)},
		{"frequent reason, updated since any time", func(g *growth, q *ledger.Query) {
			reason(ledger.AttentionNoProgress)(g, q)
			q.FromUpdated = g.order(g.random.IntN(g.n)).Created
		}},
		{"number", func(g *growth, q *ledger.Query) { q.Number = g.number(g.random.IntN(g.n)) }},
		{"number of many orders", func(_ *growth, q *ledger.Query) { q.Number = "+14165550100" }},
		{"ticket", func(g *growth, q *ledger.Query) { q.Ticket = fmt.Sprintf("ticket-%d", g.random.IntN(g.n)) }},
		{"history", func(g *growth, q *ledger.Query) { q.History = g.id(g.random.IntN(g.n)) }},
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
