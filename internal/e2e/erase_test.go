package e2e_test

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/app"
	"github.com/portin/portin/internal/product"
)

// monthLater is a service whose wall clock shows a time when the keys of today's orders are no longer good.
func monthLater(p *app.Params) {
	p.Now = func() time.Time { return time.Now().AddDate(0, 0, 31) }
}

// erase removes the personal data of an order over a face.
func (c *client) erase(t *testing.T, over face, orderID string) *portinv1.PortInOrder {
	t.Helper()
	req := &portinv1.ErasePortInOrderRequest{OrderId: orderID, Reason: "a test"}
	if over == overJSON { // where it is the answer itself
		return invoke[portinv1.PortInOrder](t, c, over, "", nil, http.MethodPost, "/v1/port-ins/"+orderID+":erase",
			&portinv1.ErasePortInOrderRequest{Reason: "a test"})
	}
	return invoke[portinv1.ErasePortInOrderResponse](t, c, over, portinv1.OperatorService_ErasePortInOrder_FullMethodName, req, "", "", nil).GetOrder()
}

// quietReceiver is a receiver whose endpoint has nothing in it that a test looks for.
func quietReceiver(t *testing.T, at *client, f face) *receiver {
	t.Helper()
	h := newReceiver(t)
	made := invoke[portinv1.CreateWebhookEndpointResponse](t, at, f, portinv1.WebhookService_CreateWebhookEndpoint_FullMethodName,
		&portinv1.CreateWebhookEndpointRequest{Endpoint: &portinv1.WebhookEndpoint{Url: new(h.URL)}},
		http.MethodPost, "/v1/webhook-endpoints", &portinv1.WebhookEndpoint{Url: new(h.URL)})
	h.knows(made.GetSecret())
	h.endpointID = made.GetEndpoint().GetEndpointId()
	return h
}

// wholeLives are orders that are over and have been through much: one that was rejected, with its records, before it was
// completed, and one that the carrier refused. It returns them with what was asked for, by their keys.
func (s *service) wholeLives(t *testing.T, f face) (ids map[string]string, asked map[string]*portinv1.PortInOrder) {
	t.Helper()
	keys := []string{newKey(), newKey()}
	var whole *portinv1.PortInOrder
	for _, spec := range product.Specs() {
		if spec.Arm == "residential_line" {
			whole = golden(t, spec, "fullest")
		}
	}
	asked = map[string]*portinv1.PortInOrder{keys[0]: whole, keys[1]: s.carrier.order(t, "rejected")}
	o := s.must(t, f, whole, keys[0], accepted).order
	s.fares(t, o.GetTicketId(), "REJECTED")
	until(t, "it is rejected, with records", func() bool { return len(s.get(t, o.GetOrderId()).GetRejects()) > 0 })
	s.fares(t, o.GetTicketId(), "COMPLETED")
	until(t, "it is completed", func() bool {
		return s.get(t, o.GetOrderId()).GetCategory() == portinv1.Category_CATEGORY_CLOSED
	})
	if r := s.portIn(t.Context(), f, asked[keys[1]], keys[1]); r.reason != "CARRIER_REFUSED" {
		t.Fatalf("the order that is refused: %+v", r)
	}
	return map[string]string{keys[0]: o.GetOrderId(), keys[1]: s.orderOf(t, keys[1]).GetOrderId()}, asked
}

// personal are bytes of a ledger that are somebody's business.
func personal(kept []byte) []string {
	var found []string
	for _, text := range []string{"canary", "rejected by the sandbox"} {
		if bytes.Contains(bytes.ToLower(kept), []byte(text)) {
			found = append(found, text)
		}
	}
	for _, number := range testNumbers.FindAll(kept, 3) {
		found = append(found, string(number))
	}
	return found
}

