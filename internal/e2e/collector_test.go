package e2e_test

import (
	"context"
	"net"
	"sync"
	"testing"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/portin/portin/internal/app"
)

// collector is a trace collector on this machine, which keeps what it gets and looks it through for what is nobody's business.
type collector struct {
	collectorpb.UnimplementedTraceServiceServer

	address string
	sieve   sieve

	mu  sync.Mutex
	got []*collectorpb.ExportTraceServiceRequest
}

// newCollector starts a collector for as long as the test takes.
func newCollector(t *testing.T) *collector {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, server := &collector{address: l.Addr().String(), sieve: sieve{where: "the traces"}}, grpc.NewServer()
	collectorpb.RegisterTraceServiceServer(server, c)
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() {
		server.Stop()
		serving.Wait()
		c.sieve.report(t)
	})
	return c
}

// Export takes spans, and looks them through.
func (c *collector) Export(_ context.Context, req *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
	text, err := protojson.Marshal(req)
	if err != nil {
		return nil, err
	}
	_, _ = c.sieve.Write(append(text, '\n'))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, req)
	return &collectorpb.ExportTraceServiceResponse{}, nil
}

// spans are all that the collector got.
func (c *collector) spans() (all []*tracepb.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, req := range c.got {
		for _, resource := range req.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				all = append(all, scope.GetSpans()...)
			}
		}
	}
	return all
}

// tracing makes a service send its spans to an address.
func tracing(address string) func(*app.Params) {
	return func(p *app.Params) { p.Config.Trace.Endpoint, p.Config.Trace.Insecure = address, true }
}
