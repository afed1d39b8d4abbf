package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/portin/portin/internal/fault"
)

// spot is a place in a body, in the terms of the message that the body should be.
type spot struct {
	// path is the place in the caller's own spelling.
	path string
	// stray is what to say when the place is none of the message. Empty when it is one.
	stray string
	// want says what belongs there.
	want string
}

// explain says what is wrong where the walk ended, in a body that should be a message of this kind.
func (s *scanner) explain(body protoreflect.MessageDescriptor) *refusal {
	at := s.spot(body)
	var problem string
	switch {
	case s.problem != "" && !s.tooMany:
		problem = s.problem
	case at.stray != "":
		problem = at.stray
	case s.tooMany && at.path != "":
		return invalid(at.path, s.problem)
	case s.atKey:
		problem = "is given a second time, or beside another field of which only one may be set"
	case s.hasControlCharacter():
		problem = "has a control character that is not escaped"
	default:
		problem = "wrong type or value, want " + at.want
	}
	place := "body: " + positionIn(s.data, s.pos) + ": "
	if at.path == "" {
		return malformed(place + problem)
	}
	return malformed(place+fmt.Sprintf("field %q: ", at.path)+problem, fault.Violation{Field: at.path, Description: problem})
}

// hasControlCharacter reports whether the string at the position has one, which JSON wants escaped.
func (s *scanner) hasControlCharacter() bool {
	start := s.pos
	if start >= len(s.data) || s.data[start] != '"' || !s.text() {
		return false
	}
	end := s.pos
	s.pos = start
	return bytes.ContainsFunc(s.data[start:end], func(r rune) bool { return r < ' ' })
}

// spot reads the path along the descriptors, as far as they know it. A name that is no field is shown only if it looks
// like one.
func (s *scanner) spot(body protoreflect.MessageDescriptor) spot {
	at := spot{want: "an object"}
	message, inList := body, false
	var last protoreflect.FieldDescriptor
	for _, step := range s.path {
		switch {
		case inList && step.key == nil:
			at.path += "[" + strconv.Itoa(step.index) + "]"
			at.want, inList = wanted(last, false), false
			continue
		case inList || step.key == nil:
			// Between two fields, or an array in the place of an object: the place is the value around it.
			return at
		}
		field := fieldNamed(message, step.key)
		if field == nil && !isName(string(step.key)) {
			at.stray = "has a field that is not known"
			return at
		}
		if at.path != "" {
			at.path += "."
		}
		at.path += string(step.key)
		if field == nil {
			at.stray = "is not known"
			return at
		}
		last, message, inList = field, field.Message(), field.IsList()
		at.want = wanted(field, inList)
	}
	return at
}

// fieldNamed is the field with a name as it stands in the JSON, nil when there is none. Both spellings are known.
func fieldNamed(message protoreflect.MessageDescriptor, raw []byte) protoreflect.FieldDescriptor {
	if message == nil {
		return nil
	}
	name := string(raw)
	if bytes.IndexByte(raw, '\\') >= 0 && json.Unmarshal([]byte(`"`+name+`"`), &name) != nil {
		return nil
	}
	if field := message.Fields().ByJSONName(name); field != nil {
		return field
	}
	return message.Fields().ByTextName(name)
}

// wantedKinds says what belongs into a field, by its kind. Messages and enums say more.
var wantedKinds = map[protoreflect.Kind]string{
	protoreflect.BoolKind:     "true or false",
	protoreflect.StringKind:   "a string",
	protoreflect.BytesKind:    "a string of base64",
	protoreflect.Int32Kind:    "a whole number of 32 bits",
	protoreflect.Sint32Kind:   "a whole number of 32 bits",
	protoreflect.Sfixed32Kind: "a whole number of 32 bits",
	protoreflect.Uint32Kind:   "a whole number of 32 bits, not negative",
	protoreflect.Fixed32Kind:  "a whole number of 32 bits, not negative",
	protoreflect.Int64Kind:    "a whole number of 64 bits",
	protoreflect.Sint64Kind:   "a whole number of 64 bits",
	protoreflect.Sfixed64Kind: "a whole number of 64 bits",
	protoreflect.Uint64Kind:   "a whole number of 64 bits, not negative",
	protoreflect.Fixed64Kind:  "a whole number of 64 bits, not negative",
	protoreflect.FloatKind:    "a number",
	protoreflect.DoubleKind:   "a number",
	protoreflect.EnumKind:     "a name",
	protoreflect.MessageKind:  "an object",
	protoreflect.GroupKind:    "an object",
}

// wanted says what belongs into a field, or into one element of it.
func wanted(field protoreflect.FieldDescriptor, list bool) string {
	switch {
	case list:
		return "a list"
	case field.Enum() != nil:
		values := field.Enum().Values()
		return fmt.Sprintf("a name of %s such as %s", field.Enum().Name(), values.Get(values.Len()-1).Name())
	case field.Message() != nil && field.Message().FullName() == "google.protobuf.Timestamp":
		return "a time such as 2026-01-31T15:04:05Z"
	}
	return wantedKinds[field.Kind()]
}
