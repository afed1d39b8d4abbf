package e2e_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/app"
	"github.com/portin/portin/internal/config"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/sandbox"
)

// frail is a service in a process of its own whose ledger can be made to fail.
type frail struct {
	*process

	t    *testing.T
	how  alone
	wire *wire // nil on SQLite, where the disk is made full
}

func newFrail(t *testing.T, e engine, carrier *standin) *frail {
	t.Helper()
	f := &frail{t: t}
	l := e.ledger(t)
	if e == postgres {
		f.wire, l = newWire(t, l)
	}
	f.how = apart(carrier, l)
	f.how.LeaseMargin = 6 * time.Second // of which half is for the way from the claim to the POST, on a machine that is busy
	f.process = f.how.start(t)
	return f
}

// fail makes every write of the ledger fail.
func (f *frail) fail() {
	if f.wire != nil {
		f.wire.shutDown()
		return
	}
	f.limit(1)
}

// mend makes the ledger work again.
func (f *frail) mend() {
	if f.wire != nil {
		f.wire.open()
		return
	}
	f.limit(math.MaxUint64)
}

// restart runs the service again, on a ledger that works.
func (f *frail) restart() {
	if f.wire != nil {
		f.wire.open()
	}
	f.process = f.how.start(f.t)
}

// limit bounds every file of the process.
func (f *frail) limit(bytes uint64) {
	f.t.Helper()
	if _, err := fmt.Fprintln(f.words, bytes); err != nil {
		f.t.Fatal(err)
	}
	if said := f.said(f.t); said != "limited" {
		f.t.Fatalf("the process says %q", said)
	}
}

// A ledger that fails before the claim: nothing is sent, the caller is told so, the service is not ready, and it recovers
// by itself.
func TestFault16_TheLedgerFailsBeforeTheClaim(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, e engine) {
		carrier := newStandin(t, sandbox.Config{})
		s := newFrail(t, e, carrier)
		until(t, "the service is ready", func() bool { return s.ready(t) == 200 })
		kept := s.sent(t, carrier.order(t, ""), newKey())

		s.fail()
		o, key := carrier.order(t, ""), newKey()
		for _, f := range faces() {
			r := s.portIn(t.Context(), f, o, key)
			if r.code != codes.Unavailable || r.reason != "LEDGER_UNAVAILABLE" || r.wait == 0 {
				t.Errorf("over %s the answer is %+v", f, r)
			}
		}
		until(t, "the service is not ready", func() bool { return s.ready(t) == 503 })
		if n := s.metric(t, "portin_ready"); n != 0 {
			t.Errorf("portin_ready is %v", n)
		}
		if h := s.health(t); h != healthpb.HealthCheckResponse_NOT_SERVING {
			t.Errorf("the health service says %v", h)
		}
		if n := carrier.Counts().Orders; n != 1 {
			t.Errorf("the carrier got %d POSTs, want 1", n)
		}

		s.mend()
		until(t, "the service is ready again", func() bool { return s.ready(t) == 200 })
		until(t, "the health service says so", func() bool { return s.health(t) == healthpb.HealthCheckResponse_SERVING })
		// The claim may be taken back only now.
		until(t, "the same request places the order", func() bool {
			return s.portIn(t.Context(), overGRPC, o, key).order.GetState() == accepted
		})
		if got := s.get(t, kept.orderID).GetState(); got != accepted {
			t.Errorf("the order of before is %v", got)
		}
		if n := carrier.OrdersFor(digits(t, o)); n != 1 {
			t.Errorf("the carrier got %d POSTs of the order, want 1", n)
		}
	})
}

// sent is the answer to an order that the carrier got. A service that is held up between the claim and the POST sends nothing, and
// the caller sends it again.
func (f *frail) sent(t *testing.T, o *portinv1.PortInOrder, key string) reply {
	t.Helper()
	for {
		r := f.portIn(t.Context(), overJSON, o, key)
		if r.code == codes.OK || t.Context().Err() != nil {
			return r
		}
		t.Logf("the order is answered %+v, and sent again", r)
	}
}

