package contract

import (
	"slices"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// SortByField sorts a list by the place of each field path in a message's declaration: the index of the declaration for
// every field and the number of the entry for every list, from the outside in. Equal places stay as they were.
func SortByField[T any](message protoreflect.MessageDescriptor, list []T, path func(T) string) {
	type keyed struct {
		key   []int
		value T
	}
	all := make([]keyed, len(list))
	for i, v := range list {
		all[i] = keyed{position(message, path(v)), v}
	}
	slices.SortStableFunc(all, func(a, b keyed) int { return slices.Compare(a.key, b.key) })
	for i, k := range all {
		list[i] = k.value
	}
}

// position is where a path stands in the contract. A oneof stands where its first field does; what follows a name that is
// not in the contract is left out.
func position(message protoreflect.MessageDescriptor, path string) []int {
	var key []int
	for step := range strings.SplitSeq(path, ".") {
		if message == nil {
			break
		}
		name, rest, inList := strings.Cut(step, "[")
		field := message.Fields().ByName(protoreflect.Name(name))
		if field == nil {
			if oneof := message.Oneofs().ByName(protoreflect.Name(name)); oneof != nil {
				key = append(key, oneof.Fields().Get(0).Index())
			}
			break
		}
		key = append(key, field.Index())
		if inList {
			// A path of our own or of protovalidate always has a number here; anything else sorts as the first entry.
			n, _ := strconv.Atoi(strings.TrimSuffix(rest, "]"))
			key = append(key, n)
		}
		message = field.Message()
	}
	return key
}

// Unknown finds a part of a message that the contract does not have, at any depth, and returns the path of the message
// that holds it; "" is the message itself.
func Unknown(m protoreflect.Message) (path string, found bool) {
	if len(m.GetUnknown()) > 0 {
		return "", true
	}
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		each(fd, v, func(step string, below protoreflect.Message) bool {
			if inner, ok := Unknown(below); ok {
				path, found = strings.TrimSuffix(step+"."+inner, "."), true
			}
			return !found
		})
		return !found
	})
	return path, found
}

// ClearInputOnly clears every field that only goes in, at every depth: documents' content and passwords. It returns the
// paths of those that were set, in the order of the contract.
func ClearInputOnly(m protoreflect.Message) []string {
	cleared := clearInputOnly(m, "")
	SortByField(m.Descriptor(), cleared, func(path string) string { return path })
	return cleared
}

func clearInputOnly(m protoreflect.Message, prefix string) (cleared []string) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if behaves(fd, annotations.FieldBehavior_INPUT_ONLY) {
			cleared = append(cleared, prefix+string(fd.Name()))
			m.Clear(fd)
			return true
		}
		each(fd, v, func(step string, below protoreflect.Message) bool {
			cleared = append(cleared, clearInputOnly(below, prefix+step+".")...)
			return true
		})
		return true
	})
	return cleared
}

// behaves reports whether the contract marks a field with this behaviour.
func behaves(fd protoreflect.FieldDescriptor, behavior annotations.FieldBehavior) bool {
	behaviors, _ := proto.GetExtension(fd.Options(), annotations.E_FieldBehavior).([]annotations.FieldBehavior)
	return slices.Contains(behaviors, behavior)
}

// each visits the messages that a field's value holds, with the step of the path that leads there, until visit says no.
// The contract has no maps.
func each(fd protoreflect.FieldDescriptor, v protoreflect.Value, visit func(step string, below protoreflect.Message) bool) {
	switch {
	case fd.Message() == nil || fd.IsMap():
	case fd.IsList():
		for i := range v.List().Len() {
			if !visit(string(fd.Name())+"["+strconv.Itoa(i)+"]", v.List().Get(i).Message()) {
				return
			}
		}
	default:
		visit(string(fd.Name()), v.Message())
	}
}
