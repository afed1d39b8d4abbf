package ledgertest

import (
	"fmt"
	"sync"

	"github.com/portin/portin/internal/ledger"
)

// register is who holds which number, kept by the holders themselves while their claims last.
type register struct {
	mu      sync.Mutex
	holders map[string]string
}

func newRegister() *register { return &register{holders: map[string]string{}} }

// enter writes an order down for its numbers, and fails if another order is there.
func (g *register) enter(r ledger.Record) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, n := range r.Numbers {
		if other, held := g.holders[n]; held {
			return fmt.Errorf("%s is held by %s and by %s", n, other, r.OrderID)
		}
		g.holders[n] = r.OrderID
	}
	return nil
}

// leave strikes an order out, before it gives its numbers back.
func (g *register) leave(r ledger.Record) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, n := range r.Numbers {
		if g.holders[n] != r.OrderID {
			return fmt.Errorf("%s is no longer held by %s", n, r.OrderID)
		}
		delete(g.holders, n)
	}
	return nil
}
