package intake

import (
	"context"
	"errors"
	"slices"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/order"
)

// Record is an order as the journal keeps it. A Record that a Journal returns is the caller's own; the messages in it
// are shared and never written to.
type Record struct {
	// OrderID is a UUIDv7, given at the first claim.
	OrderID string
	// Tenant and RequestID are the idempotency key; the request ID is in lower case.
	Tenant    string
	RequestID string
	// State is where the order stands; Attempt counts the claims, from 1.
	State   order.State
	Attempt int
	// Content is the normalised order as the caller wrote it, with the digests of its documents and without their
	// content, the passwords and all output.
	Content *portinv1.PortInOrder
	// Numbers are the numbers to port, in E.164, in the order of the target.
	Numbers []string
	// Warnings were found when the order was placed; their fields are paths over gRPC.
	Warnings []*portinv1.Warning
	// Looks are the tickets that stood at the carrier for the first number before each attempt; LookFailed tells that a
	// look could not be made. After either, nothing that is found later can be told from what was there before.
	Looks      []string
	LookFailed bool

	// Reply, Ticket, Message and ErrorID are the carrier's, as far as it answered.
	Reply   carrier.Reply
	Ticket  string
	Message string
	ErrorID string
	// Reason and Problem are the error that the latest attempt ended with in NOT_SENT or REFUSED, and RetryAfter how long
	// it asks the caller to wait.
	Reason     fault.Reason
	Problem    string
	RetryAfter time.Duration
	// Attention says why a person should look, oldest first; empty when none should.
	Attention []Attention
	// Evidence says what the latest POST met, without personal data.
	Evidence string

	// Created is the first claim, Updated the latest change, Claimed the latest claim, Settled its definite answer.
	Created, Updated, Claimed, Settled time.Time
}

// Attention is a reason for a person to look at an order.
type Attention struct {
	Code        portinv1.AttentionCode
	Description string
	Since       time.Time
}

// clone returns a record that shares no slice with r.
func (r Record) clone() Record {
	r.Numbers = slices.Clone(r.Numbers)
	r.Warnings = slices.Clone(r.Warnings)
	r.Looks = slices.Clone(r.Looks)
	r.Attention = slices.Clone(r.Attention)
	return r
}

// What a Journal says no with.
var (
	// ErrNotFound: there is no such order.
	ErrNotFound = errors.New("no such order")
	// ErrFull: the journal takes no new order.
	ErrFull = errors.New("the journal is full")
	// ErrMoved: the order is not where the writer thought it was; read it again.
	ErrMoved = errors.New("the order has moved on")
	// ErrTicketTaken: another order has this ticket.
	ErrTicketTaken = errors.New("another order has this ticket")
)

// HeldError says that another order holds a number of this one.
type HeldError struct {
	// Holder is the order that holds it.
	Holder Record
	// Number is the first number that is held, in E.164.
	Number string
}

// Error names no number: a number is the tenant's own business.
func (e *HeldError) Error() string { return "a number is held by order " + e.Holder.OrderID }

// Journal keeps the orders. Its methods are safe for concurrent use, and each is one transaction.
type Journal interface {
	// FindKey returns the order of an idempotency key, or ErrNotFound.
	FindKey(ctx context.Context, tenant, requestID string) (Record, error)
	// Find returns an order of a tenant, or ErrNotFound.
	Find(ctx context.Context, tenant, orderID string) (Record, error)
	// Claim writes an order that is about to be sent, with its key and the numbers that it holds. A record of attempt 1
	// is new: when its key is taken, Claim returns the order that has it and ErrMoved. A later attempt takes an order
	// from NOT_SENT: when it is no longer there with the attempt before, Claim returns it as it is and ErrMoved.
	// *HeldError says that another order holds a number; orders in released are known to be closed and hold nothing.
	// ErrFull refuses new orders only.
	Claim(ctx context.Context, r Record, released []string) (Record, error)
	// Settle moves an order on: it reads it, lets change alter it, and writes it. ErrMoved when the order's state may not
	// move to the changed one for this cause; ErrTicketTaken when another order has the changed one's ticket; *HeldError
	// when it would move by evidence while another order holds its numbers.
	Settle(ctx context.Context, orderID string, by order.Cause, change func(*Record)) (Record, error)
}
