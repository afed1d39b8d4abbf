package gateway

import (
	"context"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/portin/portin/internal/inflight"
)

// InProcess is a gRPC server and the connection to it in one, without a network between them. A call passes the same
// interceptors and meets the same handlers as one over the wire, and ends the same: in an answer that is a copy, in a
// status with its details, with header and trailer metadata, by the caller's deadline or by its leaving. What a context
// holds does not cross, but for the deadline, the outgoing metadata, the load of the request, and the peer, which a caller
// that serves somebody else sets to whom it serves.
//
// It carries unary calls and server streams. These things differ from the wire: messages have no size limit; a request
// is handed over and not copied, so the caller must not use it again; a unary call returns when its handler does, even
// after the deadline, so that no work is left behind without anybody waiting for it, and an answer that is there then is
// not thrown away; a panic that no interceptor catches goes on in the caller, not through the whole process; and of the
// call options only Header, Trailer and Peer have a meaning. Register everything before the first call; after that it is safe for concurrent use.
type InProcess struct {
	unary    grpc.UnaryServerInterceptor
	stream   grpc.StreamServerInterceptor
	methods  map[string]registered
	services map[string]bool
	// running counts the handlers of streams.
	running sync.WaitGroup
}

var (
	_ grpc.ServiceRegistrar    = (*InProcess)(nil)
	_ grpc.ClientConnInterface = (*InProcess)(nil)
)

// registered is a method with the server that has it; one of its two descriptions is set.
type registered struct {
	server any
	unary  *grpc.MethodDesc
	stream *grpc.StreamDesc
}

// NewInProcess returns a server without services, whose calls pass the interceptors in their order, outermost first.
func NewInProcess(unary []grpc.UnaryServerInterceptor, stream []grpc.StreamServerInterceptor) *InProcess {
	return &InProcess{
		unary:    chainUnary(slices.Clone(unary)),
		stream:   chainStream(slices.Clone(stream)),
		methods:  map[string]registered{},
		services: map[string]bool{},
	}
}

// RegisterService adds a service. It panics, like a gRPC server, when the implementation is not one of the service, and
// when the service is there already.
func (c *InProcess) RegisterService(desc *grpc.ServiceDesc, impl any) {
	if want := reflect.TypeOf(desc.HandlerType).Elem(); !reflect.TypeOf(impl).Implements(want) {
		panic(fmt.Sprintf("gateway: a %T does not implement %s", impl, desc.ServiceName))
	}
	if c.services[desc.ServiceName] {
		panic(fmt.Sprintf("gateway: %s is registered twice", desc.ServiceName))
	}
	c.services[desc.ServiceName] = true
	for i := range desc.Methods {
		m := &desc.Methods[i]
		c.methods["/"+desc.ServiceName+"/"+m.MethodName] = registered{server: impl, unary: m}
	}
	for i := range desc.Streams {
		s := &desc.Streams[i]
		c.methods["/"+desc.ServiceName+"/"+s.StreamName] = registered{server: impl, stream: s}
	}
}

// Wait returns when no handler of a stream runs any more. It ends none, their callers' contexts do; call it when no new
// call can begin.
func (c *InProcess) Wait() {
	c.running.Wait()
}

// Invoke makes a unary call. args is handed over, reply is filled with a copy of the answer. Errors are statuses.
func (c *InProcess) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	transport := &transportStream{method: method}
	err := c.invoke(ctx, method, transport, args, reply)
	for _, opt := range opts {
		switch o := opt.(type) {
		case grpc.HeaderCallOption:
			*o.HeaderAddr = transport.headerSoFar()
		case grpc.TrailerCallOption:
			*o.TrailerAddr = transport.trailerSoFar()
		case grpc.PeerCallOption:
			*o.PeerAddr = peer.Peer{Addr: inProcessAddr{}}
		}
	}
	return err
}

func (c *InProcess) invoke(ctx context.Context, method string, transport *transportStream, args, reply any) error {
	m, ok := c.methods[method]
	if !ok || m.unary == nil {
		return c.unknown(method)
	}
	if err := ctx.Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	request, ok := args.(proto.Message)
	if !ok {
		return status.Errorf(codes.Internal, "a %T is no message", args)
	}
	decode := func(into any) error {
		if err := checkText(request); err != nil {
			return err
		}
		return handOver(into, request)
	}
	served, cancel := serverContext(ctx, transport)
	defer cancel()
	answer, err := m.unary.Handler(m.server, served, decode, c.unary)
	if err != nil {
		if ended := ctx.Err(); ended != nil {
			// Over the wire the caller hears the end of its own context before what the handler makes of it.
			return status.FromContextError(ended).Err()
		}
		return wireError(err)
	}
	return copyAnswer(reply, answer)
}

// unknown is the error for a method that nobody has, in the words of a gRPC server.
func (c *InProcess) unknown(method string) error {
	service, name, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	if c.services[service] {
		return status.Errorf(codes.Unimplemented, "unknown method %s for service %s", name, service)
	}
	return status.Errorf(codes.Unimplemented, "unknown service %s", service)
}

// copyAnswer fills reply with a deep copy: a handler may answer with a message that it keeps, from a cache for one, and
// whoever called may write into what it got.
func copyAnswer(reply, answer any) error {
	to, ok := reply.(proto.Message)
	from, isMessage := answer.(proto.Message)
	if !ok || !isMessage || to.ProtoReflect().Descriptor() != from.ProtoReflect().Descriptor() {
		return status.Errorf(codes.Internal, "a %T was answered, a %T was asked for", answer, reply)
	}
	if err := checkText(from); err != nil {
		return err
	}
	proto.Reset(to)
	proto.Merge(to, from)
	return nil
}

// wireError is an error as it would come out of the wire: a status, whatever the handler returned. A status of OK as an
// error is a fault of the handler and must not pass for an empty answer.
func wireError(err error) error {
	st, ok := status.FromError(err)
	if !ok {
		st = status.FromContextError(err)
	}
	if st.Code() == codes.OK {
		return status.Error(codes.Internal, "an error with the code OK")
	}
	return status.FromProto(st.Proto()).Err()
}

// detached is a context with the end of its parent and none of its values.
type detached struct {
	context.Context //nolint:containedctx // it is a context
}

// Value finds nothing.
func (detached) Value(any) any { return nil }

// AfterFunc spares the context package a goroutine to wait for the parent's end.
func (d detached) AfterFunc(f func()) (stop func() bool) {
	return context.AfterFunc(d.Context, f)
}

// serverContext is the context of a handler. It ends with the caller's, and has to be cancelled when the handler returns.
func serverContext(ctx context.Context, transport grpc.ServerTransportStream) (context.Context, context.CancelFunc) {
	md, ok := metadata.FromOutgoingContext(ctx)
	if !ok {
		md = metadata.MD{}
	}
	from, ok := peer.FromContext(ctx)
	if !ok {
		from = &peer.Peer{Addr: inProcessAddr{}}
	}
	served, cancel := context.WithCancel(detached{ctx})
	served = peer.NewContext(metadata.NewIncomingContext(inflight.With(served, inflight.From(ctx)), md), from)
	return grpc.NewContextWithServerTransportStream(served, transport), cancel
}

// inProcessAddr is the address of a caller in the same process.
type inProcessAddr struct{}

var _ net.Addr = inProcessAddr{}

// Network is no network.
func (inProcessAddr) Network() string { return "in-process" }

// String is the same for every caller.
func (inProcessAddr) String() string { return "in-process" }
