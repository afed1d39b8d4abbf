package gateway

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// hearFirst is a connection whose streams have a header only once their first message is there. An error that comes
// before it is then an ordinary error to the mux, with its own HTTP status and its own JSON; the mux's handler for errors
// of streams knows neither. Nothing is lost by it: an answer over HTTP begins with its first byte.
type hearFirst struct {
	grpc.ClientConnInterface

	routes *routes
}

// NewStream opens a stream.
func (c hearFirst) NewStream(
	ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	stream, err := c.ClientConnInterface.NewStream(ctx, desc, method, opts...)
	if err != nil {
		return nil, err
	}
	return &heardStream{ClientStream: stream, first: c.routes.byRPC[method].outputType.New().Interface()}, nil
}

// heardStream is a stream whose first message is received with the header. Like every ClientStream it is not safe for
// concurrent receiving.
type heardStream struct {
	grpc.ClientStream

	first proto.Message
	heard bool
	// end is what the next receiving returns: nil while the first message waits to be taken.
	end error
}

// Header waits for the first message, or for the end, and returns the error of a stream that ends in one.
func (s *heardStream) Header() (metadata.MD, error) {
	md, err := s.ClientStream.Header()
	if err != nil {
		return nil, err
	}
	s.heard = true
	if s.end = s.ClientStream.RecvMsg(s.first); s.end != nil && !errors.Is(s.end, io.EOF) {
		return nil, s.end
	}
	return md, nil
}

// RecvMsg receives the next message.
func (s *heardStream) RecvMsg(message any) error {
	if !s.heard {
		return s.ClientStream.RecvMsg(message)
	}
	s.heard = false
	if s.end != nil {
		return s.end
	}
	return handOver(message, s.first)
}

// streamStatus is the mux's handler for errors that come after a stream has begun. They are the last chunk.
func streamStatus(ctx context.Context, err error) *status.Status {
	return toldToCaller(routeFrom(ctx), status.Convert(err))
}
