package sandbox

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// replyFunc is the TicketResponse to an order, member by member so that one can
// be left out. mask is "" when there is no ticket.
type replyFunc func(mask string, u Unknowns) map[string]any

// acceptedReply is the reply to an order that met nothing special.
func acceptedReply(mask string, _ Unknowns) map[string]any {
	return map[string]any{"Reply": 1, "Message": "Accepted", "TicketMask": mask}
}

// replied is another reply, with a text for the caller.
func replied(reply int, message string) replyFunc {
	return func(mask string, _ Unknowns) map[string]any {
		return map[string]any{"Reply": reply, "Message": message, "TicketMask": mask}
	}
}

// deferred is a reply of which nobody knows whether it names a ticket.
func deferred(reply int, message string) replyFunc {
	return func(mask string, u Unknowns) map[string]any {
		members := map[string]any{"Reply": reply, "Message": message, "TicketMask": mask}
		switch u.Deferred {
		case DeferredTicketed:
		case DeferredEmpty, DeferredNever:
			members["TicketMask"] = ""
		case DeferredMissing:
			delete(members, "TicketMask")
		}
		return members
	}
}

// with is an acceptance with one member changed.
func with(name string, value any) replyFunc {
	return func(mask string, u Unknowns) map[string]any {
		members := acceptedReply(mask, u)
		members[name] = value
		return members
	}
}

// without is an acceptance that lacks one member.
func without(name string) replyFunc {
	return func(mask string, u Unknowns) map[string]any {
		members := acceptedReply(mask, u)
		delete(members, name)
		return members
	}
}

// failures are the outcomes of one status of 4xx or 5xx: in the carrier's schema,
// as a proxy's page and without a body. Each has its digits, or 0.
func failures(status, exceptionDigits, htmlDigits, emptyDigits int) []Outcome {
	code, meaning := strconv.Itoa(status), strings.ToLower(http.StatusText(status))
	return []Outcome{
		{
			Name: "exception-" + code, Digits: exceptionDigits, Says: code + " " + meaning + ", with an Exception",
			play: failed(status, fmt.Sprintf("The sandbox answers %d on demand", status)),
		},
		{Name: "html-" + code, Digits: htmlDigits, Says: code + " " + meaning + ", with an HTML page", play: page(status)},
		{Name: "empty-" + code, Digits: emptyDigits, Says: code + " " + meaning + ", without a body", play: empty(status)},
	}
}
