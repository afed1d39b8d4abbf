package carrier

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/portin/portin/internal/fault"
)

// Look-ups change nothing at the carrier, so they are tried a few times. Their errors are *fault.Error:
//
//   - CARRIER_UNREACHABLE: no connection could be made.
//   - CARRIER_UNREADABLE: there was no answer, or none that could be read: a 5xx, a strange 4xx, another schema.
//   - CARRIER_CREDENTIALS: 401 or 403.
//   - CARRIER_BUSY: 429.
//   - PORT_IN_NOT_FOUND: the one form of Config.NoPortIn, of a status.
//   - INVALID_FIELDS: what was asked for cannot exist; the carrier was not asked.
//   - CANCELLED, DEADLINE_EXCEEDED: the caller's own context ended.

// inquiries are the table of what a look-up can meet that was not answered.
var inquiries = []row{
	{ClassNotWritten, nothingWritten, NotSent, fault.ReasonCarrierUnreachable, messageUnreached, shortWait},
	{ClassCredentials, anyBody(http.StatusUnauthorized, http.StatusForbidden), NotSent, fault.ReasonCarrierCredentials, messageCredentials, nil},
	{ClassBusy, anyBody(http.StatusTooManyRequests), NotSent, fault.ReasonCarrierBusy, messageBusy, waitOfAnswer},
	{ClassUnreadable, anything, NotSent, fault.ReasonCarrierUnreadable, messageUnreadable, shortWait},
}

// MessageNoPortIn is the message of what the carrier does not know.
const MessageNoPortIn = "the carrier knows no such port-in"

const (
	messageUnreached  = "the carrier could not be reached"
	messageUnreadable = "the carrier did not give an answer that could be read"
	messageCancelled  = "the caller left before the carrier answered"
	messageDeadline   = "the caller's deadline ended before the carrier answered"
)

const (
	firstPause  = 200 * time.Millisecond
	growth      = 3
	jitter      = 0.5
	longestBusy = 2 * time.Second // the longest Retry-After that a look-up waits for by itself
)

// question is a look-up and how its answer is read.
type question[T any] struct {
	operation string
	path      string
	limit     int64
	read      func(body []byte) (T, error)
	// body makes it a POST, which is never repeated.
	body []byte
	// mayBeNone says that the carrier may answer that there is nothing.
	mayBeNone bool
}

// ask has a look-up answered, in a few tries if it is a GET.
func ask[T any](ctx context.Context, c *Client, q question[T]) (T, error) {
	l := c.login.Load()
	if f := l.gate.locked(); f != nil {
		var none T
		return none, f
	}
	bounded, cancel := context.WithTimeout(ctx, c.config.GetTotal)
	defer cancel()
	tries := c.config.GetTries
	if q.body != nil {
		tries = 1
	}
	var last *fault.Error
	value, err := backoff.Retry(bounded, func() (T, error) {
		value, f, again := try(bounded, c, l, q)
		last = f
		switch {
		case f == nil:
			return value, nil
		case !again:
			return value, backoff.Permanent(f)
		case f.Reason == fault.ReasonCarrierBusy:
			return value, &backoff.RetryAfterError{Duration: f.RetryAfter}
		}
		return value, f
	}, backoff.WithMaxTries(uint(tries)), backoff.WithBackOff(pace()), backoff.WithMaxElapsedTime(c.config.GetTotal))
	if err == nil {
		return value, nil
	}
	var none T
	return none, ended(ctx, last)
}

// pace is how the waits between tries grow; they are jittered so that callers do not come back all at once.
func pace() backoff.BackOff {
	return &backoff.ExponentialBackOff{
		InitialInterval:     firstPause,
		RandomizationFactor: jitter,
		Multiplier:          growth,
		MaxInterval:         growth * growth * firstPause,
	}
}

// ended is the error of a look-up: the caller's own end goes before what the last try met.
func ended(ctx context.Context, last *fault.Error) error {
	switch err := ctx.Err(); {
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.ReasonDeadlineExceeded, messageDeadline).WithCause(last)
	case err != nil:
		return fault.New(fault.ReasonCancelled, messageCancelled).WithCause(last)
	}
	return last
}

// try asks once. Again says that another try may fare better.
func try[T any](ctx context.Context, c *Client, l *login, q question[T]) (value T, f *fault.Error, again bool) {
	begun := c.config.Now()
	method := http.MethodGet
	if q.body != nil {
		method = http.MethodPost
	}
	m := meet(c.exchange(ctx, l, request{
		method:  method,
		path:    q.path,
		body:    q.body,
		limit:   q.limit,
		timeout: c.config.GetTimeout,
	}))
	class := ClassUnreadable
	defer func() {
		l.gate.lookups.met(class, m.status, l.gate.rest)
		c.observe(ctx, q.operation, class, m.status, begun)
	}()

	if q.mayBeNone && isNone[c.config.NoPortIn](m) {
		class = ClassNone
		return value, fault.New(fault.ReasonPortInNotFound, MessageNoPortIn), false
	}
	if m.status == http.StatusOK && m.isJSON() {
		var err error
		if value, err = readWith(q.read, m.body); err == nil {
			class = ClassAnswered
			return value, nil, false
		}
		m.cause = err
	}
	class, out := classify(inquiries, m, c.clock())
	return value, out.Fault.WithCause(m.because()), repeatable(m, out.Fault)
}

// because is what the log gets to know of an answer that was of no use.
func (m met) because() error {
	if m.cause == nil {
		return errors.New(m.evidence())
	}
	return fmt.Errorf("%s: %w", m.evidence(), m.cause)
}

// readWith reads a body that has to be one JSON value.
func readWith[T any](read func([]byte) (T, error), body []byte) (value T, err error) {
	if err := checkJSON(body); err != nil {
		return value, err
	}
	return read(body)
}

// repeatable reports whether another try may fare better: the carrier was not reached, failed, was cut short or asked
// for a moment's patience. A 4xx and an answer that is whole but strange will be the same next time.
func repeatable(m met, f *fault.Error) bool {
	switch {
	case m.status == http.StatusTooManyRequests:
		return m.retryAfter != "" && f.RetryAfter <= longestBusy
	case m.status == 0, m.status >= http.StatusInternalServerError:
		return true
	}
	return m.status == http.StatusOK && (m.failure == failureReset || m.failure == failureCut || m.failure == failureBroken)
}

// isNone tells the configured way of saying that there is no such port-in from everything else.
var isNone = map[NoPortIn]func(met) bool{
	NoPortInException: exceptions(http.StatusNotFound, http.StatusNotFound),
	NoPortInAny404:    anyBody(http.StatusNotFound),
	NoPortInEmpty:     func(m met) bool { return m.status == http.StatusOK && m.body != nil && len(m.body) == 0 },
	NoPortInNull: func(m met) bool {
		return m.status == http.StatusOK && m.isJSON() && string(bytes.TrimSpace(m.body)) == "null"
	},
	NoPortInBlank: isBlank,
}

// isBlank fits an HTTP 200 with a PortInStatus that says nothing.
func isBlank(m met) bool {
	if m.status != http.StatusOK || !m.isJSON() || checkJSON(m.body) != nil {
		return false
	}
	o := objectOf(m.body)
	return o.text("Status") == "" && o.optionalText("TicketId") == "" && o.problem == nil
}
