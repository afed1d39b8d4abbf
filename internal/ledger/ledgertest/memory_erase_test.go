package ledgertest

import (
	"context"
	"runtime"
	"slices"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

func (s *memoryStore) Erase(ctx context.Context, orderID string, e ledger.Erasure) (ledger.Record, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return ledger.Record{}, err
	}
	defer leave()
	now, known := s.orders[orderID]
	if !known {
		return ledger.Record{}, ledger.ErrNotFound
	}
	before := e
	if s.quirks["erases what was changed since"] {
		before.Before = now.Updated.Add(1)
	}
	is := s.spoiltForErasing(now)
	next, event, err := before.Apply(is)
	switch {
	case err != nil && s.quirks["keeps what it does not erase to itself"]:
		return ledger.Record{}, err
	case err != nil:
		return s.out(now), err
	}
	if s.quirks["erases in two steps"] {
		s.mu.Unlock()
		runtime.Gosched()
		s.mu.Lock()
	}
	next.State, next.Guards = now.State, now.Guards
	next = s.kept(next)
	if s.quirks["lists what was erased by its numbers"] {
		next.Numbers = now.Numbers
	}
	if s.quirks["frees the key of what is erased"] {
		delete(s.keys, s.key(now.Tenant, now.RequestID))
	}
	if s.quirks["frees the ticket of what is erased"] {
		next.Ticket = ""
	}
	if s.onErase != nil {
		next = s.onErase(now, next)
	}
	s.erasePast(orderID)
	event.Was, event.State, event.Is = now.Standing(), now.State, now.Standing()
	if s.quirks["erases silently"] {
		s.put(next)
	} else {
		s.put(next, event)
	}
	return s.out(next), nil
}

// spoiltForErasing is an order as a store sees it that does not look closely.
func (s *memoryStore) spoiltForErasing(r ledger.Record) ledger.Record {
	r = r.Clone()
	if s.quirks["erases what is open"] && r.State == order.Accepted || s.quirks["erases in every state"] {
		r.State = order.Refused
	}
	if s.quirks["erases what guards"] {
		r.Guards = false
	}
	if s.quirks["erases again"] {
		r.Erased = time.Time{}
	}
	return r
}

// erasePast removes what is personal in the events of an order.
func (s *memoryStore) erasePast(orderID string) {
	told := slices.Clone(s.events[orderID])
	for i, e := range told {
		is := e.Erase()
		switch {
		case s.quirks["erases no events"]:
			is = e
		case s.quirks["erases notes alone"]:
			is.Ticket, is.PortDate, is.Status = e.Ticket, e.PortDate, e.Status
		case s.quirks["erases the latest event alone"] && i < len(told)-1:
			is = e
		}
		told[i] = is
	}
	s.events[orderID] = told
}

func (s *memoryStore) Erasable(ctx context.Context, before time.Time, limit int) ([]string, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	var all []ledger.Record
	for _, r := range s.orders {
		is := r.Over() || s.quirks["may erase what is open"] && r.State == order.Accepted || s.quirks["may erase what guards"] && r.Guards
		is = is && (r.Erased.IsZero() || s.quirks["may erase again"])
		is = is && (r.Updated.Before(before) || s.quirks["may erase the moment itself"] && r.Updated.Equal(before))
		if is && (r.Tenant == ledger.Default || !s.quirks["may erase one tenant's"]) {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b ledger.Record) int { return a.Updated.Compare(b.Updated) })
	if s.quirks["may erase the oldest first"] {
		slices.SortFunc(all, func(a, b ledger.Record) int { return newer(b, a) })
	}
	var ids []string
	for _, r := range all {
		if len(ids) < limit || s.quirks["may erase without end"] {
			ids = append(ids, r.OrderID)
		}
	}
	return ids, nil
}

// flawsOfErasing are the flaws of erasures.
var flawsOfErasing = map[string][]quirk{
	"what is left of an order that is erased is kept":             {"keeps nanoseconds", "keeps time zones", "frees the key of what is erased"},
	"the events of an order that is erased lose what is personal": {"erases no events", "erases notes alone", "erases the latest event alone", "erases silently"},
	"an order that is erased is found by nothing personal":        {"lists what was erased by its numbers"},
	"only an order that is over is erased": {
		"erases what is open", "erases in every state", "erases what guards", "may erase what guards", "keeps what it does not erase to itself",
	},
	"only an order that was not changed for long is erased": {"erases what was changed since", "erases again"},
	"an order that is erased never changes again": {
		"claims from any state", "corrects anything", "frees the key of what is erased", "frees the ticket of what is erased", "moves anywhere",
	},
	"but for its reasons for attention, which a person takes away": {"changes nothing of what is erased"},
	"the longest unchanged of the orders that are over is erasable first": {
		"may erase what is open", "may erase again", "may erase the moment itself", "may erase one tenant's", "may erase the oldest first",
		"may erase without end",
	},
	"of many that erase an order one does": {"erases in two steps"},
}
