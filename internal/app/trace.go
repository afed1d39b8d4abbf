package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/portin/portin/internal/config"
)

// traces is how spans are made and how they leave the process: in batches, from a queue that drops what does not fit, so that
// a collector which is slow or gone costs spans and nothing else.
type traces struct {
	// tracer is nil while spans go nowhere.
	tracer trace.Tracer

	provider *sdktrace.TracerProvider
	sending  *outbox
	conn     *grpc.ClientConn
}

const (
	// instrumentation is the name of what makes the spans.
	instrumentation = "github.com/portin/portin"
	// sendWithin is how long the collector may take for a batch, and flushWithin how long a stop waits for it.
	sendWithin  = 5 * time.Second
	flushWithin = 2 * time.Second
)

// newTraces builds what the settings ask for. It connects to nothing before there are spans. The collector's headers, which may
// hold a key, come from OTEL_EXPORTER_OTLP_HEADERS, as for every program that speaks OTLP.
func newTraces(ctx context.Context, c config.Trace, version string, spans *prometheus.CounterVec, log *slog.Logger) (*traces, error) {
	if c.Endpoint == "" {
		return &traces{}, nil
	}
	security := credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12})
	if c.Insecure {
		security = insecure.NewCredentials()
	}
	conn, err := grpc.NewClient(c.Endpoint, grpc.WithTransportCredentials(security))
	if err != nil {
		return nil, fmt.Errorf("trace-endpoint: %w", err)
	}
	// The exporter tries nothing again: a batch that waits would hold up the next ones.
	exporter, err := otlptrace.New(ctx, otlptracegrpc.NewClient(
		otlptracegrpc.WithGRPCConn(conn), otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{}), otlptracegrpc.WithTimeout(sendWithin),
	))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("trace-endpoint: %w", err), conn.Close())
	}
	t := newTracesTo(newOutbox(exporter, spans, log), c.SampleRatio, version)
	t.conn = conn
	return t, nil
}

// newTracesTo makes spans for an outbox.
func newTracesTo(sending *outbox, ratio float64, version string) *traces {
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(ratio))),
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "portin"), attribute.String("service.version", version),
		)),
		sdktrace.WithSpanProcessor(&spanGate{
			sdktrace.NewBatchSpanProcessor(sending, sdktrace.WithExportTimeout(sendWithin), sdktrace.WithMaxQueueSize(mostWaiting)), sending,
		}),
	)
	return &traces{tracer: provider.Tracer(instrumentation, trace.WithInstrumentationVersion(version)), provider: provider, sending: sending}
}

// stop sends what is left, as long as ctx and flushWithin allow, and lets the collector go. A second stop does nothing.
func (t *traces) stop(ctx context.Context) {
	if t.provider == nil {
		return
	}
	within, cancel := context.WithTimeout(ctx, flushWithin)
	defer cancel()
	kept := context.AfterFunc(within, t.sending.abandon)
	defer kept()
	// It ends soon after the outbox was abandoned; with a context that ends it would leave its goroutine behind.
	_ = t.provider.Shutdown(context.WithoutCancel(ctx)) // What failed, the outbox has said.
	if t.conn != nil {
		_ = t.conn.Close()
	}
}
