package contract

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// SetPaths lists the fields of a message that are set and may be given, as a mask names them: a list, and a message without
// anything in it, is one path, any other message the paths below it.
func SetPaths(m proto.Message) []string {
	paths := setPaths(m.ProtoReflect())
	SortByField(m.ProtoReflect().Descriptor(), paths, func(path string) string { return path })
	return paths
}

func setPaths(m protoreflect.Message) (paths []string) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if behaves(fd, annotations.FieldBehavior_OUTPUT_ONLY) {
			return true
		}
		name := string(fd.Name())
		var below []string
		if fd.Message() != nil && !fd.IsList() && !fd.IsMap() {
			for _, path := range setPaths(v.Message()) {
				below = append(below, name+"."+path)
			}
		}
		if len(below) == 0 {
			below = []string{name}
		}
		paths = append(paths, below...)
		return true
	})
	return paths
}

// How many paths a mask has at the most, and how many bytes a path: more than a message of the contract has fields, and than any
// of their paths has.
const (
	MaxPaths = 200
	MaxPath  = 200
)

// CheckMask says what is wrong with the size of a mask, before anything walks it; nothing when it may be walked.
func CheckMask(paths []string) (problem string) {
	long := func(path string) bool { return len(path) > MaxPath }
	if len(paths) > MaxPaths || slices.ContainsFunc(paths, long) {
		return fmt.Sprintf("has more than %d paths, or one of more than %d bytes", MaxPaths, MaxPath)
	}
	return ""
}

// Covers reports whether a mask names a field, or a message that it is in.
func Covers(mask []string, path string) bool {
	return slices.ContainsFunc(mask, func(named string) bool { return path == named || strings.HasPrefix(path, named+".") })
}

// Correct makes of the field that a path of a mask names what it is in another message of the same type: the same, which
// both then share, or not set. It says what is wrong with a path that names nothing which could be corrected, and then
// changes nothing.
func Correct(into, from proto.Message, path string) (problem string) {
	if problem := wrongPath(into.ProtoReflect().Descriptor(), path); problem != "" {
		return problem
	}
	to, with := into.ProtoReflect(), from.ProtoReflect()
	for given := has(with, path); ; {
		name, rest, deeper := strings.Cut(path, ".")
		fd := to.Descriptor().Fields().ByName(protoreflect.Name(name))
		switch {
		case !deeper && given:
			to.Set(fd, with.Get(fd))
			return ""
		case !deeper:
			to.Clear(fd)
			return ""
		case otherArm(to, fd):
			return "names a field of another choice than the order has made; name the choice itself to replace it"
		case !given && !to.Has(fd): // nothing to remove, and no message to be made for it
			return ""
		}
		to, with, path = to.Mutable(fd).Message(), with.Get(fd).Message(), rest
	}
}

// has reports whether the field that a path names is set.
func has(m protoreflect.Message, path string) bool {
	name, rest, deeper := strings.Cut(path, ".")
	fd := m.Descriptor().Fields().ByName(protoreflect.Name(name))
	if !deeper || !m.Has(fd) {
		return m.Has(fd)
	}
	return has(m.Get(fd).Message(), rest)
}

// wrongPath says what is wrong with a path by what the contract has.
func wrongPath(message protoreflect.MessageDescriptor, path string) string {
	name, rest, deeper := strings.Cut(path, ".")
	fd := message.Fields().ByName(protoreflect.Name(name))
	switch {
	case fd == nil || behaves(fd, annotations.FieldBehavior_OUTPUT_ONLY):
		return "names no field of an order that can be given; write proto names with dots between them"
	case !deeper:
		return ""
	case fd.IsList():
		return "names an entry of a list; a list is replaced whole, so name the list"
	case fd.Message() == nil:
		return "names a field of what is no message"
	}
	return wrongPath(fd.Message(), rest)
}

// otherArm reports whether a field belongs to a oneof in which another one is set.
func otherArm(m protoreflect.Message, fd protoreflect.FieldDescriptor) bool {
	oneof := fd.ContainingOneof()
	if oneof == nil || oneof.IsSynthetic() {
		return false
	}
	set := m.WhichOneof(oneof)
	return set != nil && set != fd
}
