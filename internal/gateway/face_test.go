package gateway_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/gateway"
)

// key is an idempotency key for tests.
const key = "0b6cf0f1-9d55-4c8e-9f43-1f1b1c6c2f10"

// service is the service behind the face under test: it answers what the test says and keeps what it was asked.
type service struct {
	portinv1.UnimplementedPortInServiceServer
	portinv1.UnimplementedCatalogServiceServer
	portinv1.UnimplementedOperatorServiceServer
	portinv1.UnimplementedWebhookServiceServer

	// answer, when it is set, decides what any unary call answers.
	answer func(ctx context.Context, request proto.Message) (proto.Message, error)
	watch  func(*portinv1.WatchPortInOrdersRequest, grpc.ServerStreamingServer[portinv1.WatchPortInOrdersResponse]) error

	mu    sync.Mutex
	calls []call
}

// call is what reached the service.
type call struct {
	method   string
	metadata metadata.MD
	request  proto.Message
}

func (s *service) WatchPortInOrders(
	r *portinv1.WatchPortInOrdersRequest, stream grpc.ServerStreamingServer[portinv1.WatchPortInOrdersResponse],
) error {
	if s.watch == nil {
		return s.UnimplementedPortInServiceServer.WatchPortInOrders(r, stream)
	}
	return s.watch(r, stream)
}

// intercept stands for the service: it keeps the call and answers it.
func (s *service) intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	request, _ := req.(proto.Message)
	s.mu.Lock()
	s.calls = append(s.calls, call{info.FullMethod, md, request})
	s.mu.Unlock()
	if s.answer != nil {
		return s.answer(ctx, request)
	}
	return next(ctx, req)
}

func (s *service) received() []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// onlyRequest is the one request that reached the service.
func (s *service) onlyRequest(t *testing.T) proto.Message {
	t.Helper()
	calls := s.received()
	if len(calls) != 1 {
		t.Fatalf("the service was called %d times, want once", len(calls))
	}
	return calls[0].request
}

// PortIn and the others answer something for every call that a test does not care about.
func (s *service) PortIn(_ context.Context, r *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
	return &portinv1.PortInResponse{Order: &portinv1.PortInOrder{
		OrderId: "0190b0a8-0000-7000-8000-000000000001", State: portinv1.OrderState_ORDER_STATE_ACCEPTED, RequestId: r.GetRequestId(),
	}}, nil
}

// face is a gateway with a service behind it and a log.
type face struct {
	http.Handler

	service *service
	log     *bytes.Buffer
}

func newFace(t testing.TB, change ...func(*gateway.Config)) *face {
	t.Helper()
	f := &face{service: &service{}, log: &bytes.Buffer{}}
	conn := gateway.NewInProcess([]grpc.UnaryServerInterceptor{f.service.intercept}, nil)
	portinv1.RegisterPortInServiceServer(conn, f.service)
	portinv1.RegisterCatalogServiceServer(conn, f.service)
	portinv1.RegisterOperatorServiceServer(conn, f.service)
	portinv1.RegisterWebhookServiceServer(conn, f.service)
	cfg := gateway.Config{Conn: conn, Log: slog.New(slog.NewTextHandler(f.log, nil)), OpenAPI: []byte(`{"openapi":"3.1.0"}`)}
	for _, c := range change {
		c(&cfg)
	}
	h, err := gateway.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	f.Handler = h
	return f
}

// answering sets what the service answers to every call.
func (f *face) answering(m proto.Message, err error) *face {
	f.service.answer = func(context.Context, proto.Message) (proto.Message, error) { return m, err }
	return f
}

// do sends a request; headers are "Name: value". A body is sent as JSON unless a header says otherwise.
func (f *face) do(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	var r *http.Request
	if body == "" {
		r = httptest.NewRequest(method, target, nil)
	} else {
		r = httptest.NewRequest(method, target, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		switch value {
		case "":
			r.Header.Del(name)
		default:
			r.Header[http.CanonicalHeaderKey(name)] = append(r.Header[http.CanonicalHeaderKey(name)], value)
		}
		if name == "Content-Type" && value != "" {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

// place sends an order.
func (f *face) place(body string, headers ...string) *httptest.ResponseRecorder {
	return f.do(http.MethodPost, "/v1/port-ins?requestId="+key, body, headers...)
}

// errorOf reads an answer that must be an error as JSON, bounded and with one ErrorInfo.
func errorOf(t testing.TB, w *httptest.ResponseRecorder) *spb.Status {
	t.Helper()
	body := w.Body.Bytes()
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type = %q", got)
	}
	if len(body) > 8<<10 {
		t.Errorf("the error has %d bytes, want 8 KiB at most", len(body))
	}
	st := &spb.Status{}
	if err := protojson.Unmarshal(body, st); err != nil {
		t.Fatalf("the answer %d %.200q is no google.rpc.Status: %v", w.Code, body, err)
	}
	infos := 0
	for _, d := range status.FromProto(st).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			infos++
			if info.GetDomain() != "portin.v1" {
				t.Errorf("domain = %q", info.GetDomain())
			}
		}
	}
	if infos != 1 {
		t.Errorf("%d ErrorInfo in %s, want one", infos, body)
	}
	if w.Header().Get("X-Request-Id") == "" {
		t.Error("the error has no X-Request-Id")
	}
	return st
}

func reasonOf(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	for _, d := range status.FromProto(errorOf(t, w)).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

// fieldsOf are the fields that an error is about.
func fieldsOf(t testing.TB, w *httptest.ResponseRecorder) []string {
	t.Helper()
	var fields []string
	for _, d := range status.FromProto(errorOf(t, w)).Details() {
		if bad, ok := d.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				fields = append(fields, v.GetField())
			}
		}
	}
	return fields
}

// refusedBefore checks that a request was refused with a status and a reason, and that the service never heard of it.
func (f *face) refusedBefore(t testing.TB, w *httptest.ResponseRecorder, code int, reason string) {
	t.Helper()
	if got := reasonOf(t, w); w.Code != code || got != reason {
		t.Errorf("answered %d %s, want %d %s: %.300s", w.Code, got, code, reason, w.Body)
	}
	if calls := f.service.received(); len(calls) != 0 {
		t.Errorf("the service was called %d times, want never", len(calls))
	}
	for line := range strings.Lines(f.log.String()) {
		if len(line) > 4<<10 {
			t.Errorf("a log line has %d bytes", len(line))
		}
	}
}

// failure is an error of the service.
func failure(code codes.Code, message string, details ...protoadapt.MessageV1) error {
	st, err := status.New(code, message).WithDetails(details...)
	if err != nil {
		panic(err)
	}
	return st.Err()
}

func info(reason string) *errdetails.ErrorInfo {
	return &errdetails.ErrorInfo{Reason: reason, Domain: "portin.v1"}
}

// sameMessage compares whole messages.
func sameMessage(t testing.TB, want, got proto.Message) {
	t.Helper()
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func sameMetadata(t testing.TB, want, got map[string][]string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
}
