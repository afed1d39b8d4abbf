package rpc

import (
	"errors"
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
)

// methodsOf are all methods of the contract.
func methodsOf(t *testing.T) []protoreflect.MethodDescriptor {
	t.Helper()
	var all []protoreflect.MethodDescriptor
	protoregistry.GlobalFiles.RangeFilesByPackage(contractPackage, func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			list := file.Services().Get(i).Methods()
			for j := range list.Len() {
				all = append(all, list.Get(j))
			}
		}
		return true
	})
	if len(all) < 15 {
		t.Fatalf("only %d methods were found", len(all))
	}
	return all
}

// expectation is what a good request of a method meets: the call that the handler makes, or none when the method comes
// with a later version.
type expectation struct {
	request proto.Message
	call    []string
}

// expected has every method of the contract.
var expected = map[protoreflect.Name]expectation{
	"PortIn":                {&portinv1.PortInRequest{}, []string{"CheckSize", "PortIn"}},
	"GetPortInOrder":        {&portinv1.GetPortInOrderRequest{OrderId: aUUID}, []string{"Get " + aUUID}},
	"ListPortInOrders":      {&portinv1.ListPortInOrdersRequest{}, []string{"List"}},
	"ListPortInOrderEvents": {&portinv1.ListPortInOrderEventsRequest{OrderId: aUUID}, []string{"Events " + aUUID}},
	"WatchPortInOrders":     {&portinv1.WatchPortInOrdersRequest{}, []string{"Watch"}},
	"FollowPortIn": {&portinv1.FollowPortInRequest{PortIn: &portinv1.FollowedPortIn{
		Key: &portinv1.FollowedPortIn_TicketId{TicketId: "T-1"},
	}}, []string{"Follow T-1"}},
	"ResubmitPortIn":          {&portinv1.ResubmitPortInRequest{OrderId: aUUID, RequestId: aUUID}, []string{"Resubmit " + aUUID}},
	"GetPortInStatus":         {&portinv1.GetPortInStatusRequest{Key: &portinv1.GetPortInStatusRequest_TicketId{TicketId: "T-1"}}, []string{"StatusOfTicket T-1"}},
	"ListSipTrunks":           {&portinv1.ListSipTrunksRequest{}, []string{"SipTrunks"}},
	"ListTelephoneOfferings":  {&portinv1.ListTelephoneOfferingsRequest{}, []string{"TelephoneOfferings"}},
	"ListProviders":           {&portinv1.ListProvidersRequest{}, []string{"Providers"}},
	"ListBusinessGroups":      {&portinv1.ListBusinessGroupsRequest{}, []string{"BusinessGroups"}},
	"ListLinePlans":           {&portinv1.ListLinePlansRequest{}, []string{"LinePlans"}},
	"ListHolidays":            {&portinv1.ListHolidaysRequest{}, []string{"Holidays"}},
	"ListPortableRateCenters": {&portinv1.ListPortableRateCentersRequest{}, []string{"RateCenters"}},
	"CheckPortability":        {&portinv1.CheckPortabilityRequest{Numbers: []string{"416555"}}, []string{"CheckPortability"}},
	"ResolveInDoubt": {&portinv1.ResolveInDoubtRequest{OrderId: aUUID, Resolution: &portinv1.InDoubtResolution{
		Outcome: &portinv1.InDoubtResolution_NotPlaced_{NotPlaced: &portinv1.InDoubtResolution_NotPlaced{}}, Reason: "x", Attempt: new(int32(1)),
	}}, []string{"Resolve " + aUUID}},
	"ErasePortInOrder": {&portinv1.ErasePortInOrderRequest{OrderId: aUUID, Reason: "x"}, []string{"Erase " + aUUID}},
	"ClosePortInOrder": {&portinv1.ClosePortInOrderRequest{OrderId: aUUID, Reason: "x"}, []string{"Close " + aUUID}},
	"AcknowledgeAttention": {&portinv1.AcknowledgeAttentionRequest{
		OrderId: aUUID, Code: new(portinv1.AttentionCode_ATTENTION_CODE_LATE_ANSWER), Reason: "x",
	}, []string{"Acknowledge " + aUUID}},
	"CreateWebhookEndpoint": {&portinv1.CreateWebhookEndpointRequest{Endpoint: &portinv1.WebhookEndpoint{
		Url: new("https://example.com/hooks"),
	}}, []string{"CreateEndpoint default"}},
	"GetWebhookEndpoint":      {&portinv1.GetWebhookEndpointRequest{EndpointId: aUUID}, []string{"Endpoint default " + aUUID}},
	"ListWebhookEndpoints":    {&portinv1.ListWebhookEndpointsRequest{}, []string{"Endpoints default"}},
	"UpdateWebhookEndpoint":   {&portinv1.UpdateWebhookEndpointRequest{EndpointId: aUUID}, []string{"UpdateEndpoint default " + aUUID}},
	"DeleteWebhookEndpoint":   {&portinv1.DeleteWebhookEndpointRequest{EndpointId: aUUID}, []string{"DeleteEndpoint default " + aUUID}},
	"RotateWebhookSecret":     {&portinv1.RotateWebhookSecretRequest{EndpointId: aUUID}, []string{"RotateSecret default " + aUUID}},
	"ListWebhookDeliveries":   {&portinv1.ListWebhookDeliveriesRequest{EndpointId: aUUID}, []string{"Deliveries default " + aUUID}},
	"ReplayWebhookDeliveries": {&portinv1.ReplayWebhookDeliveriesRequest{EndpointId: aUUID}, []string{"Replay default " + aUUID}},
}

