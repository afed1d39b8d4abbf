package carrier

// The two answers that the carrier gives to an order.

// ticketResponse is the answer to an order that the carrier has read.
type ticketResponse struct {
	reply   Reply
	mask    string
	message string
}

// replyOf holds the carrier's words of reply as they are written. Only these count: "1", 1.0 and 7 are no replies.
var replyOf = map[string]Reply{
	"0": ReplyRejected,
	"1": ReplyAccepted,
	"2": ReplyDeferred,
	"3": ReplyConditional,
	"4": ReplyError,
}

// readTicket reads a TicketResponse, or returns nil if the answer holds none. A missing TicketMask is read as no ticket,
// because the carrier may leave it out; one that cannot be an id makes the whole answer unreadable.
func readTicket(a answer) *ticketResponse {
	if !a.isJSON() || checkJSON(a.body) != nil {
		return nil
	}
	o := objectOf(a.body)
	t := &ticketResponse{
		reply:   replyOf[o.literal("Reply")],
		mask:    o.optionalText("TicketMask"),
		message: clean(o.optionalText("Message"), MaxMessage),
	}
	if o.problem != nil || t.reply == ReplyNone || !isID(t.mask) {
		return nil
	}
	return t
}

// exception is the carrier's answer to what went wrong.
type exception struct {
	id      string
	message string
}

// readException reads an Exception, or returns nil if the answer holds none. Both members have to be strings and the ID
// a real one: on the strength of this body an order counts as refused, so nothing that merely looks like it will do. The
// message may be empty.
func readException(a answer) *exception {
	if !a.isJSON() || checkJSON(a.body) != nil {
		return nil
	}
	o := objectOf(a.body)
	e := &exception{id: o.text("ID"), message: clean(o.text("Message"), MaxMessage)}
	if o.problem != nil || e.id == "" || !isID(e.id) {
		return nil
	}
	return e
}
