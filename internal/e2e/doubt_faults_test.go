package e2e_test

import (
	"bufio"
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/app"
	"github.com/portin/portin/internal/sandbox"
)

// slammer takes connections at an address, reads the first line of each and closes it: a carrier that is down.
type slammer struct {
	l            net.Listener
	asked, posts atomic.Int64
	done         chan struct{}
}

func newSlammer(t *testing.T, address string) *slammer {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := &slammer{l: l, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			line, _ := bufio.NewReader(c).ReadString('\n')
			s.asked.Add(1)
			if strings.HasPrefix(line, "POST") {
				s.posts.Add(1)
			}
			_ = c.Close()
		}
	}()
	t.Cleanup(s.stop)
	return s
}

func (s *slammer) stop() {
	_ = s.l.Close()
	<-s.done
}

// A service starts with many orders in doubt while the carrier is down: it asks seldom, and posts nothing.
func TestFault22_ManyInDoubtWhileTheCarrierIsDown(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, e engine) {
		s := start(t, e, quick)
		if err := s.carrier.SetUnknowns(sandbox.Unknowns{VisibleAfter: time.Hour}); err != nil {
			t.Fatal(err)
		}
		const many = 20
		orders := map[string]*portinv1.PortInOrder{}
		for range many {
			o, key := s.carrier.order(t, "cut-after-ticket"), newKey()
			s.must(t, overGRPC, o, key, inDoubt)
			orders[key] = o
		}
		s.quit(t)
		alter(t, e, s.ledger, "UPDATE orders SET due = 1 WHERE due <> 0") // all at once, and no need to wait
		s.carrier.down()
		down := newSlammer(t, s.carrier.address)

		s = serve(t, s.carrier, s.ledger, curious)
		if n := s.metric(t, "portin_orders_in_doubt"); n != many {
			t.Errorf("the gauge is %v, want %d", n, many)
		}
		until(t, "the carrier is asked", func() bool { return down.asked.Load() > 0 })
		const watched = 8 * time.Second
		within(t, watched, func() bool { return false })
		// Two orders a second at most, three tries each; and the service soon sees that it is of no use.
		if n := down.asked.Load(); n < 3 || n > 2*3*int64(watched/time.Second)/2 {
			t.Errorf("the carrier was asked %d times in %v", n, watched)
		}
		down.stop()
		if n := down.posts.Load(); n != 0 {
			t.Errorf("the carrier got %d POSTs", n)
		}

		s.carrier.up(t)
		s.carrier.Advance(2 * time.Hour)
		until(t, "every order is found", func() bool { return s.metric(t, "portin_orders_in_doubt") == 0 })
		for key, o := range orders {
			if r := s.must(t, overJSON, o, key, accepted); !r.replayed {
				t.Errorf("the same request answers %+v", r)
			}
		}
		if n := s.carrier.Counts(); n.Orders != many || n.Tickets != many {
			t.Errorf("the carrier got %d POSTs and made %d tickets, want %d", n.Orders, n.Tickets, many)
		}
	})
}

// The carrier does not know an order in doubt: after the window and three look-ups that agree, a person is called. Nothing
// but a person's word makes it an order that was not sent, which the caller then may send again.
func TestFault23_TheCarrierDoesNotKnowTheOrder(t *testing.T) {
	t.Parallel()
	const window = 6 * time.Second
	onBothEngines(t, func(t *testing.T, e engine) {
		s := start(t, e, curious, func(p *app.Params) { p.Config.Orders.DoubtWindow = window })
		o, key := s.carrier.order(t, "reset-after-body"), newKey()
		doubted := s.must(t, overGRPC, o, key, inDoubt)
		until(t, "it needs attention", func() bool { return s.get(t, doubted.orderID).GetNeedsAttention() })
		got := s.get(t, doubted.orderID)
		if got.GetState() != inDoubt || got.GetAttentions()[0].GetCode() != portinv1.AttentionCode_ATTENTION_CODE_IN_DOUBT_UNRESOLVED {
			t.Errorf("the order is %v", got)
		}
		var since, called time.Time
		evidence := map[string]int{}
		for _, event := range s.events(t, doubted.orderID) {
			switch event.GetType() { //nolint:exhaustive // the others have no part in it
			case portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_STATE_CHANGED:
				since = event.GetEventTime().AsTime()
			case portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_ATTENTION_CHANGED:
				called = event.GetEventTime().AsTime()
			case portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_EVIDENCE:
				evidence[event.GetNote()]++
			}
		}
		if called.Sub(since) < window || len(evidence) != 1 || evidence["the carrier knows no port-in of the order's numbers"] != 3 {
			t.Errorf("a person was called after %v, with the evidence %v", called.Sub(since), evidence)
		}
		if n := s.metric(t, "portin_orders_need_attention"); n != 1 {
			t.Errorf("the gauge of attention is %v", n)
		}
		s.must(t, overJSON, o, key, inDoubt)
		if n := s.carrier.OrdersFor(digits(t, o)); n != 1 {
			t.Errorf("the carrier got %d POSTs, want 1", n)
		}

		// An operator errs: there is no such ticket, and that of another order has other numbers.
		other := s.must(t, overGRPC, s.carrier.order(t, ""), newKey(), accepted)
		for _, c := range []struct {
			ticket     string
			unverified bool
			reason     string
		}{
			{"SANDBOX-NO-SUCH", false, "TICKET_UNVERIFIED"},
			{other.order.GetTicketId(), false, "TICKET_MISMATCH"},
			{other.order.GetTicketId(), true, "TICKET_MISMATCH"},
		} {
			_, err := s.resolve(t.Context(), got, c.ticket, c.unverified)
			if r := failed(status.Convert(err)); r.reason != c.reason || r.code != codes.FailedPrecondition {
				t.Errorf("placed as %s is answered %+v, want %s", c.ticket, r, c.reason)
			}
		}
		for range 2 { // the same decision again is no other one
			if resolved, err := s.resolve(t.Context(), got, "", false); err != nil || resolved.GetState() != notSent || resolved.GetNeedsAttention() {
				t.Fatalf("not placed makes the order %v, %v", resolved, err)
			}
		}
		s.carrier.next(t, "accepted")
		last := s.must(t, overJSON, o, key, accepted)
		if last.order.GetAttempt() != 2 || last.orderID != doubted.orderID || last.replayed {
			t.Errorf("sent again it is %+v", last)
		}
		if n := s.carrier.OrdersFor(digits(t, o)); n != 2 {
			t.Errorf("the carrier got %d POSTs, want 2", n)
		}
	})
}
