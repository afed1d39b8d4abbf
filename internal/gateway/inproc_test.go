package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/gateway"
)

// backend is a server for both connections, the one over the wire and the one in the process.
type backend struct {
	portinv1.UnimplementedPortInServiceServer

	portIn func(context.Context, *portinv1.PortInRequest) (*portinv1.PortInResponse, error)
	watch  func(*portinv1.WatchPortInOrdersRequest, watchStream) error
}

func (b *backend) PortIn(ctx context.Context, r *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
	return b.portIn(ctx, r)
}

func (b *backend) WatchPortInOrders(r *portinv1.WatchPortInOrdersRequest, s watchStream) error {
	return b.watch(r, s)
}

// recovery stands for the interceptor of the service that catches panics; the header shows that it ran, and in which
// order.
func recovery(name string) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (_ any, err error) {
		defer func() {
			if p := recover(); p != nil {
				err = status.Error(codes.Internal, "recovered by "+name)
			}
		}()
		if err := grpc.SetHeader(ctx, metadata.Pairs("ran", name+" "+info.FullMethod)); err != nil {
			return nil, err
		}
		return next(ctx, req)
	}
}

func streamRecovery(name string) grpc.StreamServerInterceptor {
	return func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = status.Error(codes.Internal, "recovered by "+name)
			}
		}()
		ss.SetTrailer(metadata.Pairs("ran", fmt.Sprint(name, " ", info.FullMethod, info.IsServerStream, info.IsClientStream)))
		return next(srv, ss)
	}
}

// bothConnections returns a client over the wire and one in the process, in front of the same server.
func bothConnections(t *testing.T, b *backend) map[string]portinv1.PortInServiceClient {
	t.Helper()
	unary := []grpc.UnaryServerInterceptor{recovery("outer"), recovery("middle"), recovery("inner")}
	stream := []grpc.StreamServerInterceptor{streamRecovery("outer"), streamRecovery("middle"), streamRecovery("inner")}

	server := grpc.NewServer(grpc.ChainUnaryInterceptor(unary...), grpc.ChainStreamInterceptor(stream...), grpc.WaitForHandlers(true))
	portinv1.RegisterPortInServiceServer(server, b)
	listener := bufconn.Listen(1 << 20)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	wire, err := grpc.NewClient("passthrough:bufconn",
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return listener.Dial() }),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	for wire.Connect(); wire.GetState() != connectivity.Ready; {
		if !wire.WaitForStateChange(t.Context(), wire.GetState()) {
			t.Fatal("no connection")
		}
	}
	inProcess := gateway.NewInProcess(unary, stream)
	portinv1.RegisterPortInServiceServer(inProcess, b)
	t.Cleanup(func() {
		if err := wire.Close(); err != nil {
			t.Error(err)
		}
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
		inProcess.Wait()
	})
	return map[string]portinv1.PortInServiceClient{
		"wire": portinv1.NewPortInServiceClient(wire), "process": portinv1.NewPortInServiceClient(inProcess),
	}
}

// outcome is all that a caller sees of a call.
type outcome struct {
	Answers []*portinv1.WatchPortInOrdersResponse
	Answer  *portinv1.PortInResponse
	Code    codes.Code
	Message string
	Details []any
	Header  metadata.MD
	Trailer metadata.MD
}

func outcomeOf(err error, header, trailer metadata.MD) outcome {
	st := status.Convert(err)
	o := outcome{Code: st.Code(), Message: st.Message(), Details: st.Details(), Header: header.Copy(), Trailer: trailer.Copy()}
	if errors.Is(err, io.EOF) {
		o.Code, o.Message = codes.OK, ""
	}
	for _, md := range []*metadata.MD{&o.Header, &o.Trailer} {
		// How the protocol says what kind of bytes it sends, and how it carries a status, is the wire's own business.
		delete(*md, "content-type")
		delete(*md, "grpc-status-details-bin")
		if len(*md) == 0 {
			*md = nil
		}
	}
	return o
}

