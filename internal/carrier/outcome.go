package carrier

import "github.com/portin/portin/internal/fault"

// Call is one order operation, ready to be sent: the carrier's path below its base URL and the JSON body.
type Call struct {
	// Operation names the call in metrics, traces and logs: "DIDs", "TollFree/DIDs".
	Operation string
	// Path is the carrier's path below the base URL, "/v2/NumberPorts/Inbound/DIDs" for one.
	Path string
	// Body is the whole JSON body. The client never writes to it and does not read it any more once Submit has returned.
	Body []byte
}

// Settlement is what the one POST of an order has come to.
type Settlement uint8

// The settlements. The zero value is InDoubt: what nobody classified is never taken for an answer.
const (
	// InDoubt: whether the carrier has the order is not known.
	InDoubt Settlement = iota
	// NotSent: the carrier did not get the order, or turned it away unread.
	NotSent
	// Refused: the carrier read the order and refused it.
	Refused
	// Accepted: the carrier has the order.
	Accepted
)

// Reply is the carrier's word of reply to an order (TicketResponse.Reply). The numbers are ours: the zero value is no
// reply, which the carrier's 0 (Rejected) is not.
type Reply uint8

// The replies, with the carrier's number for each.
const (
	ReplyNone        Reply = iota
	ReplyRejected          // 0
	ReplyAccepted          // 1
	ReplyDeferred          // 2
	ReplyConditional       // 3
	ReplyError             // 4
)

// Outcome is what the POST of an order met.
type Outcome struct {
	// Settlement decides the order's state.
	Settlement Settlement
	// Reply is the carrier's word; ReplyNone when there was none that could be read.
	Reply Reply
	// Ticket is the carrier's TicketMask; empty when there is none.
	Ticket string
	// Message is the carrier's own message, at most MaxMessage bytes of valid UTF-8. It may quote the order.
	Message string
	// ErrorID is the key into the carrier's error log; empty when there is none.
	ErrorID string
	// Evidence says what was met, for the order's events: the class of failure, the HTTP status, the size and the
	// content type of the answer. It never holds personal data.
	Evidence string
	// Fault is the error that the caller gets for NotSent and Refused; nil for InDoubt and Accepted.
	Fault *fault.Error
	// HTTPStatus is the status of the answer; 0 when there was none.
	HTTPStatus int
}
