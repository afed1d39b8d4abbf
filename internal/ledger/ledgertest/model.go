package ledgertest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// model is what a ledger should hold: the contract once more, over maps and one call after another, as plainly as it can
// be said. Of an event it knows the call that it came with in the place of its sequence.
type model struct {
	orders map[string]ledger.Record
	events map[string][]ledger.Event
	calls  int64
	// met counts what the calls met, by a word for it: a model that meets little shows little.
	met map[string]int
}

func newModel() *model {
	return &model{orders: map[string]ledger.Record{}, events: map[string][]ledger.Event{}, met: map[string]int{}}
}

// answer is what a call should answer: an order, unless that is left open, and one of some errors, if there are any.
type answer struct {
	record ledger.Record
	errs   []error
}

var (
	// errStep is the own error of some steps.
	errStep = errors.New("a step of the model fails")
	// errAny stands for any error.
	errAny = errors.New("some error")
)

// differs is how an answer differs from what it should be; "" if it does not.
func (a answer) differs(got ledger.Record, err error) string {
	fits := func(want error) bool {
		held, isHeld := errors.AsType[*ledger.HeldError](err)
		if h, ok := errors.AsType[*ledger.HeldError](want); ok {
			return isHeld && difference(h, held) == ""
		}
		return err != nil && (errors.Is(want, errAny) || errors.Is(err, want))
	}
	if (err != nil && len(a.errs) == 0) || (len(a.errs) > 0 && !slices.ContainsFunc(a.errs, fits)) {
		return fmt.Sprintf("error %+v, want one of %+v", err, a.errs)
	}
	if a.record.OrderID == "" {
		return ""
	}
	return difference(a.record, got)
}

// put keeps an order and what is told of it.
func (m *model) put(r ledger.Record, events ...ledger.Event) {
	m.orders[r.OrderID] = r
	for _, e := range events {
		e.Sequence = m.calls
		m.events[r.OrderID] = append(m.events[r.OrderID], e)
	}
}

// all are all orders.
func (m *model) all() []ledger.Record {
	var all []ledger.Record
	for _, r := range m.orders {
		all = append(all, r)
	}
	slices.SortFunc(all, newer)
	return all
}

// ofKey is the order of a key.
func (m *model) ofKey(tenant, requestID string) (ledger.Record, bool) {
	for _, r := range m.orders {
		if r.Tenant == tenant && r.RequestID == requestID {
			return r, true
		}
	}
	return ledger.Record{}, false
}

// holders are the other orders that hold some numbers, each with the first of them, in their order.
func (m *model) holders(r ledger.Record, numbers []string) []*ledger.HeldError {
	var holders []*ledger.HeldError
	seen := map[string]bool{}
	for _, n := range numbers {
		for id, other := range m.orders {
			if id != r.OrderID && slices.Contains(other.Held(), n) && !seen[id] {
				seen[id] = true
				holders = append(holders, &ledger.HeldError{Holder: other, Number: n})
			}
		}
	}
	return holders
}

// heldErrors are the *HeldErrors of which a store may say one: two orders may hold the first number.
func heldErrors(holders []*ledger.HeldError) []error {
	var errs []error
	for _, h := range holders {
		if h.Number == holders[0].Number {
			errs = append(errs, h)
		}
	}
	return errs
}

// claim is Store.Claim.
func (m *model) claim(r ledger.Record, e ledger.Entry) answer {
	m.calls++
	now, known := m.ofKey(r.Tenant, r.RequestID)
	switch {
	case r.Attempt == 1 && known:
		m.met["a key that is taken"]++
		return answer{now, []error{ledger.ErrMoved}}
	case r.Attempt > 1 && !known:
		m.met["no order to claim again"]++
		return answer{errs: []error{ledger.ErrNotFound, ledger.ErrMoved}}
	case r.Attempt > 1 && (now.OrderID != r.OrderID || now.State != order.NotSent || now.Attempt != r.Attempt-1 || now.Successor != "" || !now.Erased.IsZero()):
		m.met["an order that has moved on"]++
		return answer{now, []error{ledger.ErrMoved}}
	case r.Attempt > 1:
		r = fixed(r, now)
		r.Fence, r.Successor, r.Kept = now.Fence, now.Successor, now.Kept
	case r.Predecessor != "":
		return m.correct(r, e)
	}
	if holders := m.holders(r, r.Held()); len(holders) > 0 {
		m.met["a number that is held"]++
		return answer{errs: heldErrors(holders)}
	}
	if now.Guarding() {
		m.met["a second claim of an order that guards its numbers"]++
	}
	m.met[fmt.Sprintf("a claim of attempt %d", min(r.Attempt, 2))]++
	m.put(r, ledger.Claimed(r, e))
	return answer{record: r}
}

// advance is Store.Advance. Where an order collides with several, the contract leaves open which of them its mark names:
// it is the one that got names.
func (m *model) advance(orderID string, s ledger.Step, got ledger.Record) answer {
	m.calls++
	now, known := m.orders[orderID]
	if !known {
		m.met["no order to advance"]++
		return answer{errs: []error{ledger.ErrNotFound}}
	}
	next, events, err := s.Apply(now)
	switch {
	case errors.Is(err, ledger.ErrMoved):
		m.met["an illegal move"]++
		return answer{now, []error{err}}
	case errors.Is(err, errStep):
		m.met["a step's own error"]++
		return answer{errs: []error{errStep}}
	case err != nil:
		m.met["a step that changes what is fixed"]++
		return answer{errs: []error{errAny}}
	}
	gained, lost := ledger.Shift(now, next)
	if len(lost) > 0 && len(gained) == 0 && now.Successor != "" {
		m.met["an order that lets go what it did not hand on"]++
	}
	holders := m.holders(next, gained)
	if refusals := m.refusals(next, s.By, holders); len(refusals) > 0 {
		return answer{now, refusals}
	}
	return answer{record: m.collide(next, events, holders, s.Now, got)}
}

// refusals are the errors of which a store may say one of a step; none if it may be carried out.
func (m *model) refusals(next ledger.Record, by order.Cause, holders []*ledger.HeldError) []error {
	var refusals []error
	for id, other := range m.orders {
		if id != next.OrderID && next.Ticket != "" && other.Ticket == next.Ticket && other.CarrierAccount == next.CarrierAccount {
			m.met["a ticket that is taken"]++
			refusals = append(refusals, ledger.ErrTicketTaken)
		}
	}
	if by == order.ByEvidence && len(holders) > 0 {
		m.met["evidence about a number that is held"]++
		refusals = append(refusals, heldErrors(holders)...)
	}
	return refusals
}

// collide puts an order and marks it and those that hold its numbers.
func (m *model) collide(next ledger.Record, events []ledger.Event, holders []*ledger.HeldError, at time.Time, got ledger.Record) ledger.Record {
	m.met[fmt.Sprintf("collisions with %d", min(len(holders), 2))]++
	named := slices.IndexFunc(holders, func(h *ledger.HeldError) bool {
		marked, _ := ledger.Collide(next, h.Holder, at)
		return difference(marked.Attention, got.Attention) == ""
	})
	if named > 0 {
		holders[0], holders[named] = holders[named], holders[0]
	}
	for _, h := range holders {
		var told []ledger.Event
		next, told = ledger.Collide(next, h.Holder, at)
		events = append(events, told...)
		other, told := ledger.Collide(h.Holder, next, at)
		m.put(other, told...)
	}
	m.put(next, events...)
	return next
}
