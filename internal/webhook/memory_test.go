package webhook

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/portin/portin/internal/ledger"
)

// memory is a ledger of events and webhooks in memory, faithful to the contract. Of a database it has one more habit: what
// it hands out and what it is handed share nothing.
type memory struct {
	mu         sync.Mutex
	events     []ledger.Event
	endpoints  map[string]ledger.Endpoint
	deliveries map[string]map[int64]ledger.Delivery
	hints      map[chan struct{}]bool
	// fail is what a call by this name fails with, if anything; puts counts the endpoints that were written, moves the cursors.
	fail        func(call string) error
	puts, moves int
}

var _ Ledger = (*memory)(nil)

func newMemory() *memory {
	return &memory{
		endpoints: map[string]ledger.Endpoint{}, deliveries: map[string]map[int64]ledger.Delivery{}, hints: map[chan struct{}]bool{},
	}
}

func (m *memory) lock(call string) (unlock func(), err error) {
	m.mu.Lock()
	if m.fail != nil {
		err = m.fail(call)
	}
	if err != nil {
		m.mu.Unlock()
		return nil, err
	}
	return m.mu.Unlock, nil
}

// tell commits events and hints at them.
func (m *memory) tell(events ...ledger.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range events {
		e.Sequence = int64(len(m.events) + 1)
		m.events = append(m.events, e)
	}
	for h := range m.hints {
		select {
		case h <- struct{}{}:
		default:
		}
	}
}

// restored takes the ledger back to where an endpoint was new, and nothing had happened.
func (m *memory) restored(endpointID string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.endpoints[endpointID]
	e.Cursor = 0
	m.events, m.endpoints[endpointID], m.deliveries[endpointID] = nil, e, map[int64]ledger.Delivery{}
}

// breaks has a call fail until the function that it returns is called.
func (m *memory) breaks(call string) (mend func()) {
	set := func(fail func(string) error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.fail = fail
	}
	set(func(c string) error {
		if call == "" || c == call {
			return context.DeadlineExceeded
		}
		return nil
	})
	return func() { set(nil) }
}

// kept counts the deliveries of each endpoint.
func (m *memory) kept() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := map[string]int{}
	for id, list := range m.deliveries {
		n[id] = len(list)
	}
	return n
}

// writes counts what was written of endpoints.
func (m *memory) writes() (puts, moves int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.puts, m.moves
}

func (m *memory) ID() string { return "ledger-1" }

func (m *memory) Head(context.Context) (int64, error) {
	unlock, err := m.lock("Head")
	if err != nil {
		return 0, err
	}
	defer unlock()
	return int64(len(m.events)), nil
}

func (m *memory) Changes(_ context.Context, after int64, limit int) ([]ledger.Event, error) {
	unlock, err := m.lock("Changes")
	if err != nil {
		return nil, err
	}
	defer unlock()
	later := m.events[min(max(int(after), 0), len(m.events)):]
	return slices.Clone(later[:min(limit, len(later))]), nil
}

func (m *memory) Records(context.Context, []string) ([]ledger.Record, error) { return nil, nil }

func (m *memory) Hint() (hint <-chan struct{}, stop func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h := make(chan struct{}, 1)
	m.hints[h] = true
	return h, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.hints, h)
	}
}

func (m *memory) PutEndpoint(_ context.Context, e ledger.Endpoint) (ledger.Endpoint, error) {
	unlock, err := m.lock("PutEndpoint")
	if err != nil {
		return ledger.Endpoint{}, err
	}
	defer unlock()
	e.Content, e.Created = slices.Clone(e.Content), e.Created.UTC().Truncate(time.Microsecond)
	old, there := m.endpoints[e.EndpointID]
	switch {
	case e.Version == 1 && there:
		return old, ledger.ErrMoved
	case e.Version == 1:
		e.Cursor = int64(len(m.events))
		m.deliveries[e.EndpointID] = map[int64]ledger.Delivery{}
	case !there || old.Tenant != e.Tenant:
		return ledger.Endpoint{}, ledger.ErrNotFound
	case old.Version != e.Version-1:
		return old, ledger.ErrMoved
	default:
		e.Tenant, e.Cursor, e.Created = old.Tenant, old.Cursor, old.Created
	}
	m.puts++
	m.endpoints[e.EndpointID] = e
	return e, nil
}

func (m *memory) DeleteEndpoint(_ context.Context, tenant, id string) error {
	unlock, err := m.lock("DeleteEndpoint")
	if err != nil {
		return err
	}
	defer unlock()
	if m.endpoints[id].Tenant == tenant {
		delete(m.endpoints, id)
		delete(m.deliveries, id)
	}
	return nil
}

func (m *memory) Endpoints(_ context.Context, tenant string) ([]ledger.Endpoint, error) {
	unlock, err := m.lock("Endpoints")
	if err != nil {
		return nil, err
	}
	defer unlock()
	var all []ledger.Endpoint
	for _, e := range m.endpoints {
		if tenant == "" || e.Tenant == tenant {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b ledger.Endpoint) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.EndpointID, b.EndpointID))
	})
	return all, nil
}

