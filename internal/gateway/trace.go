package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traced makes the span of a request to the API, in the caller's trace when there is one. It is named by the route's
// template: a path may hold a telephone number, and a query anything. The call in the process hangs on it by metadata.
func traced(tracer trace.Tracer, next http.Handler) http.Handler {
	if tracer == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isAPI(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := tracer.Start(ctx, tracedMethod(r), trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
			attribute.String("http.request.method", tracedMethod(r)),
			attribute.String("portin.request_id", w.Header().Get(requestIDHeader)),
		))
		answer := &beginning{ResponseWriter: w}
		whole := false
		// Not "defer span.End()": that would write the text of a panic into the span.
		defer func() {
			describeAnswer(span, answer, whole)
			span.End()
		}()
		next.ServeHTTP(answer, r.WithContext(ctx))
		whole = true
	})
}

// describeAnswer says how a request was answered. An answer that is not whole was cut off.
func describeAnswer(span trace.Span, answer *beginning, whole bool) {
	if answer.begun {
		span.SetAttributes(attribute.Int("http.response.status_code", answer.status))
	}
	if !whole || answer.status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
}

// nameSpan names the span of a request after its route.
func nameSpan(r *http.Request, route *route) {
	if span := trace.SpanFromContext(r.Context()); span.IsRecording() {
		span.SetName(route.verb + " " + route.template)
		span.SetAttributes(attribute.String("http.route", route.template))
	}
}

// tracedMethod is the method of a request, unless it is a word of the caller's own.
func tracedMethod(r *http.Request) string {
	if slices.Contains([]string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
	}, r.Method) {
		return r.Method
	}
	return "_OTHER"
}

// injectTrace puts the span of ctx in the place of the caller's identity of a trace. Without a span that stays.
func injectTrace(ctx context.Context, h http.Header) {
	if trace.SpanContextFromContext(ctx).IsValid() {
		h.Del("Tracestate") // belongs to the caller's Traceparent, which may have been none
		propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(h))
	}
}

// identitiesOf are what a line of the log names a request by: its id, and its trace when there is one.
func identitiesOf(w http.ResponseWriter, r *http.Request) []slog.Attr {
	ids := []slog.Attr{slog.String("request_id", w.Header().Get(requestIDHeader))}
	if s := trace.SpanContextFromContext(r.Context()); s.HasTraceID() {
		ids = append(ids, slog.String("trace_id", s.TraceID().String()))
	}
	return ids
}
