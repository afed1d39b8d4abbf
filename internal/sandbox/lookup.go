package sandbox

import (
	"net/http"
	"strconv"
)

// question is what a look-up has to go by.
type question struct {
	account string            // who asks
	params  map[string]string // of the path
	value   any               // the decoded body, when the operation takes one
}

// lookup answers a question without changing anything.
type lookup func(*Carrier, question) answer

// lookups are the operations that place no order.
var lookups = map[string]lookup{
	"GET /SipTrunks":                   func(c *Carrier, q question) answer { return jsonAnswer(c.catalogueOf(q.account).trunks) },
	"GET /Products/TelephoneOfferings": func(c *Carrier, _ question) answer { return jsonAnswer(c.catalogue.offerings) },
	"GET /NumberPorts/Providers":       func(c *Carrier, _ question) answer { return jsonAnswer(c.catalogue.providers) },
	"GET /NumberPorts/LNP/NPANXX":      func(c *Carrier, _ question) answer { return jsonAnswer(c.catalogue.prefixes) },
	"GET /NumberPorts/LNP/RateCenters": func(c *Carrier, _ question) answer { return jsonAnswer(c.catalogue.rateCentres) },
	"GET /BusinessGroups":              func(c *Carrier, _ question) answer { return jsonAnswer(c.catalogue.groups) },
	"GET /ResidentialLinePlans":        func(c *Carrier, _ question) answer { return jsonAnswer(c.catalogue.residentialPlans) },
	"GET /BusinessLinePlans":           func(c *Carrier, _ question) answer { return jsonAnswer(c.catalogue.businessPlans) },
	"GET /PermanentCallForwardPlans":   func(c *Carrier, _ question) answer { return jsonAnswer(c.catalogue.forwardPlans) },
	"GET /Users/Current/Account":       func(c *Carrier, _ question) answer { return jsonAnswer(c.catalogue.account) },
	"GET /Holidays":                    func(c *Carrier, _ question) answer { return jsonAnswer(upcomingHolidays(c.Now())) },

	"POST /NumberPorts/LNP/NPANXX/Check": (*Carrier).checkPortability,

	"GET /v2/NumberPorts/Inbound/Tickets/{ticketId}/PortInStatus": (*Carrier).statusByTicket,
	"GET /v2/NumberPorts/Inbound/Numbers/{tn}/PortInStatus":       (*Carrier).statusByNumber,

	"GET /v2/NumberPorts/Inbound/Dashboard/PortInInfo":                              (*Carrier).dashboard,
	"GET /v2/NumberPorts/Inbound/Dashboard/PortInInfo/Orders/{OrderId}":             (*Carrier).dashboardByOrder,
	"GET /v2/NumberPorts/Inbound/Dashboard/PortInInfo/Orders/{OrderId}/{RequestId}": (*Carrier).dashboardByOrder,
	"GET /v2/NumberPorts/Inbound/Dashboard/PortInInfo/OrdersByNumber/{tn}":          (*Carrier).dashboardByNumber,
}

// checkPortability answers whether a prefix of six to ten digits can be ported
// in: Reply 1 when it is on the list of prefixes, 0 when not.
func (c *Carrier) checkPortability(q question) answer {
	text, _ := q.value.(string) // its schema has made sure
	digits, err := strconv.ParseUint(text, 10, 63)
	if err != nil || len(text) < 6 || len(text) > 10 {
		return c.exception(http.StatusBadRequest, "the body: want six to ten digits")
	}
	response := struct {
		Message string
		Number  int64
		Reply   int
	}{"Cannot be ported in", int64(digits), 0}
	if c.catalogue.portable(response.Number) {
		response.Message, response.Reply = "Can be ported in", 1
	}
	return jsonAnswer(response)
}
