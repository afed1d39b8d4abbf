package e2e_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/sandbox"
)

// met is a row of the table of what the carrier can do to an order: what the order becomes and what its caller is told.
type met struct {
	fault   string // of the table of faults
	outcome string // of the sandbox
	state   portinv1.OrderState
	code    codes.Code
	reason  string
	http    int
	wait    string // Retry-After
}

// everyOutcome is that table; it has every outcome of the sandbox that an order can choose for itself.
var everyOutcome = []met{
	{"", "accepted", accepted, codes.OK, "", 200, ""},
	{"", "deferred", accepted, codes.OK, "", 200, ""},
	{"", "conditional", accepted, codes.OK, "", 200, ""},
	{"", "no-ticket-mask", accepted, codes.OK, "", 200, ""},
	{"", "empty-ticket-mask", accepted, codes.OK, "", 200, ""},
	{"01", "timeout-after-body", inDoubt, codes.OK, "", 202, ""},
	{"01", "timeout-without-ticket", inDoubt, codes.OK, "", 202, ""},
	{"01", "slow", inDoubt, codes.OK, "", 202, ""},
	{"02", "cut-after-ticket", inDoubt, codes.OK, "", 202, ""},
	{"02", "cut-after-body", inDoubt, codes.OK, "", 202, ""},
	{"02", "reset-after-ticket", inDoubt, codes.OK, "", 202, ""},
	{"02", "reset-after-body", inDoubt, codes.OK, "", 202, ""},
	{"02", "cut-mid-answer", inDoubt, codes.OK, "", 202, ""},
	{"04", "rejected", refused, codes.FailedPrecondition, "CARRIER_REFUSED", 422, ""},
	{"04", "error", refused, codes.FailedPrecondition, "CARRIER_REFUSED", 422, ""},
	{"05", "truncated", inDoubt, codes.OK, "", 202, ""},
	{"05", "trailing-garbage", inDoubt, codes.OK, "", 202, ""},
	{"05", "empty-200", inDoubt, codes.OK, "", 202, ""},
	{"05", "html-200", inDoubt, codes.OK, "", 202, ""},
	{"05", "json-array", inDoubt, codes.OK, "", 202, ""},
	{"05", "json-other", inDoubt, codes.OK, "", 202, ""},
	{"05", "utf16", inDoubt, codes.OK, "", 202, ""},
	{"05", "invalid-utf8", inDoubt, codes.OK, "", 202, ""},
	{"05", "created-201", inDoubt, codes.OK, "", 202, ""},
	{"05", "no-content-204", inDoubt, codes.OK, "", 202, ""},
	{"05", "reply-missing", inDoubt, codes.OK, "", 202, ""},
	{"05", "reply-unknown", inDoubt, codes.OK, "", 202, ""},
	{"05", "reply-string", inDoubt, codes.OK, "", 202, ""},
	{"05", "reply-null", inDoubt, codes.OK, "", 202, ""},
	{"06", "exception-401", notSent, codes.FailedPrecondition, "CARRIER_CREDENTIALS", 422, ""},
	{"06", "html-401", notSent, codes.FailedPrecondition, "CARRIER_CREDENTIALS", 422, ""},
	{"06", "empty-401", notSent, codes.FailedPrecondition, "CARRIER_CREDENTIALS", 422, ""},
	{"06", "exception-403", notSent, codes.FailedPrecondition, "CARRIER_CREDENTIALS", 422, ""},
	{"06", "html-403", notSent, codes.FailedPrecondition, "CARRIER_CREDENTIALS", 422, ""},
	{"06", "empty-403", notSent, codes.FailedPrecondition, "CARRIER_CREDENTIALS", 422, ""},
	{"07", "exception-400", refused, codes.InvalidArgument, "CARRIER_INVALID", 400, ""},
	{"07", "exception-404", refused, codes.FailedPrecondition, "CARRIER_REFUSED", 422, ""},
	{"07", "exception-409", refused, codes.FailedPrecondition, "CARRIER_REFUSED", 422, ""},
	{"07", "exception-422", refused, codes.FailedPrecondition, "CARRIER_REFUSED", 422, ""},
	{"07", "html-400", inDoubt, codes.OK, "", 202, ""},
	{"07", "empty-400", inDoubt, codes.OK, "", 202, ""},
	{"07", "html-404", inDoubt, codes.OK, "", 202, ""},
	{"07", "empty-404", inDoubt, codes.OK, "", 202, ""},
	{"07", "html-409", inDoubt, codes.OK, "", 202, ""},
	{"07", "empty-409", inDoubt, codes.OK, "", 202, ""},
	{"07", "html-422", inDoubt, codes.OK, "", 202, ""},
	{"07", "empty-422", inDoubt, codes.OK, "", 202, ""},
	{"08", "throttled", notSent, codes.ResourceExhausted, "CARRIER_BUSY", 429, "7"},
	{"08", "throttled-date", notSent, codes.ResourceExhausted, "CARRIER_BUSY", 429, "7"},
	{"08", "throttled-absurd", notSent, codes.ResourceExhausted, "CARRIER_BUSY", 429, "300"},
	{"08", "throttled-silent", notSent, codes.ResourceExhausted, "CARRIER_BUSY", 429, "30"},
	{"08", "html-429", notSent, codes.ResourceExhausted, "CARRIER_BUSY", 429, "30"},
	{"08", "empty-429", notSent, codes.ResourceExhausted, "CARRIER_BUSY", 429, "30"},
	{"09", "exception-500", inDoubt, codes.OK, "", 202, ""},
	{"09", "html-500", inDoubt, codes.OK, "", 202, ""},
	{"09", "empty-500", inDoubt, codes.OK, "", 202, ""},
	{"09", "exception-502", inDoubt, codes.OK, "", 202, ""},
	{"09", "html-502", inDoubt, codes.OK, "", 202, ""},
	{"09", "empty-502", inDoubt, codes.OK, "", 202, ""},
	{"09", "exception-503", inDoubt, codes.OK, "", 202, ""},
	{"09", "html-503", inDoubt, codes.OK, "", 202, ""},
	{"09", "empty-503", inDoubt, codes.OK, "", 202, ""},
	{"09", "exception-504", inDoubt, codes.OK, "", 202, ""},
	{"09", "html-504", inDoubt, codes.OK, "", 202, ""},
	{"09", "empty-504", inDoubt, codes.OK, "", 202, ""},
	{"10", "drip", inDoubt, codes.OK, "", 202, ""},
	{"10", "huge-body", inDoubt, codes.OK, "", 202, ""},
	{"10", "huge-header", inDoubt, codes.OK, "", 202, ""},
	{"10", "gzip-bomb", inDoubt, codes.OK, "", 202, ""},
	{"", "redirect-301", inDoubt, codes.OK, "", 202, ""},
	{"", "redirect-302", inDoubt, codes.OK, "", 202, ""},
	{"", "redirect-303", inDoubt, codes.OK, "", 202, ""},
	{"", "redirect-307", inDoubt, codes.OK, "", 202, ""},
	{"", "redirect-308", inDoubt, codes.OK, "", 202, ""},
}

