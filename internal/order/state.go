// Package order is the life of an order between the caller and the carrier: its states, what may move it from one to
// another, and the carrier's words for what becomes of the port afterwards.
//
// It promises that there is one table of the legal moves. It refuses to do anything: it has no clock, no store and no
// network.
package order

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
// order holds them until the carrier's status is closed.
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

// move is one row of the table below.
type move struct {
	from, to State
	by       Cause
}

// moves are all legal moves. Whatever is not here does not happen.
var moves = map[move]bool{
	{Sending, NotSent, ByAnswer}:    true,
	{Sending, Refused, ByAnswer}:    true,
	{Sending, InDoubt, ByAnswer}:    true,
	{Sending, Accepted, ByAnswer}:   true,
	{Sending, InDoubt, ByLease}:     true,
	{InDoubt, NotSent, ByAnswer}:    true,
	{InDoubt, Refused, ByAnswer}:    true,
	{InDoubt, Accepted, ByAnswer}:   true,
	{InDoubt, Accepted, ByEvidence}: true,
	{InDoubt, Accepted, ByOperator}: true,
	{InDoubt, NotSent, ByOperator}:  true,
	{NotSent, Sending, ByResend}:    true,
	{NotSent, Accepted, ByEvidence}: true,
	{NotSent, Accepted, ByAnswer}:   true,
}

// CanMove reports whether an order may go from one state to another for this cause.
func CanMove(from, to State, by Cause) bool {
	return moves[move{from, to, by}]
}
