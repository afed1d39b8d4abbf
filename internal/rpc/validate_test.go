package rpc

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
)

// unknownField is a field that no version of the contract has yet.
var unknownField = protowire.AppendVarint(protowire.AppendTag(nil, 9999, protowire.VarintType), 1)

// Row 36: what is not wholly understood is refused, wherever in the message it stands, and no order begins.
func TestFault36_UnknownFieldsOverGRPC(t *testing.T) {
	t.Parallel()
	const description = "holds a field that is not in this version of the contract; leave it out, or call a newer service"
	for name, c := range map[string]struct {
		plant func(*portinv1.PortInRequest) proto.Message
		field string
	}{
		"in the request": {func(r *portinv1.PortInRequest) proto.Message { return r }, ""},
		"nested":         {func(r *portinv1.PortInRequest) proto.Message { return r.GetOrder().GetForm().GetServiceAddress() }, "order.form.service_address"},
		"in a list":      {func(r *portinv1.PortInRequest) proto.Message { return r.GetOrder().GetTrunkDid().GetDids()[1] }, "order.trunk_did.dids[1]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			orders := &fake{}
			f := serve(t, orders)
			request := &portinv1.PortInRequest{RequestId: aUUID, Order: &portinv1.PortInOrder{
				Form:   &portinv1.PortForm{ServiceAddress: &portinv1.ServiceAddress{City: "Toronto"}},
				Target: &portinv1.PortInOrder_TrunkDid{TrunkDid: &portinv1.TrunkDid{Dids: []*portinv1.TrunkDid_Did{{Number: "1"}, {Number: "2"}}}},
			}}
			c.plant(request).ProtoReflect().SetUnknown(unknownField)
			_, err := portinv1.NewPortInServiceClient(f).PortIn(t.Context(), request)
			st := wantError(t, err, codes.InvalidArgument, "MALFORMED_REQUEST")
			if diff := cmp.Diff([][2]string{{c.field, description}}, violationsOf(st)); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"CheckSize"}, orders.called()); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}

// Row 25: what is too large is found before anything walks through it.
func TestFault25_SizeIsAskedFirst(t *testing.T) {
	t.Parallel()
	orders := &fake{size: func(*portinv1.PortInRequest) error {
		return fault.Fields([]fault.Violation{{Field: "order.trunk_did.dids", Description: "has too many entries"}})
	}}
	f := serve(t, orders)
	request := &portinv1.PortInRequest{}
	request.ProtoReflect().SetUnknown(unknownField)
	_, err := portinv1.NewPortInServiceClient(f).PortIn(t.Context(), request)
	wantError(t, err, codes.InvalidArgument, "INVALID_FIELDS")
	if diff := cmp.Diff([]string{"CheckSize"}, orders.called()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// Row 25: bytes that are no message take the way of every other error. grpc-go alone would answer INTERNAL, without a
// reason, and log nothing.
func TestFault25_BytesThatAreNoMessage(t *testing.T) {
	t.Parallel()
	badText := protowire.AppendString(protowire.AppendTag(nil, 2, protowire.BytesType), "a\xff")
	for name, body := range map[string][]byte{
		"no protobuf":     {0xff, 0xff, 0xff},
		"cut":             protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.BytesType), 1000),
		"invalid UTF-8":   badText,
		"invalid, nested": protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), []byte{0xff}),
		"our own mark":    unreadable,
	} {
		for _, method := range []string{portInMethod, portinv1.CatalogService_ListSipTrunks_FullMethodName} {
			t.Run(name+method, func(t *testing.T) {
				t.Parallel()
				orders := &fake{}
				f := serve(t, orders)
				ctx := metadata.AppendToOutgoingContext(t.Context(), requestIDKey, "the-call")
				var header, trailer metadata.MD
				err := f.Invoke(ctx, method, body, &portinv1.PortInResponse{}, sendRaw(), grpc.Header(&header), grpc.Trailer(&trailer))
				wantError(t, err, codes.InvalidArgument, "MALFORMED_REQUEST")
				want := [2][]string{nil, {"the-call"}}
				if diff := cmp.Diff(want, requestIDs(header, trailer)); diff != "" {
					t.Errorf("request id (-want +got):\n%s", diff)
				}
				f.log.want(t, map[string]any{"level": "INFO", "method": method, "reason": "MALFORMED_REQUEST", "request_id": "the-call"})
				f.log.none(t)
				if got := orders.called(); len(got) != 0 {
					t.Errorf("calls: %q", got)
				}
			})
		}
	}
}

