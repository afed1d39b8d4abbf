package e2e_test

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/app"
	"github.com/portin/portin/internal/sandbox"
)

// fares sets the status of an order's ticket by hand.
func (s *service) fares(t *testing.T, ticket, word string) {
	t.Helper()
	if err := s.carrier.SetStatus(ticket, sandbox.StatusChange{Status: word}); err != nil {
		t.Fatal(err)
	}
}

// orderOf is the order of a key, of which only an error was answered.
func (s *service) orderOf(t *testing.T, key string) *portinv1.PortInOrder {
	t.Helper()
	resp, err := s.grpc.ListPortInOrders(t.Context(), &portinv1.ListPortInOrdersRequest{RequestId: new(key)})
	if err != nil || len(resp.GetOrders()) != 1 {
		t.Fatalf("the orders of a key are %v, %v", resp.GetOrders(), err)
	}
	return resp.GetOrders()[0]
}

// TestARowOfCorrections has one correction refused, the next one not sent, and the first order revived in between.
func TestARowOfCorrections(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		s := start(t, e)
		placed := s.carrier.order(t, "stays-pending")
		first := s.must(t, f, placed, newKey(), accepted).order
		refuses := func(when string, r reply, reason string) {
			t.Helper()
			if r.reason != reason {
				t.Errorf("%s: %+v; want %s", when, r, reason)
			}
		}
		s.fares(t, first.GetTicketId(), "REJECTED")
		key := newKey()
		s.carrier.next(t, "rejected")
		refuses("the carrier refuses the first correction", s.resubmit(t, f, first.GetOrderId(), key), "CARRIER_REFUSED")
		second := s.orderOf(t, key).GetOrderId()

		s.fares(t, first.GetTicketId(), "CONFIRMED")
		refuses("revived: a correction of the correction", s.resubmit(t, f, second, newKey()), "NOT_CORRECTABLE")
		refuses("revived: a plain order", s.portIn(t.Context(), f, placed, newKey()), "NUMBER_IN_OPEN_ORDER")

		s.fares(t, first.GetTicketId(), "REJECTED")
		refuses("rejected: a plain order", s.portIn(t.Context(), f, placed, newKey()), "NUMBER_IN_OPEN_ORDER")
		key = newKey()
		s.carrier.next(t, "empty-403")
		refuses("the second correction is not sent", s.resubmit(t, f, second, key), "CARRIER_CREDENTIALS")

		s.fares(t, first.GetTicketId(), "CONFIRMED")
		refuses("revived: the second correction again", s.resubmit(t, f, second, key), "NOT_CORRECTABLE")
		if o := s.orderOf(t, key); o.GetAttempt() != 1 || o.GetState() != portinv1.OrderState_ORDER_STATE_NOT_SENT {
			t.Errorf("the second correction is %v", o)
		}
		if n := s.carrier.Counts().Orders; n != 3 {
			t.Errorf("the carrier got %d POSTs, want 3", n)
		}
		s.fares(t, first.GetTicketId(), "EXPIRED")
		until(t, "the second correction is sent", func() bool { return s.resubmit(t, f, second, key).order.GetState() == accepted })
		if n := s.carrier.Counts().Orders; n != 4 {
			t.Errorf("the carrier got %d POSTs, want 4", n)
		}
	})
}

// TestCallsWithOneKeyCorrectOnce has callers correct an order with one key at once: one POST, and the same order for all.
func TestCallsWithOneKeyCorrectOnce(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		s := start(t, e)
		first := s.must(t, f, s.carrier.order(t, "stays-pending"), newKey(), accepted).order
		s.fares(t, first.GetTicketId(), "REJECTED")
		key := newKey()
		replies := make([]reply, 6)
		var callers sync.WaitGroup
		for i := range replies {
			callers.Go(func() { replies[i] = s.resubmit(t, f, first.GetOrderId(), key) })
		}
		callers.Wait()
		for _, r := range replies {
			if r.order.GetState() != accepted || r.orderID != replies[0].orderID {
				t.Errorf("a caller is told %+v", r)
			}
		}
		if n := s.carrier.Counts().Orders; n != 2 {
			t.Errorf("the carrier got %d POSTs, want 2", n)
		}
	})
}

// TestARevivedOrderUnderEverySwitch has a correction refused and its order revived, under every setting of what is unknown of the
// carrier: nobody sends its numbers again.
func TestARevivedOrderUnderEverySwitch(t *testing.T) {
	t.Parallel()
	for _, unknown := range sandbox.AllUnknowns() {
		t.Run(unknown.Name, func(t *testing.T) {
			t.Parallel()
			carrier := newStandin(t, sandbox.Config{Unknowns: unknown.Unknowns, Seed: 1})
			s := serve(t, carrier, sqlite.ledger(t), eager, func(p *app.Params) {
				p.Config.Carrier.NoPortIn, p.Config.Orders.DoubtWindow = saysNone[unknown.Unknowns.None], time.Second
			})
			placed := carrier.order(t, "stays-pending")
			first := s.must(t, overGRPC, placed, newKey(), accepted).order
			ticket := carrier.Tickets()[0].ID
			carrier.Advance(time.Hour) // so that the ticket is visible under every switch
			s.fares(t, ticket, "REJECTED")
			key := newKey()
			carrier.next(t, "rejected")
			corrected := s.resubmit(t, overJSON, first.GetOrderId(), key)
			s.fares(t, ticket, "CONFIRMED")
			posts := carrier.Counts().Orders
			again := []reply{s.portIn(t.Context(), overGRPC, placed, newKey()), s.resubmit(t, overJSON, first.GetOrderId(), newKey())}
			if corrected.reason == "CARRIER_REFUSED" {
				again = append(again, s.resubmit(t, overGRPC, s.orderOf(t, key).GetOrderId(), newKey()))
			}
			for _, r := range again {
				if r.reason != "NUMBER_IN_OPEN_ORDER" && r.reason != "NOT_CORRECTABLE" {
					t.Errorf("somebody is told %+v", r)
				}
			}
			if n := carrier.Counts().Orders; n != posts {
				t.Errorf("the carrier got %d POSTs more", n-posts)
			}
		})
	}
}

// TestMasksAreBounded sends a mask that would take long to walk.
func TestMasksAreBounded(t *testing.T) {
	t.Parallel()
	s := start(t, sqlite)
	first := s.must(t, overGRPC, s.carrier.order(t, "stays-pending"), newKey(), accepted).order
	base := "http://" + s.HTTPAddress + "/v1/"
	many := "?updateMask=" + strings.Repeat("a,", 1000) + "a"
	for _, call := range [][2]string{
		{http.MethodPost, base + "port-ins/" + first.GetOrderId() + ":resubmit" + many},
		{http.MethodPatch, base + "webhook-endpoints/" + newKey() + many},
	} {
		a := s.do(t, call[0], call[1], []byte("{}"), "Idempotency-Key", newKey())
		if a.status != http.StatusBadRequest || strings.Count(string(a.body), strconv.Itoa(200)+" paths") != 1 {
			t.Errorf("%s: %d %s", call[0], a.status, a.body)
		}
	}
}
