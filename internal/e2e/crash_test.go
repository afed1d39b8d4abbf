package e2e_test

import (
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/app"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/sandbox"
)

// crash is where a process is killed, and what has become of the order once the next one has looked after it.
type crash struct {
	point   intake.Point
	outcome string
	// state is UNSPECIFIED when there is no order, so that the same request makes one.
	state portinv1.OrderState
	posts int
	// found tells that the order is found at the carrier afterwards.
	found bool
}

// crashes has every point.
var crashes = []crash{
	{intake.PointKeyRead, "", 0, 0, false},
	{intake.PointLooked, "", 0, 0, false},
	{intake.PointClaimed, "", inDoubt, 0, false},
	{intake.PointPosted, "", inDoubt, 1, true},
	{intake.PointPosted, "rejected", inDoubt, 1, false},
	{intake.PointSettled, "", accepted, 1, false},
	{intake.PointSettled, "rejected", refused, 1, false},
	{intake.PointTaken, "cut-after-ticket", inDoubt, 1, false},
	{intake.PointAsked, "cut-after-ticket", inDoubt, 1, false},
}

// A process is killed at each point of an order's way. The next one posts nothing by itself.
func TestFault11_KilledAtEachPoint(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, e engine) {
		for _, c := range crashes {
			name := string(c.point)
			if c.outcome != "" {
				name += " of an order that meets " + c.outcome
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				c.test(t, e)
			})
		}
	})
}

func (c crash) test(t *testing.T, e engine) {
	t.Helper()
	carrier := newStandin(t, sandbox.Config{})
	l := e.ledger(t)
	how := apart(carrier, l)
	how.LeaseMargin, how.Point, how.Signal = 5*time.Second, c.point, syscall.SIGKILL
	p := how.start(t)
	o, key := carrier.order(t, c.outcome), newKey()
	answered := p.portIn(t.Context(), overGRPC, o, key)
	if early := c.point != intake.PointTaken && c.point != intake.PointAsked; early != (answered.lost != nil) && answered.code == codes.OK {
		t.Errorf("the caller is answered %+v", answered)
	}
	p.gone(t)
	if p.code != -1 {
		t.Fatalf("the process ended with %d:\n%s", p.code, p.log)
	}

	s := serve(t, carrier, l, curious, func(p *app.Params) { p.LeaseMargin = 5 * time.Second })
	if e == postgres {
		until(t, "the lease ends", func() bool { return len(s.list(t, sending)) == 0 })
	}
	orders := s.list(t)
	switch {
	case c.state == 0:
		if len(orders) != 0 {
			t.Errorf("there are the orders %v", orders)
		}
	case len(orders) != 1:
		t.Fatalf("there are %d orders", len(orders))
	case orders[0].GetState() == accepted && c.found: // so soon
	case orders[0].GetState() != c.state:
		t.Errorf("after the start the order is %v, want %v", orders[0].GetState(), c.state)
	}
	if n := carrier.Counts().Orders; n != c.posts {
		t.Errorf("the carrier got %d POSTs, want %d", n, c.posts)
	}
	if c.found {
		until(t, "the order is found", func() bool { return s.get(t, orders[0].GetOrderId()).GetState() == accepted })
	}

	// The same request again sends only what was never claimed.
	again, posts := s.portIn(t.Context(), overJSON, o, key), c.posts
	switch c.state { //nolint:exhaustive // no order rests in the others here
	case 0:
		posts = 1
		if again.order.GetState() != accepted || again.replayed {
			t.Errorf("the same request is answered %+v", again)
		}
	case refused:
		if again.reason != "CARRIER_REFUSED" {
			t.Errorf("the same request is answered %+v", again)
		}
	default:
		if !again.replayed || again.orderID != orders[0].GetOrderId() {
			t.Errorf("the same request is answered %+v", again)
		}
	}
	if again.order.GetState() == accepted && again.order.GetTicketId() != carrier.Tickets()[0].ID {
		t.Errorf("the order has ticket %s, the carrier %v", again.order.GetTicketId(), carrier.Tickets())
	}
	if n := carrier.Counts().Orders; n != posts {
		t.Errorf("after the same request the carrier has %d POSTs, want %d", n, posts)
	}
}
