package e2e_test

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/app"
	"github.com/portin/portin/internal/sandbox"
)

// A caller that leaves in mid-call loses nothing: the order goes on, and the same request answers it.
func TestFault20_ACallerLeaves(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		s := serve(t, newStandin(t, sandbox.Config{Delay: time.Second}), e.ledger(t))
		o, key := s.carrier.order(t, "slow"), newKey()
		ctx, leave := context.WithCancel(t.Context())
		answered := make(chan reply)
		go func() { answered <- s.portIn(ctx, f, o, key) }()
		s.carrier.awaitOrders(t, 1)
		leave()
		if r := <-answered; r.lost == nil && r.reason != "CANCELLED" {
			t.Errorf("the caller that left was answered %+v", r)
		}
		again := s.must(t, f, o, key, accepted)
		if !again.replayed || again.order.GetTicketId() != s.carrier.Tickets()[0].ID {
			t.Errorf("the same request answers %+v", again)
		}
		if n := len(s.carrier.posts()); n != 1 {
			t.Errorf("the carrier got %d POSTs, want 1", n)
		}
	})
}

// Half a second before its deadline a caller gets the order as it then is.
func TestFault20_ADeadlineThatComesNearAnswersSending(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		s := serve(t, newStandin(t, sandbox.Config{Delay: 5 * time.Second}), e.ledger(t), func(p *app.Params) { p.Config.Orders.LeastRemaining = time.Second })
		var o *portinv1.PortInOrder
		var key string
		var r reply
		until(t, "an answer comes half a second before the deadline", func() bool { // on a machine that is busy otherwise maybe not the first
			o, key = s.carrier.order(t, "slow"), newKey()
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
			defer cancel()
			r = s.portIn(ctx, f, o, key)
			return r.lost == nil && r.reason != "DEADLINE_TOO_SHORT"
		})
		if r.order.GetState() != sending || r.replayed || (f == overJSON && r.http != 202) {
			t.Fatalf("the answer is %+v", r)
		}
		again := s.must(t, f, o, key, accepted)
		if n := len(s.carrier.sent(t, o.GetForm().GetCustomerReference())); n != 1 || !again.replayed || again.orderID != r.orderID {
			t.Errorf("the carrier got %d POSTs, and the same request answers %+v", n, again)
		}
	})
}

// A deadline shorter than an order needs is refused before anything is written down: the key is as unused as before.
func TestFault21_ADeadlineThatIsTooShort(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		s := start(t, e)
		o, key := s.carrier.order(t, ""), newKey()
		ctx, cancel := context.WithTimeout(t.Context(), 4900*time.Millisecond)
		defer cancel()
		r := s.portIn(ctx, f, o, key)
		if r.code != codes.DeadlineExceeded || r.reason != "DEADLINE_TOO_SHORT" || r.orderID != "" {
			t.Errorf("the answer is %+v", r)
		}
		if n := s.carrier.Counts().Orders; n != 0 {
			t.Errorf("the carrier got %d POSTs", n)
		}
		if all := s.list(t); len(all) != 0 {
			t.Errorf("the ledger has %v", all)
		}
		s.must(t, f, s.carrier.order(t, ""), key, accepted) // another order under the same key
	})
}

// A deadline that ends while the ledger is asked is the caller's deadline, and no ledger that does not answer: that would be
// an alarm, and an invitation to try again.
func TestFault21_ADeadlineThatEndsInTheLedger(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, e engine) {
		s := start(t, e)
		o := s.carrier.order(t, "")
		for i := range 300 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*20*time.Microsecond)
			if r := s.portIn(ctx, overGRPC, o, newKey()); r.code != codes.DeadlineExceeded {
				t.Errorf("the answer is %+v", r)
			}
			_, _ = s.grpc.ListPortInOrders(ctx, &portinv1.ListPortInOrdersRequest{})
			cancel()
		}
		if s.log.has("LEDGER_UNAVAILABLE") {
			t.Error("the log has LEDGER_UNAVAILABLE")
		}
	})
}
