package rpc

import (
	"bytes"

	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // registers the codec that is wrapped here
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/inflight"
)

// codec lets a request that cannot be read take the way of every other error, with a reason and a request id. grpc-go
// answers such a request itself, as an internal error, before an interceptor can say anything. So what cannot be read
// becomes a message that holds nothing but a mark, and check refuses the mark. Answers, but for those of a watch, which are
// encoded already, and requests of services that are not of this contract are left to grpc-go.
type codec struct {
	encoding.CodecV2
	// longest is how many bytes a request may have.
	longest int
	// weighing weighs what is decoded.
	weighing *Weighing
}

func newCodec(longest int, weighing *Weighing) codec {
	return codec{CodecV2: encoding.GetCodecV2("proto"), longest: longest, weighing: weighing}
}

// markNumber is a field number that no .proto can declare: protobuf keeps 19000 to 19999 for itself.
const markNumber = 19999

// The marks of a request that was not read.
var (
	unreadable = mark(1) //nolint:gochecknoglobals // a constant that Go cannot write
	oversized  = mark(2) //nolint:gochecknoglobals // a constant that Go cannot write
	unfitting  = mark(3) //nolint:gochecknoglobals // a constant that Go cannot write
)

func mark(why uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, markNumber, protowire.VarintType), why)
}

// Marshal encodes an answer.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	if a, ok := v.(*watchAnswer); ok {
		return a.wire(), nil
	}
	return c.CodecV2.Marshal(v)
}

// Unmarshal reads a request, or marks it.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	m, ok := v.(proto.Message)
	if !ok || !ofContract(m) {
		return c.CodecV2.Unmarshal(data, v)
	}
	if why := c.read(data, m); why != nil {
		proto.Reset(m)
		m.ProtoReflect().SetUnknown(why)
	}
	return nil
}

// read reads a request, or returns the mark of why it does not.
func (c codec) read(data mem.BufferSlice, m proto.Message) (why []byte) {
	if data.Len() > c.longest {
		return oversized
	}
	load, err := c.weighing.weigh(m, data.Len())
	if err != nil {
		return unfitting
	}
	whole := data.MaterializeToBuffer(mem.DefaultBufferPool()) // the decoder would; what is in one piece is not copied
	defer whole.Free()
	switch {
	case crowded(whole.ReadOnlyData(), m.ProtoReflect().Descriptor()):
		why = oversized
	case c.CodecV2.Unmarshal(mem.BufferSlice{whole}, m) != nil:
		why = unreadable
	}
	if why != nil {
		load.LetGo()
		return why
	}
	c.weighing.keep(m, load)
	return nil
}

// marked is the error of a request that was not read. A caller who sends a mark is told the same, and nothing happens.
func marked(m proto.Message) error {
	switch unknown := m.ProtoReflect().GetUnknown(); {
	case bytes.Equal(unknown, unreadable):
		return fault.New(fault.ReasonMalformedRequest, notWhole)
	case bytes.Equal(unknown, oversized):
		return fault.New(fault.ReasonRequestTooLarge, tooLarge)
	case bytes.Equal(unknown, unfitting):
		return inflight.Busy()
	}
	return nil
}
