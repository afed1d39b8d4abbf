package portstatus

import (
	"context"
	"time"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/nanp"
)

// Carrier is who can be asked.
type Carrier interface {
	// StatusByTicket asks for the port-in of a ticket; fault PORT_IN_NOT_FOUND says that there is none.
	StatusByTicket(ctx context.Context, ticket string) (carrier.Status, error)
	// StatusByNumber asks for the port-in of a number of ten digits.
	StatusByNumber(ctx context.Context, number int64) (carrier.Status, error)
}

// Answer is what the carrier says about an order. The zero value says nothing that is certainly about it.
type Answer struct {
	// Said tells that Status is the order's, and ByNumber that it was found by the order's first number: then the ticket of
	// the status is what the order is to be asked for from now on.
	Said, ByNumber bool
	Status         carrier.Status
}

// Ask asks how an accepted order fares: under its ticket, and when it has none, or the carrier does not know it, by its
// first number. By number only a status that Matches is the order's, and only when the order is alone: whether another order
// could be meant is for the caller to say, who is asked then. The error is that of a carrier that did not answer.
func Ask(ctx context.Context, c Carrier, r ledger.Record, alone func() bool) (Answer, error) {
	if r.Ticket != "" {
		s, err := c.StatusByTicket(ctx, r.Ticket)
		switch {
		case err == nil && Contradicts(r, s):
			return Answer{}, nil
		case err == nil:
			return Answer{Said: true, Status: s}, nil
		case !none(err):
			return Answer{}, err
		}
	}
	if len(r.Numbers) == 0 {
		return Answer{}, nil
	}
	s, err := c.StatusByNumber(ctx, TenDigits(r.Numbers[0]))
	switch {
	case err == nil && Matches(r, s) && alone():
		return Answer{Said: true, ByNumber: true, Status: s}, nil
	case err == nil, none(err):
		return Answer{}, nil
	}
	return Answer{}, err
}

// none reports whether there is nothing to be had by asking: the carrier does not know it, or it is nothing that the
// carrier can be asked for, such as a ticket with a slash. The carrier is not down then.
func none(err error) bool {
	return fault.Is(err, fault.ReasonPortInNotFound) || fault.Is(err, fault.ReasonInvalidFields)
}

// Keep is Observe of an answer, if it says anything, with the ticket that was found.
func (a Answer) Keep(r *ledger.Record, now time.Time) {
	if !a.Said {
		return
	}
	if a.ByNumber {
		r.Ticket = a.Status.Ticket
	}
	Observe(r, a.Status, now)
}

// TenDigits writes a number of an order as the carrier does. An order that was placed elsewhere may have one that no order
// here could have, such as one of a service code: what the carrier says that it has is what it is asked for.
func TenDigits(e164 string) int64 {
	n, _ := nanp.Read(e164)
	return int64(n)
}

// Unknown is the error of a port-in that is nobody's business but another tenant's: to who asks, the carrier does not know it.
func Unknown() error { return fault.New(fault.ReasonPortInNotFound, carrier.MessageNoPortIn) }
