// Package tracker follows orders at the carrier, and tells those who watch.
//
// It promises that what it answers is what the carrier says, in the contract's words, with every word that it does not
// know passed on; that every open order is asked about by one process at a time, at intervals that fit its state; and that
// only a change is an event. It refuses to place an order, and to change anything about one but what the carrier says.
package tracker

import (
	"context"
	"log/slog"
	"slices"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/nanp"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/portstatus"
	"github.com/portin/portin/internal/rounds"
)

// Ledger is what following needs of the store.
type Ledger interface {
	rounds.Taker
	// Advance changes an order; see ledger.Orders.
	Advance(ctx context.Context, orderID string, s ledger.Step) (ledger.Record, error)
	// Owners returns whose orders have a ticket or hold a number; see ledger.Lists.
	Owners(ctx context.Context, account, ticket, number string) ([]string, error)
	// List returns a page of a tenant's orders; see ledger.Lists.
	List(ctx context.Context, q ledger.Query) (page []ledger.Record, more bool, err error)
	// OfNumber returns orders of any tenant that ask for a number; see ledger.Lists.
	OfNumber(ctx context.Context, q ledger.NumberQuery) ([]ledger.Record, error)
}

// Accounts are the service's accounts at the carrier.
type Accounts interface {
	// Of names the account that a tenant's new orders go to; empty when it has none.
	Of(tenant string) string
	// Names are the accounts that the carrier can be asked for.
	Names() []string
}

// Params are what a Tracker is built from. Those without a default are required.
type Params struct {
	Pace     Pace
	Ledger   Ledger
	Accounts Accounts
	// Carrier is that of an account. One that the carrier cannot be asked for has it too: it says so.
	Carrier func(account string) portstatus.Carrier
	Log     *slog.Logger
	// Closed reports whether the carrier does not work on a day, as it says for an account.
	Closed func(ctx context.Context, account string, day time.Time) bool
	// Panicked is told of each panic that was survived while orders are followed; nil is nobody.
	Panicked func()
	// Now is the wall clock, and Elapsed how long the process has been running; nil is package time's.
	Now     func() time.Time
	Elapsed func() time.Duration
}

// Tracker asks the carrier about port-ins. Build it with New; its methods are safe for concurrent use.
type Tracker struct {
	Params

	clock rounds.Clock
}

// New returns a tracker that answers at once, and follows orders while Run runs.
func New(p Params) *Tracker {
	if p.Now == nil {
		p.Now = time.Now
	}
	return &Tracker{Params: p, clock: rounds.NewClock(p.Now(), p.Elapsed)}
}

// StatusOfTicket answers a tenant what the carrier says about a ticket. That of another tenant's order is not there for it.
func (t *Tracker) StatusOfTicket(ctx context.Context, tenant, ticket string) (*portinv1.PortInStatus, error) {
	account, err := t.accountOf(ctx, tenant, ticket, "")
	if err != nil {
		return nil, err
	}
	status, err := t.Carrier(account).StatusByTicket(ctx, ticket)
	if err != nil {
		return nil, err
	}
	return t.told(ctx, tenant, account, portstatus.Render(status))
}

// StatusOfNumber answers a tenant what the carrier says about a number, written as people write North American ones. When it
// has several tickets for the number, the carrier chooses. A number that another tenant's open order ports is not there.
func (t *Tracker) StatusOfNumber(ctx context.Context, tenant, number string) (*portinv1.PortInStatus, error) {
	n, ok := nanp.Parse(number)
	if !ok {
		return nil, fault.Fields([]fault.Violation{{
			Field: "number", Description: nanp.Want,
		}})
	}
	account, err := t.accountOf(ctx, tenant, "", n.E164())
	if err != nil {
		return nil, err
	}
	status, err := t.Carrier(account).StatusByNumber(ctx, int64(n))
	if err != nil {
		return nil, err
	}
	return t.told(ctx, tenant, account, portstatus.Render(status))
}

// accountOf is the account that the carrier is asked for: that of the tenant's own order, if it has one of the ticket or number
// that the carrier may have, and otherwise that of its new orders. What is another tenant's alone is not there.
func (t *Tracker) accountOf(ctx context.Context, tenant, ticket, number string) (string, error) {
	own, _, err := t.Ledger.List(ctx, ledger.Query{
		Tenant: tenant, Ticket: ticket, Number: number, States: []order.State{order.Sending, order.InDoubt, order.Accepted}, Limit: 1, MaxBytes: 1,
	})
	if err != nil {
		return "", unread(ctx, err)
	}
	account := t.Accounts.Of(tenant)
	if len(own) > 0 {
		account = own[0].CarrierAccount
	}
	return account, t.mayKnow(ctx, tenant, account, ticket, number)
}

// told is a status as a tenant may know it: whose its ticket and its numbers are was not known before the carrier named them. The
// numbers count where the ticket is nobody's here: it may be that of an order in doubt, of which only they are known.
func (t *Tracker) told(ctx context.Context, tenant, account string, s *portinv1.PortInStatus) (*portinv1.PortInStatus, error) {
	somebodys, err := t.known(ctx, tenant, account, s.GetTicketId(), "")
	if err != nil {
		return nil, err
	}
	if numbers := s.GetNumbers(); !somebodys && len(numbers) > 0 {
		if err := t.mayKnow(ctx, tenant, account, "", numbers[0]); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// mayKnow refuses what is another tenant's alone, in the words for what the carrier does not know.
func (t *Tracker) mayKnow(ctx context.Context, tenant, account, ticket, number string) error {
	_, err := t.known(ctx, tenant, account, ticket, number)
	return err
}

// known is mayKnow that also reports whether a ticket or a number is somebody's here.
func (t *Tracker) known(ctx context.Context, tenant, account, ticket, number string) (somebodys bool, err error) {
	owners, err := t.Ledger.Owners(ctx, account, ticket, number)
	switch {
	case err != nil:
		return false, unread(ctx, err)
	case len(owners) > 0 && !slices.Contains(owners, tenant):
		return false, portstatus.Unknown()
	}
	return len(owners) > 0, nil
}

// unread is the error of a ledger that could not be read.
func unread(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fault.New(fault.ReasonLedgerUnavailable, "the ledger of orders does not answer; ask again").WithRetryAfter(5 * time.Second).WithCause(err)
}
