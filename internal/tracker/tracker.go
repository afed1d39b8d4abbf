// Package tracker follows orders at the carrier, and tells those who watch.
//
// It promises that what it answers is what the carrier says, in the contract's words, with every word that it does not
// know passed on; that every open order is asked about by one process at a time, at intervals that fit its state; and that
// only a change is an event. It refuses to place an order, and to change anything about one but what the carrier says.
package tracker

import (
	"context"
	"log/slog"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/nanp"
	"github.com/portin/portin/internal/portstatus"
	"github.com/portin/portin/internal/rounds"
)

// Ledger is what following needs of the store.
type Ledger interface {
	rounds.Taker
	// Advance changes an order; see ledger.Orders.
	Advance(ctx context.Context, orderID string, s ledger.Step) (ledger.Record, error)
	// List returns a page of orders; see ledger.Lists.
	List(ctx context.Context, q ledger.Query) ([]ledger.Record, bool, error)
}

// Params are what a Tracker is built from. Those without a default are required.
type Params struct {
	Pace    Pace
	Ledger  Ledger
	Carrier portstatus.Carrier
	Log     *slog.Logger
	// Closed reports whether the carrier does not work on a day.
	Closed func(ctx context.Context, day time.Time) bool
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

// StatusOfTicket answers what the carrier says about a ticket.
func (t *Tracker) StatusOfTicket(ctx context.Context, ticket string) (*portinv1.PortInStatus, error) {
	status, err := t.Carrier.StatusByTicket(ctx, ticket)
	if err != nil {
		return nil, err
	}
	return portstatus.Render(status), nil
}

// StatusOfNumber answers what the carrier says about a number, written as people write North American ones. When it has
// several tickets for the number, the carrier chooses.
func (t *Tracker) StatusOfNumber(ctx context.Context, number string) (*portinv1.PortInStatus, error) {
	n, ok := nanp.Parse(number)
	if !ok {
		return nil, fault.Fields([]fault.Violation{{
			Field: "number", Description: nanp.Want,
		}})
	}
	status, err := t.Carrier.StatusByNumber(ctx, int64(n))
	if err != nil {
		return nil, err
	}
	return portstatus.Render(status), nil
}
