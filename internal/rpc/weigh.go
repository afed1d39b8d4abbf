package rpc

import (
	"context"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/inflight"
)

// Weighing holds back orders that would take too much memory. grpc-go tells nobody how large a message is before it has the whole
// of it: the tap handle sees the head alone, which has no length, a stats handler hears of a message once it is decoded and cannot
// refuse it, and the window of a stream is opened for as much as the message says, that of a connection whatever is read. The
// codec is the first to see the message, and the last before its memory doubles. So it weighs there, and leaves the load
// with the message for the interceptor, which comes next, unless the stream breaks before its end: then whoever registered the method
// hears of it. What still arrives is not weighed.
//
// Build it with NewWeighing; nil weighs nothing. It is safe for concurrent use.
type Weighing struct {
	scale *inflight.Scale
	// loads are those of messages that were decoded, by message, until their call begins.
	loads sync.Map
}

// NewWeighing weighs on a scale.
func NewWeighing(scale *inflight.Scale) *Weighing { return &Weighing{scale: scale} }

// weigh puts a message on the scale that is to be decoded from so many bytes. Orders alone may be large; no other request waits for
// the carrier with documents in its hands.
func (w *Weighing) weigh(m proto.Message, size int) (*inflight.Load, error) {
	if w == nil {
		return nil, nil //nolint:nilnil // nil is a load that weighs nothing
	}
	switch m.(type) {
	case *portinv1.PortInRequest, *portinv1.ResubmitPortInRequest:
		return w.scale.Put(inflight.OfMessage(int64(size)))
	}
	return nil, nil //nolint:nilnil // nil is a load that weighs nothing
}

// weighed reports whether a method's requests are orders, which are weighed.
func weighed(method string) bool {
	return method == portinv1.PortInService_PortIn_FullMethodName || method == portinv1.PortInService_ResubmitPortIn_FullMethodName
}

// keep leaves the load of a message to its call. One that is decoded into for a second time, because its caller sends two where
// there is to be one, has the load of the second.
func (w *Weighing) keep(m proto.Message, load *inflight.Load) {
	if load == nil {
		return
	}
	if before, ok := w.loads.Swap(m, load); ok {
		letGo(before)
	}
}

// drop lets the load of a message go that was decoded and has no call: its caller left before the end of the stream, or sent more.
func (w *Weighing) drop(m any) {
	if w == nil {
		return
	}
	if kept, ok := w.loads.LoadAndDelete(m); ok {
		letGo(kept)
	}
}

func letGo(kept any) {
	load, _ := kept.(*inflight.Load)
	load.LetGo()
}

// unary holds the load of a call's request until the call is over. Whoever needs the documents for longer holds it too. The load of
// a request that came over JSON is in the context already, and held by the gateway.
func (w *Weighing) unary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if w == nil {
		return handler(ctx, req)
	}
	kept, ok := w.loads.LoadAndDelete(req)
	if !ok {
		return handler(ctx, req)
	}
	load, _ := kept.(*inflight.Load)
	defer load.LetGo()
	return handler(inflight.With(ctx, load), req)
}
