package ledgertest

import (
	"cmp"
	"slices"

	"github.com/portin/portin/internal/ledger"
)

// correct is Store.Claim of a new order that corrects another one.
func (m *model) correct(r ledger.Record, e ledger.Entry) answer {
	was, known := m.orders[r.Predecessor]
	switch {
	case !known || was.Tenant != r.Tenant:
		m.met["no order to correct"]++
		return answer{errs: []error{ledger.ErrNotFound}}
	case !was.Correctable():
		m.met["an order that cannot be corrected"]++
		return answer{was, []error{ledger.ErrNotCorrectable}}
	}
	next, told := ledger.Succeed(was, r, e.Actor, r.Claimed)
	m.orders[was.OrderID] = next
	if holders := m.holders(r, r.Held()); len(holders) > 0 {
		m.met["a correction whose number is held"]++
		m.orders[was.OrderID] = was
		return answer{errs: heldErrors(holders)}
	}
	m.met["a correction"]++
	if len(next.Held()) > 0 {
		m.met["a correction that does without a number"]++
	}
	if was.Guarding() {
		m.met["a correction of an order that guards its numbers"]++
	}
	m.put(next, told...)
	m.put(r, ledger.Claimed(r, e))
	return answer{record: r}
}

// follow is Store.Follow.
func (m *model) follow(r ledger.Record, e ledger.Entry) answer {
	m.calls++
	for _, other := range m.orders {
		if r.Ticket != "" && other.Ticket == r.Ticket && other.CarrierAccount == r.CarrierAccount {
			m.met["a ticket that is followed already"]++
			return answer{other, []error{ledger.ErrTicketTaken}}
		}
	}
	if holders := m.holders(r, r.Held()); len(holders) > 0 {
		m.met["a followed number that is held"]++
		return answer{errs: heldErrors(holders)}
	}
	m.met["an order that is followed"]++
	m.put(r, ledger.Followed(r, e))
	return answer{record: r}
}

// history are the events of all orders of a history.
func (m *model) history(r ledger.Record) []ledger.Event {
	var all []ledger.Event
	for id, told := range m.events {
		if m.orders[id].History == r.History && m.orders[id].Tenant == r.Tenant {
			all = append(all, told...)
		}
	}
	// Of one call, the predecessor's events come first; it has the lower id, being older.
	slices.SortStableFunc(all, func(a, b ledger.Event) int {
		return cmp.Or(cmp.Compare(a.Sequence, b.Sequence), cmp.Compare(a.OrderID, b.OrderID))
	})
	return all
}
