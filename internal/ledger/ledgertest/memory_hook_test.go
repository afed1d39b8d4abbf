package ledgertest

import (
	"cmp"
	"context"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/portin/portin/internal/ledger"
)

func (s *memoryStore) PutEndpoint(ctx context.Context, e ledger.Endpoint) (ledger.Endpoint, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return ledger.Endpoint{}, err
	}
	defer leave()
	e.Created, e.Content = s.cut(e.Created), slices.Clone(e.Content)
	was, known := s.endpoints[e.EndpointID]
	if s.quirks["puts endpoints in two steps"] {
		s.mu.Unlock()
		runtime.Gosched()
		s.mu.Lock()
	}
	switch {
	case e.Version == 1 && known && (was.Tenant == e.Tenant || !s.quirks["replaces other tenants' endpoints"]):
		return was, ledger.ErrMoved
	case e.Version == 1:
		if e.Cursor = s.sequence; s.quirks["begins at the beginning"] {
			e.Cursor = 0
		}
	case !known, was.Tenant != e.Tenant && !s.quirks["puts any tenant's endpoint"]:
		return ledger.Endpoint{}, ledger.ErrNotFound
	case was.Version != e.Version-1 && !s.quirks["replaces any version"]:
		return was, ledger.ErrMoved
	case s.quirks["keeps the content"]:
		e.Tenant, e.Cursor, e.Created, e.Content = was.Tenant, was.Cursor, was.Created, was.Content
	case !s.quirks["replaces the whole endpoint"]:
		e.Tenant, e.Cursor, e.Created = was.Tenant, was.Cursor, was.Created
	}
	if s.onEndpoint != nil {
		e = s.onEndpoint(e)
	}
	s.endpoints[e.EndpointID] = e
	return e, nil
}

func (s *memoryStore) DeleteEndpoint(ctx context.Context, tenant, endpointID string) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	e, known := s.endpoints[endpointID]
	switch {
	case !known && s.quirks["deletes what is there"]:
		return ledger.ErrNotFound
	case !known, e.Tenant != tenant && !s.quirks["deletes for any tenant"]:
		return nil
	}
	delete(s.endpoints, endpointID)
	if !s.quirks["keeps the deliveries of what is deleted"] {
		delete(s.deliveries, endpointID)
	}
	return nil
}

func (s *memoryStore) Endpoints(ctx context.Context, tenant string) ([]ledger.Endpoint, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	var all []ledger.Endpoint
	for _, e := range s.endpoints {
		if tenant == "" && !s.quirks["has endpoints of nobody"] || e.Tenant == tenant {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b ledger.Endpoint) int {
		if s.quirks["sorts endpoints by id"] {
			return strings.Compare(a.EndpointID, b.EndpointID)
		}
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.EndpointID, b.EndpointID))
	})
	return all, nil
}

func (s *memoryStore) Enqueue(ctx context.Context, endpointID string, from, to int64, deliveries []ledger.Delivery) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	e, known := s.endpoints[endpointID]
	switch {
	case !known && s.quirks["queues for nobody"]:
		return nil
	case !known:
		return ledger.ErrNotFound
	case e.Cursor != from && !s.quirks["moves any cursor"]:
		if s.quirks["queues before it looks"] {
			s.queue(endpointID, deliveries)
		}
		return ledger.ErrMoved
	}
	if s.quirks["moves cursors in two steps"] {
		s.mu.Unlock()
		runtime.Gosched()
		s.mu.Lock()
	}
	if !s.quirks["leaves the cursor"] {
		e.Cursor = to
	}
	s.endpoints[endpointID] = e
	s.queue(endpointID, deliveries)
	return nil
}

// queue keeps new deliveries.
func (m *memory) queue(endpointID string, deliveries []ledger.Delivery) {
	if m.deliveries[endpointID] == nil {
		m.deliveries[endpointID] = map[int64]ledger.Delivery{}
	}
	for _, d := range deliveries {
		is := ledger.Delivery{
			EndpointID: endpointID, OrderID: d.OrderID, Sequence: d.Sequence, Time: m.cut(d.Time), State: ledger.DeliveryPending, Due: m.cut(d.Due),
		}
		if m.quirks["queues what it is handed"] {
			is, is.EndpointID = d, endpointID
		}
		if m.onDelivery != nil {
			is = m.onDelivery(is)
		}
		m.deliveries[endpointID][d.Sequence] = is
	}
}

// sorted are the deliveries of an endpoint that pass, the lowest sequence first.
func (m *memory) sorted(endpointID string, pass func(d ledger.Delivery) bool) []ledger.Delivery {
	var all []ledger.Delivery
	for _, n := range slices.Sorted(maps.Keys(m.deliveries[endpointID])) {
		if d := m.deliveries[endpointID][n]; pass(d) {
			all = append(all, d)
		}
	}
	return all
}
