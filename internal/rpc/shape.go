package rpc

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/portin/portin/internal/inflight"
)

// mostFields is how many fields a request may have, at all depths together. The largest order of ten thousand numbers, the most
// that can be set, has fewer.
const mostFields = 1 << 18

// crowded reports whether an encoded message has more fields than any request of the contract needs. An element of a list is two
// or three bytes as it comes and more than a hundred once it is decoded, so a message of nothing else takes ten times what it is
// weighed at. What is light takes little all the same, and what cannot be read is for the decoder to find.
func crowded(data []byte, message protoreflect.MessageDescriptor) bool {
	if len(data) <= inflight.Light {
		return false
	}
	left := mostFields
	return !counted(data, message, &left)
}

// counted takes the fields of a message off what is left, and reports whether that was enough.
func counted(data []byte, message protoreflect.MessageDescriptor, left *int) bool {
	for len(data) > 0 {
		number, kind, tag := protowire.ConsumeTag(data)
		if tag < 0 {
			return true
		}
		value := protowire.ConsumeFieldValue(number, kind, data[tag:])
		if value < 0 {
			return true
		}
		if *left == 0 {
			return false
		}
		*left--
		if field := message.Fields().ByNumber(number); kind == protowire.BytesType && field != nil && field.Message() != nil {
			inner, _ := protowire.ConsumeBytes(data[tag:])
			if !counted(inner, field.Message(), left) {
				return false
			}
		}
		data = data[tag+value:]
	}
	return true
}
