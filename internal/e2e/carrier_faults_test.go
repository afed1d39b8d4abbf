package e2e_test

import (
	"fmt"
	"math"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/app"
	"github.com/portin/portin/internal/sandbox"
)

// The carrier takes an order and its answer is lost: the order is in doubt, one gauge says so, and it is found by its number.
func TestFault01_FoundThroughItsNumber(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		s := start(t, e, curious)
		u := sandbox.Unknowns{VisibleAfter: time.Hour} // not before the gauge was looked at
		if err := s.carrier.SetUnknowns(u); err != nil {
			t.Fatal(err)
		}
		o, key := s.carrier.order(t, "timeout-after-body"), newKey()
		r := s.must(t, f, o, key, inDoubt)
		if f == overJSON && r.http != 202 {
			t.Errorf("HTTP %d", r.http)
		}
		if r.order.GetNeedsAttention() {
			t.Errorf("it needs attention at once: %v", r.order.GetAttentions())
		}
		if n := s.metric(t, "portin_orders_in_doubt"); n != 1 {
			t.Errorf("the gauge is %v, want 1", n)
		}
		s.carrier.Advance(2 * time.Hour)
		until(t, "the gauge is 0 again", func() bool { return s.metric(t, "portin_orders_in_doubt") == 0 })
		ticket := s.carrier.Tickets()[0].ID
		for _, over := range faces() {
			r := s.must(t, over, o, key, accepted)
			if r.order.GetTicketId() != ticket || !r.replayed || r.order.GetNeedsAttention() || r.order.GetAttempt() != 1 {
				t.Errorf("over %s the order is %v, with ticket %s at the carrier", over, r, ticket)
			}
		}
		if n := len(s.carrier.posts()); n != 1 {
			t.Errorf("the carrier got %d POSTs, want 1", n)
		}
		var states []portinv1.OrderState
		for _, event := range s.events(t, r.orderID) {
			if event.GetType() != portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_EVIDENCE { // that it was not there yet
				states = append(states, event.GetState())
			}
		}
		// The last is what the carrier says of it, which its acceptance by evidence brings along.
		if diff := cmp.Diff([]portinv1.OrderState{sending, inDoubt, accepted, accepted}, states); diff != "" {
			t.Errorf("the order's way (-want +got):\n%s", diff)
		}
	})
}

// A connection that was used before breaks under an order. net/http would send some requests again by itself.
func TestFault02_AReusedConnectionBreaks(t *testing.T) {
	t.Parallel()
	for _, outcome := range append([]string{"cut-after-body", "cut-after-ticket", "reset-after-body", "reset-after-ticket", "cut-mid-answer"}, beforeTheBody...) {
		t.Run(outcome, func(t *testing.T) {
			t.Parallel()
			s := start(t, sqlite)
			s.must(t, overGRPC, s.carrier.order(t, ""), newKey(), accepted)
			before := s.carrier.connections.Load()
			s.carrier.next(t, outcome)
			o, key := s.carrier.order(t, ""), newKey()
			if outcome == "reset-mid-body" { // more than the buffers of a connection hold
				o.Form.LettersOfAuthorization[0].Content = append(o.GetForm().GetLettersOfAuthorization()[0].GetContent(), make([]byte, 6<<20)...)
			}
			s.must(t, overGRPC, o, key, inDoubt)
			if after := s.carrier.connections.Load(); after != before {
				t.Errorf("the order took %d new connections: this test shows nothing", after-before)
			}
			s.must(t, overJSON, o, key, inDoubt)
			if n := s.carrier.Counts().Orders; n != 2 {
				t.Errorf("the carrier got %d POSTs, want 2", n)
			}
		})
	}
}

// A carrier that cannot be reached gets nothing; when it can be, the same request places the order.
func TestFault03_ACarrierThatIsNotReachedGetsNothing(t *testing.T) {
	t.Parallel()
	plain, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0") // speaks no TLS
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(plain) }()
	t.Cleanup(func() { _ = server.Close() })
	for name, url := range map[string]string{
		"refused": "http://127.0.0.1:1/rest.svc",
		"DNS":     "https://" + strings.Repeat("x", 64) + ".invalid/rest.svc", // longer than a name's part can be
		"TLS":     "https://" + plain.Addr().String() + "/rest.svc",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, sqlite, func(p *app.Params) { p.Config.Carrier.URL, p.Config.Carrier.Password = url, "canary-password" })
			r := s.portIn(t.Context(), overJSON, s.carrier.order(t, ""), newKey())
			if r.code != codes.Unavailable || r.reason != "CARRIER_UNREACHABLE" || r.wait == 0 || r.http != 503 {
				t.Errorf("the answer is %+v", r)
			}
			if got := s.get(t, r.orderID).GetState(); got != notSent {
				t.Errorf("the order is %v", got)
			}
		})
	}
	t.Run("comes up", func(t *testing.T) {
		t.Parallel()
		s := start(t, sqlite)
		s.carrier.down()
		o, key := s.carrier.order(t, ""), newKey()
		if r := s.portIn(t.Context(), overGRPC, o, key); r.reason != "CARRIER_UNREACHABLE" || r.wait == 0 {
			t.Errorf("the answer is %+v", r)
		}
		s.carrier.up(t)
		r := s.must(t, overJSON, o, key, accepted)
		if n := len(s.carrier.posts()); n != 1 || r.order.GetAttempt() != 2 || r.replayed {
			t.Errorf("the carrier got %d POSTs, and the answer is %+v", n, r)
		}
	})
}

