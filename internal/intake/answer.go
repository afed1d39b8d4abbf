package intake

import (
	"time"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// settlements are the states that the settlements of a POST lead to.
var settlements = map[carrier.Settlement]order.State{
	carrier.InDoubt:  order.InDoubt,
	carrier.NotSent:  order.NotSent,
	carrier.Refused:  order.Refused,
	carrier.Accepted: order.Accepted,
}

// replyNames are the carrier's words of reply as the ledger keeps them: the contract's, without their prefix.
var replyNames = map[carrier.Reply]string{
	carrier.ReplyNone:        "",
	carrier.ReplyRejected:    "REJECTED",
	carrier.ReplyAccepted:    "ACCEPTED",
	carrier.ReplyDeferred:    "DEFERRED",
	carrier.ReplyConditional: "CONDITIONAL",
	carrier.ReplyError:       "ERROR",
}

// answer is what the POST of one attempt has met, on its way into the ledger. The order may have moved on meanwhile: its
// lease may have ended, an operator decided, and a caller sent it again.
type answer struct {
	attempt int
	// owner is the claim's.
	owner   string
	outcome carrier.Outcome
	// unsent tells that the claim itself is uncertain, and nothing was posted: there is no answer to keep.
	unsent bool
	// again tells that the ledger may have taken the answer before, without saying so.
	again bool
	// taken is the ticket of the outcome that turned out to be another order's.
	taken string
	// now is the wall clock, steady the one that dues are written in, and due how long after it an order in doubt is asked
	// about.
	now, steady time.Time
	due         time.Duration
}

// apply is the change of a ledger.Step. An answer that comes in time settles the order. One that comes late settles an
// order in doubt, and an acceptance also one that was thought not to be sent or is being sent again: the carrier has it.
// Anything else of it is evidence, and a person should look when it says otherwise than the order.
func (a answer) apply(r *ledger.Record) (ledger.Entry, error) {
	current := r.Attempt == a.attempt
	definite := a.outcome.Settlement != carrier.InDoubt
	accepted := a.outcome.Settlement == carrier.Accepted
	switch {
	case r.Owner == a.owner && r.State == order.Sending, r.Owner == a.owner && r.State == order.InDoubt && a.unsent:
		return a.settle(r), nil
	case a.unsent:
		return ledger.Entry{}, ledger.ErrMoved
	case a.again && r.Updated.Equal(a.now.Truncate(time.Microsecond)), a.agrees(*r):
		return ledger.Entry{}, nil
	case current && r.State == order.InDoubt && definite:
		return a.settle(r), nil
	case accepted && order.CanMove(r.State, order.Accepted, order.ByAnswer):
		entry := a.settle(r)
		if !current {
			r.Attend(ledger.AttentionLateAnswer, "the carrier accepted an earlier attempt after the order had been sent again; it may have the order twice", a.now)
		}
		return entry, nil
	}
	entry := a.entry()
	entry.Type, entry.Note = ledger.EventEvidence, "an answer came after the order had been decided: "+entry.Note
	if accepted && r.State == order.Accepted && r.Ticket == "" {
		r.Ticket = a.outcome.Ticket
		r.Unattend(ledger.AttentionNoTicket)
	}
	switch {
	case accepted && r.State == order.Accepted && r.Attends(ledger.AttentionLateAnswer):
		r.Attend(ledger.AttentionNumbersHeldTwice, "the carrier accepted two attempts of this order; it may have the order twice", a.now)
	case definite:
		r.Attend(ledger.AttentionLateAnswer, "the carrier answered an attempt of this order late, and says otherwise than the order; compare them", a.now)
	}
	return entry, nil
}

// settle makes the order what the answer says.
func (a answer) settle(r *ledger.Record) ledger.Entry {
	o := a.outcome
	r.State = settlements[o.Settlement]
	r.Reply, r.Message, r.ErrorID = replyNames[o.Reply], o.Message, o.ErrorID
	r.Reason, r.Problem, r.RetryAfter = "", "", 0
	if o.Fault != nil {
		r.Reason, r.Problem, r.RetryAfter = o.Fault.Reason, o.Fault.Message, o.Fault.RetryAfter
	}
	switch r.State {
	case order.Accepted:
		accept(r, o.Ticket, a.now, a.steady) // a ticket beside any other answer is none to follow
	case order.InDoubt:
		doubt(r, a.steady, a.due)
	case order.NotSent, order.Refused, order.Sending:
		certain(r)
		r.Settled = a.now
	}
	for _, why := range attentions(o) {
		r.Attend(why.Code, why.Description, a.now)
	}
	return a.entry()
}

// doubt makes an order one in doubt, to be asked about after a while.
func doubt(r *ledger.Record, steady time.Time, after time.Duration) {
	r.State = order.InDoubt
	r.Doubt = ledger.Doubt{Since: steady}
	r.Due = steady.Add(after)
}

// agrees reports whether the order says already what the answer says: the ledger took it before, it was found out, or the
// attempt that was not sent was followed by another one.
func (a answer) agrees(r ledger.Record) bool {
	if a.outcome.Settlement == carrier.NotSent && r.Attempt > a.attempt {
		return true
	}
	if r.State != settlements[a.outcome.Settlement] || r.Attempt != a.attempt {
		return false
	}
	return a.outcome.Settlement != carrier.Accepted || a.outcome.Ticket == "" || a.outcome.Ticket == r.Ticket
}

// entry is what the order's timeline says about the answer.
func (a answer) entry() ledger.Entry {
	o := a.outcome
	e := ledger.Entry{Actor: service(), Note: o.Evidence, Ticket: o.Ticket}
	if o.Settlement == carrier.Accepted || o.Settlement == carrier.Refused {
		e.Actor.Kind = ledger.ByCarrier
	}
	if o.Message != "" {
		e.Note += "; the carrier's message: " + o.Message
	}
	if a.taken != "" {
		e.Note += "; it named ticket " + a.taken + ", which another order has"
	}
	return e
}

// attentions says why a person should look at an order after its POST.
func attentions(o carrier.Outcome) []ledger.Attention {
	if o.Settlement != carrier.Accepted {
		return nil
	}
	var why []ledger.Attention
	switch o.Reply {
	case carrier.ReplyDeferred:
		why = append(why, ledger.Attention{Code: ledger.AttentionReplyDeferred, Description: "the carrier deferred the order; ask its porting team what it waits for"})
	case carrier.ReplyConditional:
		why = append(why, ledger.Attention{Code: ledger.AttentionReplyConditional, Description: "the carrier accepted the order under a condition; its message may name it"})
	case carrier.ReplyNone, carrier.ReplyRejected, carrier.ReplyAccepted, carrier.ReplyError:
	}
	if o.Ticket == "" {
		why = append(why, ledger.Attention{Code: ledger.AttentionNoTicket, Description: "the carrier accepted the order under no ticket of its own; it is followed by its numbers, and its porting team knows the ticket"})
	}
	return why
}
