package rpc

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
)

const (
	aTraceID    = "4bf92f3577b34da6a3ce929d0e0e4736"
	aSpanID     = "00f067aa0ba902b7"
	traceparent = "00-" + aTraceID + "-" + aSpanID + "-01"
)

// shownSpan is what a test compares of a span.
type shownSpan struct {
	Name, Trace, Parent, Status string
	Kind                        trace.SpanKind
	Attributes                  map[string]string
}

// traced returns services whose spans are kept, and what shows them.
func traced(log *slog.Logger) (Services, func() []shownSpan) {
	kept := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(kept))
	s := Services{Access: Everybody("default"), Orders: &fake{}, Log: log, LongestCall: time.Minute, Tracer: provider.Tracer("test")}
	return s, func() (spans []shownSpan) {
		for _, is := range kept.Ended() {
			shown := shownSpan{
				Name: is.Name(), Trace: is.SpanContext().TraceID().String(), Kind: is.SpanKind(),
				Status: is.Status().Code.String() + is.Status().Description, Attributes: map[string]string{},
			}
			if is.Parent().IsValid() {
				shown.Parent = is.Parent().SpanID().String()
			}
			for _, a := range is.Attributes() {
				shown.Attributes[string(a.Key)] = a.Value.String()
			}
			if len(is.Events()) > 0 {
				shown.Attributes["events"] = is.Events()[0].Name
			}
			spans = append(spans, shown)
		}
		return spans
	}
}

// pass makes a unary call through the interceptors.
func pass(ctx context.Context, s Services, method string, req any, handler grpc.UnaryHandler) (any, error) {
	return wrapped(s.Unary(), method, handler)(ctx, req)
}

// wrapped is a handler behind interceptors.
func wrapped(chain []grpc.UnaryServerInterceptor, method string, handler grpc.UnaryHandler) grpc.UnaryHandler {
	info := &grpc.UnaryServerInfo{FullMethod: method}
	for _, outer := range slices.Backward(chain) {
		next := handler
		handler = func(ctx context.Context, req any) (any, error) { return outer(ctx, req, info, next) }
	}
	return handler
}

// unread is a stream that nobody reads.
type unread struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *unread) Context() context.Context  { return s.ctx }
func (*unread) SetHeader(metadata.MD) error { return nil }
func (*unread) SetTrailer(metadata.MD)      {}

// passStream opens a stream through the interceptors.
func passStream(ctx context.Context, s Services, method string, handler grpc.StreamHandler) error {
	for _, outer := range slices.Backward(s.Stream()) {
		next := handler
		handler = func(srv any, ss grpc.ServerStream) error {
			return outer(srv, ss, &grpc.StreamServerInfo{FullMethod: method, IsServerStream: true}, next)
		}
	}
	return handler(nil, &unread{ctx: ctx})
}

func answers(resp any, err error) grpc.UnaryHandler {
	return func(context.Context, any) (any, error) { return resp, err }
}

