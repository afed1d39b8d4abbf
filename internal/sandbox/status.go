package sandbox

import (
	"net/http"
	"slices"
	"strconv"
)

// portInStatus is the carrier's status of an order.
type portInStatus struct {
	AccountNumber string         `json:",omitempty"`
	Disputing     *bool          `json:",omitempty"`
	EndUserName   string         `json:",omitempty"`
	NumbersToPort []int64        `json:",omitzero"` // an empty list is written, nil is not
	PortDate      string         `json:",omitempty"`
	RejectDetails []rejectDetail `json:",omitempty"`
	RejectReason  string         `json:",omitempty"`
	RejectSummary string         `json:",omitempty"`
	Reseller      string         `json:",omitempty"`
	Status        string
	TicketID      string `json:"TicketId,omitempty"`
	ValidationLSC bool
}

// statusByTicket answers GET …/Tickets/{ticketId}/PortInStatus.
func (c *Carrier) statusByTicket(q question) answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tickets.find(q.params["ticketId"], c.unknowns.TicketID != TicketIDOther)
	if t == nil || !c.visible(t, q.account) {
		return c.noSuchPortIn()
	}
	return jsonAnswer(c.statusOf(t))
}

// statusByNumber answers GET …/Numbers/{tn}/PortInStatus.
func (c *Carrier) statusByNumber(q question) answer {
	number, err := strconv.ParseInt(q.params["tn"], 10, 64)
	if err != nil || !nanp(number) {
		return c.exception(http.StatusBadRequest, "tn: not a telephone number of ten digits (NANP)")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var seen []*ticket
	for _, t := range c.tickets.byNumber[number] {
		if c.visible(t, q.account) {
			seen = append(seen, t)
		}
	}
	if len(seen) == 0 {
		return c.noSuchPortIn()
	}
	pick := 0
	switch c.unknowns.ByNumber {
	case ByNumberOldest:
	case ByNumberNewest:
		pick = len(seen) - 1
	case ByNumberAny:
		pick = c.random.IntN(len(seen))
	}
	return jsonAnswer(c.statusOf(seen[pick]))
}

// visible reports whether a ticket can be seen by an account yet. Call with mu
// held.
func (c *Carrier) visible(t *ticket, account string) bool {
	return t.owner == account && !c.now().Before(t.opened.Add(c.unknowns.VisibleAfter))
}

// statusOf is a ticket's status as the switches have it. Call with mu held.
func (c *Carrier) statusOf(t *ticket) portInStatus {
	s := t.current(c.now())
	status := portInStatus{
		AccountNumber: t.account,
		EndUserName:   t.endUser,
		Reseller:      t.reseller,
		PortDate:      t.portDate(s),
		Status:        s.word,
		TicketID:      t.id,
		ValidationLSC: s.validated,
	}
	switch c.unknowns.Numbers {
	case NumbersListed:
		status.NumbersToPort = slices.Clone(t.remaining(s))
	case NumbersEmpty:
		status.NumbersToPort = []int64{}
	case NumbersAbsent:
	}
	if s.word == "REJECTED" {
		status.Disputing = &s.disputing
		status.RejectDetails = t.rejectDetails()
		status.RejectReason = t.rejectReason()
		status.RejectSummary = t.rejectSummary(s.disputing)
	}
	return status
}

// noSuchPortIn is the answer about an order that is not there. Call with mu held.
func (c *Carrier) noSuchPortIn() answer {
	switch c.unknowns.None {
	case NoneBlank:
		return jsonAnswer(portInStatus{})
	case NoneEmpty:
		return answerOf(http.StatusOK, typeJSON, "")
	case NoneNull:
		return answerOf(http.StatusOK, typeJSON, "null")
	case NoneHTML:
		return answerOf(http.StatusNotFound, typeHTML, htmlPage)
	case NoneNotFound:
	}
	return c.exception(http.StatusNotFound, "No port-in order was found")
}
