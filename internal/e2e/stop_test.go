package e2e_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/portin/portin/internal/sandbox"
)

// A stop with less time than the carrier takes answers who waits and names the order; the next start finds out about it.
func TestFault24_AStopAnswersWhoWaitsAndNamesTheOrder(t *testing.T) {
	t.Parallel()
	onBothEngines(t, func(t *testing.T, e engine) {
		carrier := newStandin(t, sandbox.Config{})
		o, key := carrier.order(t, "timeout-after-body"), newKey()
		how := apart(carrier, e.ledger(t))
		how.PostTimeout, how.LeaseMargin, how.ShutdownTimeout = 4*time.Second, 2*time.Second, time.Second
		p := how.start(t)
		answered := make(chan reply)
		go func() { answered <- p.portIn(t.Context(), overJSON, o, key) }()
		carrier.awaitOrders(t, 1)
		p.signal(t, syscall.SIGTERM)
		if r := <-answered; r.http != 202 || r.order.GetState() != sending {
			t.Errorf("who waits is answered %+v", r)
		}
		p.gone(t)
		if p.code != 1 || !p.log.has("1 orders are still being sent") {
			t.Errorf("the service ended with %d; its log:\n%s", p.code, p.log)
		}
		if !p.log.has("an order is still being sent") || !p.log.has("order_id=") {
			t.Errorf("the log does not name the order:\n%s", p.log)
		}

		p = how.start(t)
		until(t, "the order is found", func() bool {
			got := p.portIn(t.Context(), overGRPC, o, key)
			return got.order.GetState() == accepted && got.order.GetTicketId() == carrier.Tickets()[0].ID
		})
		if n := len(carrier.posts()); n != 1 {
			t.Errorf("the carrier got %d POSTs", n)
		}
	})
}

// A stop with enough time lets orders in flight settle and their callers know.
func TestFault24_AStopLetsOrdersInFlightSettle(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		carrier := newStandin(t, sandbox.Config{Delay: time.Second})
		how := apart(carrier, e.ledger(t))
		how.PostTimeout = 10 * time.Second
		p := how.start(t)
		const crowd = 5
		answered := make(chan reply)
		for range crowd {
			o := carrier.order(t, "slow")
			go func() { answered <- p.portIn(t.Context(), f, o, newKey()) }()
		}
		carrier.awaitOrders(t, crowd)
		p.signal(t, syscall.SIGTERM)
		for range crowd {
			if r := <-answered; r.order.GetState() != accepted {
				t.Errorf("a caller was answered %+v", r)
			}
		}
		p.gone(t)
		if p.code != 0 {
			t.Errorf("the service ended with %d; its log:\n%s", p.code, p.log)
		}
	})
}
