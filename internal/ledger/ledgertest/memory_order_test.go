package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

var errID = errors.New("the order id is taken")

func (s *memoryStore) Claim(ctx context.Context, r ledger.Record, e ledger.Entry) (ledger.Record, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return ledger.Record{}, err
	}
	defer leave()
	r = s.kept(r)
	key := s.key(r.Tenant, r.RequestID)
	now, known := s.orders[s.keys[key]]
	if s.quirks["looks at numbers first"] || s.quirks["knows no keys"] {
		if held := s.holders(r, r.Held()); len(held) > 0 {
			return ledger.Record{}, &held[0]
		}
	}
	if s.quirks["looks at the predecessor first"] && r.Predecessor != "" {
		if is, err := s.succeed(r, e); err != nil {
			return is, err
		}
	}
	switch {
	case known && s.quirks["frees keys"] && now.State == order.Refused:
	case known && r.Attempt == 1 && !s.quirks["knows no keys"]:
		return s.out(now), ledger.ErrMoved
	case known && r.Attempt > 1:
		if s.quirks["takes no second attempt"] || now.Attempt != r.Attempt-1 && !s.quirks["takes any attempt"] || (now.State != order.NotSent || !now.Erased.IsZero()) && !s.quirks["claims from any state"] ||
			now.OrderID != r.OrderID && !s.quirks["takes any order"] || now.Successor != "" && !s.quirks["claims again what was corrected"] {
			return s.out(now), ledger.ErrMoved
		}
		fence := now.Fence
		if s.quirks["forgets the fence"] {
			fence = r.Fence
		}
		if !s.quirks["fixes nothing"] {
			r = fixed(r, now)
		}
		r.Fence = fence
		if !s.quirks["believes a claim's successor"] {
			r.Successor, r.Kept = now.Successor, now.Kept
		}
	case !known && r.Attempt > 1 && !s.quirks["claims what is not there"]:
		return ledger.Record{}, ledger.ErrNotFound
	}
	if _, taken := s.orders[r.OrderID]; !known && taken && !s.quirks["overwrites orders"] {
		return ledger.Record{}, errID
	}
	if r.Predecessor != "" && (r.Attempt == 1 || s.quirks["corrects at every claim"]) {
		if is, err := s.succeed(r, e); err != nil {
			return is, err
		}
	}
	return s.claim(now, key, r, e)
}

// claim writes a claim that its key allows.
func (s *memoryStore) claim(now ledger.Record, key [2]string, r ledger.Record, e ledger.Entry) (ledger.Record, error) {
	held := s.holders(r, r.Held())
	if s.quirks["claims in two steps"] {
		s.mu.Unlock()
		runtime.Gosched()
		s.mu.Lock()
	}
	if s.quirks["holds nothing"] || r.Attempt > 1 && s.quirks["claims again what others hold"] || now.Guarding() && s.quirks["claims again what it guards beside another"] {
		held = nil
	}
	if len(held) > 0 {
		if s.quirks["leaves half a claim"] {
			s.keys[key] = r.OrderID
			s.put(r)
		}
		if s.quirks["leaves a key"] {
			s.keys[key] = held[0].Holder.OrderID
		}
		return ledger.Record{}, &held[0]
	}
	if s.onClaim != nil {
		r = s.onClaim(now, r)
	}
	s.keys[key] = r.OrderID
	events := []ledger.Event{ledger.Claimed(r, e)}
	if s.quirks["claims silently"] {
		events = nil
	}
	s.put(r, events...)
	s.latest = r.OrderID
	return s.out(r), nil
}

func (s *memoryStore) Advance(ctx context.Context, orderID string, step ledger.Step) (ledger.Record, error) {
	for {
		leave, err := s.enter(ctx)
		if err != nil {
			return ledger.Record{}, err
		}
		now, ok := s.orders[orderID]
		version := s.versions[orderID]
		if !ok {
			leave()
			return ledger.Record{}, ledger.ErrNotFound
		}
		s.changing[orderID]++
		now = s.out(now)
		if s.quirks["keeps the fence from steps"] {
			now.Fence = 0
		}
		leave()
		for range 100 { // So that steps meet.
			runtime.Gosched()
		}
		next, events, err := s.apply(step, now)
		s.mu.Lock()
		s.changing[orderID]--
		if s.versions[orderID] != version && !s.quirks["loses steps"] {
			s.mu.Unlock()
			continue
		}
		r, err := s.settle(now, next, events, step, err)
		s.mu.Unlock()
		return r, err
	}
}

