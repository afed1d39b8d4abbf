package app

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/portin/portin/internal/carrier"
)

// What a call does at the ledger and at the carrier has spans within the call's own. Periodic work has none: it belongs to
// no caller, and its figures are metrics.

// within reports whether ctx belongs to a call whose spans somebody will see.
func (t *traces) within(ctx context.Context) bool {
	return t.tracer != nil && trace.SpanContextFromContext(ctx).IsSampled()
}

// exchange makes the span of an exchange with the carrier that is just over. The carrier itself hears nothing of traces.
func (t *traces) exchange(ctx context.Context, account string, o carrier.Observation) {
	if !t.within(ctx) {
		return
	}
	ended := time.Now()
	_, span := t.tracer.Start(ctx, "carrier "+o.Operation, trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(ended.Add(-o.Duration)),
		trace.WithAttributes(attribute.String("portin.operation", o.Operation), attribute.String("portin.account", account), attribute.String("portin.class", string(o.Class))))
	if o.HTTPStatus != 0 {
		span.SetAttributes(attribute.Int("http.response.status_code", o.HTTPStatus))
	}
	span.End(trace.WithTimestamp(ended))
}

// spanned does something at the ledger within a span, which is of the order that do names.
func (t *traces) spanned(ctx context.Context, operation string, do func(context.Context) (orderID string, err error)) error {
	if !t.within(ctx) {
		_, err := do(ctx)
		return err
	}
	ctx, span := t.tracer.Start(ctx, "ledger "+operation, trace.WithAttributes(attribute.String("portin.operation", operation)))
	// Not "defer span.End()": that would write the text of a panic into the span.
	defer func() { span.End() }()
	orderID, err := do(ctx)
	class := classOf(err)
	span.SetAttributes(attribute.String("portin.class", class))
	if orderID != "" {
		span.SetAttributes(attribute.String("portin.order_id", orderID))
	}
	if class == classFailed {
		span.SetStatus(codes.Error, "")
	}
	return err
}
