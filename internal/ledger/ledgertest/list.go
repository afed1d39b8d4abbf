package ledgertest

import (
	"slices"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// listCases are which orders a list has, and in which order.
func listCases() []aCase {
	return []aCase{
		{"the newest order comes first", newestFirst},
		{"each filter lets through what it says", eachFilter},
		{"a page ends before it is too large", pageEndsInTime},
		{"an order that comes between pages moves no other", pagesStandStill},
		{"a list follows what becomes of an order", listFollows},
		{"every query finds what a plain reading of it finds", everyQuery},
	}
}

// whole is a query for all orders of the tenant that has none of its own.
func whole() ledger.Query {
	return ledger.Query{Tenant: ledger.Default, Limit: 1000, MaxBytes: 1 << 30}
}

// listed is a page that must come.
func (t *trial) listed(q ledger.Query) (page []ledger.Record, more bool) {
	t.Helper()
	page, more, err := t.List(t.Context(), q)
	if err != nil {
		t.Fatalf("List of %+v: %v", q, err)
	}
	return page, more
}

func newestFirst(t *trial) {
	var all []ledger.Record
	for i := range 12 {
		// Four moments, three orders each; the ids run against the order of the claims.
		r := with(Record(11-i), func(r *ledger.Record) { r.Created = Epoch().Add(time.Duration(i%4) * time.Microsecond) })
		all = append(all, t.claimed(r))
	}
	slices.SortFunc(all, newer)
	page, more := t.listed(whole())
	if more {
		t.Error("there are more orders than there are")
	}
	t.same("the list", all, page)
	for i := range all {
		q := whole()
		q.After = place(all[i])
		page, _ := t.listed(q)
		t.same("the list after one of the orders", all[i+1:], page)
	}
	// A place where no order stands is a place all the same.
	q := whole()
	q.After = ledger.Position{Created: Epoch().Add(time.Microsecond), OrderID: "zzz"}
	page, _ = t.listed(q)
	t.same("the list after a place between the orders", all[6:], page)
}

func pageEndsInTime(t *trial) {
	sizes := []int{10, 20, 30, 500, 1, 2, 3, 40, 0, 0, 7}
	var all []ledger.Record
	for i, size := range sizes {
		all = append(all, t.claimed(with(Record(len(sizes)-i), func(r *ledger.Record) {
			r.Content, r.Warnings = make([]byte, size), make([]byte, size)
		})))
	}
	for _, q := range []struct{ limit, bytes, want int }{
		{100, 1 << 20, 11},
		{11, 1 << 20, 11},
		{10, 1 << 20, 10},
		{1, 1 << 20, 1},
		{100, 59, 1},
		{100, 60, 2},
		{100, 119, 2},
		{100, 120, 3},
		{100, 1, 1},
		{2, 120, 2},
		{100, 1119, 3},
		{100, 1120, 4},
		{100, 1226, 11},
		{100, 1225, 10},
	} {
		query := whole()
		query.Limit, query.MaxBytes = q.limit, q.bytes
		page, more := t.listed(query)
		if len(page) != q.want || more != (q.want < len(all)) {
			t.Errorf("a page of at most %d orders and %d bytes has %d, more %v; want %d", q.limit, q.bytes, len(page), more, q.want)
		}
		turnPages(t.TB, t.Store, query, all)
	}
}

func pagesStandStill(t *trial) {
	var all []ledger.Record
	for i := range 20 {
		all = append(all, t.claimed(Record(2*i)))
	}
	q := whole()
	q.Limit = 3
	var got []ledger.Record
	for i := 0; ; i++ {
		page, more := t.listed(q)
		got = append(got, page...)
		if !more {
			break
		}
		q.After = place(page[len(page)-1])
		// One that is newer than all, one of the very moment of the place but newer, and a change of what was read already.
		t.claimed(Record(1000 + i))
		t.claimed(with(Record(2001+2*i), func(r *ledger.Record) { r.Created = q.After.Created }))
		t.advanced(page[0].OrderID, redate(i))
	}
	slices.Reverse(all)
	t.same("the orders of all pages", all, got)
}

func listFollows(t *trial) {
	r := t.claimed(Record(1))
	all := []ledger.Record{r, t.claimed(Record(2))}
	steps := []ledger.Step{
		Move(order.InDoubt, order.ByAnswer, r.Claimed.Add(time.Second)), Accept("T", r.Claimed.Add(time.Minute)),
		alter(func(r *ledger.Record) { r.Attend(ledger.AttentionNoProgress, "slow", Epoch()) }),
		Fare(order.StatusConfirmed, r.Claimed.Add(time.Hour)), alter(func(r *ledger.Record) { r.Ticket = "U" }),
		Fare(order.StatusCompleted, r.Claimed.Add(2*time.Hour)),
		alter(func(r *ledger.Record) { r.Attend(ledger.AttentionNoTicket, "none", Epoch()) }),
		alter(func(r *ledger.Record) { r.Unattend(ledger.AttentionNoProgress) }),
		alter(func(r *ledger.Record) { r.Unattend(ledger.AttentionNoTicket) }),
	}
	for _, s := range steps {
		all[0] = t.advanced(r.OrderID, s)
		for _, q := range onceEach(all[0]) {
			turnPages(t.TB, t.Store, q, all)
		}
	}
}

// onceEach are queries by everything that an order may change, with its values and with others.
func onceEach(r ledger.Record) []ledger.Query {
	var all []ledger.Query
	add := func(set func(q *ledger.Query)) {
		q := whole()
		set(&q)
		all = append(all, q)
	}
	for _, s := range order.States() {
		add(func(q *ledger.Query) { q.States = []order.State{s} })
	}
	for c := order.CategoryOpen; c <= order.CategoryClosed; c++ {
		add(func(q *ledger.Query) { q.Categories = []order.Category{c} })
	}
	for _, ticket := range []string{"T", "U"} {
		add(func(q *ledger.Query) { q.Ticket = ticket })
	}
	add(func(q *ledger.Query) { q.Number = r.Numbers[0] })
	add(func(q *ledger.Query) { q.NeedsAttention = new(true) })
	add(func(q *ledger.Query) { q.NeedsAttention = new(false) })
	for _, code := range []ledger.AttentionCode{ledger.AttentionNoProgress, ledger.AttentionNoTicket} {
		add(func(q *ledger.Query) { q.Attention = []ledger.AttentionCode{code} })
	}
	add(func(q *ledger.Query) { q.FromUpdated = r.Updated })
	add(func(q *ledger.Query) { q.BeforeUpdated = r.Updated })
	return all
}
