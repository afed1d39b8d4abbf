package app

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/ledger"
)

// What a call does at the ledger and at the carrier has spans within the call's own. Periodic work has none: it belongs to
// no caller, and its figures are metrics.

// within reports whether ctx belongs to a call whose spans somebody will see.
func (t *traces) within(ctx context.Context) bool {
	return t.tracer != nil && trace.SpanContextFromContext(ctx).IsSampled()
}

// exchange makes the span of an exchange with the carrier that is just over. The carrier itself hears nothing of traces.
func (t *traces) exchange(ctx context.Context, o carrier.Observation) {
	if !t.within(ctx) {
		return
	}
	ended := time.Now()
	_, span := t.tracer.Start(ctx, "carrier "+o.Operation, trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(ended.Add(-o.Duration)),
		trace.WithAttributes(attribute.String("portin.operation", o.Operation), attribute.String("portin.class", string(o.Class))))
	if o.HTTPStatus != 0 {
		span.SetAttributes(attribute.Int("http.response.status_code", o.HTTPStatus))
	}
	span.End(trace.WithTimestamp(ended))
}

// ledger is a store whose part in a call has spans, or the store itself while spans go nowhere.
func (t *traces) ledger(s ledger.Store) ledger.Store {
	if t.tracer == nil {
		return s
	}
	return &tracedLedger{Store: s, traces: t}
}

// tracedLedger makes the spans of what a call does at the ledger; all other methods are the store's own.
type tracedLedger struct {
	ledger.Store
	traces *traces
}

// FindKey is the store's.
func (l *tracedLedger) FindKey(ctx context.Context, tenant, requestID string) (r ledger.Record, err error) {
	err = l.spanned(ctx, "FindKey", func(ctx context.Context) (string, error) {
		r, err = l.Store.FindKey(ctx, tenant, requestID)
		return r.OrderID, err
	})
	return r, err
}

// Find is the store's.
func (l *tracedLedger) Find(ctx context.Context, tenant, orderID string) (r ledger.Record, err error) {
	err = l.spanned(ctx, "Find", func(ctx context.Context) (string, error) {
		r, err = l.Store.Find(ctx, tenant, orderID)
		return r.OrderID, err
	})
	return r, err
}

// Claim is the store's.
func (l *tracedLedger) Claim(ctx context.Context, r ledger.Record, e ledger.Entry) (is ledger.Record, err error) {
	err = l.spanned(ctx, "Claim", func(ctx context.Context) (string, error) {
		is, err = l.Store.Claim(ctx, r, e)
		return r.OrderID, err
	})
	return is, err
}

// Follow is the store's.
func (l *tracedLedger) Follow(ctx context.Context, r ledger.Record, e ledger.Entry) (is ledger.Record, err error) {
	err = l.spanned(ctx, "Follow", func(ctx context.Context) (string, error) {
		is, err = l.Store.Follow(ctx, r, e)
		return r.OrderID, err
	})
	return is, err
}

// Advance is the store's.
func (l *tracedLedger) Advance(ctx context.Context, orderID string, s ledger.Step) (is ledger.Record, err error) {
	err = l.spanned(ctx, "Advance", func(ctx context.Context) (string, error) {
		is, err = l.Store.Advance(ctx, orderID, s)
		return orderID, err
	})
	return is, err
}

// Erase is the store's.
func (l *tracedLedger) Erase(ctx context.Context, orderID string, e ledger.Erasure) (is ledger.Record, err error) {
	err = l.spanned(ctx, "Erase", func(ctx context.Context) (string, error) {
		is, err = l.Store.Erase(ctx, orderID, e)
		return orderID, err
	})
	return is, err
}

// List is the store's.
func (l *tracedLedger) List(ctx context.Context, q ledger.Query) (page []ledger.Record, more bool, err error) {
	err = l.spanned(ctx, "List", func(ctx context.Context) (string, error) {
		page, more, err = l.Store.List(ctx, q)
		return "", err
	})
	return page, more, err
}

// OfNumber is the store's.
func (l *tracedLedger) OfNumber(ctx context.Context, q ledger.NumberQuery) (all []ledger.Record, err error) {
	err = l.spanned(ctx, "OfNumber", func(ctx context.Context) (string, error) {
		all, err = l.Store.OfNumber(ctx, q)
		return "", err
	})
	return all, err
}

// Events is the store's.
func (l *tracedLedger) Events(
	ctx context.Context, tenant, orderID string, history bool, after int64, limit int,
) (page []ledger.Event, err error) {
	err = l.spanned(ctx, "Events", func(ctx context.Context) (string, error) {
		page, err = l.Store.Events(ctx, tenant, orderID, history, after, limit)
		return "", err
	})
	return page, err
}

// spanned does something within a span, which is of the order that do names.
func (l *tracedLedger) spanned(ctx context.Context, operation string, do func(context.Context) (orderID string, err error)) error {
	if !l.traces.within(ctx) {
		_, err := do(ctx)
		return err
	}
	ctx, span := l.traces.tracer.Start(ctx, "ledger "+operation, trace.WithAttributes(attribute.String("portin.operation", operation)))
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

// classFailed is the class of what no store should answer.
const classFailed = "failed"

// classOf names what a store answered; the text of an error stays out of spans.
func classOf(err error) string {
	var held *ledger.HeldError
	switch {
	case err == nil:
		return "done"
	case errors.Is(err, ledger.ErrNotFound):
		return "not_found"
	case errors.Is(err, ledger.ErrMoved):
		return "moved"
	case errors.Is(err, ledger.ErrNotCorrectable):
		return "not_correctable"
	case errors.Is(err, ledger.ErrTicketTaken):
		return "ticket_taken"
	case errors.As(err, &held):
		return "held"
	}
	return classFailed
}
