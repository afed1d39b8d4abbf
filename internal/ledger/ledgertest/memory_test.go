package ledgertest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// memory is a ledger that is as good as the suite asks for and lives as long as its test. What quirks names it does wrong.
type memory struct {
	shared bool
	quirks map[quirk]bool
	// onClaim and its like spoil what is written; nil leaves it.
	onClaim, onStep, onErase func(was, next ledger.Record) ledger.Record
	onFollow                 func(r ledger.Record) ledger.Record
	onEvent                  func(e ledger.Event) ledger.Event
	onEndpoint               func(e ledger.Endpoint) ledger.Endpoint
	onDelivery               func(d ledger.Delivery) ledger.Delivery

	mu       sync.Mutex
	id       string
	carrier  string
	adopted  string
	open     int
	orders   map[string]ledger.Record
	versions map[string]int
	// changing are the orders that steps are at work on.
	changing map[string]int
	keys     map[[2]string]string
	events   map[string][]ledger.Event
	sequence int64
	// acting is the store that called last, and hints are whom commits are told to, with the store that asked.
	acting *memoryStore
	hints  map[chan struct{}]*memoryStore

	endpoints  map[string]ledger.Endpoint
	deliveries map[string]map[int64]ledger.Delivery
	// latest is the order that was claimed last, and poisoned how many calls are to fail because another one did.
	latest   string
	poisoned int
}

// quirk is something that a store does wrong.
type quirk string

// engine makes ledgers in memory, each with the same quirks.
func engine(shared bool, spoil func(m *memory)) Engine {
	return Engine{patience: time.Second, New: func(testing.TB) Ledger {
		m := &memory{
			shared: shared, quirks: map[quirk]bool{}, id: uuid.NewString(), orders: map[string]ledger.Record{}, versions: map[string]int{},
			changing: map[string]int{}, keys: map[[2]string]string{}, events: map[string][]ledger.Event{},
			hints: map[chan struct{}]*memoryStore{}, endpoints: map[string]ledger.Endpoint{}, deliveries: map[string]map[int64]ledger.Delivery{},
		}
		spoil(m)
		return Ledger{Shared: shared, Open: m.opened}
	}}
}

func (m *memory) opened(ctx context.Context, carrier string) (ledger.Store, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case ctx.Err() != nil && !m.quirks["opens for nobody"]:
		return nil, ctx.Err()
	case m.carrier != "" && m.carrier != carrier && !m.quirks["takes any carrier"]:
		return nil, ledger.ErrOtherCarrier
	case m.open > 0 && !m.shared && !m.quirks["opens twice"]:
		return nil, ledger.ErrInUse
	}
	m.carrier = cmp.Or(m.carrier, carrier)
	m.open++
	id := m.id
	if m.quirks["changes its identity"] {
		id = uuid.NewString()
	}
	if m.quirks["loses the latest"] && m.open == 1 {
		delete(m.orders, m.latest)
	}
	if m.quirks["forgets its events"] && m.open == 1 && m.sequence > 0 {
		clear(m.events)
		m.sequence = 0
	}
	return &memoryStore{memory: m, id: id, opening: ctx}, nil
}

// memoryStore is a store on a ledger in memory.
type memoryStore struct {
	*memory
	id     string
	closed bool
	// opening is the context that the store was opened with.
	opening context.Context
}

var _ ledger.Store = (*memoryStore)(nil)

// enter locks the ledger for a call.
func (s *memoryStore) enter(ctx context.Context) (leave func(), err error) {
	s.mu.Lock()
	switch {
	case s.closed && !s.quirks["never closes"]:
		err = ledger.ErrClosed
	case s.quirks["dies with its context"] && s.opening.Err() != nil:
		err = s.opening.Err()
	case ctx.Err() != nil && !s.quirks["works for nobody"]:
		err = ctx.Err()
		if s.quirks["leaves together"] {
			s.poisoned = 10
		}
	case s.poisoned > 0:
		err = errors.New("somebody else's call failed")
		s.poisoned--
	}
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	s.acting = s
	return s.mu.Unlock, nil
}

func (s *memoryStore) ID() string {
	if s.quirks["is always the same"] {
		return "01900000-0000-7000-8000-000000000000"
	}
	return s.id
}

