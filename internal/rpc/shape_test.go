package rpc

import (
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/inflight"
)

// TestARequestOfFieldsAloneIsNotDecoded: a hundred bytes of memory for every two or three that come are more than what is weighed.
func TestARequestOfFieldsAloneIsNotDecoded(t *testing.T) {
	t.Parallel()
	orders := &fake{scale: inflight.New(1 << 30)}
	f := serve(t, orders)
	for method, req := range map[string]proto.Message{
		portInMethod: &portinv1.PortInRequest{Order: &portinv1.PortInOrder{Form: &portinv1.PortForm{
			LettersOfAuthorization: crowd(mostFields),
		}}},
		portinv1.CatalogService_CheckPortability_FullMethodName: &portinv1.CheckPortabilityRequest{Numbers: make([]string, mostFields+1)},
	} {
		wantError(t, f.Invoke(t.Context(), method, req, &portinv1.PortInResponse{}), codes.ResourceExhausted, "REQUEST_TOO_LARGE")
	}
	light(t, "refused", orders.scale)
}

// crowd are so many documents with nothing in them.
func crowd(n int) []*portinv1.Document {
	all, empty := make([]*portinv1.Document, n), &portinv1.Document{}
	for i := range all {
		all[i] = empty
	}
	return all
}

// TestTheLargestOrderIsNotCrowded: ten thousand numbers, in each target's list of them with all that an entry can say, beside as many
// that remain and as many to disconnect.
func TestTheLargestOrderIsNotCrowded(t *testing.T) {
	t.Parallel()
	const mostNumbers = 10_000
	targets := (&portinv1.PortInOrder{}).ProtoReflect().Descriptor().Oneofs().ByName("target").Fields()
	for i := range targets.Len() {
		m := &portinv1.PortInRequest{Order: &portinv1.PortInOrder{Form: &portinv1.PortForm{
			NumbersToRemain: make([]string, mostNumbers), NumbersToDisconnect: make([]string, mostNumbers),
		}}}
		fill(m.GetOrder().ProtoReflect().Mutable(targets.Get(i)).Message(), mostNumbers)
		wire, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		c, is := newCodec(len(wire), NewWeighing(inflight.New(1<<50))), &portinv1.PortInRequest{}
		if err := c.Unmarshal(mem.BufferSlice{mem.SliceBuffer(wire[:100]), mem.SliceBuffer(wire[100:])}, is); err != nil || !proto.Equal(is, m) {
			t.Errorf("the largest order of %s is not read: %v, %v", targets.Get(i).Name(), err, marked(is))
		}
	}
}

// fill sets every field of a message, with so many entries in its lists and one in those of entries.
func fill(m protoreflect.Message, entries int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		switch f := fields.Get(i); {
		case f.IsList():
			list := m.Mutable(f).List()
			for range entries {
				entry := list.NewElement()
				if f.Message() != nil {
					fill(entry.Message(), 1)
				}
				list.Append(entry)
			}
		case f.Message() != nil:
			fill(m.Mutable(f).Message(), entries)
		default:
			m.Set(f, f.Default())
		}
	}
}