// beforeTheBody are the outcomes that come before the carrier has read an order, so that no order can choose them; see
// TestFault02.
var beforeTheBody = []string{"cut-before-body", "reset-before-body", "reset-mid-body"}

func TestEveryOutcomeHasItsRow(t *testing.T) {
	t.Parallel()
	for _, o := range sandbox.Outcomes() {
		if !slices.Contains(beforeTheBody, o.Name) && !slices.ContainsFunc(everyOutcome, func(m met) bool { return m.outcome == o.Name }) {
			t.Errorf("the outcome %s has no row", o.Name)
		}
	}
}

// TestFaults drives one service through what the carrier can do to orders, over both faces. The same request is sent
// twice: whatever happened, the second time must not place a second order, except where the first was not sent. On
// PostgreSQL it has the rows in which the store takes part.
func TestFaults(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, e engine) {
		shared := start(t, e, quick)
		for _, m := range everyOutcome {
			if e == postgres && m.fault != "01" && m.fault != "04" {
				continue
			}
			t.Run(strings.TrimPrefix("Fault"+m.fault+"_"+m.outcome, "Fault_"), func(t *testing.T) {
				t.Parallel()
				s := shared
				if m.fault == "06" {
					s = start(t, e, quick) // refused credentials make submissions pause, for everybody
				}
				m.test(t, s)
			})
		}
	})
}

// test places an order that meets the outcome.
func (m met) test(t *testing.T, s *service) {
	t.Helper()
	o, key := s.carrier.order(t, m.outcome), newKey()
	first := s.portIn(t.Context(), overJSON, o, key)
	waits := first.retryAfter == m.wait
	if m.outcome == "throttled-date" { // a date is a second nearer or farther by the time that it is read
		left, err := strconv.Atoi(first.retryAfter)
		waits = err == nil && left >= 5 && left <= 8
	}
	if first.http != m.http || !waits {
		t.Errorf("over JSON: HTTP %d, Retry-After %q; want %d, %q: %+v", first.http, first.retryAfter, m.http, m.wait, first)
	}
	second := s.portIn(t.Context(), overGRPC, o, key)
	for _, r := range []reply{first, second} {
		if r.lost != nil || r.code != m.code || r.reason != m.reason || r.orderID != first.orderID {
			t.Errorf("the answer is %+v, want %v %s", r, m.code, m.reason)
		}
	}
	posts := 1
	if m.state == notSent {
		posts = 2
	}
	if second.replayed != (m.code == codes.OK) || first.replayed {
		t.Errorf("the first answer is a replay: %v; the second: %v", first.replayed, second.replayed)
	}
	if m.state == refused && second.message != first.message {
		t.Errorf("the replay answers %q, the order was answered %q", second.message, first.message)
	}
	if got := s.carrier.OrdersFor(digits(t, o)); got != posts {
		t.Errorf("the carrier got %d POSTs, want %d", got, posts)
	}
	if got := s.get(t, first.orderID); got.GetState() != m.state || int(got.GetAttempt()) != posts {
		t.Errorf("the order is %v after %d attempts, want %v after %d", got.GetState(), got.GetAttempt(), m.state, posts)
	}
	for _, event := range s.events(t, first.orderID) {
		discreet(t, "an event", event.GetNote())
	}
	a := s.do(t, http.MethodGet, "http://"+s.HTTPAddress+"/v1/port-ins/"+first.orderID, nil)
	if a.status != 200 || a.header.Get("X-Request-Id") == "" || message[portinv1.PortInOrder](t, a).GetState() != m.state {
		t.Errorf("over JSON the order is HTTP %d: %s", a.status, a.body)
	}
}