// Refused credentials pause submissions, raise an alarm and leave the service ready; after the pause orders go again.
func TestFault06_RefusedCredentialsPauseSubmissions(t *testing.T) {
	t.Parallel()
	s := start(t, sqlite)
	s.carrier.next(t, "exception-401", "html-403", "empty-401")
	for i := range 3 {
		if r := s.portIn(t.Context(), faces()[i%2], s.carrier.order(t, ""), newKey()); r.reason != "CARRIER_CREDENTIALS" {
			t.Errorf("the answer is %+v", r)
		}
	}
	asked := len(s.carrier.Received())
	o, key := s.carrier.order(t, ""), newKey()
	var r reply
	for _, f := range faces() {
		r = s.portIn(t.Context(), f, o, key)
		if r.code != codes.FailedPrecondition || r.reason != "CARRIER_CREDENTIALS" || r.wait == 0 {
			t.Errorf("while submissions pause the answer over %s is %+v", f, r)
		}
	}
	if now := len(s.carrier.Received()); now != asked {
		t.Errorf("the carrier was asked %d times during the pause", now-asked)
	}
	if n := s.metric(t, `portin_carrier_credentials_refused{account="default"}`); n != 1 {
		t.Errorf("the alarm is %v", n)
	}
	if n := s.ready(t); n != 200 {
		t.Errorf("/readyz is %d", n)
	}
	pause := time.NewTimer(r.wait)
	defer pause.Stop()
	<-pause.C
	got := s.must(t, overJSON, o, key, accepted)
	if n := s.metric(t, `portin_carrier_credentials_refused{account="default"}`); n != 0 || got.order.GetAttempt() != 3 {
		t.Errorf("after the pause the alarm is %v and the order %v", n, got.order)
	}
	if n := len(s.carrier.posts()); n != 4 {
		t.Errorf("the carrier got %d POSTs, want 4", n)
	}
}

// A look-up that meets a carrier that fails is tried a few times, with pauses; an order never is.
func TestFault09_LookupsAreTriedAgain(t *testing.T) {
	t.Parallel()
	s := start(t, sqlite)
	o := s.must(t, overGRPC, s.carrier.order(t, ""), newKey(), accepted).order
	until(t, "it was followed once, and not again for long", func() bool { return s.get(t, o.GetOrderId()).GetCarrierStatusWord() != "" })
	ticket := s.carrier.Tickets()[0]
	url := fmt.Sprintf("http://%s/v1/numbers/%d/status", s.HTTPAddress, ticket.Numbers[0])
	for fails, status := range map[int]int{2: 200, 3: 503} {
		before := s.carrier.lookups(t)[ticket.Numbers[0]]
		if err := s.carrier.FailLookups(sandbox.StatusLookups, fails, "empty-503"); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if a := s.do(t, http.MethodGet, url, nil); a.status != status {
			t.Errorf("after %d failures: HTTP %d: %s", fails, a.status, a.body)
		}
		if took := time.Since(begun); took < 400*time.Millisecond/2 {
			t.Errorf("three tries took %v: there were no pauses", took)
		}
		if n := s.carrier.lookups(t)[ticket.Numbers[0]] - before; n != 3 {
			t.Errorf("the carrier was asked %d times, want 3", n)
		}
	}
}

// Answers that flood do not end in memory, and other calls do not notice. The program itself is measured, without the
// race detector.
func TestFault10_FloodsStayOutOfMemory(t *testing.T) {
	t.Parallel()
	carrier := newStandin(t, sandbox.Config{})
	p := startProgram(t, carrier, "--ledger-file="+sqlite.ledger(t).File, "--carrier-post-timeout=5s")
	memory := func() float64 { return p.metric(t, "process_resident_memory_bytes") }
	place := func(over face) time.Duration {
		begun := time.Now()
		p.must(t, over, carrier.order(t, ""), newKey(), accepted)
		return time.Since(begun)
	}
	// Orders until the ledger's caches and the heap are as large as orders alone make them.
	var alone time.Duration // the slowest call without a flood
	before := memory()
	for grows := true; grows; {
		was := before
		for range 100 {
			alone = max(alone, place(overJSON), place(overGRPC))
			before = math.Max(before, memory())
		}
		grows = before-was > 1e6
	}
	floods := []string{"huge-body", "gzip-bomb", "huge-header", "drip"}
	answered := make(chan reply)
	const times = 2
	for range times {
		for _, outcome := range floods {
			o := carrier.order(t, outcome)
			go func() { answered <- p.portIn(t.Context(), overGRPC, o, newKey()) }()
		}
	}
	most, slowest := before, time.Duration(0)
	others := time.NewTicker(100 * time.Millisecond)
	defer others.Stop()
	for open := times * len(floods); open > 0; {
		select {
		case r := <-answered:
			open--
			if r.order.GetState() != inDoubt {
				t.Errorf("a flood made %+v", r)
			}
		case <-others.C:
			slowest = max(slowest, place(overGRPC))
			most = math.Max(most, memory())
		}
	}
	t.Logf("resident memory: %.1f MB before, %.1f MB at most; the slowest other call took %v, and %v before", before/1e6, most/1e6, slowest, alone)
	if most-before > 16e6 {
		t.Errorf("resident memory grew from %.1f to %.1f MB", before/1e6, most/1e6)
	}
	if slowest > max(2*time.Second, 3*alone) { // a machine that is slow without floods is slow beside them
		t.Errorf("another call took %v, and %v before the floods", slowest, alone)
	}
}
