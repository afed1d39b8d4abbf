package intake

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
)

// flight is an order that this process is sending.
type flight struct {
	// orderID is the order's.
	orderID string
	// landed closes when those who wait can be answered.
	landed chan struct{}

	mu sync.Mutex
	// latest is the order as it stands: claimed, and then settled. Its state is 0 until it is claimed.
	latest ledger.Record
	// err is why the order was not claimed.
	err error
	// over tells that landed is closed.
	over bool
}

// claim notes that the order is claimed.
func (f *flight) claim(r ledger.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.latest = r
}

// stands is the order as it stands, or why it was not claimed.
func (f *flight) stands() (ledger.Record, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.latest, f.err
}

// answer lets those go on who wait for the flight: with the order as it then stands, or with why it was not claimed.
func (f *flight) answer(result ledger.Record, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.latest, f.err = result, err
	if !f.over {
		f.over = true
		close(f.landed)
	}
}

// board begins a flight, or returns the one that is under way for the order, which is then not the caller's to land.
func (in *Intake) board(orderID string) (f *flight, mine bool, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closing {
		return nil, false, fault.New(fault.ReasonShuttingDown, "the service is stopping; nothing was sent; send the order again with the same request_id").
			WithRetryAfter(5 * time.Second)
	}
	if f, flying := in.flights[orderID]; flying {
		return f, false, nil
	}
	if in.unsettled > 0 {
		return nil, false, fault.New(fault.ReasonLedgerUnavailable, "the ledger of orders does not take what became of an earlier order; nothing was sent").
			WithRetryAfter(5 * time.Second)
	}
	f = &flight{orderID: orderID, landed: make(chan struct{})}
	in.flights[orderID] = f
	in.sending.Add(1)
	return f, true, nil
}

// land ends a flight.
func (in *Intake) land(orderID string, f *flight, result ledger.Record, err error) {
	f.answer(result, err)
	in.mu.Lock()
	defer in.mu.Unlock()
	delete(in.flights, orderID)
	in.sending.Done()
}

// underWay returns the flight of an order that this process is sending, or nil.
func (in *Intake) underWay(orderID string) *flight {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.flights[orderID]
}

// owe counts a result that the ledger did not take, or, with -1, that it has taken since.
func (in *Intake) owe(n int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.unsettled += n
}

// Unsettled returns how many results of orders the ledger did not take yet. While there is one, new orders are refused.
func (in *Intake) Unsettled() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.unsettled
}

// Drain refuses new orders and waits until those in flight have settled. When ctx ends before, it names them in the log;
// the next start puts them in doubt and finds out. Those who still wait are answered that their order is SENDING.
func (in *Intake) Drain(ctx context.Context) error {
	in.mu.Lock()
	in.closing = true
	in.mu.Unlock()
	settled := make(chan struct{})
	go func() {
		in.sending.Wait()
		close(settled)
	}()
	select {
	case <-settled:
		in.leave.Do(func() { close(in.leaving) }) // some may wait for orders that another process sends
		return nil
	case <-ctx.Done():
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for id := range in.flights {
		in.Log.ErrorContext(ctx, "an order is still being sent; it will be in doubt, and the carrier be asked about it, after the next start",
			slog.String("order_id", id))
	}
	in.leave.Do(func() { close(in.leaving) })
	return fmt.Errorf("%d orders are still being sent: %w", len(in.flights), ctx.Err())
}
