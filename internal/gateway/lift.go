package gateway

import (
	"bytes"
	"encoding/base64"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// liftFrom is how long a string has to be before it is worth lifting.
const liftFrom = 4 << 10

// lifted is a document that was taken out of a body before the decoder sees it: the decoder copies every string twice
// before it has the bytes of it.
type lifted struct {
	// start and end are the offsets of the string, with its quotes.
	start, end int
	path       []step
	content    []byte
}

// lifter collects the long strings of a body that are the base64 of a bytes field. What is unusual about a string
// (escapes, broken base64, another kind of field) leaves it where it is, for the decoder to judge.
type lifter struct {
	body  protoreflect.MessageDescriptor
	from  int
	found []lifted
}

// consider is told of a string that is a value.
func (l *lifter) consider(s *scanner, start, end int) {
	if end-start < l.from || !isBytesField(l.body, s.path) {
		return
	}
	if content, ok := decodeBase64(s.data[start+1 : end-1]); ok {
		l.found = append(l.found, lifted{start, end, slices.Clone(s.path), content})
	}
}

// rest is the body with an empty string in the place of each that was lifted.
func (l *lifter) rest(data []byte) []byte {
	if len(l.found) == 0 {
		return data
	}
	var rest bytes.Buffer
	from := 0
	for _, f := range l.found {
		rest.Write(data[from:f.start])
		rest.WriteString(`""`)
		from = f.end
	}
	rest.Write(data[from:])
	return rest.Bytes()
}

// offset is where an offset of the rest is in the body.
func (l *lifter) offset(inRest int) int {
	for _, f := range l.found {
		if inRest <= f.start {
			break
		}
		inRest += f.end - f.start - len(`""`)
	}
	return inRest
}

// putBack sets the fields whose strings were lifted, in a message decoded from the rest.
func (l *lifter) putBack(into proto.Message) {
	for _, f := range l.found {
		message := into.ProtoReflect()
		for i := 0; i < len(f.path); i++ {
			field := fieldNamed(message.Descriptor(), f.path[i].key)
			switch {
			case i == len(f.path)-1:
				message.Set(field, protoreflect.ValueOfBytes(f.content))
			case field.IsList():
				i++
				message = message.Mutable(field).List().Get(f.path[i].index).Message()
			default:
				message = message.Mutable(field).Message()
			}
		}
	}
}

// isBytesField reports whether a path leads to a single field of bytes.
func isBytesField(message protoreflect.MessageDescriptor, path []step) bool {
	inList := false
	var field protoreflect.FieldDescriptor
	for _, step := range path {
		if inList != (step.key == nil) {
			return false
		}
		if inList {
			inList = false
			continue
		}
		if field = fieldNamed(message, step.key); field == nil {
			return false
		}
		message, inList = field.Message(), field.IsList()
	}
	return field != nil && field.Kind() == protoreflect.BytesKind && !field.IsList()
}

// decodeBase64 decodes what the decoder of protojson would decode, and the same way: either alphabet, padded or not.
func decodeBase64(text []byte) ([]byte, bool) {
	// Go's base64 skips line ends, which a JSON string cannot have.
	if has(text, '\r') || has(text, '\n') {
		return nil, false
	}
	encoding := base64.StdEncoding
	if has(text, '-') || has(text, '_') {
		encoding = base64.URLEncoding
	}
	if len(text)%4 != 0 {
		encoding = encoding.WithPadding(base64.NoPadding)
	}
	content := make([]byte, encoding.DecodedLen(len(text)))
	n, err := encoding.Decode(content, text)
	return content[:n], err == nil
}

// has looks for one byte; for many at once there is no instruction.
func has(text []byte, c byte) bool {
	return bytes.IndexByte(text, c) >= 0
}
