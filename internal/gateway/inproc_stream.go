package gateway

import (
	"context"
	"errors"
	"io"
	"runtime/debug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// streamBuffer is how many messages a stream holds that its caller has not taken yet. A handler that sends more waits.
const streamBuffer = 16

// NewStream opens a server stream, whose handler runs in a goroutine of its own until it returns. As over the wire, the
// caller has to receive until an error or io.EOF, or to end the context.
func (c *InProcess) NewStream(
	ctx context.Context, desc *grpc.StreamDesc, method string, _ ...grpc.CallOption,
) (grpc.ClientStream, error) {
	m, ok := c.methods[method]
	switch {
	case !ok || m.stream == nil:
		return nil, c.unknown(method)
	case desc.ClientStreams || m.stream.ClientStreams:
		return nil, status.Error(codes.Unimplemented, "a stream of requests is not carried in the process")
	case ctx.Err() != nil:
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	p := &pipe{
		ctx:       ctx,
		transport: &transportStream{method: method},
		requests:  make(chan proto.Message, 1),
		answers:   make(chan proto.Message, streamBuffer),
		header:    make(chan struct{}),
		done:      make(chan struct{}),
	}
	p.transport.onHeader = func() { close(p.header) }

	served, cancel := serverContext(ctx, p.transport)
	c.running.Go(func() {
		defer cancel()
		p.end = p.serve(c.stream, m, &serverEnd{pipe: p, ctx: served})
		close(p.done)
	})
	return &clientEnd{pipe: p}, nil
}

// pipe is a stream: what its two ends share.
type pipe struct {
	// ctx is the caller's.
	ctx       context.Context //nolint:containedctx // a stream of gRPC is asked for its context
	transport *transportStream
	requests  chan proto.Message
	answers   chan proto.Message
	// header is closed when the header is complete, done when the handler has returned.
	header, done chan struct{}
	// end is what the handler returned, panicked what it panicked with. They may be read once done is closed.
	end      error
	panicked *handlerPanic
}

// serve runs the handler behind the interceptors.
func (p *pipe) serve(intercept grpc.StreamServerInterceptor, m registered, stream grpc.ServerStream) (err error) {
	defer func() {
		if r := recover(); r != nil {
			p.panicked = &handlerPanic{value: r, stack: debug.Stack()}
		}
	}()
	if intercept == nil {
		return m.stream.Handler(m.server, stream)
	}
	info := &grpc.StreamServerInfo{FullMethod: p.transport.method, IsServerStream: true}
	return intercept(m.server, stream, info, m.stream.Handler)
}

// handlerPanic is a panic of a stream's handler on its way to the caller, with the stack that it would lose.
type handlerPanic struct {
	value any
	stack []byte
}

// result is how the stream ended, for its caller. A handler's panic goes on in the caller.
func (p *pipe) result() error {
	switch {
	case p.panicked != nil:
		panic(p.panicked)
	case p.ctx.Err() != nil:
		return status.FromContextError(p.ctx.Err()).Err()
	case p.end == nil:
		return io.EOF
	}
	return wireError(p.end)
}

// clientEnd is the caller's end of a pipe.
type clientEnd struct {
	*pipe

	closed bool
}

var _ grpc.ClientStream = (*clientEnd)(nil)

// Header waits until the header is complete. A stream that ended before has none, and its error is returned.
func (e *clientEnd) Header() (metadata.MD, error) {
	select {
	case <-e.header:
		return e.transport.headerSoFar(), nil
	case <-e.ctx.Done():
		return nil, status.FromContextError(e.ctx.Err()).Err()
	case <-e.done:
	}
	select {
	case <-e.header:
		return e.transport.headerSoFar(), nil
	default:
	}
	if err := e.result(); !errors.Is(err, io.EOF) {
		return nil, err
	}
	return e.transport.headerSoFar(), nil
}

// Trailer is complete once receiving has returned an error.
func (e *clientEnd) Trailer() metadata.MD { return e.transport.trailerSoFar() }

// Context is the caller's own.
func (e *clientEnd) Context() context.Context { return e.ctx }

// SendMsg sends the one request of the stream, as a copy.
func (e *clientEnd) SendMsg(message any) error {
	request, ok := message.(proto.Message)
	if !ok {
		return status.Errorf(codes.Internal, "a %T is no message", message)
	}
	if err := checkText(request); err != nil {
		return err
	}
	if e.closed {
		return status.Error(codes.Internal, "the request has been sent")
	}
	select {
	case e.requests <- proto.Clone(request):
		return nil
	default:
		return status.Error(codes.Internal, "the stream takes one request")
	}
}

// CloseSend says that there is no further request.
func (e *clientEnd) CloseSend() error {
	if !e.closed {
		e.closed = true
		close(e.requests)
	}
	return nil
}

// RecvMsg receives the next answer. After the last it returns io.EOF, or the error that the stream ended in.
func (e *clientEnd) RecvMsg(into any) error {
	if e.ctx.Err() != nil {
		return status.FromContextError(e.ctx.Err()).Err()
	}
	select {
	case answer := <-e.answers:
		return handOver(into, answer)
	case <-e.ctx.Done():
		return status.FromContextError(e.ctx.Err()).Err()
	case <-e.done:
	}
	// What was sent before the end comes before it.
	select {
	case answer := <-e.answers:
		return handOver(into, answer)
	default:
		return e.result()
	}
}

// serverEnd is the handler's end of a pipe.
type serverEnd struct {
	*pipe

	// ctx is the handler's, not the caller's.
	ctx context.Context //nolint:containedctx // a stream of gRPC is asked for its context
}

var _ grpc.ServerStream = (*serverEnd)(nil)

// SetHeader adds to the header.
func (e *serverEnd) SetHeader(md metadata.MD) error { return e.transport.SetHeader(md) }

// SendHeader adds to the header and sends it.
func (e *serverEnd) SendHeader(md metadata.MD) error { return e.transport.SendHeader(md) }

// SetTrailer adds to the trailer.
func (e *serverEnd) SetTrailer(md metadata.MD) { _ = e.transport.SetTrailer(md) }

// Context ends with the caller's, and when the handler returns.
func (e *serverEnd) Context() context.Context { return e.ctx }

// SendMsg sends a copy of an answer, and waits while the caller is too far behind.
func (e *serverEnd) SendMsg(message any) error {
	answer, ok := message.(proto.Message)
	if !ok {
		return status.Errorf(codes.Internal, "a %T is no message", message)
	}
	if err := checkText(answer); err != nil {
		return err
	}
	e.transport.send()
	select {
	case e.answers <- proto.Clone(answer):
		return nil
	case <-e.ctx.Done():
		return status.FromContextError(e.ctx.Err()).Err()
	}
}

// RecvMsg receives the request, then io.EOF.
func (e *serverEnd) RecvMsg(into any) error {
	select {
	case request, ok := <-e.requests:
		if !ok {
			return io.EOF
		}
		return handOver(into, request)
	case <-e.ctx.Done():
		return status.FromContextError(e.ctx.Err()).Err()
	}
}