func TestInProcessIsLikeTheWireUnary(t *testing.T) {
	t.Parallel()
	type handler = func(context.Context, *portinv1.PortInRequest) (*portinv1.PortInResponse, error)
	waiting := func(ctx context.Context, _ *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	entered := make(chan struct{})
	waitingForLeave := func(ctx context.Context, r *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
		entered <- struct{}{}
		return waiting(ctx, r)
	}
	leave := func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		go func() {
			<-entered
			cancel()
		}()
		return ctx, cancel
	}
	deadline := func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, 5*time.Millisecond)
	}
	left := func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return ctx, cancel
	}
	echo := func(ctx context.Context, r *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
		md, _ := metadata.FromIncomingContext(ctx)
		method, _ := grpc.Method(ctx)
		_, hasDeadline := ctx.Deadline()
		p, hasPeer := peer.FromContext(ctx)
		order := proto.CloneOf(r.GetOrder())
		order.CarrierMessage = fmt.Sprint(md.Get("Shout"), method, hasDeadline, hasPeer && p.Addr != nil, ctx.Value(callersKey{}))
		return &portinv1.PortInResponse{Order: order, Replayed: true}, nil
	}
	for name, c := range map[string]struct {
		handler handler
		context func(context.Context) (context.Context, context.CancelFunc)
		request *portinv1.PortInRequest
	}{
		"an answer": {handler: echo},
		"with time left": {handler: echo, context: func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Hour)
		}},
		"a status with details": {handler: func(context.Context, *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
			return nil, failure(codes.FailedPrecondition, "no", info("CARRIER_REFUSED"), &errdetails.BadRequest{})
		}},
		"a wrapped status": {handler: func(context.Context, *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
			return nil, fmt.Errorf("placing: %w", failure(codes.NotFound, "none", info("ORDER_NOT_FOUND")))
		}},
		"an error without a status": {handler: func(context.Context, *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
			return nil, io.ErrUnexpectedEOF
		}},
		"somebody else's deadline": {handler: func(context.Context, *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
			return nil, fmt.Errorf("asking: %w", context.DeadlineExceeded)
		}},
		"a panic": {handler: func(context.Context, *portinv1.PortInRequest) (*portinv1.PortInResponse, error) { panic("x") }},
		"metadata": {handler: func(ctx context.Context, _ *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
			return &portinv1.PortInResponse{}, errors.Join(grpc.SetHeader(ctx, metadata.Pairs("A", "1", "a", "2")),
				grpc.SendHeader(ctx, metadata.Pairs("b-bin", "\x00\xff")), grpc.SetTrailer(ctx, metadata.Pairs("c", "3")))
		}},
		"metadata with an error": {handler: func(ctx context.Context, _ *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
			return nil, errors.Join(grpc.SetHeader(ctx, metadata.Pairs("a", "1")), grpc.SetTrailer(ctx, metadata.Pairs("c", "3")),
				status.Error(codes.Aborted, "no"))
		}},
		"a deadline":           {handler: waiting, context: deadline},
		"a caller who leaves":  {handler: waitingForLeave, context: leave},
		"a caller who is gone": {handler: waiting, context: left},
		"no answer":            {handler: func(context.Context, *portinv1.PortInRequest) (*portinv1.PortInResponse, error) { return nil, nil }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := map[string]outcome{}
			for kind, client := range bothConnections(t, &backend{portIn: c.handler}) {
				ctx := context.WithValue(metadata.AppendToOutgoingContext(t.Context(), "Shout", "hello"), callersKey{}, "mine")
				cancel := func() {}
				if c.context != nil {
					ctx, cancel = c.context(ctx)
				}
				request := &portinv1.PortInRequest{Order: &portinv1.PortInOrder{OrderId: "é", Numbers: []string{"1", "2"}}, ValidateOnly: true}
				var header, trailer metadata.MD
				answer, err := client.PortIn(ctx, request, grpc.Header(&header), grpc.Trailer(&trailer))
				o := outcomeOf(err, header, trailer)
				o.Answer = answer
				if c.context != nil && o.Code != codes.OK {
					// What made it through before the caller left, and who tells, is a matter of luck over the wire.
					o.Header, o.Trailer, o.Message = nil, nil, ""
				}
				got[kind] = o
				cancel()
			}
			if diff := cmp.Diff(got["wire"], got["process"], protocmp.Transform()); diff != "" {
				t.Errorf("(-wire +process):\n%s", diff)
			}
		})
	}
}

type callersKey struct{}

func TestInProcessKeepsAnAnswerThatComesLate(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	b := &backend{portIn: func(ctx context.Context, _ *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
		leave()
		<-ctx.Done()
		return &portinv1.PortInResponse{Replayed: true}, nil
	}}
	answer, err := bothConnections(t, b)["process"].PortIn(ctx, &portinv1.PortInRequest{})
	if err != nil || !answer.GetReplayed() {
		t.Errorf("answered %v, %v", answer, err)
	}
}

