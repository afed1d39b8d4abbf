// Package ledger is the memory of the service: what an order is at rest, the steps by which it changes, and the contract
// of the store that keeps it. Two engines keep the contract, ledger/sqlite and ledger/postgres; ledger/ledgertest holds
// them to it.
//
// It promises that a change of an order, the numbers that it holds and the events that tell of it are one transaction, and
// that no order makes a move that the table of package order does not have. It refuses to know what an order asks for: the
// order as the caller wrote it is opaque bytes here, without documents and passwords.
package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/portin/portin/internal/order"
)

// Store keeps orders. Its methods are safe for concurrent use, and each is one transaction. A method that fails with
// another error than those named here may or may not have been carried out: read again before deciding.
//
// Times are kept in microseconds; a Record comes back with its times in UTC, cut to that. A text that is not UTF-8, or
// holds NUL, comes back with U+FFFD in that place.
type Store interface {
	Orders
	Lists
	Work
	Feed
	Hooks

	// ID is the ledger's own identity, a UUID that it got when it was made.
	ID() string

	// Adopt has a tenant adopt what belongs to Default, once and for all, unless one has done so before, and returns the one
	// that has. An empty tenant adopts nothing; what comes back is empty while none has adopted.
	Adopt(ctx context.Context, tenant string) (string, error)

	// Check writes something and reports whether that could be kept.
	Check(ctx context.Context) error

	// Close ends what is under way and gives back what the store took. Further calls fail with ErrClosed, but for Close.
	Close() error
}

// Orders is the life of single orders.
type Orders interface {
	// FindKey returns the order of an idempotency key, or ErrNotFound.
	FindKey(ctx context.Context, tenant, requestID string) (Record, error)

	// Find returns an order of a tenant, or ErrNotFound.
	Find(ctx context.Context, tenant, orderID string) (Record, error)

	// Claim writes an order that is about to be sent (State is order.Sending), with its key and the numbers that it holds
	// from now on, and a CLAIMED event with the entry's note. A record of attempt 1 is new: when its key is taken, Claim
	// returns the order that has it, and ErrMoved. A later attempt takes an order from NOT_SENT: when the order of the key is
	// not the record's, or is no longer there with the attempt before, Claim returns it as it is, and ErrMoved; otherwise
	// what the record says replaces what was there, but for Fence, Successor, Kept and what Record calls fixed. An order that
	// another one corrects, or that was erased, is not claimed again: that is ErrMoved too. *HeldError says that another order, of any tenant, holds
	// one of the numbers; it comes also when the order itself holds them beside that one.
	//
	// A new record that has a Predecessor takes its place, and those of the numbers that it holds which the record has too, in
	// the same transaction: see Succeed, whose events come before the claim's. When the predecessor is not Correctable, Claim returns it as it is, and
	// ErrNotCorrectable; ErrNotFound when the tenant has no such order. A key that is taken is answered before either.
	Claim(ctx context.Context, r Record, e Entry) (Record, error)

	// Follow writes an order that was placed elsewhere (State is order.Accepted), with the numbers that it holds if any, and a
	// FOLLOWED event. ErrTicketTaken says that an order of the same carrier account, of any tenant, has the ticket, and that
	// order comes back; otherwise *HeldError that another one holds one of the numbers. Nothing is written then.
	Follow(ctx context.Context, r Record, e Entry) (Record, error)

	// Advance changes an order by a step and returns it as it then is: see Step.Apply. On ErrMoved, ErrTicketTaken and
	// *HeldError nothing is changed, and the order comes back as it is. ErrTicketTaken says that another order of the same
	// carrier account has the ticket. When the step makes an order hold numbers that it did not hold, and another order holds
	// one of them: by evidence that is *HeldError; by any other cause both orders keep their claim and are marked by Collide.
	// An error of the step's own is returned as it is.
	Advance(ctx context.Context, orderID string, s Step) (Record, error)

	// Erase removes the personal data of an order, of the numbers that lead to it and of its events, with an ERASED event, and
	// returns the order as it then is: see Erasure.Apply and Event.Erase. On ErrMoved nothing is changed, and the order comes
	// back as it is. Neither the order's key nor its ticket becomes free. The engine says for how long traces of what was removed
	// can be left where nothing of the ledger looks.
	Erase(ctx context.Context, orderID string, e Erasure) (Record, error)
}

