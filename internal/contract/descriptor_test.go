package contract

import (
	"slices"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// files are the files of the contract.
func files() []protoreflect.FileDescriptor {
	var all []protoreflect.FileDescriptor
	protoregistry.GlobalFiles.RangeFilesByPackage(portinv1.File_portin_v1_order_proto.Package(), func(f protoreflect.FileDescriptor) bool {
		all = append(all, f)
		return true
	})
	return all
}

// methods are the RPCs of the contract.
func methods() []protoreflect.MethodDescriptor {
	var all []protoreflect.MethodDescriptor
	for _, f := range files() {
		for i := range f.Services().Len() {
			list := f.Services().Get(i).Methods()
			for j := range list.Len() {
				all = append(all, list.Get(j))
			}
		}
	}
	return all
}

// inputs are the requests of every RPC.
func inputs() []protoreflect.MessageDescriptor {
	var all []protoreflect.MessageDescriptor
	for _, m := range methods() {
		all = append(all, m.Input())
	}
	return all
}

// reachable visits every field of the contract that can be reached from messages, with the fields that lead there. It
// stops at messages that are not of the contract.
func reachable(from []protoreflect.MessageDescriptor, visit func(path []protoreflect.FieldDescriptor)) {
	var walk func(m protoreflect.MessageDescriptor, path []protoreflect.FieldDescriptor)
	walk = func(m protoreflect.MessageDescriptor, path []protoreflect.FieldDescriptor) {
		for i := range m.Fields().Len() {
			fd := m.Fields().Get(i)
			here := append(slices.Clone(path), fd)
			visit(here)
			unruled := rulesOf(fd).GetIgnore() == validate.Ignore_IGNORE_ALWAYS // part of a message, which its service rules
			if below := fd.Message(); !unruled && below != nil && below.ParentFile().Package() == m.ParentFile().Package() {
				walk(below, here)
			}
		}
	}
	for _, m := range from {
		walk(m, nil)
	}
}

// everyField visits every field of every message of the contract, each once.
func everyField(visit func(fd protoreflect.FieldDescriptor)) {
	var walk func(list protoreflect.MessageDescriptors)
	walk = func(list protoreflect.MessageDescriptors) {
		for i := range list.Len() {
			m := list.Get(i)
			for j := range m.Fields().Len() {
				visit(m.Fields().Get(j))
			}
			walk(m.Messages())
		}
	}
	for _, f := range files() {
		walk(f.Messages())
	}
}

// rulesOf are the rules of a field; nil when it has none.
func rulesOf(fd protoreflect.FieldDescriptor) *validate.FieldRules {
	own, _ := proto.GetExtension(fd.Options(), validate.E_Field).(*validate.FieldRules)
	return own
}

// newOf returns a new message of a type of the contract.
func newOf(t *testing.T, m protoreflect.MessageDescriptor) protoreflect.Message {
	t.Helper()
	mt, err := protoregistry.GlobalTypes.FindMessageByName(m.FullName())
	if err != nil {
		t.Fatal(err)
	}
	return mt.New()
}

// grow makes the messages that a path leads through, one entry in each list, and returns the innermost one and the text
// of the path to it, with a dot at its end.
func grow(root protoreflect.Message, path []protoreflect.FieldDescriptor) (inner protoreflect.Message, text string) {
	inner = root
	for _, fd := range path {
		text += string(fd.Name())
		if fd.IsList() {
			list := inner.Mutable(fd).List()
			inner = list.AppendMutable().Message()
			text += "[0]"
		} else {
			inner = inner.Mutable(fd).Message()
		}
		text += "."
	}
	return inner, text
}