func TestInProcessIsLikeTheWireStreams(t *testing.T) {
	t.Parallel()
	for name, watch := range map[string]func(*portinv1.WatchPortInOrdersRequest, watchStream) error{
		"two answers": twoThen(nil),
		"an error":    twoThen(failure(codes.OutOfRange, "old", info("WATCH_TOKEN_EXPIRED"))),
		"an error at once": func(*portinv1.WatchPortInOrdersRequest, watchStream) error {
			return failure(codes.Unavailable, "later", info("SHUTTING_DOWN"))
		},
		"a plain error": twoThen(io.ErrUnexpectedEOF),
		"nothing":       func(*portinv1.WatchPortInOrdersRequest, watchStream) error { return nil },
		"a panic":       func(*portinv1.WatchPortInOrdersRequest, watchStream) error { panic("x") },
		"more than the buffer holds": func(_ *portinv1.WatchPortInOrdersRequest, s watchStream) error {
			for range 100 {
				if err := s.Send(watchAnswer("x")); err != nil {
					return err
				}
			}
			return nil
		},
		"the request, echoed": func(r *portinv1.WatchPortInOrdersRequest, s watchStream) error {
			md, _ := metadata.FromIncomingContext(s.Context())
			err := s.RecvMsg(&portinv1.WatchPortInOrdersRequest{})
			return s.Send(&portinv1.WatchPortInOrdersResponse{ResumeToken: fmt.Sprint(r.GetResumeToken(), md.Get("shout"), errors.Is(err, io.EOF))})
		},
		"metadata": func(_ *portinv1.WatchPortInOrdersRequest, s watchStream) error {
			s.SetTrailer(metadata.Pairs("c", "3"))
			if err := errors.Join(s.SetHeader(metadata.Pairs("a", "1")), s.SendHeader(metadata.Pairs("b", "2"))); err != nil {
				return err
			}
			if s.SetHeader(metadata.Pairs("late", "1")) == nil {
				return errors.New("a header was taken after it was sent")
			}
			s.SetTrailer(metadata.Pairs("d", "4"))
			return s.Send(watchAnswer("one"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := map[string]outcome{}
			for kind, client := range bothConnections(t, &backend{watch: watch}) {
				ctx := metadata.AppendToOutgoingContext(t.Context(), "shout", "hello")
				stream, err := client.WatchPortInOrders(ctx, &portinv1.WatchPortInOrdersRequest{ResumeToken: "é"})
				if err != nil {
					t.Fatal(err)
				}
				header, _ := stream.Header()
				var answers []*portinv1.WatchPortInOrdersResponse
				for err == nil {
					var answer *portinv1.WatchPortInOrdersResponse
					if answer, err = stream.Recv(); err == nil {
						answers = append(answers, answer)
					}
				}
				o := outcomeOf(err, header, stream.Trailer())
				o.Answers = answers
				got[kind] = o
			}
			if diff := cmp.Diff(got["wire"], got["process"], protocmp.Transform()); diff != "" {
				t.Errorf("(-wire +process):\n%s", diff)
			}
		})
	}
}

func TestInProcessStreamsEndWithTheirCaller(t *testing.T) {
	t.Parallel()
	ends := map[string]chan error{"wire": make(chan error, 1), "process": make(chan error, 1)}
	full := func(r *portinv1.WatchPortInOrdersRequest, s watchStream) error {
		for {
			// Nobody receives: this blocks, and ends when the caller does.
			if err := s.Send(watchAnswer(strings.Repeat("x", 10_000))); err != nil {
				ends[r.GetResumeToken()] <- s.Context().Err()
				return err
			}
		}
	}
	for kind, client := range bothConnections(t, &backend{watch: full}) {
		ctx, leave := context.WithCancel(t.Context())
		stream, err := client.WatchPortInOrders(ctx, &portinv1.WatchPortInOrdersRequest{ResumeToken: kind})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Header(); err != nil {
			t.Error(err)
		}
		leave()
		if err := <-ends[kind]; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the handler's context ended with %v", kind, err)
		}
		for err == nil { // over the wire some answers are there already
			_, err = stream.Recv()
		}
		if status.Code(err) != codes.Canceled {
			t.Errorf("%s: receiving said %v", kind, err)
		}
	}
}

func TestInProcessRefusesWhatTheWireCannotCarry(t *testing.T) {
	t.Parallel()
	for kind, client := range bothConnections(t, &backend{portIn: func(context.Context, *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
		return &portinv1.PortInResponse{Order: &portinv1.PortInOrder{Numbers: []string{"a", "\xff"}}}, nil
	}, watch: twoThen(nil)}) {
		for _, bad := range []string{"", "\xff"} {
			_, err := client.PortIn(t.Context(), &portinv1.PortInRequest{Order: &portinv1.PortInOrder{Warnings: []*portinv1.Warning{{Field: bad}}}})
			if status.Code(err) != codes.Internal {
				t.Errorf("%s: %q was answered %v", kind, bad, err)
			}
		}
		if _, err := client.WatchPortInOrders(t.Context(), &portinv1.WatchPortInOrdersRequest{ResumeToken: "\xff"}); status.Code(err) != codes.Internal {
			t.Errorf("%s: a stream was opened with %v", kind, err)
		}
	}
}