// apply is the step, and an error where it panics.
func (s *memoryStore) apply(step ledger.Step, now ledger.Record) (next ledger.Record, events []ledger.Event, err error) {
	if s.quirks["changes nothing of what is erased"] {
		step.OfErased = false
	}
	defer func() {
		if v := recover(); v != nil && !s.quirks["carries out panics"] {
			err = fmt.Errorf("a step panicked: %v", v)
		} else if v != nil {
			next = now
			next.PortDate = "panicked"
		}
	}()
	next, events, err = step.Apply(now)
	if s.quirks["moves anywhere"] && errors.Is(err, ledger.ErrMoved) {
		next, err = now.Clone(), nil
		_, _ = step.Change(&next)
	}
	if s.quirks["writes before it fails"] && err != nil {
		failed := now.Clone()
		_, _ = step.Change(&failed)
		s.mu.Lock()
		s.orders[now.OrderID] = fixed(failed, now)
		s.mu.Unlock()
	}
	return next, events, err
}

// settle writes what a step made, unless the contract refuses it. The ledger is locked.
func (s *memoryStore) settle(now, next ledger.Record, events []ledger.Event, step ledger.Step, err error) (ledger.Record, error) {
	switch {
	case err != nil && s.quirks["fails together"]:
		s.poisoned = 10
		return s.out(now), err
	case errors.Is(err, ledger.ErrMoved) && !s.quirks["keeps the order to itself"]:
		return s.out(s.orders[now.OrderID]), err
	case err != nil && s.quirks["hides errors"]:
		return ledger.Record{}, errors.New("a step failed")
	case err != nil:
		return ledger.Record{}, err
	}
	for _, other := range s.orders {
		same := next.Ticket == other.Ticket && next.CarrierAccount == other.CarrierAccount
		switch {
		case s.quirks["shares tickets"]:
			same = false
		case s.quirks["frees tickets"] && other.Category() == order.CategoryClosed, s.quirks["frees tickets"] && other.State == order.Refused:
			same = false
		case s.quirks["has tickets of all accounts"]:
			same = next.Ticket == other.Ticket
		case s.quirks["reads tickets loosely"]:
			same = strings.EqualFold(next.Ticket, other.Ticket)
		}
		if same && other.OrderID != next.OrderID && (next.Ticket != "" || s.quirks["gives nobody a ticket"]) {
			return s.out(now), ledger.ErrTicketTaken
		}
	}
	if s.quirks["settles in two steps"] {
		s.mu.Unlock()
		runtime.Gosched()
		s.mu.Lock()
	}
	next = s.kept(next)
	if s.onStep != nil {
		next = s.onStep(now, next)
	}
	if s.quirks["tells of every step"] && len(events) == 0 {
		_, events, _ = ledger.Step{Now: step.Now, Change: func(*ledger.Record) (ledger.Entry, error) {
			return ledger.Entry{Type: ledger.EventEvidence}, nil
		}}.Apply(next)
	}
	if s.quirks["tells one thing"] {
		events = events[:min(1, len(events))]
	}
	return s.collide(now, next, events, step)
}

// collide writes a step's order, and marks it and the others whose numbers it comes to hold.
func (s *memoryStore) collide(now, next ledger.Record, events []ledger.Event, step ledger.Step) (ledger.Record, error) {
	var others []ledger.HeldError
	gained, _ := ledger.Shift(now, next)
	if s.quirks["collides with what held already"] || len(gained) > 0 && s.quirks["collides with its successor"] {
		gained = next.Numbers
	}
	if len(next.Held()) > 0 && !s.quirks["never collides"] {
		others = s.holders(next, gained)
	}
	if len(others) > 0 && (step.By == order.ByEvidence || s.quirks["refuses to collide"]) && !s.quirks["believes any evidence"] {
		return s.out(now), &others[0]
	}
	for id, other := range s.orders {
		if s.quirks["runs into itself"] && s.changing[id] > 0 && id != next.OrderID && slices.Contains(next.Numbers, other.Numbers[0]) {
			return ledger.Record{}, errors.New("deadlock")
		}
	}
	at := step.Now
	for i, h := range others {
		var told []ledger.Event
		if s.quirks["marks every time"] {
			next.Unattend(ledger.AttentionNumbersHeldTwice)
		}
		next, told = ledger.Collide(next, h.Holder, at)
		events = append(events, told...)
		if s.quirks["marks one"] || i > 0 && s.quirks["marks the first"] {
			continue
		}
		other, told := ledger.Collide(h.Holder, next, at)
		if s.quirks["marks silently"] {
			told = nil
		}
		s.put(s.kept(other), told...)
	}
	next = s.kept(next)
	s.put(next, events...)
	return s.out(next), nil
}
