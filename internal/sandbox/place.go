package sandbox

import (
	"errors"
	"net/http"
)

// serveOrder takes one order POST: script, body, rules, choice, ticket, note,
// answer, in this order. The ticket stands and the request is noted before the
// first byte of an answer, so that neither depends on what the client sees.
func (c *Carrier) serveOrder(s *stage, entry *Received, op *operation) {
	scripted, isScripted := c.takeScripted()
	if isScripted && scripted.outcome.is(beforeBody) {
		c.settle(entry, nil, scripted.String())
		scripted.outcome.play(s)
		return
	}
	body, err := readBody(s.r)
	if errors.Is(err, errTooLarge) {
		c.settle(entry, nil, OutcomeTooLarge)
		c.exception(http.StatusRequestEntityTooLarge, err.Error()).send(s.w)
		return
	}
	if err != nil {
		c.settle(entry, nil, OutcomeUnread)
		s.abort() // cut in the middle of the body: nothing was ordered
	}
	chosen, o, refusal := c.consider(entry, s.r, op, body)
	if refusal != nil {
		c.refuse(entry, body, refusal).send(s.w)
		return
	}
	if isScripted {
		chosen = scripted
	}
	s.truly = c.place(entry, op, o, body, chosen)
	play := chosen.outcome.play
	if play == nil {
		play = whole
	}
	play(s)
}

// consider reads an order and what it chooses for itself. A body that the schema
// or a rule refuses is refused whatever outcome waits for it.
func (c *Carrier) consider(entry *Received, r *http.Request, op *operation, body []byte) (choice, *order, error) {
	value, err := decode(body)
	if err != nil {
		return choice{}, nil, err
	}
	c.countNumbers(entry, value)
	if err := checkContentType(r); err != nil {
		return choice{}, nil, err
	}
	o, err := readOrder(op, value, c.catalogueOf(entry.Account), c.Unknowns())
	if err != nil {
		return choice{}, nil, err
	}
	chosen, err := chosenBy(o)
	return chosen, o, err
}

// place makes the ticket that the choice has, if any, notes the order and returns
// the reply that it truly gets.
func (c *Carrier) place(entry *Received, op *operation, o *order, body []byte, chosen choice) answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	made := chosen.ticket
	if chosen.outcome.is(maybeTicket) && c.unknowns.Deferred == DeferredNever {
		made = false
	}
	mask := ""
	if made {
		t := c.newTicket(chosen.scenario)
		t.path, t.owner = op.path, entry.Account
		t.numbers = o.numbers()
		t.account = o.form.text("CustomerAccountNumber")
		t.endUser = o.form.text("CustomerName")
		t.reseller = o.form.text("CurrentReseller")
		t.requested = o.form.text("RequestedPortDate")
		c.tickets.add(t)
		entry.Ticket, mask = t.id, t.mask
	}
	entry.journal.settle(entry, body, chosen.String())
	reply := chosen.outcome.reply
	if reply == nil {
		reply = acceptedReply
	}
	return jsonAnswer(reply(mask, c.unknowns))
}

// newTicket is a ticket with ids and a clock. Call with mu held.
func (c *Carrier) newTicket(scenario Scenario) *ticket {
	c.ticketSeq++
	t := &ticket{seq: c.ticketSeq, opened: c.now(), scenario: scenario}
	t.id, t.mask = ids(c.run, c.ticketSeq, c.unknowns.TicketID)
	return t
}
