package ledger

import (
	"time"

	"github.com/portin/portin/internal/order"
)

// Event is something that happened to an order. Events are written once and never changed, but for what an Erasure takes from
// those of its order.
type Event struct {
	OrderID string
	// Tenant is the order's.
	Tenant string
	// Sequence is the event's place in the ledger. It rises in the order in which transactions are committed: who has seen
	// one has seen all before it.
	Sequence int64
	Time     time.Time
	Actor    Actor
	Type     EventType
	// Attempt, State, Status, Validated, Disputing, Ticket and PortDate are the order's after it.
	Attempt   int
	State     order.State
	Status    order.Status
	Validated bool
	Disputing bool
	Ticket    string
	PortDate  string
	// Attention is why the order needs attention after it, oldest first. It is shared: nobody writes to it.
	Attention []AttentionCode
	// Predecessor is the order's, and Successor the order's after it.
	Predecessor, Successor string
	// Was and Is are where the order stood before the change that the event is of, and after it. Was is zero for a new order.
	Was, Is Standing
	// Unverified tells of a RESOLVED event that the operator's ticket could not be verified, and of a CLOSED one that the operator's
	// word stands alone.
	Unverified bool
	// Note says what was seen or decided, at most MaxNote bytes.
	Note string
}

// MaxNote is how many bytes a note has at the most; a longer one is cut.
const MaxNote = 4096

// EventType names what happened, as the contract does without its prefix PORT_IN_ORDER_EVENT_TYPE_.
type EventType string

// The types.
const (
	EventClaimed          EventType = "CLAIMED"
	EventStateChanged     EventType = "STATE_CHANGED"
	EventEvidence         EventType = "EVIDENCE"
	EventResolved         EventType = "RESOLVED"
	EventStatusChanged    EventType = "STATUS_CHANGED"
	EventAttentionChanged EventType = "ATTENTION_CHANGED"
	EventDateChanged      EventType = "DATE_CHANGED"
	EventRejectsChanged   EventType = "REJECTS_CHANGED"
	EventFollowed         EventType = "FOLLOWED"
	EventResubmitted      EventType = "RESUBMITTED"
	EventErased           EventType = "ERASED"
	EventClosed           EventType = "CLOSED"
)

// Actor is who did something.
type Actor struct {
	Kind ActorKind
	// Name is the identity of a caller or an operator; empty when there is none.
	Name string
}

// ActorKind is the kind of an actor, as the contract names it without its prefix ACTOR_KIND_.
type ActorKind string

// The kinds.
const (
	ByCaller   ActorKind = "CALLER"
	ByService  ActorKind = "SERVICE"
	ByCarrier  ActorKind = "CARRIER"
	ByOperator ActorKind = "OPERATOR"
)

// Entry is what a writer wants to have written down about a change.
type Entry struct {
	// Type is EVIDENCE, RESOLVED, CLOSED or, with a note of its own, ATTENTION_CHANGED; zero leaves it to the change itself.
	Type EventType
	// Actor did it.
	Actor Actor
	// Note says what was seen or decided.
	Note string
	// Ticket is the carrier's ticket that was seen, when it is not the order's.
	Ticket string
	// Unverified is kept in the event.
	Unverified bool
}
