package app

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// newSpanMetric counts spans by what became of them.
func newSpanMetric() *prometheus.CounterVec {
	spans := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "portin_trace_spans_total",
		Help: "Spans of calls that the trace collector took, those that were lost because it did not, and those that were dropped because too many waited for it.",
	}, []string{"result"})
	for _, result := range []string{spansSent, spansLost, spansDropped} {
		spans.WithLabelValues(result)
	}
	return spans
}

const (
	spansSent    = "sent"
	spansLost    = "lost"
	spansDropped = "dropped"
)

// mostWaiting is how many spans wait for the collector at most, OpenTelemetry's own number.
const mostWaiting = sdktrace.DefaultMaxQueueSize

// spanGate hands spans to OpenTelemetry's queue as long as fewer wait than that has room for. The queue drops what does not fit, too,
// and tells nobody; here it is counted, and the queue never has to.
type spanGate struct {
	sdktrace.SpanProcessor

	outbox *outbox
}

// OnEnd hands a span on, or drops and counts it.
func (g *spanGate) OnEnd(s sdktrace.ReadOnlySpan) {
	if !s.SpanContext().IsSampled() {
		return
	}
	if g.outbox.waiting.Add(1) > mostWaiting {
		g.outbox.waiting.Add(-1)
		g.outbox.dropped.Inc()
		return
	}
	g.SpanProcessor.OnEnd(s)
}

// outbox hands spans to the collector. What it does not take is counted and forgotten, and the log gets a line when that
// begins and when it is over: OpenTelemetry's own way would be a line for every batch, past the service's log.
type outbox struct {
	sdktrace.SpanExporter

	sent, lost, dropped prometheus.Counter
	log                 *slog.Logger
	losing              atomic.Bool
	// waiting counts the spans that were handed in and are not exported yet.
	waiting atomic.Int64
	// life ends by abandon.
	life    context.Context //nolint:containedctx // the life of what hangs on the outbox, not of a call
	abandon context.CancelFunc
}

func newOutbox(to sdktrace.SpanExporter, spans *prometheus.CounterVec, log *slog.Logger) *outbox {
	o := &outbox{SpanExporter: to, sent: spans.WithLabelValues(spansSent), lost: spans.WithLabelValues(spansLost), dropped: spans.WithLabelValues(spansDropped), log: log}
	o.life, o.abandon = context.WithCancel(context.Background()) //nolint:gosec // cancelled by whoever abandons it
	return o
}

// ExportSpans sends a batch; after abandon it ends at once. It fails never, for nobody could do anything about it.
func (o *outbox) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	defer o.waiting.Add(-int64(len(spans)))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lives := context.AfterFunc(o.life, cancel) //nolint:contextcheck // the outbox ends at another time than the batch
	defer lives()
	err := o.life.Err()
	if err == nil {
		err = o.SpanExporter.ExportSpans(ctx, spans)
	}
	if err == nil {
		o.sent.Add(float64(len(spans)))
		if o.losing.Swap(false) {
			o.log.InfoContext(ctx, "the trace collector takes spans again")
		}
		return nil
	}
	o.lost.Add(float64(len(spans)))
	if !o.losing.Swap(true) {
		o.log.WarnContext(ctx, "the trace collector does not take spans; they are lost until it does", slog.Any("error", err))
	}
	return nil
}
