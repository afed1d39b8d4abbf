package carrier_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/sandbox"
)

const sandboxNumber = 4165550123

// sandboxOrder is an order that the sandbox takes.
var sandboxOrder = carrier.Call{Operation: "DIDs", Path: "/v2/NumberPorts/Inbound/DIDs", Body: []byte(`{
	"DIDs": [{"Number": 4165550123}], "PilotNumber": 4165550100,
	"PortForm": {
		"CurrentProvider": 1, "CustomerAccountNumber": "ACC-1", "CustomerCity": "Toronto", "CustomerCountry": "CA",
		"CustomerName": "Example Ltd", "CustomerPostalCode": "M5V 2T6", "CustomerProvince": "ON",
		"CustomerStreetName": "Front", "CustomerStreetNumber": "1", "EmailAddress": "porting@example.com",
		"NumbersToPort": [4165550123]
	}
}`)}

// stage starts a sandbox and returns it with a Client of it.
func stage(t *testing.T, unknowns sandbox.Unknowns) (*sandbox.Carrier, *carrier.Client) {
	t.Helper()
	played, err := sandbox.New(sandbox.Config{
		Unknowns: unknowns, Delay: time.Millisecond, DripInterval: time.Microsecond, HugeBytes: 32 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(played)
	t.Cleanup(func() {
		_ = played.Close() // first, so that the server has nothing to wait for
		server.Close()
	})
	config := settings(server.URL + sandbox.BasePath)
	config.Username, config.Password = "sandbox", "sandbox"
	config.PostTimeout = 2 * time.Second
	return played, client(t, config)
}

// expected is what an outcome of the sandbox has to come to.
type expected struct {
	settled carrier.Settlement
	reason  fault.Reason
	ticket  bool // the client learns of one
}

var (
	taken     = expected{carrier.Accepted, "", true}
	takenMute = expected{carrier.Accepted, "", false}
	doubt     = expected{carrier.InDoubt, "", false}
	turned    = expected{carrier.Refused, fault.ReasonCarrierRefused, false}
	wrong     = expected{carrier.Refused, fault.ReasonCarrierInvalid, false}
	barred    = expected{carrier.NotSent, fault.ReasonCarrierCredentials, false}
	throttled = expected{carrier.NotSent, fault.ReasonCarrierBusy, false}
)

// expectations hold every outcome that is not in doubt. What the sandbox learns to do later is expected to be in doubt
// too, until somebody decides otherwise here.
func expectations() map[string]expected {
	all := map[string]expected{
		"accepted": taken, "slow": taken, "drip": taken, "deferred": taken, "conditional": taken,
		"no-ticket-mask": takenMute, "empty-ticket-mask": takenMute,
		"rejected": turned, "error": turned, "exception-404": turned, "exception-409": turned, "exception-422": turned,
		"exception-400": wrong,
	}
	for _, status := range []int{401, 403} {
		for _, body := range []string{"exception", "html", "empty"} {
			all[fmt.Sprintf("%s-%d", body, status)] = barred
		}
	}
	for _, name := range []string{"throttled", "throttled-date", "throttled-absurd", "throttled-silent", "html-429", "empty-429"} {
		all[name] = throttled
	}
	return all
}

// TestFaults01To10_EveryOutcomeOfTheSandbox walks all that the sandbox can do to an order: the settlement and the reason
// are right, and there is one POST whatever happens.
func TestFaults01To10_EveryOutcomeOfTheSandbox(t *testing.T) {
	t.Parallel()
	expectations := expectations()
	for _, outcome := range sandbox.Outcomes() {
		want, ok := expectations[outcome.Name]
		if !ok {
			want = doubt
		}
		delete(expectations, outcome.Name)
		t.Run(outcome.Name, func(t *testing.T) {
			t.Parallel()
			played, c := stage(t, sandbox.Unknowns{})
			if err := played.Next(outcome.Name); err != nil {
				t.Fatal(err)
			}
			out := settles(t, c.Submit(t.Context(), sandboxOrder), want.settled)
			if want.reason != "" && !fault.Is(out.Fault, want.reason) {
				t.Errorf("fault %v, want %s", out.Fault, want.reason)
			}
			if (out.Ticket != "") != want.ticket {
				t.Errorf("ticket %q", out.Ticket)
			}
			checkWait(t, outcome.Name, out)
			if got := played.Counts().Orders; got != 1 {
				t.Errorf("%d POSTs, want 1", got)
			}
			// A connection that was broken does not break the next order.
			settles(t, c.Submit(t.Context(), sandboxOrder), carrier.Accepted)
		})
	}
	for name := range expectations {
		t.Errorf("the sandbox has no outcome %q", name)
	}
}

// checkWait asserts the wait that callers are told after a 429.
func checkWait(t *testing.T, outcome string, out carrier.Outcome) {
	t.Helper()
	waits := map[string][2]time.Duration{ // from, to: an HTTP date ages on its way
		"throttled": {7 * time.Second, 7 * time.Second}, "throttled-date": {5 * time.Second, 8 * time.Second},
		"throttled-absurd": {5 * time.Minute, 5 * time.Minute}, "throttled-silent": {30 * time.Second, 30 * time.Second},
	}
	if wait, ok := waits[outcome]; ok && (out.Fault.RetryAfter < wait[0] || out.Fault.RetryAfter > wait[1]) {
		t.Errorf("callers wait for %v, want %v", out.Fault.RetryAfter, wait)
	}
}

// TestFault09_LookUpsOfAFailingSandbox walks the same outcomes for a status, once each: the second try works, if there is one,
// and nothing is ever read that is not there.
func TestFault09_LookUpsOfAFailingSandbox(t *testing.T) {
	t.Parallel()
	for _, outcome := range sandbox.Outcomes() {
		if strings.HasPrefix(outcome.Name, "timeout") {
			continue // ten seconds each; TestALookUpEndsWithTheCallersContext has them
		}
		t.Run(outcome.Name, func(t *testing.T) {
			t.Parallel()
			played, c := stage(t, sandbox.Unknowns{})
			settles(t, c.Submit(t.Context(), sandboxOrder), carrier.Accepted)
			if played.FailLookups(sandbox.StatusLookups, 1, outcome.Name) != nil {
				return // the outcome is about orders alone
			}
			status, err := c.StatusByNumber(t.Context(), sandboxNumber)
			if err == nil {
				if status.Word != "PENDING" || status.Ticket == "" {
					t.Errorf("status %+v", status)
				}
				return
			}
			var f *fault.Error
			if !errors.As(err, &f) || f.Reason == fault.ReasonInternal {
				t.Errorf("error %v", err)
			}
			if none := fault.Is(err, fault.ReasonPortInNotFound); none != (outcome.Name == "exception-404") {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestStatusesUnderEverySwitch holds that no position of what is unknown makes the client read something that is not
// there, nor call something none that might be there.
func TestStatusesUnderEverySwitch(t *testing.T) {
	t.Parallel()
	for _, position := range sandbox.AllUnknowns() {
		t.Run(position.Name, func(t *testing.T) {
			t.Parallel()
			played, c := stage(t, position.Unknowns)
			out := settles(t, c.Submit(t.Context(), sandboxOrder), carrier.Accepted)
			played.Advance(time.Hour)
			status, err := c.StatusByNumber(t.Context(), sandboxNumber)
			if err != nil || status.Word != "SUBMITTED" || status.Ticket == "" {
				t.Fatalf("status %+v, error %v", status, err)
			}
			if listed := position.Unknowns.Numbers == sandbox.NumbersListed || position.Unknowns.Numbers == ""; listed != cmp.Equal(status.Numbers, []int64{sandboxNumber}) {
				t.Errorf("numbers %v", status.Numbers)
			}
			if byTicket, err := c.StatusByTicket(t.Context(), status.Ticket); err != nil || byTicket.Ticket != status.Ticket {
				t.Errorf("by the ticket of the status: %+v, %v", byTicket, err)
			}
			_, err = c.StatusByTicket(t.Context(), out.Ticket)
			if same := position.Unknowns.TicketID != sandbox.TicketIDOther; same != (err == nil) {
				t.Errorf("by the ticket of the reply: %v", err)
			}
			_, err = c.StatusByNumber(t.Context(), 4165550199)
			want := fault.ReasonCarrierUnreadable
			if none := position.Unknowns.None; none == sandbox.NoneNotFound || none == "" {
				want = fault.ReasonPortInNotFound
			}
			if !fault.Is(err, want) {
				t.Errorf("a number that nobody ports: %v, want %s", err, want)
			}
		})
	}
}

func TestEveryWayOfSayingNoneOfTheSandbox(t *testing.T) {
	t.Parallel()
	for way, unknown := range map[carrier.NoPortIn]sandbox.NoneAnswer{
		carrier.NoPortInException: sandbox.NoneNotFound,
		carrier.NoPortInAny404:    sandbox.NoneHTML,
		carrier.NoPortInEmpty:     sandbox.NoneEmpty,
		carrier.NoPortInNull:      sandbox.NoneNull,
		carrier.NoPortInBlank:     sandbox.NoneBlank,
	} {
		played, err := sandbox.New(sandbox.Config{Unknowns: sandbox.Unknowns{None: unknown}})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(played)
		config := settings(server.URL + sandbox.BasePath)
		config.Username, config.Password, config.NoPortIn = "sandbox", "sandbox", way
		if _, err := client(t, config).StatusByNumber(t.Context(), sandboxNumber); !fault.Is(err, fault.ReasonPortInNotFound) {
			t.Errorf("%s: %v", way, err)
		}
		_ = played.Close()
		server.Close()
	}
}

func TestTheListsOfTheSandbox(t *testing.T) {
	t.Parallel()
	_, c := stage(t, sandbox.Unknowns{})
	for name, l := range listings() {
		got, err := l.ask(t.Context(), c)
		if err != nil || cmp.Equal(got, l.want) {
			t.Errorf("%s: %v, error %v", name, got, err)
		}
	}
	account, err := c.Account(t.Context())
	if err != nil || account == 0 {
		t.Errorf("account %d, error %v", account, err)
	}
	yes, err := c.CheckPortability(t.Context(), "416555")
	if err != nil || yes.Reply != carrier.ReplyAccepted {
		t.Errorf("416555: %+v, %v", yes, err)
	}
	no, err := c.CheckPortability(t.Context(), "8675550123")
	if err != nil || no.Reply != carrier.ReplyRejected {
		t.Errorf("8675550123: %+v, %v", no, err)
	}
}
