// Package fault is the one error type of the service: what went wrong, for a program (Reason), for a person (Message)
// and for the log (the hidden cause).
//
// It promises that nothing but Reason, Message, Violations, Metadata and RetryAfter ever reaches a caller, and that every
// Reason belongs to exactly one Kind. It refuses to know about gRPC, HTTP or the carrier: the faces translate it.
package fault

import (
	"errors"
	"maps"
	"time"
)

// Error is a failure with a meaning. Build one with New and the With methods; the zero value is an internal error
// without text. An Error is immutable once it is returned and safe for concurrent use.
type Error struct {
	// Reason is what went wrong; it decides the Kind.
	Reason Reason
	// Message says it in plain English, for the caller. It never holds a secret or personal data, but for the carrier's
	// own message.
	Message string
	// Violations are the fields that break rules, in field order. Only errors of KindInvalidArgument have them.
	Violations []Violation
	// Metadata are further facts for a program, order_id for one.
	Metadata map[string]string
	// RetryAfter is how long to wait before trying again; zero means that waiting is not the remedy.
	RetryAfter time.Duration

	cause error
}

// Violation is one field that breaks a rule.
type Violation struct {
	// Field is the path relative to the request with proto names: `order.trunk_did.dids[2].number`.
	Field string
	// Description says what is wrong and what would be right. It never quotes the value.
	Description string
}

// New returns an error with a reason and a message for the caller.
func New(reason Reason, message string) *Error {
	return &Error{Reason: reason, Message: message}
}

// Internal wraps an error that has no meaning for the caller: it is told only that the service failed.
func Internal(cause error) *Error {
	return New(ReasonInternal, "the service failed; its log has the details under this request's x-request-id").WithCause(cause)
}

// Fields returns the error of a request whose fields break rules. The violations are in field order.
func Fields(violations []Violation) *Error {
	return New(ReasonInvalidFields, "fields of the request break rules; see the field violations").WithViolations(violations)
}

// From returns the fault in err's chain, or an internal one that hides err. It returns nil for nil.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return Internal(err)
}

// Is reports whether err's chain holds a fault with the reason.
func Is(err error, reason Reason) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Reason == reason
}

// Kind is the class of the failure, which decides the gRPC code.
func (e *Error) Kind() Kind {
	return e.Reason.Kind()
}

// WithCause returns a copy that hides cause; Unwrap finds it, Error and the faces do not show it.
func (e *Error) WithCause(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// WithViolations returns a copy that names the fields that are at fault, in field order.
func (e *Error) WithViolations(violations []Violation) *Error {
	c := *e
	c.Violations = violations
	return &c
}

// WithMetadata returns a copy with one more fact for a program.
func (e *Error) WithMetadata(key, value string) *Error {
	c := *e
	c.Metadata = maps.Clone(e.Metadata)
	if c.Metadata == nil {
		c.Metadata = map[string]string{}
	}
	c.Metadata[key] = value
	return &c
}

// WithRetryAfter returns a copy that says how long to wait before trying again.
func (e *Error) WithRetryAfter(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// Error is the reason and the message, without the cause.
func (e *Error) Error() string {
	return string(e.Reason) + ": " + e.Message
}

// Unwrap is the hidden cause, for errors.Is and for the log.
func (e *Error) Unwrap() error {
	return e.cause
}