func (s *memoryStore) Exclusive() bool { return s.shared == s.quirks["shares without saying so"] }

func (s *memoryStore) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		if s.quirks["closes once"] {
			return ledger.ErrClosed
		}
		return nil
	}
	s.closed = true
	s.open--
	return nil
}

func (s *memoryStore) Check(ctx context.Context) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if s.quirks["checks an order"] && len(s.orders) == 0 {
		return ledger.ErrNotFound
	}
	return nil
}

func (s *memoryStore) Find(ctx context.Context, tenant, orderID string) (ledger.Record, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return ledger.Record{}, err
	}
	defer leave()
	r, ok := s.orders[orderID]
	if !ok || (r.Tenant != tenant && !s.quirks["knows no tenants"]) {
		return ledger.Record{}, ledger.ErrNotFound
	}
	return s.out(r), nil
}

func (s *memoryStore) FindKey(ctx context.Context, tenant, requestID string) (ledger.Record, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return ledger.Record{}, err
	}
	defer leave()
	id, ok := s.keys[s.key(tenant, requestID)]
	if !ok {
		return ledger.Record{}, ledger.ErrNotFound
	}
	return s.out(s.orders[id]), nil
}

func (m *memory) key(tenant, requestID string) [2]string {
	if m.quirks["has keys of all tenants"] {
		tenant = ""
	}
	return [2]string{tenant, requestID}
}

// put keeps a record and what is told of it.
func (m *memory) put(r ledger.Record, events ...ledger.Event) {
	m.orders[r.OrderID] = r
	m.versions[r.OrderID]++
	for _, e := range events {
		m.sequence++
		e.Sequence, e.Time = m.sequence, m.cut(e.Time)
		e.Actor.Name, e.Ticket, e.Note = mend(m, e.Actor.Name), mend(m, e.Ticket), mend(m, e.Note)
		e.Attention = slices.Clone(e.Attention)
		for i, code := range e.Attention {
			e.Attention[i] = mend(m, code)
		}
		if m.quirks["counts from nothing"] {
			e.Sequence--
		}
		if m.quirks["numbers by order"] {
			e.Sequence = int64(len(m.events[r.OrderID]) + 1)
		}
		if m.onEvent != nil {
			e = m.onEvent(e)
		}
		m.events[r.OrderID] = append(m.events[r.OrderID], e)
	}
	if len(events) > 0 {
		m.hint()
	}
}

// holders are the other orders that hold one of some numbers, with the first of them, in their order.
func (m *memory) holders(r ledger.Record, wanted []string) (holders []ledger.HeldError) {
	numbers := slices.Clone(wanted)
	if m.quirks["names any number"] {
		slices.Sort(numbers)
	}
	for _, n := range numbers {
		for id, other := range m.orders {
			holds := slices.Contains(other.Held(), n)
			has := slices.Contains(other.Numbers, n)
			switch {
			case m.quirks["holds in every state"]:
				holds = has
			case m.quirks["holds whatever the status"]:
				holds = has && other.State.Holds(false)
			case m.quirks["holds until REFUSED"]:
				holds = holds || has && other.State == order.NotSent
			case m.quirks["hands on every number"] && other.Successor != "":
				holds = false
			case m.quirks["never lets go what it did not hand on"] && slices.Contains(other.Kept, n):
				holds = true
			case m.quirks["guards nothing"] && other.Guarding():
				holds = false
			case m.quirks["guards what was ported"] && other.Guards:
				holds = has
			case m.quirks["frees what is in doubt"] && other.State == order.InDoubt:
				holds = false
			case m.quirks["holds within a tenant"] && other.Tenant != r.Tenant && r.Tenant != "prober":
				holds = false
			case m.quirks["holds the last number"] && other.Numbers[len(other.Numbers)-1] != n:
				holds = false
			case m.quirks["frees what two hold"] && other.Attends(ledger.AttentionNumbersHeldTwice):
				holds = false
			}
			known := slices.ContainsFunc(holders, func(h ledger.HeldError) bool { return h.Holder.OrderID == id })
			if id != r.OrderID && holds && !known {
				holders = append(holders, ledger.HeldError{Holder: m.out(other), Number: n})
			}
		}
	}
	return holders
}
