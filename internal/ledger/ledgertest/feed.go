package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// feedCases are what happens in the ledger, for those who tell others.
func feedCases() []aCase {
	return []aCase{
		{"the head is the sequence of the latest event", headIsLatest},
		{"changes are the events of all tenants in their order", changesAreAll},
		{"whoever polls the changes sees every event once", everyChangeOnce},
		{"records come back by their ids", recordsByID},
		{"a hint comes after a commit", hintComes},
		{"a hint comes after a commit of another store", hintComesFromElsewhere},
	}
}

// head is the sequence of the latest event.
func (t *trial) head() int64 {
	t.Helper()
	head, err := t.Head(t.Context())
	if err != nil {
		t.Fatalf("Head: %v", err)
	}
	return head
}

// changed are all events after one.
func (t *trial) changed(after int64) []ledger.Event {
	t.Helper()
	got, err := t.Changes(t.Context(), after, 100_000)
	if err != nil {
		t.Fatalf("Changes: %v", err)
	}
	return got
}

func headIsLatest(t *trial) {
	if head := t.head(); head != 0 {
		t.Errorf("the head of an empty ledger is %d", head)
	}
	t.same("the changes of an empty ledger", []ledger.Event(nil), t.changed(0))
	r := t.claimed(with(Record(1), func(r *ledger.Record) { r.Tenant = "another" }))
	other := t.claimed(Record(2))
	for i := range 5 {
		latest := []ledger.Record{other, r}[i%2]
		if i > 0 {
			t.advanced(latest.OrderID, redate(i))
		}
		told := t.told(latest)
		if head, want := t.head(), told[len(told)-1].Sequence; head != want {
			t.Errorf("the head is %d, and the latest event has sequence %d", head, want)
		}
		if i == 2 {
			t.reopen()
		}
	}
	// What has no event, and what fails, leaves the head.
	before := t.head()
	t.advanced(r.OrderID, alter(func(r *ledger.Record) { r.Doubt.Asked++ }))
	t.refused(with(Record(3), func(n *ledger.Record) { n.Numbers = r.Numbers }), t.found(r), r.Numbers[0])
	t.taken(ledger.Turn{State: order.Sending, Now: other.Due, Until: other.Due, Limit: 10})
	if head := t.head(); head != before {
		t.Errorf("the head became %d after %d without an event", head, before)
	}
}

func changesAreAll(t *trial) {
	var want []ledger.Event
	for i := range 6 {
		r := t.claimed(with(Record(9-i), func(r *ledger.Record) { r.Tenant = []string{ledger.Default, "another"}[i%2] }))
		t.follows(with(Elsewhere(20+i), func(r *ledger.Record) { r.Tenant = r.OrderID }))
		if i > 2 {
			t.advanced(Record(9-i+2).OrderID, redate(i))
		}
		t.advanced(r.OrderID, Accept(Ticket(i), r.Claimed))
	}
	for i := range 6 {
		r := Record(9 - i)
		r.Tenant = []string{ledger.Default, "another"}[i%2]
		want = slices.Concat(want, t.told(r), t.told(with(Elsewhere(20+i), func(r *ledger.Record) { r.Tenant = r.OrderID })))
	}
	slices.SortFunc(want, func(a, b ledger.Event) int { return int(a.Sequence - b.Sequence) })
	t.same("all changes", want, t.changed(0))
	for _, limit := range []int{1, 4, len(want), len(want) + 1} {
		for i := 0; i < len(want); i += 3 {
			e := want[i]
			got, err := t.Changes(t.Context(), e.Sequence, limit)
			if err != nil {
				t.Fatal(err)
			}
			t.same(fmt.Sprintf("%d changes after the %dth", limit, i), want[i+1:min(i+1+limit, len(want))], got)
		}
	}
	t.same("the changes after the head", []ledger.Event(nil), t.changed(t.head()))
}

// poller reads the changes of all orders, page after page, as whoever tells others does.
type poller struct {
	store ledger.Store
	after int64
	seen  []ledger.Event
}

// poll reads up to the head of the moment.
func (p *poller) poll(ctx context.Context) error {
	head, err := p.store.Head(ctx)
	for err == nil && p.after < head {
		var page []ledger.Event
		page, err = p.store.Changes(ctx, p.after, 7)
		if len(page) == 0 {
			return errors.Join(err, fmt.Errorf("no change after %d, and the head was %d", p.after, head))
		}
		p.seen = append(p.seen, page...)
		p.after = page[len(page)-1].Sequence
	}
	return err
}

