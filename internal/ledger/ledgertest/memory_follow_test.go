package ledgertest

import (
	"context"
	"runtime"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// succeed hands the place of a predecessor to the order that corrects it, or says why not.
func (s *memoryStore) succeed(r ledger.Record, e ledger.Entry) (ledger.Record, error) {
	was, known := s.orders[r.Predecessor]
	if !known || was.Tenant != r.Tenant && !s.quirks["corrects for any tenant"] {
		return ledger.Record{}, ledger.ErrNotFound
	}
	if !was.Correctable() && !s.quirks["corrects anything"] {
		if s.quirks["marks what cannot be corrected"] {
			next, told := ledger.Succeed(was, r, e.Actor, r.Claimed)
			s.put(s.kept(next), told...)
		}
		return s.out(was), ledger.ErrNotCorrectable
	}
	if s.quirks["corrects in two steps"] {
		s.mu.Unlock()
		runtime.Gosched()
		s.mu.Lock()
	}
	next, told := ledger.Succeed(was, r, e.Actor, r.Claimed)
	switch {
	case s.quirks["takes no numbers over"]:
		next.Successor = ""
	case s.quirks["forgets what was corrected"]:
		defer func() {
			is := s.orders[was.OrderID]
			is.Status = order.StatusCompleted // It holds nothing now, but will.
			is.Successor = ""
			s.orders[was.OrderID] = is
		}()
	case s.quirks["corrects silently"]:
		told = nil
	}
	s.orders[was.OrderID] = next
	if held := s.holders(r, r.Held()); len(held) > 0 && !s.quirks["takes the numbers of all"] {
		if !s.quirks["leaves half a correction"] {
			s.orders[was.OrderID] = was
		}
		return ledger.Record{}, &held[0]
	}
	if s.quirks["tells of the correction last"] {
		defer func() { s.put(s.orders[was.OrderID], told...) }()
		told = nil
	}
	s.put(s.kept(next), told...)
	return ledger.Record{}, nil
}

func (s *memoryStore) Follow(ctx context.Context, r ledger.Record, e ledger.Entry) (ledger.Record, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return ledger.Record{}, err
	}
	defer leave()
	r = s.kept(r)
	for _, other := range s.orders {
		same := other.Ticket == r.Ticket && other.CarrierAccount == r.CarrierAccount
		switch {
		case s.quirks["follows in every account"]:
			same = other.Ticket == r.Ticket
		case s.quirks["follows for each tenant"]:
			same = same && other.Tenant == r.Tenant
		case s.quirks["follows what is over"]:
			same = same && other.Holds()
		case s.quirks["follows anything"]:
			same = false
		}
		if same && r.Ticket != "" {
			if s.quirks["keeps the ticket's order to itself"] {
				return s.out(r), ledger.ErrTicketTaken
			}
			return s.out(other), ledger.ErrTicketTaken
		}
	}
	if s.quirks["follows in two steps"] {
		s.mu.Unlock()
		runtime.Gosched()
		s.mu.Lock()
	}
	if s.quirks["needs numbers"] && len(r.Numbers) == 0 {
		return ledger.Record{}, errID
	}
	held := s.holders(r, r.Numbers)
	if s.quirks["holds what it follows no numbers of"] || !r.Holds() && !s.quirks["follows what is closed as if it were open"] {
		held = nil
	}
	if len(held) > 0 {
		if s.quirks["leaves half of what it follows"] {
			s.put(r)
		}
		return ledger.Record{}, &held[0]
	}
	if _, taken := s.orders[r.OrderID]; taken {
		return ledger.Record{}, errID
	}
	if s.onFollow != nil {
		r = s.onFollow(r)
	}
	told := []ledger.Event{ledger.Followed(r, e)}
	if s.quirks["follows silently"] {
		told = nil
	}
	s.put(r, told...)
	s.latest = r.OrderID
	return s.out(r), nil
}
