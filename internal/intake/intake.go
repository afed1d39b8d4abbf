// Package intake accepts an order once: it reads the idempotency key, looks, claims, posts, settles and answers, and finds
// out what became of an order that is in doubt.
//
// It promises that an order is posted at most once an attempt, that an attempt begins only when a caller asks for it,
// that nothing is posted before its claim is in the ledger, and that after the claim the order goes on whatever becomes
// of the caller. It refuses to know the carrier's wire (product and carrier do) and to keep documents and passwords: they
// live in memory until the POST has ended.
package intake

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/product"
	"github.com/portin/portin/internal/rounds"
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

// Accounts are the service's accounts at the carrier.
type Accounts interface {
	// Of names the account that a tenant's new orders go to; empty when it has none.
	Of(tenant string) string
	// Names are the accounts that the carrier can be asked for.
	Names() []string
}

// Directory is what intake needs to know of the carrier's lists.
type Directory interface {
	// Check compares what an order refers to with the carrier's lists, within a bounded time.
	Check(ctx context.Context, refs []product.Reference) ([]fault.Violation, []*portinv1.Warning)
	// Closed returns the carrier's holidays as far as they are known, for the rules about the requested date.
	Closed(ctx context.Context) []product.Day
}

// Ledger is what intake needs of the store: orders, what they are found by, and the shares of periodic work.
type Ledger interface {
	ledger.Orders
	ledger.Lists
	ledger.Work
	// ID is the ledger's own identity; page tokens belong to it.
	ID() string
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
	// Lease is how long an order may be SENDING before others may think that its process is gone: the longest POST, and
	// LeaseMargin beside it. Half of the margin is for the way from the claim to the POST.
	Lease, LeaseMargin time.Duration
	// Doubt is how orders in doubt are asked about.
	Doubt Doubt
	// Keep is how long an order that is over keeps its personal data after its last change, ledger.KeyLife at least; 0 keeps it
	// until somebody erases it.
	Keep time.Duration
}

// Params are the parts that an Intake is built from. Those without a default are required.
type Params struct {
	Config   Config
	Ledger   Ledger
	Accounts Accounts
	// Carrier and Directory are those of an account. One that the carrier cannot be asked for has them too: they say so.
	Carrier   func(account string) Carrier
	Directory func(account string) Directory
	Log       *slog.Logger
	// Now is the wall clock, for what people read; nil is time.Now.
	Now func() time.Time
	// Elapsed is how long the process has been running, on a clock that nobody sets; nil is that of package time. All
	// waiting, leases and windows go by it: a wall clock that jumps ends nothing early.
	Elapsed func() time.Duration
	// NewID gives order IDs; nil gives UUIDv7.
	NewID func() string
	// Panicked is told of each panic that was survived; nil is nobody.
	Panicked func()
	// Reach is called when an order's way reaches a point, for tests that end the process there; nil does nothing.
	Reach func(Point)
}

// Point is a place on the way of an order where a process can die.
type Point string

// The points, in the order in which an order passes them.
const (
	PointKeyRead Point = "key-read" // the key is not used yet
	PointLooked  Point = "looked"   // the carrier was asked about the first number
	PointClaimed Point = "claimed"  // the claim is in the ledger; nothing was sent
	PointPosted  Point = "posted"   // the POST has ended; the ledger says SENDING
	PointSettled Point = "settled"  // the result is in the ledger; the caller has no answer
	PointTaken   Point = "taken"    // an order in doubt was taken to be asked about
	PointAsked   Point = "asked"    // the carrier has answered about an order in doubt
)

// Intake takes orders. Build it with New, have it look after leases, doubts and what is to be erased with Run, and end it with Drain; its
// methods are safe for concurrent use.
type Intake struct {
	Params

	// owner names this process, and claims counts its claims: together they name each in the ledger.
	owner  string
	claims atomic.Int64
	clock  rounds.Clock
	// erased counts the orders whose personal data this process has removed.
	erased atomic.Int64

	mu sync.Mutex
	// flights are the orders that this process is sending, by order ID.
	flights map[string]*flight
	// unsettled counts flights whose result the ledger did not take yet.
	unsettled int
	closing   bool
	sending   sync.WaitGroup
	// leaving closes when the service goes although orders are in flight.
	leaving chan struct{}
	leave   sync.Once

	// unclaimed are the owners of claims that this process gave up: should one show up in the ledger after all, nothing was
	// sent. The value is when, on the clock of Elapsed.
	unclaimed map[string]time.Duration

	// leases are when Run first saw the leases of others, on the clock of Elapsed.
	leases map[ledger.Lease]time.Duration
}

// New returns an intake that takes orders at once.
func New(p Params) *Intake {
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Elapsed == nil {
		start := time.Now()
		p.Elapsed = func() time.Duration { return time.Since(start) }
	}
	if p.NewID == nil {
		p.NewID = func() string { return uuid.Must(uuid.NewV7()).String() }
	}
	if p.Reach == nil {
		p.Reach = func(Point) {}
	}
	if p.Panicked == nil {
		p.Panicked = func() {}
	}
	return &Intake{
		Params: p, owner: uuid.NewString(), clock: rounds.NewClock(p.Now(), p.Elapsed),
		flights: map[string]*flight{}, leaving: make(chan struct{}), leases: map[ledger.Lease]time.Duration{},
		unclaimed: map[string]time.Duration{},
	}
}

// panicked counts a panic that was survived, and is the error of it.
func (in *Intake) panicked(thrown any) error {
	in.Panicked()
	return fault.Panicked(thrown)
}

// steady is the clock that never jumps; what is due, and since when, is written in it.
func (in *Intake) steady() time.Time { return in.clock.Now() }

// Get returns an order of the caller's tenant as it now is.
func (in *Intake) Get(ctx context.Context, orderID string) (*portinv1.PortInOrder, error) {
	r, err := in.owned(ctx, orderID)
	if err != nil {
		return nil, readFault(ctx, err)
	}
	return Render(r)
}

// owned reads an order of the caller's tenant.
func (in *Intake) owned(ctx context.Context, orderID string) (ledger.Record, error) {
	caller, err := callerOf(ctx)
	if err != nil {
		return ledger.Record{}, err
	}
	return in.Ledger.Find(ctx, caller.Tenant, strings.ToLower(orderID))
}
