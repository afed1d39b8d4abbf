package ledgertest

import (
	"reflect"
	"slices"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// eachFilter finds one order among others that differ from it in nothing but what is asked for.
func eachFilter(t *trial) {
	r := t.claimed(with(Record(1), func(r *ledger.Record) {
		r.Created, r.Updated, r.CustomerReference, r.History = minute(5), minute(5), "Mine", orderID(900)
		r.Numbers = []string{Number(1), Number(2), Number(3)}
	}))
	step := Accept("Mine", minute(6))
	change := step.Change
	step.Change = func(r *ledger.Record) (ledger.Entry, error) {
		r.Status = order.StatusConfirmed
		r.Attend(ledger.AttentionDateChanged, "NO_TICKET", minute(6))
		r.Attend(ledger.AttentionLateAnswer, "why", minute(6))
		return change(r)
	}
	r = t.advanced(r.OrderID, step)
	// Strangers: a newer and an older order, another tenant's with the same words, and one whose words are nearly the same.
	t.claimed(with(Record(100), func(r *ledger.Record) { r.CustomerReference = "mine" }))
	t.claimed(with(Record(101), func(r *ledger.Record) { r.Created, r.Updated = minute(-1), minute(-1) }))
	foreign := t.claimed(with(Record(102), func(f *ledger.Record) {
		f.Tenant, f.CarrierAccount, f.CustomerReference, f.RequestID = "another", "another", r.CustomerReference, r.RequestID
		f.Created, f.Updated, f.History = r.Created, r.Updated, r.History
	}))
	t.advanced(foreign.OrderID, step)

	filters := filtersFor(r)
	for f := range reflect.TypeFor[ledger.Query]().Fields() {
		if _, ok := filters[f.Name]; !ok && !slices.Contains([]string{"Tenant", "After", "Limit", "MaxBytes"}, f.Name) {
			t.Errorf("no case tells what the filter %s lets through", f.Name)
		}
	}
	for name, filter := range filters {
		for _, set := range filter.in {
			q := whole()
			set(&q)
			page, _ := t.listed(q)
			t.same("what "+name+" lets through", []ledger.Record{r}, page)
		}
		for _, set := range filter.out {
			q := whole()
			set(&q)
			if page, _ := t.listed(q); slices.ContainsFunc(page, func(got ledger.Record) bool { return got.OrderID == r.OrderID }) {
				t.Errorf("%s lets through what it should not: %+v", name, q)
			}
		}
	}
}

// minute is a time of eachFilter.
func minute(n int) time.Time { return Epoch().Add(time.Duration(n) * time.Minute) }

// filter is what lets an order through, and what does not.
type filter struct{ in, out []func(*ledger.Query) }

// reasons is a list of reasons.
func reasons(codes ...ledger.AttentionCode) []ledger.AttentionCode { return codes }

// filtersFor are the filters by the fields of Query, for the order that eachFilter looks for.
func filtersFor(r ledger.Record) map[string]filter {
	return map[string]filter{
		"States": {
			in: []func(*ledger.Query){
				func(q *ledger.Query) { q.States = []order.State{order.Accepted} },
				func(q *ledger.Query) { q.States = []order.State{order.Refused, order.Accepted} },
			},
			out: []func(*ledger.Query){
				func(q *ledger.Query) { q.States = []order.State{order.NotSent, order.Refused, order.InDoubt} },
				func(q *ledger.Query) { q.States = []order.State{0, 99} },
			},
		},
		"Categories": {
			in: []func(*ledger.Query){
				func(q *ledger.Query) { q.Categories = []order.Category{order.CategoryScheduled} },
				func(q *ledger.Query) {
					q.Categories = []order.Category{order.CategoryClosed, order.CategoryScheduled}
					q.States = []order.State{order.Accepted}
				},
			},
			out: []func(*ledger.Query){
				func(q *ledger.Query) { q.Categories = []order.Category{order.CategoryOpen, order.CategoryAttention} },
				func(q *ledger.Query) {
					q.Categories = []order.Category{order.CategoryScheduled}
					q.States = []order.State{order.Sending}
				},
			},
		},
		"Number": {
			in: []func(*ledger.Query){
				func(q *ledger.Query) { q.Number = Number(1) }, func(q *ledger.Query) { q.Number = Number(3) },
			},
			out: []func(*ledger.Query){
				func(q *ledger.Query) { q.Number = Number(4) }, func(q *ledger.Query) { q.Number = Number(1)[:11] },
				func(q *ledger.Query) { q.Number = "%" },
			},
		},
		"Ticket": {
			in:  []func(*ledger.Query){func(q *ledger.Query) { q.Ticket = "Mine" }},
			out: []func(*ledger.Query){func(q *ledger.Query) { q.Ticket = "MINE" }, func(q *ledger.Query) { q.Ticket = "M%" }},
		},
		"CustomerReference": {
			in:  []func(*ledger.Query){func(q *ledger.Query) { q.CustomerReference = "Mine" }},
			out: []func(*ledger.Query){func(q *ledger.Query) { q.CustomerReference = "Mine " }, func(q *ledger.Query) { q.CustomerReference = "_ine" }},
		},
		"RequestID": {
			in:  []func(*ledger.Query){func(q *ledger.Query) { q.RequestID = r.RequestID }},
			out: []func(*ledger.Query){func(q *ledger.Query) { q.RequestID = Record(7).RequestID }},
		},
		"History": {
			in: []func(*ledger.Query){
				func(q *ledger.Query) { q.History = r.History },
				func(q *ledger.Query) { q.History, q.Ticket = r.History, "Mine" },
			},
			out: []func(*ledger.Query){
				func(q *ledger.Query) { q.History = r.OrderID },
				func(q *ledger.Query) { q.History = Record(100).OrderID },
				func(q *ledger.Query) { q.History, q.Ticket = r.History, "mine" },
			},
		},
		"NeedsAttention": {
			in:  []func(*ledger.Query){func(q *ledger.Query) { q.NeedsAttention = new(true) }},
			out: []func(*ledger.Query){func(q *ledger.Query) { q.NeedsAttention, q.Ticket = new(false), "Mine" }},
		},
		"Attention": ofReasons(),
		"FromCreated": {
			in:  []func(*ledger.Query){func(q *ledger.Query) { q.FromCreated, q.Ticket = minute(5), "Mine" }},
			out: []func(*ledger.Query){func(q *ledger.Query) { q.FromCreated, q.Ticket = minute(5).Add(time.Microsecond), "Mine" }},
		},
		"BeforeCreated": {
			in:  []func(*ledger.Query){func(q *ledger.Query) { q.BeforeCreated, q.Ticket = minute(5).Add(time.Microsecond), "Mine" }},
			out: []func(*ledger.Query){func(q *ledger.Query) { q.BeforeCreated, q.Ticket = minute(5), "Mine" }},
		},
		"FromUpdated": {
			in:  []func(*ledger.Query){func(q *ledger.Query) { q.FromUpdated, q.Ticket = minute(6), "Mine" }},
			out: []func(*ledger.Query){func(q *ledger.Query) { q.FromUpdated, q.Ticket = minute(6).Add(time.Microsecond), "Mine" }},
		},
		"BeforeUpdated": {
			in:  []func(*ledger.Query){func(q *ledger.Query) { q.BeforeUpdated, q.Ticket = minute(6).Add(time.Microsecond), "Mine" }},
			out: []func(*ledger.Query){func(q *ledger.Query) { q.BeforeUpdated, q.Ticket = minute(6), "Mine" }},
		},
	}
}

// ofReasons is the filter by why orders need attention. What a description says is no reason, nor is part of one.
func ofReasons() filter {
	return filter{
		in: []func(*ledger.Query){
			func(q *ledger.Query) { q.Attention = reasons(ledger.AttentionDateChanged) },
			func(q *ledger.Query) { q.Attention = reasons(ledger.AttentionLateAnswer) },
			func(q *ledger.Query) { q.Attention = reasons(ledger.AttentionNoTicket, ledger.AttentionLateAnswer) },
			func(q *ledger.Query) { q.Attention, q.Ticket = reasons(ledger.AttentionDateChanged), "Mine" },
			func(q *ledger.Query) { q.Attention, q.NeedsAttention = reasons(ledger.AttentionDateChanged), new(true) },
		},
		out: []func(*ledger.Query){
			func(q *ledger.Query) { q.Attention = reasons(ledger.AttentionNoTicket) },
			func(q *ledger.Query) { q.Attention = reasons("DATE", "date_changed", "%", "") },
			func(q *ledger.Query) { q.Attention, q.Ticket = reasons(ledger.AttentionNoTicket), "Mine" },
			func(q *ledger.Query) { q.Attention, q.Ticket = reasons(ledger.AttentionDateChanged), "mine" },
			func(q *ledger.Query) { q.Attention, q.CustomerReference = reasons(ledger.AttentionDateChanged), "mine" },
			func(q *ledger.Query) { q.Attention, q.FromUpdated = reasons(ledger.AttentionDateChanged), minute(7) },
			func(q *ledger.Query) {
				q.Attention, q.NeedsAttention = reasons(ledger.AttentionDateChanged), new(false)
			},
		},
	}
}