func TestACallHasOneSpan(t *testing.T) {
	t.Parallel()
	const (
		portIn = "portin.v1.PortInService/PortIn"
		get    = "portin.v1.PortInService/GetPortInOrder"
		watch  = "portin.v1.PortInService/WatchPortInOrders"
	)
	log := slog.New(slog.DiscardHandler)
	attributes := func(method, code string, further ...string) map[string]string {
		all := map[string]string{"rpc.system.name": "grpc", "rpc.method": method, "portin.request_id": "r-1", "rpc.response.status_code": code}
		for i := 0; i < len(further); i += 2 {
			all[further[i]] = further[i+1]
		}
		return all
	}
	for name, c := range map[string]struct {
		metadata []string
		call     func(context.Context, Services)
		want     []shownSpan
	}{
		"that is answered, in the caller's trace": {
			[]string{"traceparent", traceparent},
			func(ctx context.Context, s Services) {
				resp := &portinv1.PortInResponse{Order: &portinv1.PortInOrder{OrderId: aUUID}}
				_, _ = pass(ctx, s, portInMethod, &portinv1.GetPortInOrderRequest{OrderId: aUUID}, answers(resp, nil))
			},
			[]shownSpan{{portIn, aTraceID, aSpanID, "Unset", trace.SpanKindServer, attributes(portIn, "OK", "portin.order_id", aUUID)}},
		},
		"with two identities of a trace": {
			[]string{"traceparent", traceparent, "traceparent", traceparent},
			func(ctx context.Context, s Services) {
				_, _ = pass(ctx, s, portInMethod, &portinv1.GetPortInOrderRequest{OrderId: aUUID}, answers(&portinv1.PortInResponse{}, nil))
			},
			[]shownSpan{{portIn, "", "", "Unset", trace.SpanKindServer, attributes(portIn, "OK", "portin.order_id", aUUID)}},
		},
		"that is refused": {
			[]string{"traceparent", "00-" + secret + "-01"},
			func(ctx context.Context, s Services) {
				f := fault.New(fault.ReasonNumberInOpenOrder, secret).WithMetadata("order_id", aUUID)
				_, _ = pass(ctx, s, portInMethod, &portinv1.GetPortInOrderRequest{OrderId: aUUID}, answers(nil, f))
			},
			[]shownSpan{{
				portIn, "", "", "Unset", trace.SpanKindServer,
				attributes(portIn, "AlreadyExists", "portin.reason", "NUMBER_IN_OPEN_ORDER", "portin.order_id", aUUID),
			}},
		},
		"that fails": {
			nil,
			func(ctx context.Context, s Services) {
				_, _ = pass(ctx, s, portInMethod, &portinv1.GetPortInOrderRequest{OrderId: aUUID}, answers(nil, errors.New(secret)))
			},
			[]shownSpan{{portIn, "", "", "Error", trace.SpanKindServer, attributes(portIn, "Internal", "portin.reason", "INTERNAL", "portin.order_id", aUUID)}},
		},
		"that panics": {
			nil,
			func(ctx context.Context, s Services) {
				_, _ = pass(ctx, s, portInMethod, &portinv1.GetPortInOrderRequest{OrderId: aUUID}, func(context.Context, any) (any, error) { panic(secret) })
			},
			[]shownSpan{{portIn, "", "", "Error", trace.SpanKindServer, attributes(portIn, "Internal", "portin.reason", "INTERNAL", "portin.order_id", aUUID)}},
		},
		"with a number in the place of an order_id": {
			nil,
			func(ctx context.Context, s Services) {
				_, _ = pass(ctx, s, "/"+get, &portinv1.GetPortInOrderRequest{OrderId: "+14165550123"}, answers(nil, nil))
			},
			[]shownSpan{{get, "", "", "Unset", trace.SpanKindServer, attributes(get, "InvalidArgument", "portin.reason", "INVALID_FIELDS")}},
		},
		"that is a stream": {
			[]string{"traceparent", traceparent},
			func(ctx context.Context, s Services) {
				_ = passStream(ctx, s, "/"+watch, func(any, grpc.ServerStream) error { return fault.New(fault.ReasonCancelled, secret) })
			},
			[]shownSpan{{watch, aTraceID, aSpanID, "Unset", trace.SpanKindServer, attributes(watch, "Canceled", "portin.reason", "CANCELLED")}},
		},
		"of a method that there is none of": {
			nil,
			func(ctx context.Context, s Services) {
				_ = passStream(ctx, s, "/portin.v1.PortInService/"+secret, unknownMethod)
			},
			nil,
		},
		"of health": {
			nil,
			func(ctx context.Context, s Services) {
				_, _ = pass(ctx, s, healthpb.Health_Check_FullMethodName, &healthpb.HealthCheckRequest{}, answers(nil, nil))
			},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, spans := traced(log)
			ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs(append(c.metadata, requestIDKey, "r-1")...))
			c.call(ctx, s)
			got := spans()
			for i := range got {
				if got[i].Parent == "" { // a trace of its own
					got[i].Trace = ""
				}
			}
			if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("spans (-want +got):\n%s", diff)
			}
		})
	}
}

// The log names the trace of a call: the caller's also when the service makes no spans, and none when there is none.
func TestTheLogNamesTheTrace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tracer   bool
		metadata []string
		want     string
	}{
		"the caller's":                {true, []string{"traceparent", traceparent}, `,"trace_id":"` + aTraceID + `"`},
		"the caller's, without spans": {false, []string{"traceparent", traceparent}, `,"trace_id":"` + aTraceID + `"`},
		"its own":                     {true, nil, `,"trace_id":"`},
		"none":                        {false, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			s, _ := traced(slog.New(slog.NewJSONHandler(&b, nil)))
			if !c.tracer {
				s.Tracer = nil
			}
			ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs(c.metadata...))
			_, _ = pass(ctx, s, portInMethod, &portinv1.GetPortInOrderRequest{OrderId: aUUID}, answers(&portinv1.PortInResponse{}, nil))
			if got := b.String(); !strings.Contains(got, c.want) || strings.Contains(got, "trace_id") != (c.want != "") {
				t.Errorf("the log has %s, want %q in it", got, c.want)
			}
		})
	}
}

// BenchmarkCall is a call that does nothing, through the interceptors: without traces, with those of a caller, and with spans.
func BenchmarkCall(b *testing.B) {
	made := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(tracetest.NewSpanRecorder())).Tracer("test")
	none := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample())).Tracer("test")
	for _, c := range []struct {
		name     string
		tracer   trace.Tracer
		metadata []string
		without  bool
	}{
		{"untraced", nil, nil, true},
		{"off", nil, nil, false},
		{"off, in a caller's trace", nil, []string{"traceparent", traceparent}, false},
		{"on, not sampled", none, nil, false},
		{"on", made, nil, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := Services{Access: Everybody("default"), Orders: &fake{}, Log: slog.New(slog.DiscardHandler), LongestCall: time.Minute, Tracer: c.tracer}
			chain := s.Unary()
			if c.without {
				chain = append(chain[:1:1], chain[2:]...)
			}
			handler := wrapped(chain, portInMethod, answers(&portinv1.GetPortInOrderResponse{}, nil))
			ctx := metadata.NewIncomingContext(b.Context(), metadata.Pairs(append(c.metadata, requestIDKey, "r-1")...))
			req := &portinv1.GetPortInOrderRequest{OrderId: aUUID}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := handler(ctx, req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
