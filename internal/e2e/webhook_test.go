package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/app"
)

// A receiver that fails gets its events later, in their order, also from the next process; what was taken can be had again,
// under the same id. The log of deliveries tells all of it.
func TestFault31_AReceiverThatFailsGetsItsEventsLater(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		s := start(t, e)
		h := newReceiver(t)
		h.register(t, s.client, f)
		h.answer(http.StatusInternalServerError)
		s.must(t, f, s.carrier.order(t, ""), newKey(), accepted)
		until(t, "the first event was tried", func() bool { return len(h.messages()) > 0 })
		s = s.again(t)
		want := s.restful(t)
		h.wantAll(t, want)
		until(t, "all are settled", func() bool { return s.endpoint(t, f, h).GetPendingCount() == 0 })

		log := s.deliveries(t, f, h)
		slices.Reverse(log) // the newest event is the first
		if len(log) != len(want) {
			t.Fatalf("the log has %d deliveries of %d events", len(log), len(want))
		}
		for i, d := range log {
			tries := int32(1)
			if i == 0 {
				tries = 2
			}
			if d.GetSequence() != want[i].GetSequence() || d.GetState() != portinv1.WebhookDeliveryState_WEBHOOK_DELIVERY_STATE_DELIVERED ||
				d.GetHttpStatus() != http.StatusNoContent || d.GetAttempt() != tries {
				t.Errorf("the log has %v; want %d tries of event %d", d, tries, want[i].GetSequence())
			}
		}

		before := len(h.messages())
		replayed := invoke[portinv1.ReplayWebhookDeliveriesResponse](t, s.client, f, portinv1.WebhookService_ReplayWebhookDeliveries_FullMethodName,
			&portinv1.ReplayWebhookDeliveriesRequest{EndpointId: h.endpointID},
			http.MethodPost, "/v1/webhook-endpoints/"+h.endpointID+":replay", &portinv1.ReplayWebhookDeliveriesRequest{})
		if int(replayed.GetReplayedCount()) != len(want) {
			t.Errorf("%d deliveries are replayed, want %d", replayed.GetReplayedCount(), len(want))
		}
		until(t, "all came again", func() bool { return len(h.messages()) >= before+len(want) })
		h.wantAll(t, want)
	})
}

// A receiver that never answers, and one that sends its events on to an address inside, are told later, and nobody else waits for them;
// what is inside sees nothing.
func TestFault31_AReceiverThatHangsOrRedirectsInwardHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	var visits atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	t.Cleanup(inside.Close)
	s := start(t, sqlite)
	takes, hangs, redirects := newReceiver(t), newReceiver(t), newReceiver(t)
	redirects.elsewhere = inside.URL
	for _, h := range []*receiver{takes, hangs, redirects} {
		h.register(t, s.client, overGRPC)
	}
	hangs.answer(slices.Repeat([]int{silence}, 100)...)
	redirects.answer(slices.Repeat([]int{http.StatusTemporaryRedirect}, 100)...)
	s.must(t, overGRPC, s.carrier.order(t, ""), newKey(), accepted)
	want := s.restful(t)
	takes.wantAll(t, want)
	for _, c := range []struct {
		h       *receiver
		problem string
	}{
		{redirects, "it answered 307; redirects are not followed"},
		{hangs, "it did not answer within 15 seconds"},
	} {
		until(t, c.problem, func() bool {
			log := s.deliveries(t, overGRPC, c.h)
			return slices.ContainsFunc(log, func(d *portinv1.WebhookDelivery) bool { return d.GetProblem() == c.problem }) &&
				!slices.ContainsFunc(log, func(d *portinv1.WebhookDelivery) bool {
					return d.GetState() != portinv1.WebhookDeliveryState_WEBHOOK_DELIVERY_STATE_PENDING
				})
		})
		c.h.answer()
	}
	hangs.wantAll(t, want)
	redirects.wantAll(t, want)
	if n := visits.Load(); n != 0 {
		t.Errorf("what is inside was visited %d times", n)
	}
}

// A secret that is rotated signs beside the old one; an endpoint that is gone is disabled, which callers see, and goes on
// where it stopped when it is enabled.
func TestASecretRotatesAndADisabledEndpointGoesOn(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		s := start(t, e)
		h := newReceiver(t)
		h.register(t, s.client, f)
		old := h.secrets[0]
		rotated := invoke[portinv1.RotateWebhookSecretResponse](t, s.client, f, portinv1.WebhookService_RotateWebhookSecret_FullMethodName,
			&portinv1.RotateWebhookSecretRequest{EndpointId: h.endpointID},
			http.MethodPost, "/v1/webhook-endpoints/"+h.endpointID+":rotateSecret", &portinv1.RotateWebhookSecretRequest{})
		h.knows(old, rotated.GetSecret())
		h.answer(http.StatusNoContent, http.StatusGone)
		s.must(t, f, s.carrier.order(t, ""), newKey(), accepted)
		until(t, "the endpoint is disabled", func() bool { return s.endpoint(t, f, h).GetDisabled() })
		if is := s.endpoint(t, f, h); is.GetDisabledReason() != "it answered 410 Gone" || is.GetPendingCount() == 0 || is.GetFailingSinceTime() == nil {
			t.Errorf("the endpoint is %v", is)
		}
		if first := h.messages()[0]; len(first.signed) != 2 {
			t.Errorf("a message during the change of secrets is signed with %d of 2", len(first.signed))
		}
		want := s.restful(t)
		enabled := invoke[portinv1.WebhookEndpoint](t, s.client, overJSON, "", nil,
			http.MethodPatch, "/v1/webhook-endpoints/"+h.endpointID, &portinv1.WebhookEndpoint{Disabled: new(false)})
		if enabled.GetDisabled() || enabled.GetDisabledReason() != "" {
			t.Errorf("the endpoint is enabled: %v", enabled)
		}
		h.wantAll(t, want)
	})
}