// Row 25: a request over the limit has a reason, and one far over it is not even received.
func TestFault25_AMessageOverTheLimit(t *testing.T) {
	t.Parallel()
	content := func(n int) *portinv1.PortInRequest {
		return &portinv1.PortInRequest{Order: &portinv1.PortInOrder{Form: &portinv1.PortForm{
			LettersOfAuthorization: []*portinv1.Document{{Content: bytes.Repeat([]byte{'x'}, n)}},
		}}}
	}
	orders := &fake{}
	f := serve(t, orders)
	client := portinv1.NewPortInServiceClient(f)
	if _, err := client.PortIn(t.Context(), content(maxTestMessage-100)); err != nil {
		t.Errorf("just below: %v", err)
	}
	f.log.want(t, map[string]any{"code": "OK"})
	before := len(orders.called())

	_, err := client.PortIn(t.Context(), content(maxTestMessage))
	wantError(t, err, codes.ResourceExhausted, "REQUEST_TOO_LARGE")
	f.log.want(t, map[string]any{"level": "INFO", "reason": "REQUEST_TOO_LARGE"})

	watch := portinv1.PortInService_WatchPortInOrders_FullMethodName
	long := &portinv1.WatchPortInOrdersRequest{ResumeToken: strings.Repeat("x", maxTestMessage)}
	wantError(t, stream(t.Context(), f, watch, long), codes.ResourceExhausted, "REQUEST_TOO_LARGE")
	f.log.want(t, map[string]any{"level": "INFO", "reason": "REQUEST_TOO_LARGE"})

	if _, err := client.PortIn(t.Context(), content(2*maxTestMessage)); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("far over: %v", err)
	}
	f.log.want(t, map[string]any{"level": "INFO", "method": portInMethod, "reason": "REQUEST_TOO_LARGE"})
	long.ResumeToken = strings.Repeat("x", 2*maxTestMessage)
	if err := stream(t.Context(), f, watch, long); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("far over: %v", err)
	}
	f.log.want(t, map[string]any{"level": "INFO", "reason": "REQUEST_TOO_LARGE"})
	if got := orders.called()[before:]; len(got) != 0 {
		t.Errorf("calls: %q", got)
	}
}

// A server that is no network hands requests over itself, the JSON face's for one. What it cannot hand over is an error
// like any other.
func TestFault25_ARequestThatIsNotHandedOver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		missed error
		code   codes.Code
		reason string
	}{
		"no UTF-8":  {status.Error(codes.Internal, secret), codes.InvalidArgument, "MALFORMED_REQUEST"},
		"any error": {errors.New(secret), codes.InvalidArgument, "MALFORMED_REQUEST"},
		"no end":    {io.ErrUnexpectedEOF, codes.InvalidArgument, "MALFORMED_REQUEST"},
		"too large": {status.Error(codes.ResourceExhausted, secret), codes.ResourceExhausted, "REQUEST_TOO_LARGE"},
		"left":      {context.Canceled, codes.Canceled, "CANCELLED"},
		"ended":     {status.Error(codes.DeadlineExceeded, secret), codes.DeadlineExceeded, "DEADLINE_EXCEEDED"},
		"a fault":   {fault.New(fault.ReasonShuttingDown, "bye"), codes.Unavailable, "SHUTTING_DOWN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			services, log := &fake{}, newLogbook()
			s := Services{Orders: services, Access: Everybody("default"), Log: slog.New(slog.NewJSONHandler(log, nil)), LongestCall: time.Minute}
			r := registrar{}
			s.Register(r)
			method := r[portInMethod]
			missing := func(any) error { return c.missed }
			_, err := method.Handler(nil, t.Context(), missing, chained(s.Unary()))
			if st := wantError(t, err, c.code, c.reason); strings.Contains(st.String(), secret) {
				t.Errorf("the caller was told %q", st)
			}
			log.want(t, map[string]any{"level": "INFO", "method": portInMethod, "reason": c.reason})
			log.none(t)
			if _, err := method.Handler(nil, t.Context(), missing, nil); !errors.Is(err, c.missed) {
				t.Errorf("without interceptors: %v", err)
			}
			if got := services.called(); len(got) != 0 {
				t.Errorf("calls: %q", got)
			}
		})
	}
}