// A ledger that fails after the carrier accepted: the caller gets IN_DOUBT, no new orders are taken meanwhile, and the
// result is written when that works again, or found out after a restart.
func TestFault17_TheLedgerFailsAfterTheCarrierAccepted(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, e engine) {
		for _, end := range []string{"recovers", "is killed"} {
			t.Run(end, func(t *testing.T) {
				t.Parallel()
				carrier := newStandin(t, sandbox.Config{Delay: 1500 * time.Millisecond})
				s := newFrail(t, e, carrier)
				until(t, "the service is ready", func() bool { return s.ready(t) == 200 })
				o, key := carrier.order(t, "slow"), newKey()
				answered := make(chan reply)
				go func() { answered <- s.sent(t, o, key) }()
				carrier.awaitOrders(t, 1)
				s.fail()
				r := <-answered
				if r.http != 202 || r.order.GetState() != inDoubt {
					t.Fatalf("the caller is answered %+v", r)
				}
				other := carrier.order(t, "")
				otherKey := newKey()
				if r := s.portIn(t.Context(), overGRPC, other, otherKey); r.reason != "LEDGER_UNAVAILABLE" {
					t.Errorf("another order is answered %+v", r)
				}
				until(t, "the service is not ready", func() bool { return s.ready(t) == 503 })
				if n := s.metric(t, "portin_ledger_results_owed"); n != 1 {
					t.Errorf("the ledger is owed %v results", n)
				}

				switch end {
				case "recovers":
					s.mend()
				case "is killed":
					s.kill()
					s.restart()
				}
				until(t, "the order is accepted", func() bool {
					got := s.portIn(t.Context(), overGRPC, o, key)
					return got.order.GetState() == accepted && got.order.GetTicketId() == carrier.Tickets()[0].ID && got.orderID == r.orderID
				})
				until(t, "the service is ready again", func() bool { return s.ready(t) == 200 })
				if n := carrier.Counts().Orders; n != 1 {
					t.Errorf("the carrier got %d POSTs, want 1", n)
				}
				until(t, "another order is accepted", func() bool {
					return s.portIn(t.Context(), overGRPC, other, otherKey).order.GetState() == accepted
				})
			})
		}
	})
}

// Every exchange with PostgreSQL on the way of an order breaks once: before the server got it, and after it has done it,
// which leaves a commit unknown.
func TestFault18_EveryExchangeWithTheLedgerBreaks(t *testing.T) {
	t.Parallel()
	for _, how := range []breakage{unheard, unanswered} {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			carrier := newStandin(t, sandbox.Config{})
			w, l := newWire(t, postgres.ledger(t))
			s := serve(t, carrier, l, curious)
			s.must(t, overGRPC, carrier.order(t, ""), newKey(), accepted) // which makes connections and reads the lists
			broken, answers := 0, map[string]int{}
			// Work in the background has exchanges too, so that an order can get away: some of them do before it is enough.
			for n, spared := 0, 0; spared < 3 && n < 100; n++ {
				f := faces()[n%2]
				o, key := carrier.order(t, ""), newKey()
				w.breakAt(n, how)
				first := s.portIn(t.Context(), f, o, key)
				if first.lost != nil {
					t.Errorf("exchange %d: the caller got no answer: %v", n, first.lost)
				}
				if w.broken() == broken {
					spared++
				}
				broken = w.broken()
				answers[fmt.Sprint(first.order.GetState(), first.reason)]++
				var last reply
				until(t, "the same request answers a settled order", func() bool {
					last = s.portIn(t.Context(), f, o, key)
					return last.order.GetState() == accepted
				})
				tickets := carrier.taken(t, o.GetForm().GetCustomerReference())
				if len(tickets) != 1 || tickets[0] != last.order.GetTicketId() {
					t.Errorf("exchange %d: the carrier took the order as %v, the order has %s", n, tickets, last.order.GetTicketId())
				}
				if posts := carrier.OrdersFor(digits(t, o)); posts != 1 {
					t.Errorf("exchange %d: the carrier got %d POSTs, want 1", n, posts)
				}
				if first.orderID != "" && first.orderID != last.orderID {
					t.Errorf("exchange %d: the caller was told of order %s, and then of %s", n, first.orderID, last.orderID)
				}
			}
			if broken < 5 {
				t.Errorf("only %d exchanges broke: this test shows nothing", broken)
			}
			t.Logf("%d exchanges broke (%s); the first answers were %v", broken, how, answers)
		})
	}
}

func TestLedgerOfAnotherCarrierIsRefused(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, e engine) {
		s := start(t, e)
		s.must(t, overGRPC, s.carrier.order(t, ""), newKey(), accepted)
		s.quit(t)
		elsewhere := newStandin(t, sandbox.Config{})
		stranger := settings(elsewhere, s.ledger)
		trying := stranger
		trying.Sandbox, trying.Carrier.URL, trying.Standin.Address = true, "", "127.0.0.1:0"
		for name, c := range map[string]config.Config{"another carrier": stranger, "the sandbox": trying} {
			log := newJournal(t, "the log")
			if _, err := app.New(t.Context(), app.Params{Config: c, Log: log.logger()}); !errors.Is(err, ledger.ErrOtherCarrier) {
				t.Errorf("with %s the service starts: %v", name, err)
			}
		}
		if n := len(elsewhere.Received()); n != 0 {
			t.Errorf("the other carrier was asked %d times", n)
		}
		s = serve(t, s.carrier, s.ledger)
		if all := s.list(t, accepted); len(all) != 1 {
			t.Errorf("its own carrier's orders are %v", all)
		}
	})
}
