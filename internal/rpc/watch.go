package rpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/tracker"
)

// Watches is what tells of orders as they change.
type Watches interface {
	// Watch tells a tenant of its orders until ctx ends, tell fails, or the watch cannot go on.
	Watch(ctx context.Context, tenant string, req *portinv1.WatchPortInOrdersRequest, tell func(tracker.Update) error) error
}

// WatchPortInOrders streams orders as they are and as they change.
func (s *portInService) WatchPortInOrders(
	req *portinv1.WatchPortInOrdersRequest, stream grpc.ServerStreamingServer[portinv1.WatchPortInOrdersResponse],
) error {
	return s.watches.Watch(stream.Context(), tenantOf(stream.Context()), req, func(u tracker.Update) error {
		answer, err := newWatchAnswer(u, s.teller)
		if err != nil {
			return err
		}
		return unsent(stream.SendMsg(answer))
	})
}

// unsent is the meaning of an answer that could not be sent: a connection that is gone is no fault of the service.
func unsent(err error) error {
	if status.Code(err) == codes.Unavailable {
		return fault.New(fault.ReasonCancelled, "the caller left").WithCause(err)
	}
	return err
}

// watchAnswer is a WatchPortInOrdersResponse whose order and event were encoded once for all who are told of them. The
// codec sends it as it is; to everybody else, the connection in the process for one, it is a message like any other.
type watchAnswer struct {
	token string
	// order and event are the fields with their tags; nil when they are absent.
	order, event []byte
	// read is the message, once somebody has asked for it.
	read *portinv1.WatchPortInOrdersResponse
}

var _ proto.Message = (*watchAnswer)(nil)

// The fields of the answer; a test compares them with the descriptor.
const (
	tokenField protowire.Number = 1
	orderField protowire.Number = 2
	eventField protowire.Number = 3
)

func newWatchAnswer(u tracker.Update, teller *intake.Teller) (a *watchAnswer, err error) {
	a = &watchAnswer{token: u.Token}
	if u.Order != nil {
		if a.order, err = u.Order.Encoded(encoded(orderField, teller.Render)); err != nil {
			return nil, err
		}
	}
	if u.Event != nil {
		a.event, err = u.Event.Encoded(encoded(eventField, intake.RenderEvent))
	}
	return a, err
}

// encoded renders something and encodes it as a field.
func encoded[T any, M proto.Message](field protowire.Number, render func(T) M) func(T) ([]byte, error) {
	return func(of T) ([]byte, error) {
		body, err := proto.Marshal(render(of))
		if err != nil {
			return nil, fault.Internal(err)
		}
		tagged := make([]byte, 0, protowire.SizeTag(field)+protowire.SizeBytes(len(body)))
		return protowire.AppendBytes(protowire.AppendTag(tagged, field, protowire.BytesType), body), nil
	}
}

// wire is the answer as the codec sends it. Fields may stand in any order.
func (a *watchAnswer) wire() mem.BufferSlice {
	token := make([]byte, 0, protowire.SizeTag(tokenField)+protowire.SizeBytes(len(a.token)))
	token = protowire.AppendString(protowire.AppendTag(token, tokenField, protowire.BytesType), a.token)
	parts := make(mem.BufferSlice, 0, 3)
	for _, part := range [][]byte{token, a.order, a.event} {
		if len(part) > 0 {
			parts = append(parts, mem.SliceBuffer(part))
		}
	}
	return parts
}

// ProtoReflect is that of the message.
func (a *watchAnswer) ProtoReflect() protoreflect.Message {
	if a.read == nil {
		a.read = &portinv1.WatchPortInOrdersResponse{}
		if err := proto.Unmarshal(a.wire().Materialize(), a.read); err != nil {
			panic("rpc: what was encoded here cannot be read: " + err.Error())
		}
	}
	return a.read.ProtoReflect()
}
