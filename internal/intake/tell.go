package intake

import (
	"errors"
	"log/slog"
	"sync"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/ledger"
)

// Teller renders orders for those who watch. One that cannot be read whole is told with what can be read of it, because it
// would come again whenever they resume, and nothing that comes after it would be told. Build it with NewTeller; it is safe
// for concurrent use.
type Teller struct {
	log *slog.Logger

	mu sync.Mutex
	// noted are the orders that the log has.
	noted map[string]bool
}

// NewTeller returns a teller that has told nothing.
func NewTeller(log *slog.Logger) *Teller { return &Teller{log: log, noted: map[string]bool{}} }

// Render is an order as callers see it, as far as it can be read.
func (t *Teller) Render(r ledger.Record) *portinv1.PortInOrder {
	o, unread, unreadRejects := render(r)
	if err := errors.Join(unread, unreadRejects); err != nil && t.notes(r.OrderID) {
		t.log.Error("an order is told to those who watch without what cannot be read of it",
			slog.String("order_id", r.OrderID), slog.Any("error", err))
	}
	return o
}

// mostNoted is of how many orders it is remembered that the log has them.
const mostNoted = 1000

// notes reports whether an order is noted for the first time.
func (t *Teller) notes(orderID string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.noted[orderID] {
		return false
	}
	if len(t.noted) >= mostNoted {
		clear(t.noted)
	}
	t.noted[orderID] = true
	return true
}
