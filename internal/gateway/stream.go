package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

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

// takeWithin is how long a caller may take to accept a part of a stream before it is left behind.
const takeWithin = 2 * time.Minute

// streamWriter is the writer of a stream. A stream outlives any time that an answer may take, so each part of it has a time
// of its own: who takes none for so long holds nothing for ever.
type streamWriter struct {
	http.ResponseWriter

	connection *http.ResponseController
}

// newStreamWriter begins a stream, and asks proxies to pass each part on as it comes.
func newStreamWriter(w http.ResponseWriter) *streamWriter {
	w.Header().Set("X-Accel-Buffering", "no")
	s := &streamWriter{ResponseWriter: w, connection: http.NewResponseController(w)}
	s.end()
	return s
}

// Write writes a part. A writer without deadlines takes any time.
func (s *streamWriter) Write(part []byte) (int, error) {
	_ = s.connection.SetWriteDeadline(time.Now().Add(takeWithin))
	return s.ResponseWriter.Write(part)
}

// Unwrap is the writer below.
func (s *streamWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// end leaves the connection without a deadline, for the next request on it, as it is until the first part.
func (s *streamWriter) end() { _ = s.connection.SetWriteDeadline(time.Time{}) }
