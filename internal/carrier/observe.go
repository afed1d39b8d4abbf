package carrier

import "time"

// Observation is what metrics and logs may know of an exchange: no number, no name, no body, no URL.
type Observation struct {
	// Operation is the Call's operation, or the name of a look-up.
	Operation string
	// Class is what the exchange came to.
	Class Class
	// HTTPStatus is 0 when there was no answer.
	HTTPStatus int
	// Duration is the time from before dialling to the end of the answer.
	Duration time.Duration
}

// Class names what an exchange came to.
type Class string

// The classes of submissions, one for each row of their table, and ClassPaused.
const (
	ClassNotWritten  Class = "not_written"
	ClassCredentials Class = "credentials"
	ClassBusy        Class = "busy"
	ClassAccepted    Class = "accepted"
	ClassAttention   Class = "accepted_attention"
	ClassRefused     Class = "refused"
	ClassInvalid     Class = "invalid"
	ClassTurnedAway  Class = "turned_away"
	ClassInDoubt     Class = "in_doubt"
	// ClassPaused: the breaker held the submission back, and there was no exchange.
	ClassPaused Class = "paused"
)

// The further classes of look-ups. They share the first three with submissions.
const (
	ClassAnswered   Class = "answered"
	ClassNone       Class = "none"
	ClassUnreadable Class = "unreadable"
)
