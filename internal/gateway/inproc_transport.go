package gateway

import (
	"context"
	"sync"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// transportStream keeps the header and the trailer of a call; grpc.SetHeader and its kin write into it. It is safe for
// concurrent use.
type transportStream struct {
	method string
	// onHeader, when it is not nil, is told once that the header is complete.
	onHeader func()

	mu              sync.Mutex
	header, trailer metadata.MD
	sent            bool
}

var _ grpc.ServerTransportStream = (*transportStream)(nil)

// Method is the full name of the RPC.
func (t *transportStream) Method() string { return t.method }

// SetHeader adds to the header, unless it has been sent.
func (t *transportStream) SetHeader(md metadata.MD) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sent {
		return status.Error(codes.Internal, "the header has been sent")
	}
	t.header = metadata.Join(t.header, md)
	return nil
}

// SendHeader adds to the header and sends it.
func (t *transportStream) SendHeader(md metadata.MD) error {
	if err := t.SetHeader(md); err != nil {
		return err
	}
	t.send()
	return nil
}

// SetTrailer adds to the trailer.
func (t *transportStream) SetTrailer(md metadata.MD) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trailer = metadata.Join(t.trailer, md)
	return nil
}

// send completes the header, if it is not complete.
func (t *transportStream) send() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.sent && t.onHeader != nil {
		t.onHeader()
	}
	t.sent = true
}

func (t *transportStream) headerSoFar() metadata.MD {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.header.Copy()
}

func (t *transportStream) trailerSoFar() metadata.MD {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.trailer.Copy()
}

// chainUnary makes one interceptor of many, nil of none.
func chainUnary(chain []grpc.UnaryServerInterceptor) grpc.UnaryServerInterceptor {
	switch len(chain) {
	case 0:
		return nil
	case 1:
		return chain[0]
	}
	rest := chainUnary(chain[1:])
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		return chain[0](ctx, req, info, func(ctx context.Context, req any) (any, error) {
			return rest(ctx, req, info, handler)
		})
	}
}

// chainStream makes one interceptor of many, nil of none.
func chainStream(chain []grpc.StreamServerInterceptor) grpc.StreamServerInterceptor {
	switch len(chain) {
	case 0:
		return nil
	case 1:
		return chain[0]
	}
	rest := chainStream(chain[1:])
	return func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		return chain[0](srv, ss, info, func(srv any, ss grpc.ServerStream) error {
			return rest(srv, ss, info, handler)
		})
	}
}

// checkText refuses a message with a string that is not UTF-8. The wire's codec refuses it too, and nothing is encoded
// here.
func checkText(message proto.Message) error {
	if !hasValidText(message.ProtoReflect()) {
		return status.Error(codes.Internal, "a string of the message is not UTF-8")
	}
	return nil
}

func hasValidText(message protoreflect.Message) bool {
	valid := true
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap():
			value.Map().Range(func(key protoreflect.MapKey, value protoreflect.Value) bool {
				valid = isValidText(field.MapKey(), key.Value()) && isValidText(field.MapValue(), value)
				return valid
			})
		case field.IsList():
			for i := 0; valid && i < value.List().Len(); i++ {
				valid = isValidText(field, value.List().Get(i))
			}
		default:
			valid = isValidText(field, value)
		}
		return valid
	})
	return valid
}

func isValidText(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
	switch {
	case field.Kind() == protoreflect.StringKind:
		return utf8.ValidString(value.String())
	case field.Message() != nil:
		return hasValidText(value.Message())
	}
	return true
}
