package e2e_test

import (
	"net/http"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/sandbox"
)

// close says over a face that the port-in of an order is over, whatever the carrier says.
func (c *client) close(t *testing.T, over face, orderID string) *portinv1.PortInOrder {
	t.Helper()
	req := &portinv1.ClosePortInOrderRequest{OrderId: orderID, Reason: "withdrawn", Unverified: true}
	if over == overJSON { // where it is the answer itself
		return invoke[portinv1.PortInOrder](t, c, over, "", nil, http.MethodPost, "/v1/port-ins/"+orderID+":close",
			&portinv1.ClosePortInOrderRequest{Reason: "withdrawn", Unverified: true})
	}
	return invoke[portinv1.ClosePortInOrderResponse](t, c, over, portinv1.OperatorService_ClosePortInOrder_FullMethodName, req, "", "", nil).GetOrder()
}

// An order that the carrier keeps on hold for ever is closed by an operator: its numbers are another's then, and what becomes of it at the
// carrier is no longer heard of.
func TestAnOrderIsClosedByAnOperator(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		s := serve(t, newStandin(t, sandbox.Config{}), e.ledger(t), curious)
		asked := s.carrier.order(t, "")
		o := s.must(t, f, asked, newKey(), accepted).order
		s.fares(t, o.GetTicketId(), "HOLD")
		until(t, "it is on hold", func() bool { return s.get(t, o.GetOrderId()).GetNeedsAttention() })

		_, err := s.operators.ClosePortInOrder(t.Context(), &portinv1.ClosePortInOrderRequest{OrderId: o.GetOrderId(), Reason: "withdrawn"})
		if r := failed(status.Convert(err)); r.code != codes.FailedPrecondition || r.reason != "CLOSING_UNVERIFIED" || r.orderID != o.GetOrderId() {
			t.Errorf("while the carrier has it, it is answered %+v", r)
		}
		if r := s.portIn(t.Context(), f, asked, newKey()); r.reason != "NUMBER_IN_OPEN_ORDER" {
			t.Errorf("another order for its numbers is answered %+v", r)
		}
		for range 2 { // once more is the same
			is := s.close(t, f, o.GetOrderId())
			if is.GetCategory() != portinv1.Category_CATEGORY_CLOSED || is.GetCloseTime() == nil || is.GetNeedsAttention() || is.GetCarrierStatusWord() != "HOLD" {
				t.Errorf("closed, the order is %v", is)
			}
		}
		if n := s.metric(t, "portin_orders_need_attention"); n != 0 {
			t.Errorf("%v orders need attention", n)
		}
		s.fares(t, o.GetTicketId(), "CONFIRMED")
		next := s.must(t, f, asked, newKey(), accepted).order
		if next.GetTicketId() == o.GetTicketId() || len(s.carrier.posts()) != 2 {
			t.Errorf("the next order is %v, after %d POSTs", next, len(s.carrier.posts()))
		}
		s.fares(t, next.GetTicketId(), "COMPLETED")
		until(t, "the next one is completed", func() bool { return s.get(t, next.GetOrderId()).GetCategory() == portinv1.Category_CATEGORY_CLOSED })
		if is := s.get(t, o.GetOrderId()); is.GetCarrierStatusWord() != "HOLD" {
			t.Errorf("the one that was closed is followed: %v", is)
		}
		told := 0
		for _, event := range s.events(t, o.GetOrderId()) {
			if event.GetType() == portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_CLOSED {
				told++
				if event.GetActorKind() != portinv1.ActorKind_ACTOR_KIND_OPERATOR || event.GetNote() != "withdrawn" || !event.GetUnverified() {
					t.Errorf("the event is %v", event)
				}
			}
		}
		if told != 1 {
			t.Errorf("%d events tell of it", told)
		}
	})
}
