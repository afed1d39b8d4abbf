package directory_test

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// spoil writes into every text of a message, as a careless caller might.
func spoil(m protoreflect.Message) {
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsList() && field.Message() != nil:
			for i := range value.List().Len() {
				spoil(value.List().Get(i).Message())
			}
		case field.IsList():
			for i := range value.List().Len() {
				value.List().Set(i, protoreflect.ValueOfString("spoilt"))
			}
		case field.Message() != nil:
			spoil(value.Message())
		case field.Kind() == protoreflect.StringKind:
			m.Set(field, protoreflect.ValueOfString("spoilt"))
		}
		return true
	})
}

// isNil reports whether there is no message.
func isNil(m proto.Message) bool { return !m.ProtoReflect().IsValid() }
