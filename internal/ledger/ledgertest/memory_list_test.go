package ledgertest

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// List is pageOf, which the model uses too: what it should do is told by cases that spell their pages out.
func (s *memoryStore) List(ctx context.Context, q ledger.Query) (page []ledger.Record, more bool, err error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, false, err
	}
	defer leave()
	all := slices.Collect(maps.Values(s.orders))
	s.misread(&q)
	if s.quirks["has places by time alone"] {
		all = slices.DeleteFunc(all, func(r ledger.Record) bool { return r.Created.Equal(q.After.Created) })
	}
	page, more = pageOf(q, all)
	switch {
	case s.quirks["lists the oldest first"]:
		slices.Reverse(page)
	case s.quirks["lists by time alone"]:
		slices.SortStableFunc(page, func(a, b ledger.Record) int {
			return newer(ledger.Record{Created: a.Created}, ledger.Record{Created: b.Created})
		})
		if n := len(page); n > 1 && page[n-1].Created.Equal(page[n-2].Created) {
			page[n-1], page[n-2] = page[n-2], page[n-1]
		}
	case s.quirks["has more when a page is full"]:
		more = len(page) == q.Limit
	}
	for i, r := range page {
		page[i] = s.out(r)
	}
	return page, more, nil
}

// misread makes another query of one.
func (m *memory) misread(q *ledger.Query) {
	switch {
	case m.quirks["reads no states"]:
		q.States = nil
	case m.quirks["reads the first state"]:
		q.States = q.States[:min(1, len(q.States))]
	case m.quirks["reads no reasons"] && len(q.Attention) > 0:
		// As if it were enough that there is one.
		q.Attention = ledger.AttentionCodes()
	case m.quirks["reads the first reason"]:
		q.Attention = q.Attention[:min(1, len(q.Attention))]
	case m.quirks["reads no history"]:
		q.History = ""
	case m.quirks["includes what is before"] && !q.BeforeUpdated.IsZero():
		q.BeforeUpdated = q.BeforeUpdated.Add(1)
	case m.quirks["measures no page"]:
		q.MaxBytes = 1 << 40
	case m.quirks["counts places"] && q.After != ledger.Position{}:
		// As an offset would: the orders that came meanwhile push the others on.
		all := allOf(ledger.Query{Tenant: q.Tenant}, slices.Collect(maps.Values(m.orders)))
		at := slices.IndexFunc(all, func(r ledger.Record) bool { return r.OrderID == q.After.OrderID })
		q.After = place(all[max(0, at-1)])
	}
}

func (s *memoryStore) Events(ctx context.Context, tenant, orderID string, history bool, after int64, limit int) ([]ledger.Event, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	r, ok := s.orders[orderID]
	if !ok || (r.Tenant != tenant && !s.quirks["tells all tenants"]) {
		return nil, ledger.ErrNotFound
	}
	page := s.after(after, func(e ledger.Event) bool {
		switch other := s.orders[e.OrderID]; {
		case !history || s.quirks["tells of one order"]:
			return e.OrderID == orderID
		case s.quirks["tells what came before"]:
			return other.OrderID == r.OrderID || other.OrderID == r.Predecessor
		default:
			return other.History == r.History && (other.Tenant == tenant || s.quirks["has histories of all tenants"])
		}
	})
	if s.quirks["tells a history order by order"] {
		slices.SortStableFunc(page, func(a, b ledger.Event) int { return strings.Compare(a.OrderID, b.OrderID) })
	}
	if !s.quirks["tells without end"] {
		page = page[:min(limit, len(page))]
	}
	if s.quirks["tells late"] { // As if some sequences were drawn long before they are committed.
		page = slices.DeleteFunc(page, func(e ledger.Event) bool { return e.Sequence%7 == 3 && e.Sequence+5 > s.sequence })
	}
	return page, nil
}