// registrar keeps the unary methods that are registered, by their full names.
type registrar map[string]grpc.MethodDesc

func (r registrar) RegisterService(desc *grpc.ServiceDesc, _ any) {
	for _, m := range desc.Methods {
		r["/"+desc.ServiceName+"/"+m.MethodName] = m
	}
}

// chained is one interceptor of several, outermost first.
func chained(all []grpc.UnaryServerInterceptor) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		for _, next := range slices.Backward(all) {
			inner := handler
			handler = func(ctx context.Context, req any) (any, error) { return next(ctx, req, info, inner) }
		}
		return handler(ctx, req)
	}
}

// An order that breaks rules reaches the intake: whether it is right is asked after its key was read.
func TestAnOrderIsNotHeldToTheContractHere(t *testing.T) {
	t.Parallel()
	request := &portinv1.PortInRequest{RequestId: "no UUID", Order: &portinv1.PortInOrder{
		Form:   &portinv1.PortForm{EmailAddress: "nobody"},
		Target: &portinv1.PortInOrder_VirtualFax{VirtualFax: &portinv1.VirtualFax{}},
	}}
	var got *portinv1.PortInRequest
	orders := &fake{portIn: func(_ context.Context, req *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
		got = req
		return &portinv1.PortInResponse{Replayed: true}, nil
	}}
	f := serve(t, orders)
	answer, err := portinv1.NewPortInServiceClient(f).PortIn(t.Context(), request)
	if err != nil || !answer.GetReplayed() {
		t.Fatalf("PortIn = %v, %v", answer, err)
	}
	if diff := cmp.Diff(request, got, protocmp.Transform()); diff != "" {
		t.Errorf("the request (-sent +received):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"CheckSize", "PortIn"}, orders.called()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestRequestsThatBreakTheContract(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		call func(context.Context, face) error
		want [][2]string
	}{
		"an order's identity that is no UUID": {
			func(ctx context.Context, f face) error {
				_, err := portinv1.NewPortInServiceClient(f).GetPortInOrder(ctx, &portinv1.GetPortInOrderRequest{OrderId: secret})
				return err
			},
			[][2]string{{"order_id", "is not a UUID; want 8-4-4-4-12 hexadecimal digits"}},
		},
		"a status without a key": {
			func(ctx context.Context, f face) error {
				_, err := portinv1.NewPortInServiceClient(f).GetPortInStatus(ctx, &portinv1.GetPortInStatusRequest{})
				return err
			},
			[][2]string{{"key", "is required; choose one"}},
		},
		"a status with an empty number": {
			func(ctx context.Context, f face) error {
				_, err := portinv1.NewPortInServiceClient(f).GetPortInStatus(ctx, &portinv1.GetPortInStatusRequest{Key: &portinv1.GetPortInStatusRequest_Number{}})
				return err
			},
			[][2]string{{"number", "must not be empty"}},
		},
		"a page that is too large": {
			func(ctx context.Context, f face) error {
				_, err := portinv1.NewCatalogServiceClient(f).ListSipTrunks(ctx, &portinv1.ListSipTrunksRequest{PageSize: 5000})
				return err
			},
			[][2]string{{"page_size", "is out of range; want 0 to 1000"}},
		},
		"several, in the order of the contract": {
			func(ctx context.Context, f face) error {
				_, err := portinv1.NewPortInServiceClient(f).ListPortInOrders(ctx, &portinv1.ListPortInOrdersRequest{
					PageToken: strings.Repeat("x", 2000), RequestId: new(secret), PageSize: -1,
					States:         []portinv1.OrderState{portinv1.OrderState_ORDER_STATE_SENDING, 0, 99},
					AttentionCodes: []portinv1.AttentionCode{portinv1.AttentionCode_ATTENTION_CODE_NO_PROGRESS, 0, 99},
				})
				return err
			},
			[][2]string{
				{"states[1]", "must be set; UNSPECIFIED is not a choice"},
				{"states[2]", "is not a value of this enum"},
				{"request_id", "is not a UUID; want 8-4-4-4-12 hexadecimal digits"},
				{"page_size", "is out of range; want 0 to 1000"},
				{"page_token", "is too long; want at most 1024 characters"},
				{"attention_codes[1]", "must be set; UNSPECIFIED is not a choice"},
				{"attention_codes[2]", "is not a value of this enum"},
			},
		},
		"a stream": {
			func(ctx context.Context, f face) error {
				return stream(ctx, f, portinv1.PortInService_WatchPortInOrders_FullMethodName, &portinv1.WatchPortInOrdersRequest{OrderId: new(secret)})
			},
			[][2]string{{"order_id", "is not a UUID; want 8-4-4-4-12 hexadecimal digits"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			services := &fake{}
			f := serve(t, services)
			st := wantError(t, c.call(t.Context(), f), codes.InvalidArgument, "INVALID_FIELDS")
			if diff := cmp.Diff(c.want, violationsOf(st)); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
			got := f.log.want(t, map[string]any{"level": "INFO", "reason": "INVALID_FIELDS"})
			if strings.Contains(got.raw+st.String(), secret) {
				t.Errorf("the value is quoted: %s, %s", got.raw, st)
			}
			if calls := services.called(); len(calls) != 0 {
				t.Errorf("calls: %q", calls)
			}
		})
	}
}

// Health and reflection stand on the same server: their requests have no rules of ours, and their codes are known to
// those who probe them.
func TestServicesThatAreNotOfTheContract(t *testing.T) {
	t.Parallel()
	f := serve(t, &fake{})
	probe := healthpb.NewHealthClient(f)
	answer, err := probe.Check(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil || answer.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("health: %v, %v", answer, err)
	}
	f.log.want(t, map[string]any{"level": "INFO", "method": "/grpc.health.v1.Health/Check", "code": "OK"})

	newer := &healthpb.HealthCheckRequest{Service: "nobody"}
	newer.ProtoReflect().SetUnknown(unknownField)
	if _, err := probe.Check(t.Context(), newer); status.Code(err) != codes.NotFound {
		t.Errorf("health of an unknown service: %v, want NOT_FOUND", err)
	}
	f.log.want(t, map[string]any{"level": "INFO", "code": "NotFound"})

	if err := f.Invoke(t.Context(), "/grpc.health.v1.Health/Check", []byte{0xff}, answer, sendRaw()); status.Code(err) != codes.Internal {
		t.Errorf("health of bytes that are no message: %v, want grpc-go's own answer", err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	mirror, err := grpc_reflection_v1.NewServerReflectionClient(f).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	list := &grpc_reflection_v1.ServerReflectionRequest{MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_ListServices{}}
	if err := mirror.Send(list); err != nil {
		t.Fatal(err)
	}
	mirrored, err := mirror.Recv()
	if err != nil || len(mirrored.GetListServicesResponse().GetService()) < 5 {
		t.Errorf("reflection: %v, %v", mirrored, err)
	}
	if err := mirror.CloseSend(); err != nil {
		t.Error(err)
	}
	if _, err := mirror.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("reflection ended with %v", err)
	}
	f.log.want(t, map[string]any{"level": "INFO", "code": "OK"})
	f.log.none(t)
}
