package ledgertest

import (
	"context"
	"runtime"
	"slices"
	"time"

	"github.com/portin/portin/internal/ledger"
)

// ready are the deliveries of an endpoint that may be handed out, the longest due first.
func (m *memory) ready(endpointID string, now time.Time) []ledger.Delivery {
	e, known := m.endpoints[endpointID]
	if !known || e.Disabled && !m.quirks["delivers to what is disabled"] {
		return nil
	}
	before := map[string]bool{}
	ready := m.sorted(endpointID, func(d ledger.Delivery) bool {
		of := d.OrderID
		if m.quirks["delivers one order at a time"] {
			of = ""
		}
		first := !before[of] || m.quirks["delivers out of order"]
		pending := d.State == ledger.DeliveryPending || m.quirks["delivers again and again"]
		before[of] = before[of] || pending
		return first && pending && (!d.Due.After(now) || m.quirks["delivers too early"])
	})
	if !m.quirks["delivers by sequence"] {
		slices.SortStableFunc(ready, func(a, b ledger.Delivery) int { return a.Due.Compare(b.Due) })
	}
	return ready
}

func (s *memoryStore) DueEndpoints(ctx context.Context, now time.Time) ([]string, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	var due []string
	for id, e := range s.endpoints {
		pending := s.sorted(id, func(d ledger.Delivery) bool { return d.State == ledger.DeliveryPending && !d.Due.After(now) })
		blind := s.quirks["is due for what waits behind another"] && len(pending) > 0 && !e.Disabled
		if blind || len(s.ready(id, now)) > 0 || s.quirks["is always due"] {
			due = append(due, id)
		}
	}
	return due, nil
}

func (s *memoryStore) TakeDeliveries(ctx context.Context, endpointID string, now, until time.Time, limit int) ([]ledger.Delivery, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	ready := s.ready(endpointID, now)
	if !s.quirks["delivers without end"] {
		ready = ready[:min(limit, len(ready))]
	}
	if s.quirks["delivers to several"] {
		leave()
		runtime.Gosched()
		if leave, err = s.enter(ctx); err != nil {
			return nil, err
		}
	}
	defer leave()
	for i, d := range ready {
		if !s.quirks["is due at once"] {
			d.Due = s.cut(until)
		}
		if !s.quirks["delivers without a fence"] {
			d.Fence++
		}
		s.deliveries[endpointID][d.Sequence] = d
		ready[i] = d
	}
	return ready, nil
}

func (s *memoryStore) SettleDelivery(ctx context.Context, d ledger.Delivery) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	is, known := s.deliveries[d.EndpointID][d.Sequence]
	switch {
	case !known && s.quirks["settles what is gone"]:
		return nil
	case !known:
		return ledger.ErrNotFound
	case is.Fence != d.Fence && !s.quirks["settles by any fence"]:
		return ledger.ErrMoved
	}
	is.State, is.Attempt, is.Due, is.Content = d.State, d.Attempt, s.cut(d.Due), slices.Clone(d.Content)
	if s.onDelivery != nil {
		is = s.onDelivery(is)
	}
	if s.quirks["settles everything"] {
		d.Fence = is.Fence
		is = d
	}
	s.deliveries[d.EndpointID][d.Sequence] = is
	return nil
}

func (s *memoryStore) Deliveries(
	ctx context.Context, tenant, endpointID string, states []ledger.DeliveryState, before int64, limit int,
) ([]ledger.Delivery, bool, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, false, err
	}
	defer leave()
	if e, known := s.endpoints[endpointID]; !known || e.Tenant != tenant && !s.quirks["shows all tenants' deliveries"] {
		return nil, false, ledger.ErrNotFound
	}
	all := s.sorted(endpointID, func(d ledger.Delivery) bool {
		in := len(states) == 0 && !s.quirks["shows no deliveries of no states"] || slices.Contains(states, d.State) || s.quirks["shows every state"]
		return in && (before == 0 || d.Sequence < before || s.quirks["shows the place itself"] && d.Sequence == before)
	})
	if !s.quirks["shows the oldest first"] {
		slices.Reverse(all)
	}
	more := len(all) > limit
	if s.quirks["has more deliveries when a page is full"] {
		more = len(all) >= limit
	}
	return all[:min(limit, len(all))], more, nil
}

func (s *memoryStore) PendingDeliveries(ctx context.Context, tenant string) (map[string]int, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	counts := map[string]int{}
	for id, e := range s.endpoints {
		if e.Tenant != tenant && (tenant != "" || s.quirks["counts nobody's deliveries"]) && !s.quirks["counts everybody's deliveries"] {
			continue
		}
		n := len(s.sorted(id, func(d ledger.Delivery) bool {
			return d.State == ledger.DeliveryPending || s.quirks["counts what was delivered"]
		}))
		if n > 0 || s.quirks["counts to nought"] {
			counts[id] = n
		}
	}
	return counts, nil
}

func (s *memoryStore) Redeliver(
	ctx context.Context, tenant, endpointID string, from int64, states []ledger.DeliveryState, now time.Time,
) (int, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	if e, known := s.endpoints[endpointID]; !known || e.Tenant != tenant && !s.quirks["redelivers for any tenant"] {
		return 0, ledger.ErrNotFound
	}
	again := s.sorted(endpointID, func(d ledger.Delivery) bool {
		return (d.Sequence >= from || s.quirks["redelivers from the beginning"]) && (slices.Contains(states, d.State) || s.quirks["redelivers every state"])
	})
	for _, d := range again {
		d.State, d.Due = ledger.DeliveryPending, s.cut(now)
		if !s.quirks["keeps attempts"] {
			d.Attempt = 0
		}
		if !s.quirks["redelivers without a fence"] {
			d.Fence++
		}
		s.deliveries[endpointID][d.Sequence] = d
	}
	if s.quirks["counts no redeliveries"] {
		return 0, nil
	}
	return len(again), nil
}

func (s *memoryStore) ForgetDeliveries(ctx context.Context, before time.Time, limit int) (int, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	n := 0
	for id, e := range s.endpoints {
		shut := e.Disabled && !s.quirks["keeps what waits for nobody"]
		for _, d := range s.sorted(id, func(d ledger.Delivery) bool {
			pending := d.State == ledger.DeliveryPending && !shut && !s.quirks["forgets what is pending"]
			return !pending && (d.Time.Before(before) || s.quirks["forgets the moment itself"] && d.Time.Equal(before))
		}) {
			if n < limit || s.quirks["forgets without end"] {
				delete(s.deliveries[id], d.Sequence)
				n++
			}
		}
	}
	return n, nil
}
