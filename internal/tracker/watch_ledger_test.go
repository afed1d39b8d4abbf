package tracker_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/tracker"
)

var errBook = errors.New("the book does not open")

// book is a ledger of a test.
type book struct {
	id string
	// perPage is how many orders a page has at the most.
	perPage int
	// onList is called before each page, with its number.
	onList func(page int)

	mu     sync.Mutex
	down   bool
	panics string // is what a call panics, if any
	hang   bool
	events []ledger.Event
	orders map[string]ledger.Record
	hints  map[chan struct{}]bool
	mute   bool
	calls  map[string]int
	pages  int
}

var _ tracker.WatchLedger = (*book)(nil)

func newBook() *book {
	return &book{
		id: "0193e3a0-0000-7000-8000-00000000b00c", perPage: 2, orders: map[string]ledger.Record{}, hints: map[chan struct{}]bool{},
		calls: map[string]int{},
	}
}

// orderID is the n-th order's.
func orderID(n int) string { return fmt.Sprintf("0193e3a0-0000-7000-8000-%012d", n) }

// enter begins a call.
func (b *book) enter(ctx context.Context, call string) (leave func(), err error) {
	b.mu.Lock()
	b.calls[call]++
	if b.hang {
		b.mu.Unlock()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if b.panics == call {
		b.mu.Unlock()
		panic("a secret of " + call)
	}
	if b.down {
		b.mu.Unlock()
		return nil, errBook
	}
	return b.mu.Unlock, nil
}

// set changes the book under its lock.
func (b *book) set(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

func (b *book) called(call string) (n int) {
	b.set(func() { n = b.calls[call] })
	return n
}

func (b *book) ID() string { return b.id }

func (b *book) Head(ctx context.Context) (int64, error) {
	leave, err := b.enter(ctx, "Head")
	if err != nil {
		return 0, err
	}
	defer leave()
	return b.head(), nil
}

func (b *book) head() int64 {
	if len(b.events) == 0 {
		return 0
	}
	return b.events[len(b.events)-1].Sequence
}

func (b *book) Changes(ctx context.Context, after int64, limit int) ([]ledger.Event, error) {
	leave, err := b.enter(ctx, "Changes")
	if err != nil {
		return nil, err
	}
	defer leave()
	i, _ := slices.BinarySearchFunc(b.events, after+1, func(e ledger.Event, s int64) int { return cmp.Compare(e.Sequence, s) })
	return slices.Clone(b.events[i:min(len(b.events), i+limit)]), nil
}

func (b *book) Records(ctx context.Context, ids []string) ([]ledger.Record, error) {
	leave, err := b.enter(ctx, "Records")
	if err != nil {
		return nil, err
	}
	defer leave()
	var found []ledger.Record
	for _, id := range ids {
		if r, ok := b.orders[id]; ok {
			found = append(found, r.Clone())
		}
	}
	slices.Reverse(found)
	return found, nil
}

func (b *book) Hint() (<-chan struct{}, func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	hint := make(chan struct{}, 1)
	b.hints[hint] = true
	return hint, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.hints, hint)
	}
}

func (b *book) List(ctx context.Context, q ledger.Query) ([]ledger.Record, bool, error) {
	b.mu.Lock()
	b.pages++
	page := b.pages
	b.mu.Unlock()
	if b.onList != nil {
		b.onList(page)
	}
	leave, err := b.enter(ctx, "List")
	if err != nil {
		return nil, false, err
	}
	defer leave()
	var all []ledger.Record
	standings := q.Standings()
	for _, r := range b.orders {
		before := q.After == (ledger.Position{}) || r.Created.Before(q.After.Created) ||
			(r.Created.Equal(q.After.Created) && r.OrderID < q.After.OrderID)
		if r.Tenant == q.Tenant && before && (standings == nil || slices.Contains(standings, r.Standing())) {
			all = append(all, r.Clone())
		}
	}
	slices.SortFunc(all, func(a, b ledger.Record) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.OrderID, a.OrderID))
	})
	limit := min(q.Limit, b.perPage)
	return all[:min(limit, len(all))], len(all) > limit, nil
}

// commit writes what happened to an order. Sequences have gaps.
func (b *book) commit(r ledger.Record, events ...ledger.Event) {
	b.orders[r.OrderID] = r
	for _, e := range events {
		e.Sequence = b.head() + 1 + int64(len(b.events)%3)
		b.events = append(b.events, e)
	}
	if b.mute {
		return
	}
	for hint := range b.hints {
		select {
		case hint <- struct{}{}:
		default:
		}
	}
}

// copied is a backup of the book.
func (b *book) copied() *book {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := newBook()
	kept.events, kept.orders = slices.Clone(b.events), maps.Clone(b.orders)
	return kept
}

// claim writes a new order, of so many bytes if that is said.
func (b *book) claim(tenant string, n int, size ...int) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	r := ledger.Record{
		OrderID: orderID(n), Tenant: tenant, State: order.Sending, Attempt: 1, Created: now, Claimed: now, Updated: now, Content: []byte("order"),
	}
	if len(size) > 0 {
		r.Content = make([]byte, size[0])
	}
	b.set(func() { b.commit(r, ledger.Claimed(r, ledger.Entry{})) })
}

// step changes an order.
func (b *book) step(n int, by order.Cause, change func(r *ledger.Record)) {
	b.set(func() {
		next, events, err := ledger.Step{By: by, Now: time.Now().UTC(), Change: func(r *ledger.Record) (ledger.Entry, error) {
			change(r)
			return ledger.Entry{Note: "a note"}, nil
		}}.Apply(b.orders[orderID(n)])
		if err != nil {
			panic(err)
		}
		b.commit(next, events...)
	})
}

func refused(r *ledger.Record) { r.State = order.Refused }

// accept settles an order, and progress has it fare like that.
func (b *book) accept(n int) {
	b.step(n, order.ByAnswer, func(r *ledger.Record) { r.State = order.Accepted })
}

func (b *book) progress(n int, s order.Status) {
	b.step(n, 0, func(r *ledger.Record) { r.Status = s })
}

// move has an order take one of the moves that it can, or none: which says which one.
func (b *book) move(n, which int) {
	var r ledger.Record
	b.set(func() { r = b.orders[orderID(n)] })
	statuses := order.Statuses()
	switch r.State {
	case 0:
	case order.Sending:
		to := []order.State{order.NotSent, order.InDoubt, order.Accepted, order.Refused}[which%4]
		b.step(n, order.ByAnswer, func(r *ledger.Record) { r.State = to })
	case order.NotSent:
		r.State, r.Attempt = order.Sending, r.Attempt+1
		b.set(func() { b.commit(r, ledger.Claimed(r, ledger.Entry{})) })
	case order.InDoubt:
		b.step(n, order.ByEvidence, func(r *ledger.Record) { r.State, r.Ticket = order.Accepted, "T-1" })
	case order.Accepted:
		b.step(n, 0, func(r *ledger.Record) {
			r.Status = statuses[which%len(statuses)]
			if which%3 == 0 {
				r.PortDate = fmt.Sprint("2026-12-", 10+which%20)
				r.Attend(ledger.AttentionDateChanged, "changed", time.Now().UTC())
			}
		})
	case order.Refused:
		b.step(n, 0, func(r *ledger.Record) { r.PortDate = fmt.Sprint("2026-11-", 10+which%20) })
	}
}