// Orders that are over are erased: not a byte of what is personal is left in the ledger, every read goes on answering, and their
// keys send nothing any more.
func TestWhatIsErasedIsGone(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		s := start(t, e, quick, eager)
		h := quietReceiver(t, s.client, f)
		ids, asked := s.wholeLives(t, f)
		for _, id := range ids {
			_, err := s.operators.ErasePortInOrder(t.Context(), &portinv1.ErasePortInOrderRequest{OrderId: id, Reason: "too soon"})
			if r := failed(status.Convert(err)); r.code != codes.FailedPrecondition || r.reason != "ORDER_NOT_ERASABLE" || r.orderID != id {
				t.Errorf("an order of today is erased: %+v", r)
			}
		}
		s = s.again(t, quick, eager, monthLater)
		if found := personal(atRest(t, e, s.ledger)); len(found) < 3 {
			t.Errorf("the ledger has only %q: this test shows nothing", found)
		}
		w := s.watcher(t, overGRPC)
		var told []*portinv1.PortInOrderEvent
		for key, id := range ids {
			told = append(told, s.checkErased(t, f, id, key, asked[key]))
		}
		if n := s.metric(t, "portin_orders_erased_total"); n != float64(len(ids)) {
			t.Errorf("%v orders are counted as erased", n)
		}
		until(t, "the watch and the receiver are told", func() bool { return len(w.eventsOf(told)) == len(told) && h.has(told) })
		posts := len(s.carrier.posts())
		if posts != len(ids) {
			t.Errorf("the carrier got %d orders, want %d", posts, len(ids))
		}
		replayed := invoke[portinv1.ReplayWebhookDeliveriesResponse](t, s.client, f, portinv1.WebhookService_ReplayWebhookDeliveries_FullMethodName,
			&portinv1.ReplayWebhookDeliveriesRequest{EndpointId: h.endpointID},
			http.MethodPost, "/v1/webhook-endpoints/"+h.endpointID+":replay", &portinv1.ReplayWebhookDeliveriesRequest{})
		if replayed.GetReplayedCount() == 0 {
			t.Error("no delivery is replayed")
		}
		until(t, "what is replayed is delivered", func() bool { return s.endpoint(t, f, h).GetPendingCount() == 0 })
		s.quit(t) // which folds the log into the file
		if found := personal(atRest(t, e, s.ledger)); len(found) > 0 {
			t.Errorf("the ledger still has %q", found)
		}
	})
}

// checkErased erases an order and looks at it in every way that there is. It returns the event that tells of it.
func (s *service) checkErased(t *testing.T, f face, id, key string, asked *portinv1.PortInOrder) *portinv1.PortInOrderEvent {
	t.Helper()
	was := s.get(t, id)
	is := s.erase(t, f, id)
	want := &portinv1.PortInOrder{
		OrderId: id, RequestId: key, State: was.GetState(), Attempt: 1, TicketId: was.GetTicketId(), CarrierReply: was.GetCarrierReply(),
		ErrorReason: was.GetErrorReason(), CarrierStatus: was.GetCarrierStatus(), CarrierStatusWord: was.GetCarrierStatusWord(),
		CarrierStatusValidated: was.GetCarrierStatusValidated(), PortDate: was.GetPortDate(), Category: was.GetCategory(), HistoryId: id,
		CheckTime: was.GetCheckTime(), CreateTime: was.GetCreateTime(), ClaimTime: was.GetClaimTime(), SettleTime: was.GetSettleTime(),
		UpdateTime: is.GetEraseTime(), EraseTime: is.GetEraseTime(),
	}
	same := func(what string, got *portinv1.PortInOrder) {
		t.Helper()
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	same("the order that is answered", is)
	same("the order", s.get(t, id))
	same("erased once more", s.erase(t, f, id))
	same("the order of the key", s.orderOf(t, key))
	for _, number := range was.GetNumbers() {
		resp, err := s.grpc.ListPortInOrders(t.Context(), &portinv1.ListPortInOrdersRequest{Number: new(number)})
		if err != nil || len(resp.GetOrders()) > 0 {
			t.Errorf("orders of its number: %v, %v", resp.GetOrders(), err)
		}
	}
	if r := s.portIn(t.Context(), f, asked, key); r.code != codes.AlreadyExists || r.reason != "REQUEST_ID_REUSED" || r.orderID != id {
		t.Errorf("its key is used again: %+v", r)
	}
	if r := s.resubmit(t, f, id, newKey()); r.code != codes.FailedPrecondition || r.reason != "NOT_CORRECTABLE" {
		t.Errorf("it is corrected: %+v", r)
	}
	events := s.events(t, id)
	for _, e := range events[:len(events)-1] {
		if e.GetNote() != "" {
			t.Errorf("an event of before says %q", e.GetNote())
		}
	}
	last := events[len(events)-1]
	if last.GetType() != portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_ERASED || last.GetNote() != "a test" ||
		last.GetActorKind() != portinv1.ActorKind_ACTOR_KIND_OPERATOR {
		t.Errorf("the last event is %v", last)
	}
	return last
}

// eventsOf are those of some events that a watch has told.
func (w *watcher) eventsOf(some []*portinv1.PortInOrderEvent) []*portinv1.PortInOrderEvent {
	w.mu.Lock()
	defer w.mu.Unlock()
	return among(w.events, some)
}

// has reports whether a receiver was told of all of some events.
func (r *receiver) has(some []*portinv1.PortInOrderEvent) bool {
	var got []*portinv1.PortInOrderEvent
	for _, m := range r.messages() {
		got = append(got, m.event)
	}
	return len(among(got, some)) >= len(some)
}

// among are those of all events that are some, as they are.
func among(all, some []*portinv1.PortInOrderEvent) (found []*portinv1.PortInOrderEvent) {
	for _, e := range all {
		for _, one := range some {
			if cmp.Equal(e, one, protocmp.Transform()) {
				found = append(found, e)
			}
		}
	}
	return found
}
