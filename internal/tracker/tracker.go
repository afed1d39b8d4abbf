// Package tracker follows orders at the carrier.
//
// It promises that what it answers is what the carrier says now, in the contract's words, with every word that it does
// not know passed on. It refuses to place or change anything.
package tracker

import (
	"context"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/nanp"
)

// Carrier is what the tracker needs of the carrier's client.
type Carrier interface {
	// StatusByTicket asks for the port-in of a ticket; fault PORT_IN_NOT_FOUND says that there is none.
	StatusByTicket(ctx context.Context, ticket string) (carrier.Status, error)
	// StatusByNumber asks for the port-in of a number of ten digits.
	StatusByNumber(ctx context.Context, number int64) (carrier.Status, error)
}

// Tracker asks the carrier about port-ins. Build it with New; its methods are safe for concurrent use.
type Tracker struct {
	carrier Carrier
}

// New returns a tracker that asks through c.
func New(c Carrier) *Tracker {
	return &Tracker{carrier: c}
}

// StatusOfTicket answers what the carrier says about a ticket.
func (t *Tracker) StatusOfTicket(ctx context.Context, ticket string) (*portinv1.PortInStatus, error) {
	status, err := t.carrier.StatusByTicket(ctx, ticket)
	if err != nil {
		return nil, err
	}
	return render(status), nil
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
	status, err := t.carrier.StatusByNumber(ctx, int64(n))
	if err != nil {
		return nil, err
	}
	return render(status), nil
}
