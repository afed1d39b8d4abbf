package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

// The porting dashboard: one order a ticket, with one request each.

type customerInfo struct{ Orders []dashboardOrder }

type dashboardOrder struct {
	OrderID  int
	Requests []dashboardRequest
}

type dashboardRequest struct {
	Assessment string
	// HappyFoxTicket is the porting team's own ticket, which is none of the ids
	// of an order's reply or status.
	HappyFoxTicket string
	NumberToPort   []dashboardNumber
	RequestIdx     int
}

type dashboardNumber struct {
	ReadyToPort bool
	TnRange     string
}

// dashboard answers for all orders.
func (c *Carrier) dashboard(q question) answer {
	return c.dashboardOf(q.account, func(*ticket) bool { return true })
}

// dashboardByNumber answers for every order that a number is in.
func (c *Carrier) dashboardByNumber(q question) answer {
	number, err := strconv.ParseInt(q.params["tn"], 10, 64)
	if err != nil || !nanp(number) {
		return c.exception(http.StatusBadRequest, "tn: not a telephone number of ten digits (NANP)")
	}
	return c.dashboardOf(q.account, func(t *ticket) bool {
		return slices.Contains(t.numbers, number)
	})
}

// dashboardByOrder answers for an order and for a request of it; every order has
// the request 1 alone.
func (c *Carrier) dashboardByOrder(q question) answer {
	id, err := strconv.Atoi(q.params["OrderId"])
	if err != nil {
		return c.exception(http.StatusBadRequest, "OrderId: want an integer")
	}
	request, asked := q.params["RequestId"]
	if asked && request != "1" {
		return jsonAnswer(customerInfo{Orders: []dashboardOrder{}})
	}
	return c.dashboardOf(q.account, func(t *ticket) bool { return t.seq == id })
}

// dashboardOf lists the orders of an account that can be seen and are wanted. None
// is an empty list, not a 404.
func (c *Carrier) dashboardOf(account string, wanted func(*ticket) bool) answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	info := customerInfo{Orders: []dashboardOrder{}}
	for _, t := range c.tickets.inOrder {
		if c.visible(t, account) && wanted(t) {
			info.Orders = append(info.Orders, c.dashboardOrder(t))
		}
	}
	return jsonAnswer(info)
}

// dashboardOrder is one ticket's entry. Call with mu held.
func (c *Carrier) dashboardOrder(t *ticket) dashboardOrder {
	s := t.current(c.now())
	assessment := "Pending"
	switch s.word {
	case "COMPLETED", "CANCELLED", "FULLCANCELLATION", "EXPIRED":
		assessment = "Closed"
	}
	request := dashboardRequest{Assessment: assessment, HappyFoxTicket: fmt.Sprintf("PORT%06d", t.seq), RequestIdx: 1}
	for _, n := range t.remaining(s) {
		request.NumberToPort = append(request.NumberToPort,
			dashboardNumber{ReadyToPort: s.dated && s.validated, TnRange: strconv.FormatInt(n, 10)})
	}
	return dashboardOrder{OrderID: t.seq, Requests: []dashboardRequest{request}}
}
