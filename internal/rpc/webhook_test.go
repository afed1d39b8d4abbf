package rpc

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/webhook"
)

var _ Webhooks = (*webhook.Webhooks)(nil)

func (f *fake) CreateEndpoint(
	_ context.Context, tenant string, req *portinv1.CreateWebhookEndpointRequest,
) (*portinv1.CreateWebhookEndpointResponse, error) {
	f.note("CreateEndpoint " + tenant)
	return &portinv1.CreateWebhookEndpointResponse{Endpoint: req.GetEndpoint(), Secret: "whsec_AAAA"}, f.err
}

func (f *fake) Endpoint(_ context.Context, tenant, endpointID string) (*portinv1.WebhookEndpoint, error) {
	f.note("Endpoint " + tenant + " " + endpointID)
	return &portinv1.WebhookEndpoint{EndpointId: endpointID}, f.err
}

func (f *fake) Endpoints(
	_ context.Context, tenant string, req *portinv1.ListWebhookEndpointsRequest,
) (*portinv1.ListWebhookEndpointsResponse, error) {
	f.note("Endpoints " + tenant)
	return &portinv1.ListWebhookEndpointsResponse{NextPageToken: req.GetPageToken()}, f.err
}

func (f *fake) UpdateEndpoint(
	_ context.Context, tenant string, req *portinv1.UpdateWebhookEndpointRequest,
) (*portinv1.WebhookEndpoint, error) {
	f.note("UpdateEndpoint " + tenant + " " + req.GetEndpointId())
	return req.GetEndpoint(), f.err
}

func (f *fake) DeleteEndpoint(_ context.Context, tenant, endpointID string) error {
	f.note("DeleteEndpoint " + tenant + " " + endpointID)
	return f.err
}

func (f *fake) RotateSecret(
	_ context.Context, tenant string, req *portinv1.RotateWebhookSecretRequest,
) (*portinv1.RotateWebhookSecretResponse, error) {
	f.note("RotateSecret " + tenant + " " + req.GetEndpointId())
	return &portinv1.RotateWebhookSecretResponse{Secret: "whsec_AAAA"}, f.err
}

func (f *fake) Deliveries(
	_ context.Context, tenant string, req *portinv1.ListWebhookDeliveriesRequest,
) (*portinv1.ListWebhookDeliveriesResponse, error) {
	f.note("Deliveries " + tenant + " " + req.GetEndpointId())
	return &portinv1.ListWebhookDeliveriesResponse{NextPageToken: req.GetPageToken()}, f.err
}

func (f *fake) Replay(
	_ context.Context, tenant string, req *portinv1.ReplayWebhookDeliveriesRequest,
) (*portinv1.ReplayWebhookDeliveriesResponse, error) {
	f.note("Replay " + tenant + " " + req.GetEndpointId())
	return &portinv1.ReplayWebhookDeliveriesResponse{ReplayedCount: 3}, f.err
}