// Every method either calls what it is for, with its error translated, or says that it is not offered; all errors of all
// methods have one ErrorInfo.
func TestEveryMethod(t *testing.T) {
	t.Parallel()
	for _, m := range methodsOf(t) {
		want, known := expected[m.Name()]
		if !known {
			t.Errorf("%s is not in this test: say in expected what it calls", m.FullName())
			continue
		}
		name := "/" + string(m.Parent().FullName()) + "/" + string(m.Name())
		t.Run(string(m.Name()), func(t *testing.T) {
			t.Parallel()
			services := &fake{}
			f := serve(t, services)
			answer, err := protoregistry.GlobalTypes.FindMessageByName(m.Output().FullName())
			if err != nil {
				t.Fatal(err)
			}
			call := func(request any) error {
				if m.IsStreamingServer() {
					return stream(t.Context(), f, name, request, sendRaw())
				}
				return f.Invoke(t.Context(), name, request, answer.New().Interface(), sendRaw())
			}
			once := func(keys map[string]any) {
				t.Helper()
				keys["method"] = name
				f.log.want(t, keys)
				f.log.none(t)
			}

			err = call(want.request)
			if diff := cmp.Diff(want.call, services.called()); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			if want.call == nil {
				wantError(t, err, codes.Unimplemented, "NOT_OFFERED")
				once(map[string]any{"level": "INFO", "reason": "NOT_OFFERED"})
			} else {
				if err != nil {
					t.Errorf("%v", err)
				}
				once(map[string]any{"code": "OK"})
				services.err = fault.New(fault.ReasonCarrierBusy, "wait")
				wantError(t, call(want.request), codes.ResourceExhausted, "CARRIER_BUSY")
				once(map[string]any{"level": "INFO", "reason": "CARRIER_BUSY"})
				services.err = errors.New(secret)
				wantError(t, call(want.request), codes.Internal, "INTERNAL")
				once(map[string]any{"level": "ERROR", "reason": "INTERNAL"})
			}

			before := len(services.called())
			wantError(t, call([]byte{0xff}), codes.InvalidArgument, "MALFORMED_REQUEST")
			once(map[string]any{"level": "INFO", "reason": "MALFORMED_REQUEST"})
			newer := proto.Clone(want.request)
			newer.ProtoReflect().SetUnknown(unknownField)
			wantError(t, call(newer), codes.InvalidArgument, "MALFORMED_REQUEST")
			once(map[string]any{"level": "INFO", "reason": "MALFORMED_REQUEST"})
			if after := slices.DeleteFunc(services.called()[before:], func(c string) bool { return c == "CheckSize" }); len(after) != 0 {
				t.Errorf("calls after requests that were refused: %q", after)
			}
		})
	}
	if len(expected) != len(methodsOf(t)) {
		t.Errorf("%d methods are expected, the contract has %d", len(expected), len(methodsOf(t)))
	}
}

func TestAMethodThatIsNone(t *testing.T) {
	t.Parallel()
	f := serve(t, &fake{})
	for _, method := range []string{"/portin.v1.PortInService/PortOut", "/portin.v2.PortInService/PortIn", "/x/y"} {
		err := f.Invoke(t.Context(), method, &portinv1.PortInRequest{}, &portinv1.PortInResponse{})
		st := wantError(t, err, codes.Unimplemented, "NOT_OFFERED")
		if want := "this method is not offered by this version of the service"; st.Message() != want {
			t.Errorf("%s: message %q, want %q", method, st.Message(), want)
		}
		f.log.want(t, map[string]any{"level": "INFO", "method": method, "reason": "NOT_OFFERED"})
		f.log.none(t)
	}
}

func TestAnswersAreWrapped(t *testing.T) {
	t.Parallel()
	services := &fake{}
	f := serve(t, services)
	client := portinv1.NewPortInServiceClient(f)
	order, err := client.GetPortInOrder(t.Context(), &portinv1.GetPortInOrderRequest{OrderId: aUUID})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&portinv1.GetPortInOrderResponse{Order: &portinv1.PortInOrder{OrderId: aUUID}}, order, protocmp.Transform()); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	number, err := client.GetPortInStatus(t.Context(), &portinv1.GetPortInStatusRequest{Key: &portinv1.GetPortInStatusRequest_Number{Number: "416-555-0123"}})
	if err != nil {
		t.Fatal(err)
	}
	want := &portinv1.GetPortInStatusResponse{Status: &portinv1.PortInStatus{Numbers: []string{"416-555-0123"}}}
	if diff := cmp.Diff(want, number, protocmp.Transform()); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Get " + aUUID, "StatusOfNumber 416-555-0123"}, services.called()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}
