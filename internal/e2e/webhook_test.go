package e2e_test

import (
	"net/http"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

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
			http.MethodPatch, "/v1/webhook-endpoints/"+h.endpointID+"?updateMask=disabled", &portinv1.WebhookEndpoint{})
		if enabled.GetDisabled() || enabled.GetDisabledReason() != "" {
			t.Errorf("the endpoint is enabled: %v", enabled)
		}
		h.wantAll(t, want)
	})
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
