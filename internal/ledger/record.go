package ledger

import (
	"slices"
	"time"

	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/order"
)

// Default is the tenant, and the carrier account, of orders whose caller has no identity.
const Default = "default"

// Record is an order at rest. One that a Store returns is the caller's own, but for the bytes in it, which nobody writes
// to. OrderID, Tenant, CarrierAccount, RequestID, Target, CustomerReference, Content, Numbers, Elsewhere, History, Predecessor
// and Created are fixed by the first claim; an Erasure takes CustomerReference, Content and Numbers away.
type Record struct {
	// OrderID is a UUIDv7.
	OrderID string
	// Tenant and RequestID are the idempotency key; the request ID is in lower case.
	Tenant    string
	RequestID string
	// CarrierAccount is the account at the carrier that the order goes to; tickets are unique in it.
	CarrierAccount string

	// Target is the name of the arm of the contract's oneof, CustomerReference the caller's own word for the order.
	Target            string
	CustomerReference string
	// Content is the order as the caller wrote it, normalised, in a form that only intake reads; without the content of
	// documents and without passwords.
	Content []byte
	// Warnings were found at the latest claim, in a form that only intake reads.
	Warnings []byte
	// Numbers are the numbers to port, in E.164, in the order of the target; none when the order was placed elsewhere and the
	// carrier does not say.
	Numbers []string
	// Elsewhere tells that the order was placed elsewhere and is only followed: it was never claimed, its Attempt is 0 and its
	// RequestID is its OrderID, which is nobody's key.
	Elsewhere bool
	// Predecessor is the order that this one corrects, and Successor the one that corrects it; History is the first of the row,
	// which is the order itself when it corrects none.
	History, Predecessor, Successor string
	// Kept are the numbers that Successor does not have: the order has not handed them on. Guards tells that the order holds its
	// numbers even when the carrier does not have it, because an order that it corrects, itself or through others, still stands
	// at the carrier.
	Kept   []string
	Guards bool

	// State is where the order stands; Attempt counts the claims, from 1.
	State   order.State
	Attempt int
	// Owner is the process that sends the order while it is SENDING, and Lease how long it may take.
	Owner string
	Lease time.Duration
	// Due is when periodic work looks at the order next; zero is never. Fence counts how often it was taken for that.
	Due   time.Time
	Fence int64
	// Looks are the tickets that stood at the carrier for the first number before each attempt; LookFailed tells that a
	// look could not be made.
	Looks      []string
	LookFailed bool

	// Reply is the carrier's word of reply in the contract's spelling without its prefix; empty while there is none.
	Reply string
	// Ticket, Message and ErrorID are the carrier's, as far as it answered.
	Ticket  string
	Message string
	ErrorID string
	// Reason and Problem are the error that the latest attempt ended with in NOT_SENT or REFUSED, and RetryAfter how long
	// it asks the caller to wait.
	Reason     fault.Reason
	Problem    string
	RetryAfter time.Duration
	// Doubt is what was found out so far about an order in doubt. One in NOT_SENT has a Finding alone, when what a look found
	// waits for another order.
	Doubt Doubt
	// Attention says why a person should look, oldest first; empty when none should.
	Attention []Attention

	// Status is the carrier's word for how the port fares, Disputing whether the porting team disputes a rejection, and
	// PortDate the day of the port, YYYY-MM-DD; empty while the carrier was not asked. Validated tells that the carrier has
	// validated the status, and Rejects are the losing carrier's records, in a form that only package reject reads.
	Status    order.Status
	Disputing bool
	Validated bool
	PortDate  string
	Rejects   []byte

	// Created is the first claim, Updated the latest change that has an event, Claimed the latest claim, Settled its
	// definite answer. Checked is when the carrier last said how the port fares, and Progressed when that last changed, or when a
	// person last said that it need not have.
	Created, Updated, Claimed, Settled, Checked, Progressed time.Time
	// Closed is when an operator said that the port-in is over, which the carrier did not; zero otherwise. It outlasts whatever
	// the carrier says later.
	Closed time.Time
	// Erased is when the personal data of the order was removed; zero until then. An order without it never changes again,
	// but for the reasons for attention that a person takes away.
	Erased time.Time
}

// Doubt is what asking the carrier about an order in doubt has found.
type Doubt struct {
	// Since is when the order became IN_DOUBT.
	Since time.Time
	// Asked counts the look-ups.
	Asked int
	// Finding is what the latest look-up that counted found; Agreed is how many in a row found the same, and Counted when
	// the latest of them was made.
	Finding string
	Agreed  int
	Counted time.Time
}

// Attention is a reason for a person to look at an order.
type Attention struct {
	Code        AttentionCode
	Description string
	Since       time.Time
}

