// Package intake accepts an order once: it reads the idempotency key, looks, claims, posts, settles and answers.
//
// It promises that an order is posted at most once an attempt, that an attempt begins only when a caller asks for it,
// that nothing is posted before its claim is in the journal, and that after the claim the order goes on whatever becomes
// of the caller. It refuses to know the carrier's wire (product and carrier do) and to keep documents and passwords: they
// live in memory until the POST has ended.
package intake

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/product"
)

// Carrier is what intake needs of the carrier's client.
type Carrier interface {
	// Submit sends an order's one POST. It returns when the answer is known or the POST's time is over.
	Submit(ctx context.Context, call carrier.Call) carrier.Outcome
	// StatusByNumber asks for the port-in of a number of ten digits; fault PORT_IN_NOT_FOUND says that there is none.
	StatusByNumber(ctx context.Context, number int64) (carrier.Status, error)
	// StatusByTicket asks for the port-in of a ticket.
	StatusByTicket(ctx context.Context, ticket string) (carrier.Status, error)
}

// Directory is what intake needs to know of the carrier's lists.
type Directory interface {
	// Check compares what an order refers to with the carrier's lists, within a bounded time.
	Check(ctx context.Context, refs []product.Reference) ([]fault.Violation, []*portinv1.Warning)
	// Closed returns the carrier's holidays as far as they are known, for the rules about the requested date.
	Closed(ctx context.Context) []product.Day
}

// Config is what an operator decides about the intake.
type Config struct {
	// Limits bound an order's numbers and documents.
	Limits product.Limits
	// LeastRemaining is how much of the caller's deadline must be left when an order is claimed.
	LeastRemaining time.Duration
	// AnswerBefore is how long before its deadline a caller gets the order as it then is.
	AnswerBefore time.Duration
	// LookTimeout bounds the status GET before an order is claimed.
	LookTimeout time.Duration
	// RequireLook refuses orders whose look fails; otherwise the failure is noted and the order goes on.
	RequireLook bool
	// MinLeadDays is how many business days before the requested date carriers are known to need; fewer are a warning.
	MinLeadDays int
}

// Params are the parts that an Intake is built from. All but Now and NewID are required.
type Params struct {
	Config    Config
	Journal   Journal
	Carrier   Carrier
	Directory Directory
	Log       *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// NewID gives order IDs; nil gives UUIDv7.
	NewID func() string
}

// Intake takes orders. Build it with New and end it with Drain; its methods are safe for concurrent use.
type Intake struct {
	Params

	// flights are the orders that this process is sending, by order ID.
	mu      sync.Mutex
	flights map[string]*flight
	closing bool
	sending sync.WaitGroup
	// leaving closes when the service goes although orders are in flight.
	leaving chan struct{}
	leave   sync.Once
}

// New returns an intake that takes orders at once.
func New(p Params) *Intake {
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.NewID == nil {
		p.NewID = func() string { return uuid.Must(uuid.NewV7()).String() }
	}
	return &Intake{Params: p, flights: map[string]*flight{}, leaving: make(chan struct{})}
}

// Drain refuses new orders and waits until those in flight have settled. When ctx ends before, it names them in the log
// and has those who wait for them answered that they are SENDING.
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
		return nil
	case <-ctx.Done():
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for id := range in.flights {
		in.Log.ErrorContext(ctx, "an order is still being sent, and what becomes of it will not be known: look it up at the carrier",
			slog.String("order_id", id))
	}
	in.leave.Do(func() { close(in.leaving) })
	return fmt.Errorf("%d orders are still being sent: %w", len(in.flights), ctx.Err())
}

// Tenant is whom orders belong to until callers have identities.
const Tenant = "default"

// Get returns an order as it now is.
func (in *Intake) Get(ctx context.Context, orderID string) (*portinv1.PortInOrder, error) {
	r, err := in.Journal.Find(ctx, Tenant, strings.ToLower(orderID))
	if err != nil {
		return nil, journalFault(err)
	}
	return render(r), nil
}
