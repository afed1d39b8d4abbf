package sandbox

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// Outcome is one way in which a POST of an order can end. The one table of them
// is what orders are played by and what the documentation is made of.
type Outcome struct {
	// Name selects it: in Next, or as the CustomerName "Sandbox <name>".
	Name string
	// Digits selects it too: the last two of a first number 555-0150 to 555-0189.
	// Zero for an outcome that no number selects.
	Digits int
	// Ticket reports whether the order is placed: whether there is a ticket
	// afterwards, whatever the client saw.
	Ticket bool
	// Says is one line for the documentation.
	Says string

	reply  replyFunc // what the carrier says of an order; nil is Accepted
	play   playFunc  // how its answer reaches the client; nil is whole
	traits trait
}

// trait is what sets an outcome apart in how it can be asked for.
type trait int

const (
	ticketFixed   trait = 1 << iota // +ticket and +noticket make no sense
	maybeTicket                     // Unknowns.Deferred decides on the ticket
	beforeBody                      // plays before the body is read: by script only
	ordersOnly                      // makes no sense for a look-up
	orderReply    = ticketFixed | ordersOnly
	unreadFailure = ticketFixed | beforeBody
)

func (o Outcome) is(t trait) bool { return o.traits&t != 0 }

// outcomes are all of them, the default first.
var outcomes = sync.OnceValue(func() []Outcome {
	return slices.Concat([]Outcome{
		{Name: "accepted", Ticket: true, Says: "200, Reply 1 Accepted: what every other order meets", traits: orderReply},
		{Name: "rejected", Digits: 50, Says: "200, Reply 0 Rejected", reply: replied(0, "Rejected by the sandbox"), traits: ordersOnly},
		{Name: "error", Digits: 51, Says: "200, Reply 4 Error", reply: replied(4, "Error in the sandbox"), traits: ordersOnly},
		{Name: "deferred", Digits: 52, Ticket: true, Says: "200, Reply 2 Deferred; the switch deferred decides on the ticket", reply: deferred(2, "Deferred"), traits: orderReply | maybeTicket},
		{Name: "conditional", Digits: 53, Ticket: true, Says: "200, Reply 3 Conditional; the switch deferred decides on the ticket", reply: deferred(3, "Conditional"), traits: orderReply | maybeTicket},
		{Name: "no-ticket-mask", Digits: 54, Ticket: true, Says: "200, Reply 1 without TicketMask", reply: without("TicketMask"), traits: ordersOnly},
		{Name: "empty-ticket-mask", Digits: 55, Ticket: true, Says: "200, Reply 1 with an empty TicketMask", reply: with("TicketMask", ""), traits: ordersOnly},
		{Name: "reply-missing", Digits: 56, Ticket: true, Says: "200 without Reply", reply: without("Reply"), traits: ordersOnly},
		{Name: "reply-unknown", Digits: 57, Ticket: true, Says: "200, Reply 7, which nobody knows", reply: with("Reply", 7), traits: ordersOnly},
		{Name: "reply-string", Digits: 58, Ticket: true, Says: "200, Reply \"1\" as a string", reply: with("Reply", "1"), traits: ordersOnly},
		{Name: "reply-null", Ticket: true, Says: "200, Reply null", reply: with("Reply", nil), traits: ordersOnly},
	},
		failures(http.StatusBadRequest, 59, 69, 0),
		failures(http.StatusUnauthorized, 60, 0, 0),
		failures(http.StatusForbidden, 61, 0, 0),
		failures(http.StatusNotFound, 62, 70, 0),
		failures(http.StatusConflict, 63, 0, 0),
		failures(http.StatusUnprocessableEntity, 64, 0, 0),
		[]Outcome{
			{Name: "throttled", Digits: 65, Says: "429, Retry-After: 7", play: throttled(func(time.Time) string { return "7" })},
			{Name: "throttled-date", Digits: 66, Says: "429, Retry-After: the HTTP date in 7 seconds", play: throttled(inSevenSeconds)},
			{Name: "throttled-absurd", Digits: 67, Says: "429, Retry-After: 99999999999999999999", play: throttled(func(time.Time) string { return "99999999999999999999" })},
			{Name: "throttled-silent", Digits: 68, Says: "429 without Retry-After", play: throttled(nil)},
			{Name: "html-429", Says: "429 without Retry-After, with an HTML page", play: page(http.StatusTooManyRequests)},
			{Name: "empty-429", Says: "429 without Retry-After, without a body", play: empty(http.StatusTooManyRequests)},
		},
		failures(http.StatusInternalServerError, 71, 0, 0),
		failures(http.StatusBadGateway, 0, 72, 0),
		failures(http.StatusServiceUnavailable, 0, 0, 73),
		failures(http.StatusGatewayTimeout, 0, 74, 0),
		[]Outcome{
			{Name: "html-200", Digits: 75, Says: "200 with an HTML page", play: page(http.StatusOK)},
			{Name: "empty-200", Digits: 76, Ticket: true, Says: "200 without a body", play: empty(http.StatusOK)},
			{Name: "truncated", Digits: 77, Ticket: true, Says: "200 with the first half of the JSON, as a whole body", play: mangled(typeJSON, firstHalf)},
			{Name: "invalid-utf8", Digits: 78, Ticket: true, Says: "200 with JSON that has bytes which are not UTF-8", play: mangled(typeJSON, invalidUTF8)},
			{Name: "utf16", Digits: 79, Ticket: true, Says: "200 with JSON in UTF-16 with a byte order mark", play: mangled("application/json; charset=utf-16", utf16Bytes)},
			{Name: "json-array", Says: "200 with a JSON array", play: replaced("[1,2,3]")},
			{Name: "json-other", Says: "200 with a JSON object of other members", play: replaced(`{"status":"ok","code":1}`)},
			{Name: "trailing-garbage", Ticket: true, Says: "200 with the right JSON and more bytes after it", play: mangled(typeJSON, withGarbage)},
			{Name: "created-201", Ticket: true, Says: "201 with the right JSON", play: restatused(http.StatusCreated)},
			{Name: "no-content-204", Ticket: true, Says: "204", play: empty(http.StatusNoContent)},
			{Name: "redirect-301", Says: "301 to the same path", play: redirected(http.StatusMovedPermanently)},
			{Name: "redirect-302", Says: "302 to the same path", play: redirected(http.StatusFound)},
			{Name: "redirect-303", Says: "303 to the same path", play: redirected(http.StatusSeeOther)},
			{Name: "redirect-307", Digits: 88, Says: "307 to the same path", play: redirected(http.StatusTemporaryRedirect)},
			{Name: "redirect-308", Says: "308 to the same path", play: redirected(http.StatusPermanentRedirect)},
			{Name: "slow", Digits: 80, Ticket: true, Says: "the right answer, after Config.Delay", play: slow},
			{Name: "drip", Digits: 87, Ticket: true, Says: "the right answer, one byte every Config.DripInterval", play: drip},
			{Name: "huge-body", Digits: 89, Ticket: true, Says: "the right answer inside Config.HugeBytes of white space", play: hugeBody},
			{Name: "gzip-bomb", Ticket: true, Says: "the same, in gzip whether or not the client takes it", play: gzipBomb},
			{Name: "huge-header", Ticket: true, Says: "the right answer below a header of Config.HeaderBytes", play: hugeHeader},
			{Name: "timeout-after-body", Digits: 81, Ticket: true, Says: "reads the order, places it, and never answers", play: silence},
			{Name: "timeout-without-ticket", Digits: 82, Says: "reads the order, loses it, and never answers", play: silence},
			{Name: "cut-after-body", Digits: 83, Says: "reads the order, loses it, and closes the connection", play: cut},
			{Name: "cut-after-ticket", Digits: 84, Ticket: true, Says: "reads the order, places it, and closes the connection", play: cut},
			{Name: "cut-mid-answer", Digits: 85, Ticket: true, Says: "closes the connection in the middle of the answer", play: cutMidAnswer},
			{Name: "reset-after-body", Digits: 86, Says: "reads the order, loses it, and resets the connection", play: reset},
			{Name: "reset-after-ticket", Ticket: true, Says: "reads the order, places it, and resets the connection", play: reset},
			{Name: "cut-before-body", Says: "closes the connection before it reads the body", play: cut, traits: unreadFailure},
			{Name: "reset-before-body", Says: "resets the connection before it reads the body", play: reset, traits: unreadFailure},
			{Name: "reset-mid-body", Says: "reads half of the body and resets the connection", play: resetMidBody, traits: unreadFailure},
		})
})

// Outcomes lists every outcome, the default first.
func Outcomes() []Outcome { return slices.Clone(outcomes()) }

func outcomeNamed(name string) (Outcome, bool) {
	i := slices.IndexFunc(outcomes(), func(o Outcome) bool { return o.Name == name })
	if i < 0 {
		return Outcome{}, false
	}
	return outcomes()[i], true
}

func inSevenSeconds(now time.Time) string {
	return now.Add(7 * time.Second).UTC().Format(http.TimeFormat)
}