func everyChangeOnce(t *trial) {
	const writers, orders, changes = 8, 3, 8
	stores := t.stores(3)
	errs := make([]error, writers+3)
	pollers := make([]*poller, 3)
	var writing atomic.Int32
	writing.Store(writers)
	var wg sync.WaitGroup
	for i := range pollers {
		p := &poller{store: stores[i%len(stores)]}
		pollers[i] = p
		wg.Go(func() {
			for errs[writers+i] == nil && writing.Load() > 0 {
				errs[writers+i] = p.poll(t.Context())
			}
			// Whatever was committed by now is there to see.
			errs[writers+i] = errors.Join(errs[writers+i], p.poll(t.Context()))
		})
	}
	for i := range writers {
		wg.Go(func() {
			defer writing.Add(-1)
			for n := range orders {
				r := Record(i*orders + n)
				_, err := stores[i%len(stores)].Claim(t.Context(), r, Entry("claimed"))
				for day := 0; day < changes && err == nil; day++ {
					_, err = stores[i%len(stores)].Advance(t.Context(), r.OrderID, redate(day))
				}
				errs[i] = errors.Join(errs[i], err)
			}
		})
	}
	wg.Wait()
	if text := joined(errs); text != "" {
		t.Fatalf("errors:%s", text)
	}
	want := t.changed(0)
	if len(want) != writers*orders*(changes+1) {
		t.Errorf("%d changes, want %d", len(want), writers*orders*(changes+1))
	}
	for _, p := range pollers {
		t.same("what a poller saw", want, p.seen)
	}
}

func recordsByID(t *trial) {
	var all []ledger.Record
	var ids []string
	for i := range 40 {
		r := t.claimed(with(Record(i), func(r *ledger.Record) { r.Tenant = []string{ledger.Default, "another"}[i%2] }))
		all = append(all, t.advanced(r.OrderID, Accept(Ticket(i), r.Claimed)))
		ids = append(ids, r.OrderID, Record(1000+i).OrderID)
	}
	byID := func(ids ...string) []ledger.Record {
		got, err := t.Records(t.Context(), ids)
		if err != nil {
			t.Fatalf("Records: %v", err)
		}
		slices.SortFunc(got, func(a, b ledger.Record) int { return strings.Compare(a.OrderID, b.OrderID) })
		return got
	}
	t.same("all records", all, byID(ids...))
	t.same("one record", all[7:8], byID(all[7].OrderID))
	t.same("no records", []ledger.Record(nil), byID())
	t.same("records that are not there", []ledger.Record(nil), byID("", "x", "\x00", Record(2000).OrderID))
}

// hinted fails the test unless a hint comes soon.
func (t *trial) hinted(when string, hint <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), t.patience)
	defer cancel()
	select {
	case <-hint:
	case <-ctx.Done():
		t.Fatalf("%s: no hint came", when)
	}
}

// quiet takes a hint that is there already.
func quiet(hint <-chan struct{}) {
	select {
	case <-hint:
	default:
	}
}

func hintComes(t *trial) {
	stopped, stop := t.Hint()
	hint, stopHint := t.Hint()
	defer stopHint()
	other, stopOther := t.Hint()
	defer stopOther()
	r := t.claimed(Record(1))
	t.hinted("after a claim", stopped)
	stop()
	for i := range 5 {
		quiet(hint)
		quiet(other)
		t.advanced(r.OrderID, redate(i))
		t.hinted(fmt.Sprintf("after step %d", i), hint)
		t.hinted(fmt.Sprintf("after step %d, to somebody else", i), other)
	}
	quiet(hint)
	t.follows(Elsewhere(2))
	t.hinted("after an order was followed", hint)
	// Whoever does not listen holds nobody up.
	for i := range 50 {
		t.advanced(r.OrderID, redate(100+i))
	}
	t.hinted("after many steps", hint)
}

func hintComesFromElsewhere(t *trial) {
	stores := t.stores(3)
	for i, s := range stores {
		hint, stop := s.Hint()
		t.Cleanup(stop)
		for j, by := range stores {
			quiet(hint)
			if _, err := by.Claim(t.Context(), Record(10*i+j), Entry("claimed")); err != nil {
				t.Fatal(err)
			}
			t.hinted(fmt.Sprintf("store %d, after a claim by store %d", i, j), hint)
		}
	}
}
