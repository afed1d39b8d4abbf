package rpc

import (
	"fmt"

	grpcprom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// Metrics count the calls of both faces, by method and by the code that the caller gets, and how long they took. They are a
// prometheus.Collector; InitializeMetrics shows the methods of a server before anybody has called them. They are safe for
// concurrent use.
type Metrics struct{ *grpcprom.ServerMetrics }

// NewMetrics returns metrics in which nothing was counted.
func NewMetrics() *Metrics {
	return &Metrics{grpcprom.NewServerMetrics(grpcprom.WithServerHandlingTimeHistogram(
		// From an answer out of memory to the longest call that the settings allow by default.
		grpcprom.WithHistogramBuckets([]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120}),
	))}
}

// unary counts unary calls. Without metrics nobody reads the figures.
func (m *Metrics) unary() grpc.UnaryServerInterceptor {
	if m == nil {
		m = NewMetrics()
	}
	return m.UnaryServerInterceptor()
}

// stream counts streams. Whoever calls methods that there are none of must not make a figure for each name.
func (m *Metrics) stream() grpc.StreamServerInterceptor {
	if m == nil {
		m = NewMetrics()
	}
	count, known := m.StreamServerInterceptor(), linkedMethods()
	return func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		if !known[info.FullMethod] {
			info = &grpc.StreamServerInfo{FullMethod: "/unknown/unknown", IsClientStream: true, IsServerStream: true}
		}
		return count(srv, ss, info, handler)
	}
}

// linkedMethods are the methods of every service whose description is part of the program, "/package.Service/Method": of the
// contract, of health and of reflection, and whatever else; a method that is none of them was made up by a caller.
func linkedMethods() map[string]bool {
	known := map[string]bool{}
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				known[fmt.Sprintf("/%s/%s", service.FullName(), service.Methods().Get(j).Name())] = true
			}
		}
		return true
	})
	return known
}