func (m *memory) Enqueue(_ context.Context, id string, from, to int64, list []ledger.Delivery) error {
	unlock, err := m.lock("Enqueue")
	if err != nil {
		return err
	}
	defer unlock()
	e, there := m.endpoints[id]
	switch {
	case !there:
		return ledger.ErrNotFound
	case e.Cursor != from:
		return ledger.ErrMoved
	}
	e.Cursor = to
	m.moves++
	m.endpoints[id] = e
	for _, d := range list {
		m.deliveries[id][d.Sequence] = ledger.Delivery{
			EndpointID: id, OrderID: d.OrderID, Sequence: d.Sequence, Time: d.Time, Due: d.Due, State: ledger.DeliveryPending,
		}
	}
	return nil
}

// ready are the deliveries that would be handed out, the longest due first.
func (m *memory) ready(id string, now time.Time) []ledger.Delivery {
	if m.endpoints[id].Disabled {
		return nil
	}
	first := map[string]ledger.Delivery{}
	for _, d := range m.deliveries[id] {
		if f, seen := first[d.OrderID]; d.State == ledger.DeliveryPending && (!seen || d.Sequence < f.Sequence) {
			first[d.OrderID] = d
		}
	}
	var due []ledger.Delivery
	for _, d := range first {
		if !d.Due.After(now) {
			due = append(due, d)
		}
	}
	slices.SortFunc(due, func(a, b ledger.Delivery) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Sequence, b.Sequence))
	})
	return due
}

func (m *memory) DueEndpoints(_ context.Context, now time.Time) ([]string, error) {
	unlock, err := m.lock("DueEndpoints")
	if err != nil {
		return nil, err
	}
	defer unlock()
	var due []string
	for id := range m.endpoints {
		if len(m.ready(id, now)) > 0 {
			due = append(due, id)
		}
	}
	return due, nil
}

func (m *memory) TakeDeliveries(_ context.Context, id string, now, until time.Time, limit int) ([]ledger.Delivery, error) {
	unlock, err := m.lock("TakeDeliveries")
	if err != nil {
		return nil, err
	}
	defer unlock()
	due := m.ready(id, now)
	due = due[:min(limit, len(due))]
	for i := range due {
		due[i].Fence++
		due[i].Due = until
		m.deliveries[id][due[i].Sequence] = due[i]
	}
	return due, nil
}

func (m *memory) SettleDelivery(_ context.Context, d ledger.Delivery) error {
	unlock, err := m.lock("SettleDelivery")
	if err != nil {
		return err
	}
	defer unlock()
	kept, there := m.deliveries[d.EndpointID][d.Sequence]
	switch {
	case !there:
		return ledger.ErrNotFound
	case kept.Fence != d.Fence:
		return ledger.ErrMoved
	}
	kept.State, kept.Attempt, kept.Due, kept.Content = d.State, d.Attempt, d.Due.UTC().Truncate(time.Microsecond), slices.Clone(d.Content)
	m.deliveries[d.EndpointID][d.Sequence] = kept
	return nil
}

func (m *memory) Deliveries(
	_ context.Context, tenant, id string, states []ledger.DeliveryState, before int64, limit int,
) ([]ledger.Delivery, bool, error) {
	unlock, err := m.lock("Deliveries")
	if err != nil {
		return nil, false, err
	}
	defer unlock()
	if e, there := m.endpoints[id]; !there || e.Tenant != tenant {
		return nil, false, ledger.ErrNotFound
	}
	var list []ledger.Delivery
	for _, d := range m.deliveries[id] {
		if (before == 0 || d.Sequence < before) && (len(states) == 0 || slices.Contains(states, d.State)) {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(a, b ledger.Delivery) int { return cmp.Compare(b.Sequence, a.Sequence) })
	return list[:min(limit, len(list))], len(list) > limit, nil
}

func (m *memory) PendingDeliveries(_ context.Context, tenant string) (map[string]int, error) {
	unlock, err := m.lock("PendingDeliveries")
	if err != nil {
		return nil, err
	}
	defer unlock()
	pending := map[string]int{}
	for id, list := range m.deliveries {
		for _, d := range list {
			if d.State == ledger.DeliveryPending && (tenant == "" || m.endpoints[id].Tenant == tenant) {
				pending[id]++
			}
		}
	}
	return pending, nil
}

func (m *memory) Redeliver(_ context.Context, tenant, id string, from int64, states []ledger.DeliveryState, now time.Time) (int, error) {
	unlock, err := m.lock("Redeliver")
	if err != nil {
		return 0, err
	}
	defer unlock()
	if e, there := m.endpoints[id]; !there || e.Tenant != tenant {
		return 0, ledger.ErrNotFound
	}
	n := 0
	for s, d := range m.deliveries[id] {
		if s >= from && slices.Contains(states, d.State) {
			d.State, d.Due, d.Attempt, d.Fence = ledger.DeliveryPending, now, 0, d.Fence+1
			m.deliveries[id][s] = d
			n++
		}
	}
	return n, nil
}

func (m *memory) ForgetDeliveries(_ context.Context, before time.Time, limit int) (int, error) {
	unlock, err := m.lock("ForgetDeliveries")
	if err != nil {
		return 0, err
	}
	defer unlock()
	n := 0
	for id, list := range m.deliveries {
		for s, d := range list {
			if n < limit && (d.State != ledger.DeliveryPending || m.endpoints[id].Disabled) && d.Time.Before(before) {
				delete(list, s)
				n++
			}
		}
	}
	return n, nil
}