func TestInProcessSharesNothingWithTheHandler(t *testing.T) {
	t.Parallel()
	kept := &portinv1.PortInResponse{Order: &portinv1.PortInOrder{Numbers: []string{"1"}}}
	b := &backend{
		portIn: func(context.Context, *portinv1.PortInRequest) (*portinv1.PortInResponse, error) { return kept, nil },
		watch: func(_ *portinv1.WatchPortInOrdersRequest, s watchStream) error {
			m := watchAnswer("one")
			err := s.Send(m)
			m.ResumeToken = "changed after sending"
			return err
		},
	}
	client := bothConnections(t, b)["process"]
	answer, err := client.PortIn(t.Context(), &portinv1.PortInRequest{})
	if err != nil {
		t.Fatal(err)
	}
	answer.GetOrder().Numbers[0] = "changed by the caller"
	sameMessage(t, &portinv1.PortInResponse{Order: &portinv1.PortInOrder{Numbers: []string{"1"}}}, kept)
	stream, err := client.WatchPortInOrders(t.Context(), &portinv1.WatchPortInOrdersRequest{})
	if err != nil {
		t.Fatal(err)
	}
	first, err := stream.Recv()
	if err != nil || first.GetResumeToken() != "one" {
		t.Errorf("received %v, %v", first, err)
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("the stream ended with %v", err)
	}
}

func TestInProcessWithoutTheMethod(t *testing.T) {
	t.Parallel()
	conn := gateway.NewInProcess(nil, nil)
	portinv1.RegisterPortInServiceServer(conn, &backend{watch: twoThen(nil), portIn: (&service{}).PortIn})
	for method, want := range map[string]string{
		"/portin.v1.PortInService/Nothing":           "unknown method Nothing for service portin.v1.PortInService",
		"/portin.v1.PortInService/WatchPortInOrders": "unknown method WatchPortInOrders for service portin.v1.PortInService",
		"/portin.v1.Nobody/PortIn":                   "unknown service portin.v1.Nobody",
		"nonsense":                                   "unknown service nonsense",
	} {
		err := conn.Invoke(t.Context(), method, &portinv1.PortInRequest{}, &portinv1.PortInResponse{})
		if st := status.Convert(err); st.Code() != codes.Unimplemented || st.Message() != want {
			t.Errorf("%s was answered %v", method, err)
		}
	}
	if _, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true}, "/portin.v1.PortInService/PortIn"); status.Code(err) != codes.Unimplemented {
		t.Errorf("a unary method was opened as a stream: %v", err)
	}
	bidi := &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}
	if _, err := conn.NewStream(t.Context(), bidi, "/portin.v1.PortInService/WatchPortInOrders"); status.Code(err) != codes.Unimplemented {
		t.Errorf("a stream of requests was opened: %v", err)
	}
	// Without interceptors both kinds of calls work too.
	var from peer.Peer
	client := portinv1.NewPortInServiceClient(conn)
	if _, err := client.PortIn(t.Context(), &portinv1.PortInRequest{}, grpc.Peer(&from)); err != nil || from.Addr.String() != "in-process" || from.Addr.Network() != "in-process" {
		t.Errorf("answered by %v, %v", from, err)
	}
	stream, err := client.WatchPortInOrders(t.Context(), &portinv1.WatchPortInOrdersRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.SendMsg(&portinv1.WatchPortInOrdersRequest{}); status.Code(err) != codes.Internal {
		t.Errorf("a second request was answered %v", err)
	}
	for err == nil {
		_, err = stream.Recv()
	}
	conn.Wait()
}

func TestInProcessRefusesWrongTypes(t *testing.T) {
	t.Parallel()
	conn := gateway.NewInProcess([]grpc.UnaryServerInterceptor{func(_ context.Context, req any, _ *grpc.UnaryServerInfo, _ grpc.UnaryHandler) (any, error) {
		return req, nil // an answer of another type
	}}, nil)
	portinv1.RegisterPortInServiceServer(conn, &backend{})
	const method = portinv1.PortInService_PortIn_FullMethodName
	for _, c := range []struct{ args, reply any }{
		{"no message", &portinv1.PortInResponse{}},
		{&portinv1.PortInResponse{}, &portinv1.PortInResponse{}},
		{&portinv1.PortInRequest{}, &portinv1.PortInResponse{}},
		{&portinv1.PortInRequest{}, "no message"},
	} {
		if err := conn.Invoke(t.Context(), method, c.args, c.reply); err == nil {
			t.Errorf("%T was answered with %T", c.args, c.reply)
		}
	}
	for name, register := range map[string]func(){
		"twice":           func() { portinv1.RegisterPortInServiceServer(conn, &backend{}) },
		"of another kind": func() { conn.RegisterService(&portinv1.CatalogService_ServiceDesc, &backend{}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a service was registered %s", name)
				}
			}()
			register()
		}()
	}
}
