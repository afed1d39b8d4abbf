package gateway

import (
	"fmt"
	"reflect"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// handOver moves a message to where somebody asks for one: into a message of its type, or into a pointer to one. Nothing
// is copied but the fields' headers, so that documents are not held twice; from must not be used afterwards.
func handOver(into any, from proto.Message) error {
	if message, ok := into.(proto.Message); ok {
		to, src := message.ProtoReflect(), from.ProtoReflect()
		if to.Descriptor() != src.Descriptor() {
			return fmt.Errorf("a %s was asked for, there is a %s", to.Descriptor().FullName(), src.Descriptor().FullName())
		}
		src.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
			to.Set(field, value)
			return true
		})
		to.SetUnknown(src.GetUnknown())
		return nil
	}
	place := reflect.ValueOf(into)
	if place.Kind() != reflect.Pointer || !reflect.TypeOf(from).AssignableTo(place.Type().Elem()) {
		return fmt.Errorf("a %T was asked for, there is a %T", into, from)
	}
	place.Elem().Set(reflect.ValueOf(from))
	return nil
}
