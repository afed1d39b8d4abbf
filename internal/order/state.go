// Package order is the life of an order between the caller and the carrier: its states, what may move it from one to
// another, and the carrier's words for what becomes of the port afterwards.
//
// It promises that there is one table of the legal moves. It refuses to do anything: it has no clock, no store and no
// network.
package order

import "slices"

// State says where an order stands between the caller and the carrier.
type State uint8

// The states. The zero value is no state, so that a record nobody filled in cannot pass for one.
const (
	// Sending: claimed; the POST may have begun.
	Sending State = iota + 1
	// NotSent: the carrier did not get the order; the same request_id may send it again.
	NotSent
	// Refused: the carrier refused the order. Final.
	Refused
	// InDoubt: whether the carrier has the order is not known.
	InDoubt
	// Accepted: the carrier has the order.
	Accepted
)

// States lists every state, in the order of the contract.
func States() []State {
	return []State{Sending, NotSent, Refused, InDoubt, Accepted}
}

var stateNames = [...]string{Sending: "SENDING", NotSent: "NOT_SENT", Refused: "REFUSED", InDoubt: "IN_DOUBT", Accepted: "ACCEPTED"}

// String is the state's name in the contract, without the prefix.
func (s State) String() string {
	if s == 0 || int(s) >= len(stateNames) {
		return "UNSPECIFIED"
	}
	return stateNames[s]
}

// Holds reports whether an order in this state holds its numbers, so that no other order may have them. An accepted
// order holds them until it is closed, by the carrier's status or by an operator.
func (s State) Holds(closed bool) bool {
	return s == Sending || s == InDoubt || (s == Accepted && !closed)
}

// Cause is what moves an order from one state to another.
type Cause uint8

// The causes.
const (
	// ByAnswer: the POST of this order met something, possibly late.
	ByAnswer Cause = iota + 1
	// ByLease: the process that was sending is gone, or its lease has ended.
	ByLease
	// ByEvidence: the carrier was asked about the order's numbers, and its answer is certain.
	ByEvidence
	// ByOperator: a person decided.
	ByOperator
	// ByResend: the caller sent the same request_id again.
	ByResend
)

// causeNames are the words of docs/states.md.
var causeNames = [...]string{ByAnswer: "answer", ByLease: "lease", ByEvidence: "evidence", ByOperator: "operator", ByResend: "re-send"}

// String is the cause's word in docs/states.md.
func (c Cause) String() string {
	if c == 0 || int(c) >= len(causeNames) {
		return "none"
	}
	return causeNames[c]
}

// Move is one row of the table of legal moves.
type Move struct {
	From, To State
	By       Cause
}

// moves are all legal moves. Whatever is not here does not happen. docs/states.md shows the same.
var moves = []Move{
	{Sending, NotSent, ByAnswer},
	{Sending, Refused, ByAnswer},
	{Sending, InDoubt, ByAnswer},
	{Sending, Accepted, ByAnswer},
	{Sending, InDoubt, ByLease},
	{InDoubt, NotSent, ByAnswer},
	{InDoubt, Refused, ByAnswer},
	{InDoubt, Accepted, ByAnswer},
	{InDoubt, Accepted, ByEvidence},
	{InDoubt, Accepted, ByOperator},
	{InDoubt, NotSent, ByOperator},
	{NotSent, Sending, ByResend},
	{NotSent, Accepted, ByEvidence},
	{NotSent, Accepted, ByAnswer},
}

// Moves lists the legal moves. The caller owns the slice.
func Moves() []Move { return slices.Clone(moves) }

// CanMove reports whether an order may go from one state to another for this cause.
func CanMove(from, to State, by Cause) bool {
	return slices.Contains(moves, Move{from, to, by})
}
