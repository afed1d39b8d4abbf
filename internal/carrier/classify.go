package carrier

import (
	"net/http"
	"slices"
	"time"

	"github.com/portin/portin/internal/fault"
)

// row is one row of a table of what an exchange can meet.
type row struct {
	class      Class
	when       func(met) bool
	settlement Settlement
	// reason and message are of the caller's error; there is none without a reason. The carrier's own message goes before
	// this one if it refused the order.
	reason  fault.Reason
	message string
	// wait is how long the caller should wait; nil when waiting is not the remedy.
	wait func(met, clock) time.Duration
}

// submissions are the table of what the POST of an order can meet. The first row that fits decides; the last fits
// everything.
var submissions = []row{
	{ClassNotWritten, nothingWritten, NotSent, fault.ReasonCarrierUnreachable, messageUnreachable, shortWait},
	{ClassCredentials, anyBody(http.StatusUnauthorized, http.StatusForbidden), NotSent, fault.ReasonCarrierCredentials, messageCredentials, nil},
	{ClassBusy, anyBody(http.StatusTooManyRequests), NotSent, fault.ReasonCarrierBusy, messageBusy, waitOfAnswer},
	{ClassAccepted, acceptedWithTicket, Accepted, "", "", nil},
	{ClassAttention, replies(ReplyAccepted, ReplyDeferred, ReplyConditional), Accepted, "", "", nil},
	{ClassRefused, replies(ReplyRejected, ReplyError), Refused, fault.ReasonCarrierRefused, messageRefused, nil},
	{ClassInvalid, exceptions(http.StatusBadRequest, http.StatusBadRequest), Refused, fault.ReasonCarrierInvalid, messageInvalid, nil},
	{ClassTurnedAway, exceptions(http.StatusBadRequest, maxClientError), Refused, fault.ReasonCarrierRefused, messageRefused, nil},
	{ClassInDoubt, anything, InDoubt, "", "", nil},
}

const maxClientError = http.StatusInternalServerError - 1

const (
	messageUnreachable = "the carrier could not be reached; nothing was sent to it"
	messageCredentials = "the carrier does not take the service's own credentials; its operator has to act"
	messageNobody      = "the service has no credentials for this account at the carrier, and nothing was sent; its operator has to act"
	messageBusy        = "the carrier takes no more requests for now"
	messageRefused     = "the carrier refused the order and gave no reason"
	messageInvalid     = "the carrier found the order wrong and did not say why"
)

// met is an answer and what its body turned out to be.
type met struct {
	answer
	ticket    *ticketResponse // nil unless HTTP 200 with a TicketResponse
	exception *exception      // nil unless HTTP 4xx or 5xx with an Exception
}

func meet(a answer) met {
	m := met{answer: a}
	switch {
	case a.status == http.StatusOK:
		m.ticket = readTicket(a)
	case a.status >= http.StatusBadRequest:
		m.exception = readException(a)
	}
	return m
}

func nothingWritten(m met) bool     { return m.unwritten }
func acceptedWithTicket(m met) bool { return replies(ReplyAccepted)(m) && m.ticket.mask != "" }
func anything(met) bool             { return true }

// anyBody fits an answer with one of the statuses, whatever its body.
func anyBody(statuses ...int) func(met) bool {
	return func(m met) bool { return slices.Contains(statuses, m.status) }
}

// replies fits an HTTP 200 whose body is a TicketResponse with one of the words.
func replies(words ...Reply) func(met) bool {
	return func(m met) bool { return m.ticket != nil && slices.Contains(words, m.ticket.reply) }
}

// exceptions fits an HTTP status from one to another whose body is an Exception.
func exceptions(from, to int) func(met) bool {
	return func(m met) bool { return m.exception != nil && from <= m.status && m.status <= to }
}

// classify judges an answer by a table. What no row fits is in doubt.
func classify(table []row, m met, clock clock) (Class, Outcome) {
	for _, r := range table {
		if r.when(m) {
			return r.class, r.outcome(m, clock)
		}
	}
	return "", Outcome{}
}

// outcome fills in what the row leaves to the answer.
func (r row) outcome(m met, clock clock) Outcome {
	out := Outcome{
		Settlement: r.settlement,
		HTTPStatus: m.status,
		Evidence:   string(r.class) + ": " + m.evidence(),
		Fault:      r.fault(m, clock),
	}
	if m.ticket != nil {
		out.Reply, out.Ticket, out.Message = m.ticket.reply, m.ticket.mask, m.ticket.message
	}
	if m.exception != nil {
		out.ErrorID = m.exception.id
		if r.settlement != NotSent { // what the carrier says of our credentials is not for callers
			out.Message = m.exception.message
		}
	}
	return out
}

// fault is the caller's error, or nil if the row has none.
func (r row) fault(m met, clock clock) *fault.Error {
	if r.reason == "" {
		return nil
	}
	message := r.message
	if r.settlement == Refused {
		message = m.carriersMessage(message)
	}
	f := fault.New(r.reason, message)
	if r.wait != nil {
		f = f.WithRetryAfter(r.wait(m, clock))
	}
	if m.exception != nil {
		f = f.WithMetadata("carrier_error_id", m.exception.id)
	}
	if m.cause != nil {
		f = f.WithCause(m.cause)
	}
	return f
}

// carriersMessage is what the carrier said, or else instead.
func (m met) carriersMessage(instead string) string {
	switch {
	case m.ticket != nil && m.ticket.message != "":
		return m.ticket.message
	case m.exception != nil && m.exception.message != "":
		return m.exception.message
	}
	return instead
}
