package carrier

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/portin/portin/internal/fault"
)

// StatusByTicket asks for the port-in with a ticket. The carrier is not asked about what cannot be a ticket: an empty or
// very long text, control characters, "." and ".."; that is INVALID_FIELDS of `ticket_id`.
func (c *Client) StatusByTicket(ctx context.Context, ticket string) (Status, error) {
	// A server that decodes a path before it routes it would walk out of the folder, under our credentials.
	if ticket == "" || ticket == "." || ticket == ".." || strings.ContainsAny(ticket, `/\?#%`) || !isID(ticket) {
		return Status{}, fault.Fields([]fault.Violation{{Field: "ticket_id", Description: "is not a ticket of the carrier"}})
	}
	return ask(ctx, c, question[Status]{
		operation: "PortInStatusByTicket",
		path:      "/v2/NumberPorts/Inbound/Tickets/" + url.PathEscape(ticket) + "/PortInStatus",
		limit:     c.config.MaxAnswer,
		read:      readStatus,
		mayBeNone: true,
	})
}

// StatusByNumber asks for the port-in of a number: ten digits, no country code. Which ticket the carrier answers with
// when there are several is not known. A number that cannot be one is INVALID_FIELDS of `number`.
func (c *Client) StatusByNumber(ctx context.Context, number int64) (Status, error) {
	if !isNumber(number) {
		return Status{}, fault.Fields([]fault.Violation{{Field: "number", Description: "is not a North American number of ten digits"}})
	}
	return ask(ctx, c, question[Status]{
		operation: "PortInStatusByNumber",
		path:      "/v2/NumberPorts/Inbound/Numbers/" + strconv.FormatInt(number, 10) + "/PortInStatus",
		limit:     c.config.MaxAnswer,
		read:      readStatus,
		mayBeNone: true,
	})
}

// isNumber reports whether a number has ten digits of which neither the area code nor the exchange begins with 0 or 1.
func isNumber(n int64) bool {
	const lowest, highest, exchange = 2_000_000_000, 9_999_999_999, 10_000_000
	return lowest <= n && n <= highest && n%exchange >= exchange/10*2
}

// readStatus reads a PortInStatus. A status without its word is none. ValidationLSC is required too, but one that is
// missing only means that nothing was validated. Members of a wrong type make the whole status unreadable.
func readStatus(body []byte) (Status, error) {
	o := objectOf(body)
	validated := o.optionalTruth("ValidationLSC")
	s := Status{
		Ticket:        o.optionalText("TicketId"),
		Word:          clean(o.text("Status"), maxWord),
		Validated:     validated != nil && *validated,
		Disputing:     o.optionalTruth("Disputing"),
		PortDate:      clean(o.optionalText("PortDate"), maxWord),
		RejectReason:  clean(o.optionalText("RejectReason"), MaxMessage),
		RejectSummary: clean(o.optionalText("RejectSummary"), maxSummary),
		EndUserName:   clean(o.optionalText("EndUserName"), MaxMessage),
		AccountNumber: clean(o.optionalText("AccountNumber"), MaxMessage),
		Reseller:      clean(o.optionalText("Reseller"), MaxMessage),
	}
	s.Numbers = readNumbers(o, o.optionalList("NumbersToPort"))
	rejects := o.optionalList("RejectDetails")
	for _, raw := range rejects[:min(len(rejects), maxRejects)] {
		reject, err := readReject(raw)
		if err != nil {
			return Status{}, err
		}
		s.Rejects = append(s.Rejects, reject)
	}
	switch {
	case o.problem != nil:
		return Status{}, o.problem
	case s.Word == "":
		return Status{}, errors.New("the status has no word")
	case !isID(s.Ticket):
		return Status{}, errors.New("the ticket of the status cannot be one")
	}
	return s, nil
}

// readNumbers reads the numbers of a status. If one of them is no number of ten digits, the status counts as one that
// does not say its numbers: half of a list would match an order that is another.
func readNumbers(o *object, list []json.RawMessage) []int64 {
	var numbers []int64
	odd := false
	for _, raw := range list {
		number, err := strconv.ParseInt(string(raw), 10, 64)
		if err != nil {
			o.fail("NumbersToPort", "holds something other than whole numbers")
		}
		odd = odd || !isNumber(number)
		numbers = append(numbers, number)
	}
	if odd {
		return nil
	}
	return numbers
}

// readReject reads a RejectDetail, whose names have spaces and number signs.
func readReject(raw []byte) (Reject, error) {
	o := objectOf(raw)
	text := func(name string) string { return clean(o.optionalText(name), MaxMessage) }
	r := Reject{
		Code:          text("RJCT CODE"),
		Form:          text("FORM"),
		Field:         text("FLD ABBR"),
		Remarks:       text("REMARKS"),
		RejectRemarks: text("RJCT REMARKS"),
		Ported:        text("PORTED #"),
		PortedRange:   text("PORTED # RANGE"),
		Disconnect:    text("DISC #"),
		DiscRange:     text("DISC # RANGE"),
	}
	return r, o.problem
}