func TestWebhookMethods(t *testing.T) {
	t.Parallel()
	endpoint := &portinv1.WebhookEndpoint{Url: new("https://example.com/hooks")}
	cases := map[protoreflect.Name]struct {
		request, answer proto.Message
		call            string
	}{
		"CreateWebhookEndpoint": {
			&portinv1.CreateWebhookEndpointRequest{Endpoint: endpoint},
			&portinv1.CreateWebhookEndpointResponse{Endpoint: endpoint, Secret: "whsec_AAAA"}, "CreateEndpoint default",
		},
		"GetWebhookEndpoint": {
			&portinv1.GetWebhookEndpointRequest{EndpointId: aUUID},
			&portinv1.GetWebhookEndpointResponse{Endpoint: &portinv1.WebhookEndpoint{EndpointId: aUUID}}, "Endpoint default " + aUUID,
		},
		"ListWebhookEndpoints": {
			&portinv1.ListWebhookEndpointsRequest{PageToken: "x"},
			&portinv1.ListWebhookEndpointsResponse{NextPageToken: "x"}, "Endpoints default",
		},
		"UpdateWebhookEndpoint": {
			&portinv1.UpdateWebhookEndpointRequest{EndpointId: aUUID, Endpoint: &portinv1.WebhookEndpoint{Description: new("no URL")}},
			&portinv1.UpdateWebhookEndpointResponse{Endpoint: &portinv1.WebhookEndpoint{Description: new("no URL")}}, "UpdateEndpoint default " + aUUID,
		},
		"DeleteWebhookEndpoint": {
			&portinv1.DeleteWebhookEndpointRequest{EndpointId: aUUID},
			&portinv1.DeleteWebhookEndpointResponse{}, "DeleteEndpoint default " + aUUID,
		},
		"RotateWebhookSecret": {
			&portinv1.RotateWebhookSecretRequest{EndpointId: aUUID, OverlapHours: new(int32(0))},
			&portinv1.RotateWebhookSecretResponse{Secret: "whsec_AAAA"}, "RotateSecret default " + aUUID,
		},
		"ListWebhookDeliveries": {
			&portinv1.ListWebhookDeliveriesRequest{EndpointId: aUUID, PageToken: "x"},
			&portinv1.ListWebhookDeliveriesResponse{NextPageToken: "x"}, "Deliveries default " + aUUID,
		},
		"ReplayWebhookDeliveries": {
			&portinv1.ReplayWebhookDeliveriesRequest{EndpointId: aUUID, FromSequence: new(int64(0))},
			&portinv1.ReplayWebhookDeliveriesResponse{ReplayedCount: 3}, "Replay default " + aUUID,
		},
	}
	methods := portinv1.File_portin_v1_webhook_service_proto.Services().ByName("WebhookService").Methods()
	if methods.Len() != len(cases) {
		t.Errorf("%d methods are tested, the contract has %d", len(cases), methods.Len())
	}
	for name, c := range cases {
		t.Run(string(name), func(t *testing.T) {
			t.Parallel()
			f := &fake{}
			conn := serve(t, f)
			method := methods.ByName(name)
			full := "/" + string(method.Parent().FullName()) + "/" + string(name)
			kind, err := protoregistry.GlobalTypes.FindMessageByName(method.Output().FullName())
			if err != nil {
				t.Fatal(err)
			}
			got := kind.New().Interface()
			if err := conn.Invoke(t.Context(), full, c.request, got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.answer, got, protocmp.Transform()); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{c.call}, f.called()); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			f.err = fault.New(fault.ReasonWebhookEndpointChanged, "x")
			wantError(t, conn.Invoke(t.Context(), full, c.request, kind.New().Interface()), codes.Aborted, "WEBHOOK_ENDPOINT_CHANGED")
		})
	}
}

func TestWebhookRequestsThatBreakTheContract(t *testing.T) {
	t.Parallel()
	f := &fake{}
	client := portinv1.NewWebhookServiceClient(serve(t, f))
	for _, c := range []struct {
		call func(context.Context) error
		want []string
	}{
		{func(ctx context.Context) error {
			_, err := client.CreateWebhookEndpoint(ctx, &portinv1.CreateWebhookEndpointRequest{})
			return err
		}, []string{"endpoint"}},
		{func(ctx context.Context) error {
			_, err := client.CreateWebhookEndpoint(ctx, &portinv1.CreateWebhookEndpointRequest{
				EndpointId: "x", Endpoint: &portinv1.WebhookEndpoint{Categories: []portinv1.Category{0}},
			})
			return err
		}, []string{"endpoint.url", "endpoint.categories[0]", "endpoint_id"}},
		{func(ctx context.Context) error {
			_, err := client.RotateWebhookSecret(ctx, &portinv1.RotateWebhookSecretRequest{EndpointId: "x", OverlapHours: new(int32(169))})
			return err
		}, []string{"endpoint_id", "overlap_hours"}},
		{func(ctx context.Context) error {
			_, err := client.ListWebhookDeliveries(ctx, &portinv1.ListWebhookDeliveriesRequest{EndpointId: aUUID, PageSize: 1001})
			return err
		}, []string{"page_size"}},
	} {
		var fields []string
		for _, v := range violationsOf(wantError(t, c.call(t.Context()), codes.InvalidArgument, "INVALID_FIELDS")) {
			fields = append(fields, v[0])
		}
		if diff := cmp.Diff(c.want, fields); diff != "" {
			t.Errorf("violations (-want +got):\n%s", diff)
		}
	}
	if calls := slices.Clone(f.called()); len(calls) != 0 {
		t.Errorf("calls %q", calls)
	}
}