// Over JSON what a body names is changed, also to nothing, and what it does not name is not.
func TestAPatchOverJSONChangesWhatItNames(t *testing.T) {
	t.Parallel()
	s := start(t, sqlite)
	first := &portinv1.WebhookEndpoint{
		Url: new("http://127.0.0.1/hooks"), Description: new("ours"), Disabled: new(true),
		EventTypes: []portinv1.PortInOrderEventType{portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_STATUS_CHANGED},
		States:     []portinv1.OrderState{portinv1.OrderState_ORDER_STATE_ACCEPTED},
	}
	id := invoke[portinv1.CreateWebhookEndpointResponse](t, s.client, overJSON, "", nil, http.MethodPost, "/v1/webhook-endpoints", first).GetEndpoint().GetEndpointId()
	for _, c := range []struct {
		query, body string
		change      func(*portinv1.WebhookEndpoint)
	}{
		{"", `{"disabled":false}`, func(e *portinv1.WebhookEndpoint) { e.Disabled = new(false) }},
		{"", `{"description":"","pendingCount":3}`, func(e *portinv1.WebhookEndpoint) { e.Description = new("") }},
		{"", `{"eventTypes":[]}`, func(e *portinv1.WebhookEndpoint) { e.EventTypes = nil }},
		{"", `{"states":null,"description":"x"}`, func(e *portinv1.WebhookEndpoint) { e.Description = new("x") }},
		{"", `{}`, func(*portinv1.WebhookEndpoint) {}},
		{"?updateMask=disabled", `{}`, func(e *portinv1.WebhookEndpoint) { e.Disabled = new(false) }},
		{"?updateMask=description", `{"description":"","disabled":false}`, func(e *portinv1.WebhookEndpoint) { e.Description = new("") }},
		{"?updateMask=eventTypes,states", `{}`, func(e *portinv1.WebhookEndpoint) { e.EventTypes, e.States = nil, nil }},
		{"?update_mask=event_types", `{"eventTypes":[]}`, func(e *portinv1.WebhookEndpoint) { e.EventTypes = nil }},
	} {
		path := "/v1/webhook-endpoints/" + id
		invoke[portinv1.WebhookEndpoint](t, s.client, overJSON, "", nil, http.MethodPatch, path, first)
		a := s.do(t, http.MethodPatch, "http://"+s.HTTPAddress+path+c.query, []byte(c.body))
		if a.status != http.StatusOK {
			t.Fatalf("%s %s: HTTP %d: %s", c.query, c.body, a.status, a.body)
		}
		want := proto.CloneOf(first)
		c.change(want)
		got := message[portinv1.WebhookEndpoint](t, a)
		want.EndpointId, want.CreateTime, want.UpdateTime = id, got.GetCreateTime(), got.GetUpdateTime()
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", c.query, c.body, diff)
		}
	}
}

// As it is installed, the service talks neither to addresses inside a network nor without encryption.
func TestFault31_InwardAddressesAreRefused(t *testing.T) {
	t.Parallel()
	s := start(t, sqlite, func(p *app.Params) { p.Config.Webhooks.AllowHTTP, p.Config.Webhooks.AllowInward = false, false })
	client := portinv1.NewWebhookServiceClient(s.conn)
	for _, url := range []string{"http://example.com/", "https://127.0.0.1/", "https://[::1]/", "https://localhost/", "https://169.254.169.254/latest", "https://10.0.0.1/"} {
		_, err := client.CreateWebhookEndpoint(t.Context(), &portinv1.CreateWebhookEndpointRequest{Endpoint: &portinv1.WebhookEndpoint{Url: new(url)}})
		if r := failed(status.Convert(err)); r.code != codes.InvalidArgument || r.reason != "INVALID_FIELDS" {
			t.Errorf("%s is answered %+v", url, r)
		}
	}
}

// endpoint is a receiver's endpoint as it now is.
func (c *client) endpoint(t *testing.T, over face, h *receiver) *portinv1.WebhookEndpoint {
	t.Helper()
	if over == overJSON { // where it is the answer itself
		return invoke[portinv1.WebhookEndpoint](t, c, over, "", nil, http.MethodGet, "/v1/webhook-endpoints/"+h.endpointID, nil)
	}
	return invoke[portinv1.GetWebhookEndpointResponse](t, c, over, portinv1.WebhookService_GetWebhookEndpoint_FullMethodName,
		&portinv1.GetWebhookEndpointRequest{EndpointId: h.endpointID}, "", "", nil).GetEndpoint()
}

// deliveries are the log of a receiver's endpoint.
func (c *client) deliveries(t *testing.T, over face, h *receiver) []*portinv1.WebhookDelivery {
	t.Helper()
	return invoke[portinv1.ListWebhookDeliveriesResponse](t, c, over, portinv1.WebhookService_ListWebhookDeliveries_FullMethodName,
		&portinv1.ListWebhookDeliveriesRequest{EndpointId: h.endpointID},
		http.MethodGet, "/v1/webhook-endpoints/"+h.endpointID+"/deliveries", nil).GetDeliveries()
}