// Lists is what orders are found by.
type Lists interface {
	// List returns a page of orders, newest first (Created, then OrderID), and whether there are more.
	List(ctx context.Context, q Query) (page []Record, more bool, err error)

	// Events returns at most limit events of a tenant's order, or of all orders of its History, oldest first, of those with a
	// higher sequence than after; ErrNotFound when there is no such order.
	Events(ctx context.Context, tenant, orderID string, history bool, after int64, limit int) ([]Event, error)

	// Owners returns the tenants, each once and in order, that have an order with this ticket at this carrier account or one that
	// holds this number, in E.164; empty texts are nobody's. It is for telling who may not be told.
	Owners(ctx context.Context, account, ticket, number string) ([]string, error)

	// OfNumber returns orders of any tenant, at any carrier account, that ask for a number, whether they hold it or not, in any
	// order. It is for telling whether a ticket can be another order's: the carrier knows no tenants. What it returns is told to
	// no caller.
	OfNumber(ctx context.Context, q NumberQuery) ([]Record, error)

	// Count counts what an operator has to know of, at a cost that does not grow with the orders that are over.
	Count(ctx context.Context) (Counts, error)
}

// Work is what the periodic work of all processes on one ledger is shared by.
type Work interface {
	// Exclusive reports whether this process is the only one that can write to the ledger: what another owner was sending
	// when it was opened, nobody is sending any more.
	Exclusive() bool

	// Take hands out orders that something is due for, the longest due first, to one taker each: an order that one gets is
	// not due again before t.Until. It raises Fence, by which a later step of the taker tells that it is still the one.
	// Orders that another transaction is changing are passed over.
	Take(ctx context.Context, t Turn) ([]Record, error)

	// Sending returns who is sending which orders.
	Sending(ctx context.Context) ([]Lease, error)

	// Erasable returns the IDs of at most limit orders of all tenants that are over, were last changed before a time and were not
	// erased, the longest unchanged first. It costs what it returns, however many orders there are.
	Erasable(ctx context.Context, before time.Time, limit int) ([]string, error)
}

// Feed is what happens in the ledger, for those who tell others.
type Feed interface {
	// Head is the sequence of the latest event; 0 when there is none.
	Head(ctx context.Context) (int64, error)

	// Changes returns at most limit events of all tenants, oldest first, of those with a higher sequence than after.
	Changes(ctx context.Context, after int64, limit int) ([]Event, error)

	// Records returns the orders with these IDs, of all tenants, in any order; those that are not there are left out.
	Records(ctx context.Context, orderIDs []string) ([]Record, error)

	// Hint returns a channel on which something comes soon after events were committed, by this process or another one, until
	// stop is called. It is a hint and no more: it may come without an event, once for many, and, when the store has trouble,
	// not at all. Who listens looks at Changes now and then all the same.
	Hint() (hint <-chan struct{}, stop func())
}

// What a Store says no with.
var (
	// ErrNotFound: there is no such order.
	ErrNotFound = errors.New("no such order")
	// ErrMoved: the order is not where the writer thought it was; read it again.
	ErrMoved = errors.New("the order has moved on")
	// ErrNotCorrectable: no other order may take this one's place.
	ErrNotCorrectable = errors.New("the order cannot be corrected by another one")
	// ErrTicketTaken: another order has this ticket.
	ErrTicketTaken = errors.New("another order has this ticket")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("the ledger is closed")
	// ErrOtherCarrier: the ledger belongs to another carrier than the one that it was opened for.
	ErrOtherCarrier = errors.New("the ledger holds the orders of another carrier")
	// ErrInUse: another process has the ledger, and its engine allows only one.
	ErrInUse = errors.New("another process has the ledger open")
)

// HeldError says that another order holds a number of this one.
type HeldError struct {
	// Holder is the order that holds it; it may be another tenant's.
	Holder Record
	// Number is the first number, in the order of the record, that is held, in E.164.
	Number string
}

// Error names no number: a number is the tenant's own business.
func (e *HeldError) Error() string { return "a number is held by order " + e.Holder.OrderID }

// Lease says that a process is sending an order.
type Lease struct {
	OrderID string
	Attempt int
	// Owner is the process.
	Owner string
	// Term is how long the owner may go without settling before others may think it gone.
	Term time.Duration
}

// Turn is what Take hands out.
type Turn struct {
	// State is the state of the orders that are wanted.
	State order.State
	// Now is the time by which they have to be due, and Until is when they are due again.
	Now, Until time.Time
	// Limit is how many are wanted at the most.
	Limit int
}

// Counts are orders of all tenants.
type Counts struct {
	// Sending, InDoubt and NeedsAttention are how many orders are in that state or need attention.
	Sending, InDoubt, NeedsAttention int
	// Open, Scheduled and Attention are how many accepted orders are in that category.
	Open, Scheduled, Attention int
	// ByAttention is how many orders need attention for each reason; an order may have several. Reasons that no order has are
	// left out.
	ByAttention map[AttentionCode]int
}