func (s *memoryStore) Take(ctx context.Context, t ledger.Turn) ([]ledger.Record, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	var due []ledger.Record
	for id, r := range s.orders {
		is := r.State == t.State || s.quirks["hands out any state"]
		is = is && (!r.Due.IsZero() || s.quirks["hands out what is never due"])
		is = is && (!r.Due.After(t.Now) || s.quirks["hands out too early"])
		if is && (s.changing[id] == 0 || s.quirks["takes what is being changed"]) {
			due = append(due, r)
		}
	}
	slices.SortFunc(due, func(a, b ledger.Record) int { return a.Due.Compare(b.Due) })
	if s.quirks["hands out by id"] {
		slices.SortFunc(due, func(a, b ledger.Record) int { return strings.Compare(a.OrderID, b.OrderID) })
	}
	due = due[:min(t.Limit, len(due))]
	if s.quirks["hands out to several"] {
		leave()
		runtime.Gosched()
		leave, err = s.enter(ctx)
		if err != nil {
			return nil, err
		}
	}
	defer leave()
	for i, r := range due {
		r = s.out(r)
		r.Due = s.cut(t.Until)
		if !s.quirks["raises no fence"] {
			r.Fence++
		}
		var told []ledger.Event
		if s.quirks["tells of turns"] {
			told = append(told, ledger.Event{OrderID: r.OrderID, Type: ledger.EventEvidence, Time: t.Now, State: r.State})
		}
		s.put(r, told...)
		due[i] = s.out(r)
	}
	return due, nil
}

func (s *memoryStore) Sending(ctx context.Context) (leases []ledger.Lease, err error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	for _, r := range s.orders {
		if r.State == order.Sending || s.quirks["is always sending"] {
			leases = append(leases, ledger.Lease{OrderID: r.OrderID, Attempt: r.Attempt, Owner: r.Owner, Term: r.Lease})
		}
	}
	return leases, nil
}

func (s *memoryStore) Count(ctx context.Context) (c ledger.Counts, err error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return ledger.Counts{}, err
	}
	defer leave()
	c.ByAttention = eachReason(0)
	c.AcceptedDue, c.InDoubtDue, c.DeliveryDue = s.soonest(order.Accepted), s.soonest(order.InDoubt), s.soonestDelivery()
	for _, r := range s.orders {
		if s.quirks["counts one tenant"] && r.Tenant != ledger.Default {
			continue
		}
		if r.State == order.Sending {
			c.Sending++
		}
		if r.State == order.InDoubt {
			c.InDoubt++
		}
		if len(r.Attention) > 0 {
			c.NeedsAttention++
		}
		codes := codesOf(r)
		if s.quirks["counts one reason of an order"] {
			codes = codes[:min(1, len(codes))]
		}
		if s.quirks["counts a reason as often as it stands there"] {
			codes = nil
			for _, a := range r.Attention {
				codes = append(codes, a.Code)
			}
		}
		for _, code := range codes {
			c.ByAttention[code]++
		}
		switch category := r.Category(); {
		case category == order.CategoryOpen, category == order.CategoryClosed && s.quirks["counts what is over"]:
			c.Open++
		case category == order.CategoryScheduled:
			c.Scheduled++
		case category == order.CategoryAttention && (r.Successor == "" || !s.quirks["counts no predecessors"]):
			c.Attention++
		}
	}
	return c, nil
}

// soonest is when the longest due order of a state is due.
func (m *memory) soonest(state order.State) (due time.Time) {
	for _, r := range m.orders {
		switch {
		case r.State != state && !m.quirks["knows what is due in any state"]:
		case m.quirks["knows what is due the latest"] && r.Due.After(due):
			due = r.Due
		case m.quirks["knows what is due the latest"]:
		default:
			due = sooner(due, r.Due)
		}
	}
	return due
}

// soonestDelivery is when a delivery is due that would be handed out first.
func (m *memory) soonestDelivery() (due time.Time) {
	end := Epoch().AddDate(100, 0, 0)
	for id := range m.endpoints {
		ready := m.ready(id, end)
		if m.quirks["knows what waits behind another"] {
			ready = m.sorted(id, func(d ledger.Delivery) bool { return d.State == ledger.DeliveryPending })
		}
		for _, d := range ready {
			due = sooner(due, d.Due)
		}
	}
	return due
}
