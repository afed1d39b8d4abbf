package rpc

import (
	"context"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// requestIDKey is the metadata key of the trace identity of a call, in both directions.
const requestIDKey = "x-request-id"

// call is what the log says of a call beside how it ended.
type call struct {
	// id is its trace identity.
	id string
	// caller is who made it; empty until that is known, and where nobody is told apart. It is written before the handler runs
	// and read after it.
	caller string
}

type callKey struct{}

// callOf is the call that ctx belongs to; one of its own outside a call.
func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{}
}

// RequestID returns the trace identity of the call that ctx belongs to; empty outside a call.
func RequestID(ctx context.Context) string { return callOf(ctx).id }

// noteCaller says who makes the call that ctx belongs to.
func noteCaller(ctx context.Context, name string) { callOf(ctx).caller = name }

// withRequestID gives a call the caller's own trace identity, or a new one when there is none or it could not stand in a
// log line.
func withRequestID(ctx context.Context) (context.Context, metadata.MD) {
	var id string
	if given := metadata.ValueFromIncomingContext(ctx, requestIDKey); len(given) == 1 && plain(given[0]) {
		id = given[0]
	} else {
		id = uuid.NewString()
	}
	return context.WithValue(ctx, callKey{}, &call{id: id}), metadata.Pairs(requestIDKey, id)
}

// plain reports whether a text is 1 to 128 letters, digits, dots, dashes and underscores.
func plain(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// requestIDUnary answers the identity in the trailer and, unless the call fails, in the header too. An error has no header: to a
// client that has one, the answer has begun, and its retry policy tries no call again whose answer has (gRFC A6).
func requestIDUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	ctx, md := withRequestID(ctx)
	// A call that is already over takes no metadata; nobody is there to miss it.
	_ = grpc.SetTrailer(ctx, md)
	resp, err := handler(ctx, req)
	if err == nil {
		_ = grpc.SetHeader(ctx, md)
	}
	return resp, err
}

func requestIDStream(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	ctx, md := withRequestID(ss.Context())
	_ = ss.SetHeader(md)
	err := handler(srv, &contextStream{ServerStream: ss, ctx: ctx})
	ss.SetTrailer(metadata.Pairs(requestIDKey, RequestID(ctx)))
	return err
}

// contextStream is a stream with another context.
type contextStream struct {
	grpc.ServerStream
	ctx context.Context //nolint:containedctx // grpc.ServerStream hands its context out by a method
}

// Context is the stream's context.
func (s *contextStream) Context() context.Context { return s.ctx }
