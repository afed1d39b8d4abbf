package ledgertest

import (
	"cmp"
	"context"
	"slices"

	"github.com/portin/portin/internal/ledger"
)

// after are the events that pass, of those with a higher sequence, the oldest first.
func (m *memory) after(sequence int64, pass func(e ledger.Event) bool) []ledger.Event {
	var all []ledger.Event
	for _, told := range m.events {
		for _, e := range told {
			if e.Sequence > sequence && pass(e) {
				all = append(all, e)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b ledger.Event) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return all
}

func (s *memoryStore) Head(ctx context.Context) (int64, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	switch {
	case s.quirks["has the head of one tenant"]:
		mine := s.after(0, func(e ledger.Event) bool { return e.Tenant == ledger.Default })
		if len(mine) == 0 {
			return 0, nil
		}
		return mine[len(mine)-1].Sequence, nil
	case s.quirks["has its head one beyond"]:
		return s.sequence + 1, nil
	}
	return s.sequence, nil
}

func (s *memoryStore) Changes(ctx context.Context, after int64, limit int) ([]ledger.Event, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	page := s.after(after, func(e ledger.Event) bool {
		return !s.quirks["feeds one tenant"] || e.Tenant == ledger.Default
	})
	if s.quirks["feeds order by order"] {
		slices.SortStableFunc(page, func(a, b ledger.Event) int { return cmp.Compare(a.OrderID, b.OrderID) })
	}
	if s.quirks["feeds late"] {
		page = slices.DeleteFunc(page, func(e ledger.Event) bool { return e.Sequence%7 == 3 && e.Sequence+5 > s.sequence })
	}
	if s.quirks["feeds without end"] {
		return page, nil
	}
	return page[:min(limit, len(page))], nil
}

func (s *memoryStore) Records(ctx context.Context, orderIDs []string) ([]ledger.Record, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	var all []ledger.Record
	for _, id := range orderIDs {
		r, known := s.orders[id]
		switch {
		case !known && s.quirks["misses a record"]:
			return nil, ledger.ErrNotFound
		case !known, r.Tenant != ledger.Default && s.quirks["has records of one tenant"]:
			continue
		}
		all = append(all, s.out(r))
	}
	return all, nil
}

func (s *memoryStore) Hint() (hint <-chan struct{}, stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := make(chan struct{}, 1)
	s.hints[c] = s
	return c, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.quirks["stops all hints"] {
			clear(s.hints)
		}
		delete(s.hints, c)
	}
}

// hint tells everybody who waits for events.
func (m *memory) hint() {
	for c, of := range m.hints {
		if m.quirks["never hints"] || m.quirks["hints in its own store"] && of != m.acting {
			continue
		}
		select {
		case c <- struct{}{}:
		default:
		}
		if m.quirks["hints to one"] {
			return
		}
		if m.quirks["hints once"] {
			delete(m.hints, c)
		}
	}
}
