package e2e_test

import (
	"net/http"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/sandbox"
)

// acknowledge says over a face that somebody has looked into why an order needs attention.
func (c *client) acknowledge(t *testing.T, over face, orderID string, code portinv1.AttentionCode) *portinv1.PortInOrder {
	t.Helper()
	req := &portinv1.AcknowledgeAttentionRequest{OrderId: orderID, Code: &code, Reason: "the porting team has it"}
	if over == overJSON { // where it is the answer itself
		return invoke[portinv1.PortInOrder](t, c, over, "", nil, http.MethodPost, "/v1/port-ins/"+orderID+":acknowledgeAttention",
			&portinv1.AcknowledgeAttentionRequest{Code: &code, Reason: "the porting team has it"})
	}
	return invoke[portinv1.AcknowledgeAttentionResponse](t, c, over, portinv1.OperatorService_AcknowledgeAttention_FullMethodName, req, "", "", nil).GetOrder()
}

// An order that nobody has to look at any more is no longer counted, nor listed, and stays so when the carrier is asked again; its
// events say who has looked and what was found.
func TestAttentionThatWasAcknowledgedIsOver(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		s := serve(t, newStandin(t, sandbox.Config{}), e.ledger(t), curious, eager)
		o := s.must(t, f, s.carrier.order(t, "deferred"), newKey(), accepted).order
		deferred := portinv1.AttentionCode_ATTENTION_CODE_REPLY_DEFERRED
		if all := s.needing(t, f, deferred); len(all) != 1 || s.metric(t, "portin_orders_need_attention") != 1 {
			t.Fatalf("those that need attention are %v", all)
		}
		for range 2 { // once more is the same
			if is := s.acknowledge(t, f, o.GetOrderId(), deferred); is.GetNeedsAttention() || is.GetTicketId() != o.GetTicketId() || is.GetState() != accepted {
				t.Errorf("acknowledged, the order is %v", is)
			}
		}
		until(t, "the carrier was asked", func() bool { return s.get(t, o.GetOrderId()).GetCarrierStatusWord() != "" })
		if all := s.needing(t, f, deferred); len(all) != 0 || s.metric(t, "portin_orders_need_attention") != 0 {
			t.Errorf("those that need attention are %v", all)
		}
		told := 0
		for _, event := range s.events(t, o.GetOrderId()) {
			if event.GetType() == portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_ATTENTION_CHANGED && event.GetActorKind() == portinv1.ActorKind_ACTOR_KIND_OPERATOR {
				told++
				if event.GetNote() != "the porting team has it" || len(event.GetAttentionCodes()) != 0 {
					t.Errorf("the event is %v", event)
				}
			}
		}
		if told != 1 {
			t.Errorf("%d events tell of it", told)
		}

		// What the carrier says is told anew once it says something new.
		held := portinv1.AttentionCode_ATTENTION_CODE_CARRIER_STATUS
		for _, word := range []string{"HOLD", "REJECTED"} {
			s.fares(t, o.GetTicketId(), word)
			until(t, word+" needs a person", func() bool { return len(s.needing(t, f, held)) == 1 })
			s.acknowledge(t, f, o.GetOrderId(), held)
			asked := s.carrier.asked(o.GetTicketId())
			until(t, "the carrier was asked again", func() bool { return s.carrier.asked(o.GetTicketId()) > asked+1 })
			if is := s.get(t, o.GetOrderId()); is.GetNeedsAttention() || is.GetCarrierStatusWord() != word || is.GetCategory() != portinv1.Category_CATEGORY_ATTENTION {
				t.Errorf("acknowledged, the order is %v", is)
			}
		}
		code := portinv1.AttentionCode_ATTENTION_CODE_IN_DOUBT_UNRESOLVED
		_, err := s.operators.AcknowledgeAttention(t.Context(), &portinv1.AcknowledgeAttentionRequest{OrderId: o.GetOrderId(), Code: &code, Reason: "x"})
		if r := failed(status.Convert(err)); r.code != codes.InvalidArgument || r.reason != "INVALID_FIELDS" {
			t.Errorf("a reason that waits for a decision is answered %+v", r)
		}
	})
}
