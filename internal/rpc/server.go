// Package rpc is the gRPC face: handlers that unpack, call one operation and answer, and the interceptors that every call
// passes, also one that came over JSON.
//
// It promises that every error of the contract's methods has a code and exactly one ErrorInfo within bounds, that a panic
// is one error, and that no payload and no message of an error reaches the log. Only what grpc-go ends by itself, before a
// whole message has arrived, has no ErrorInfo. It refuses to decide anything about an order.
package rpc

import (
	"log/slog"
	"time"

	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/intake"
)

// Services are what the handlers call. All are required but Tracer, Metrics and Panicked.
type Services struct {
	Orders   Orders
	Statuses Statuses
	// Catalog is what knows the carrier's lists for a tenant.
	Catalog  func(tenant string) Catalog
	Watches  Watches
	Webhooks Webhooks
	// Access says who calls; Everybody does not ask.
	Access Access
	// Limiter bounds how often each caller calls; nil bounds nobody.
	Limiter *Limiter
	// Weighing bounds what orders take of the memory; nil bounds nothing.
	Weighing *Weighing
	Log      *slog.Logger
	// LongestCall caps the deadline of every unary call.
	LongestCall time.Duration
	// Tracer makes the spans of calls; nil makes none.
	Tracer trace.Tracer
	// Metrics count the calls; nil counts for nobody.
	Metrics *Metrics
	// Panicked is told of each panic of a handler; nil is nobody.
	Panicked func()
}

// Register registers every service of the contract.
func (s Services) Register(r grpc.ServiceRegistrar) {
	strict := strictRegistrar{r, s.Weighing, s.Access}
	portinv1.RegisterPortInServiceServer(strict, &portInService{
		orders: s.Orders, statuses: s.Statuses, watches: s.Watches, teller: intake.NewTeller(s.Log),
	})
	portinv1.RegisterCatalogServiceServer(strict, &catalogService{catalog: s.Catalog})
	portinv1.RegisterOperatorServiceServer(strict, &operatorService{orders: s.Orders})
	portinv1.RegisterWebhookServiceServer(strict, &webhookService{webhooks: s.Webhooks})
}

// Unary returns the interceptors of unary calls, outermost first.
func (s Services) Unary() []grpc.UnaryServerInterceptor {
	return []grpc.UnaryServerInterceptor{
		s.Weighing.unary, // outermost: whatever becomes of the call, its load is let go
		requestIDUnary,
		tracedUnary(s.tracer()),
		s.Metrics.unary(),
		toStatusUnary,
		interceptors.UnaryServerInterceptor(logged(s.Log)),
		recovery.UnaryServerInterceptor(recovered(s.Panicked)),
		admitted(s.Access, s.Limiter),
		deadline(s.LongestCall),
		validated(s.Orders),
	}
}

// Stream returns the interceptors of streams, outermost first.
func (s Services) Stream() []grpc.StreamServerInterceptor {
	return []grpc.StreamServerInterceptor{
		requestIDStream,
		tracedStream(s.tracer()),
		s.Metrics.stream(),
		toStatusStream,
		interceptors.StreamServerInterceptor(logged(s.Log)),
		recovery.StreamServerInterceptor(recovered(s.Panicked)),
		admittedStream(s.Access, s.Limiter),
	}
}

// ConnectWithin is how long a client may take until its connection is one of gRPC.
const ConnectWithin = 10 * time.Second

// Options are the options of a server over the network: the interceptors and the bounds. A request of more than maxMessage
// bytes is REQUEST_TOO_LARGE. One of more than twice that is not even received: grpc-go ends it, without an ErrorInfo.
func (s Services) Options(maxMessage int, maxConnectionAge time.Duration) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(s.Unary()...),
		grpc.ChainStreamInterceptor(s.Stream()...),
		grpc.ForceServerCodecV2(newCodec(maxMessage, s.Weighing)),
		grpc.MaxRecvMsgSize(2 * maxMessage),
		grpc.MaxHeaderListSize(16 << 10),
		grpc.MaxConcurrentStreams(1000),
		grpc.ConnectionTimeout(ConnectWithin),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionAge: maxConnectionAge, MaxConnectionAgeGrace: 2 * time.Minute, Time: time.Minute, Timeout: 20 * time.Second,
		}),
		grpc.UnknownServiceHandler(unknownMethod),
	}
}

// unknownMethod answers a method that the contract does not have. grpc-go runs the stream interceptors around it.
func unknownMethod(any, grpc.ServerStream) error {
	return notOffered("this method")
}