// AttentionCode names a reason, as the contract does without its prefix ATTENTION_CODE_.
type AttentionCode string

// The reasons.
const (
	AttentionReplyDeferred     AttentionCode = "REPLY_DEFERRED"
	AttentionReplyConditional  AttentionCode = "REPLY_CONDITIONAL"
	AttentionNoTicket          AttentionCode = "NO_TICKET"
	AttentionInDoubtUnresolved AttentionCode = "IN_DOUBT_UNRESOLVED"
	AttentionLateAnswer        AttentionCode = "LATE_ANSWER"
	AttentionNumbersHeldTwice  AttentionCode = "NUMBERS_HELD_TWICE"
	AttentionCarrierStatus     AttentionCode = "CARRIER_STATUS"
	AttentionDateChanged       AttentionCode = "DATE_CHANGED"
	AttentionNoProgress        AttentionCode = "NO_PROGRESS"
)

// AttentionCodes are all reasons.
func AttentionCodes() []AttentionCode {
	return []AttentionCode{
		AttentionReplyDeferred, AttentionReplyConditional, AttentionNoTicket, AttentionInDoubtUnresolved, AttentionLateAnswer,
		AttentionNumbersHeldTwice, AttentionCarrierStatus, AttentionDateChanged, AttentionNoProgress,
	}
}

// Attend adds a reason for a person to look. One that is there already stays as it is.
func (r *Record) Attend(code AttentionCode, description string, now time.Time) {
	if !r.Attends(code) {
		r.Attention = append(r.Attention, Attention{Code: code, Description: description, Since: now})
	}
}

// Attends reports whether the order needs attention for this reason.
func (r Record) Attends(code AttentionCode) bool {
	return slices.ContainsFunc(r.Attention, func(a Attention) bool { return a.Code == code })
}

// Unattend takes a reason away.
func (r *Record) Unattend(code AttentionCode) {
	r.Attention = slices.DeleteFunc(r.Attention, func(a Attention) bool { return a.Code == code })
}

// Category is what the carrier's status means, or CLOSED where an operator knows better. An accepted order whose status is not
// known is open; an order in another state has no category.
func (r Record) Category() order.Category {
	switch {
	case r.State != order.Accepted:
		return 0
	case !r.Closed.IsZero():
		return order.CategoryClosed
	}
	if c := r.Status.Category(r.Disputing); c != 0 {
		return c
	}
	return order.CategoryOpen
}

// Holds reports whether the order holds its numbers. One that is corrected by another has handed them on, but for some: see
// Held.
func (r Record) Holds() bool { return r.Successor == "" && r.stands() }

// Held are the numbers that the order holds: all of them, or none, or those that it did not hand on to the order which
// corrects it.
func (r Record) Held() []string {
	switch {
	case !r.stands():
		return nil
	case r.Successor != "":
		return r.Kept
	}
	return r.Numbers
}

// stands reports whether what the order asks for is to be kept from other orders.
func (r Record) stands() bool {
	return r.State.Holds(r.Category() == order.CategoryClosed) || r.Guarding()
}

// Guarding reports whether the order holds its numbers for an order that it corrects alone: the carrier does not have it, or
// no longer, and has not ported its numbers by it.
func (r Record) Guarding() bool {
	switch r.State {
	case order.NotSent, order.Refused:
		return r.Guards
	case order.Accepted:
		return r.Guards && r.Category() == order.CategoryClosed && r.Status != order.StatusCompleted
	case order.Sending, order.InDoubt:
	}
	return false
}

// Correctable reports whether another order may take this one's place: it is over, the carrier refused it, or the losing
// carrier rejected it and nobody disputes that. One that was not sent keeps its place for its own key, but when it guards
// numbers there must be another way to them than sending just that once more. One that was erased says no more what there is to
// correct.
func (r Record) Correctable() bool {
	switch {
	case r.Successor != "", !r.Erased.IsZero():
		return false
	case r.State == order.Accepted:
		return r.Category() == order.CategoryClosed || r.Status == order.StatusRejected && !r.Disputing
	}
	return r.State == order.Refused || r.State == order.NotSent && r.Guards
}

// Standing is where the order stands, by which engines find it: see Query.Standings.
func (r Record) Standing() Standing { return standing(r.State, r.Category()) }

// Clone returns a record that shares nothing with r but the bytes that nobody writes to.
func (r Record) Clone() Record {
	r.Numbers = slices.Clone(r.Numbers)
	r.Kept = slices.Clone(r.Kept)
	r.Looks = slices.Clone(r.Looks)
	r.Attention = slices.Clone(r.Attention)
	return r
}
