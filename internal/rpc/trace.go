package rpc

import (
	"context"
	"log/slog"
	"strings"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// A call of the contract has one span, which says which method it was, how it ended and of which order it was; nothing else
// of what the caller wrote. The interceptors are our own because grpc-go's stats handlers do not see calls in the process.

// tracer is the one that was given, or one that makes no spans and passes the caller's identity of a trace on.
func (s Services) tracer() trace.Tracer {
	if s.Tracer == nil {
		return noop.Tracer{}
	}
	return s.Tracer
}

// tracedUnary makes the span of a unary call.
func tracedUnary(tracer trace.Tracer) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		if !ofOwn(info.FullMethod) { // who asks for health does so every few seconds
			return handler(ctx, req)
		}
		ctx, span := begin(ctx, tracer, info.FullMethod)
		resp, err := handler(ctx, req)
		if span.IsRecording() {
			describe(span, err, orderIDOf(req, resp, errorInfoOf(err).GetMetadata()["order_id"]))
		}
		span.End()
		return resp, err
	}
}

// tracedStream makes the span of a stream, which is as long as the stream.
func tracedStream(tracer trace.Tracer) grpc.StreamServerInterceptor {
	known := linkedMethods()
	return func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		if !ofOwn(info.FullMethod) || !known[info.FullMethod] { // a method's name that a caller made up is none of ours to tell
			return handler(srv, ss)
		}
		ctx, span := begin(ss.Context(), tracer, info.FullMethod)
		err := handler(srv, &contextStream{ServerStream: ss, ctx: ctx})
		if span.IsRecording() {
			describe(span, err, "")
		}
		span.End()
		return err
	}
}

// begin begins the span of a call, in the caller's trace when there is one.
func begin(ctx context.Context, tracer trace.Tracer, method string) (context.Context, trace.Span) {
	ctx = propagation.TraceContext{}.Extract(ctx, callers(func(key string) []string { return metadata.ValueFromIncomingContext(ctx, key) }))
	name := strings.TrimPrefix(method, "/")
	ctx, span := tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer))
	if span.IsRecording() {
		span.SetAttributes(
			attribute.String("rpc.system.name", "grpc"),
			attribute.String("rpc.method", name),
			attribute.String("portin.request_id", RequestID(ctx)),
		)
	}
	return ctx, span
}

// describe says how a call ended. An error's text stays out: it may quote what the caller or the carrier wrote.
func describe(span trace.Span, err error, orderID string) {
	code := status.Code(err)
	span.SetAttributes(attribute.String("rpc.response.status_code", code.String()))
	if info := errorInfoOf(err); info != nil {
		span.SetAttributes(attribute.String("portin.reason", info.GetReason()))
	}
	if orderID != "" {
		span.SetAttributes(attribute.String("portin.order_id", orderID))
	}
	switch code { //nolint:exhaustive // all others are the caller's to mend, and no failure of the service
	case codes.Internal, codes.Unknown, codes.Unavailable, codes.DeadlineExceeded, codes.DataLoss:
		span.SetStatus(otelcodes.Error, "")
	}
}

// orderIDOf is the order that a call was of: the one that its error names, that it answers, or that it asked for. It is an
// order_id and no other text that a caller wrote in its place.
func orderIDOf(req, resp any, named string) string {
	id := named
	if answer, ok := resp.(interface{ GetOrder() *portinv1.PortInOrder }); ok && id == "" {
		id = answer.GetOrder().GetOrderId() // of a nil answer too, which an error has
	}
	if asked, ok := req.(interface{ GetOrderId() string }); ok && id == "" {
		id = asked.GetOrderId()
	}
	if len(id) != len(uuid.Nil.String()) || uuid.Validate(id) != nil {
		return ""
	}
	return id
}

// errorInfoOf is the ErrorInfo of an error as the caller gets it; nil when there is none.
func errorInfoOf(err error) *errdetails.ErrorInfo {
	if err == nil {
		return nil
	}
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info
		}
	}
	return nil
}

// traceOf is what a line of the log says of the trace that ctx belongs to; nothing outside one.
func traceOf(ctx context.Context) []slog.Attr {
	if s := trace.SpanContextFromContext(ctx); s.HasTraceID() {
		return []slog.Attr{slog.String("trace_id", s.TraceID().String())}
	}
	return nil
}

// callers reads the caller's identity of a trace from the metadata. Two are none: nobody could tell which one is meant.
type callers func(key string) []string

var _ propagation.TextMapCarrier = callers(nil)

// Get returns the one value of a key.
func (c callers) Get(key string) string {
	if values := c(key); len(values) == 1 {
		return values[0]
	}
	return ""
}

// Set is for those who send.
func (callers) Set(string, string) {}

// Keys is for those who look for names that they do not know.
func (callers) Keys() []string { return nil }
