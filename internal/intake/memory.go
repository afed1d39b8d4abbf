package intake

import (
	"context"
	"sync"

	"github.com/portin/portin/internal/order"
)

// Memory is a Journal that lives as long as the process. It holds a bounded number of orders: when it is full it
// refuses new ones, and it never forgets one. Build it with NewMemory.
type Memory struct {
	limit int

	mu      sync.Mutex
	orders  map[string]*Record
	keys    map[memoryKey]string
	tickets map[string]string
	// holders are the orders that hold a number, by number.
	holders map[string]string
}

type memoryKey struct{ tenant, requestID string }

var _ Journal = (*Memory)(nil)

// NewMemory returns an empty journal for at most limit orders.
func NewMemory(limit int) *Memory {
	return &Memory{
		limit:   limit,
		orders:  map[string]*Record{},
		keys:    map[memoryKey]string{},
		tickets: map[string]string{},
		holders: map[string]string{},
	}
}

// FindKey returns the order of an idempotency key, or ErrNotFound.
func (m *Memory) FindKey(_ context.Context, tenant, requestID string) (Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id, ok := m.keys[memoryKey{tenant, requestID}]
	if !ok {
		return Record{}, ErrNotFound
	}
	return m.orders[id].clone(), nil
}

// Find returns an order of a tenant, or ErrNotFound.
func (m *Memory) Find(_ context.Context, tenant, orderID string) (Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.orders[orderID]
	if !ok || r.Tenant != tenant {
		return Record{}, ErrNotFound
	}
	return r.clone(), nil
}

// Claim writes an order that is about to be sent; see Journal.
func (m *Memory) Claim(_ context.Context, r Record, released []string) (Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := memoryKey{r.Tenant, r.RequestID}
	if id, taken := m.keys[key]; taken {
		now := m.orders[id]
		if now.Attempt != r.Attempt-1 || !order.CanMove(now.State, r.State, order.ByResend) {
			return now.clone(), ErrMoved
		}
	} else if len(m.orders) >= m.limit {
		return Record{}, ErrFull
	}
	for _, id := range released {
		m.release(m.orders[id])
	}
	if held := m.held(r); held != nil {
		return Record{}, held
	}
	m.keys[key] = r.OrderID
	m.write(r)
	return r, nil
}

// Settle moves an order on; see Journal.
func (m *Memory) Settle(_ context.Context, orderID string, by order.Cause, change func(*Record)) (Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, ok := m.orders[orderID]
	if !ok {
		return Record{}, ErrNotFound
	}
	next := now.clone()
	change(&next)
	if !order.CanMove(now.State, next.State, by) {
		return now.clone(), ErrMoved
	}
	if by == order.ByEvidence {
		// Evidence may be about the order that holds the numbers: then it is no evidence for this one.
		if held := m.held(next); held != nil {
			return now.clone(), held
		}
	}
	if owner, taken := m.tickets[next.Ticket]; taken && owner != orderID {
		return now.clone(), ErrTicketTaken
	}
	m.write(next)
	return next, nil
}

// held is the first number of an order that another order holds, or nil. The lock is held.
func (m *Memory) held(r Record) error {
	for _, n := range r.Numbers {
		if id, held := m.holders[n]; held && id != r.OrderID {
			return &HeldError{Holder: m.orders[id].clone(), Number: n}
		}
	}
	return nil
}

// write keeps a record with the numbers that it holds and its ticket. The lock is held.
func (m *Memory) write(r Record) {
	kept := r.clone()
	m.orders[r.OrderID] = &kept
	if r.Ticket != "" {
		m.tickets[r.Ticket] = r.OrderID
	}
	if !r.State.Holds(false) {
		m.release(&kept)
		return
	}
	for _, n := range r.Numbers {
		if _, held := m.holders[n]; !held {
			m.holders[n] = r.OrderID
		}
	}
}

// release gives back the numbers that an order holds. The lock is held.
func (m *Memory) release(r *Record) {
	if r == nil {
		return
	}
	for _, n := range r.Numbers {
		if m.holders[n] == r.OrderID {
			delete(m.holders, n)
		}
	}
}
