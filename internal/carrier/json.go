package carrier

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The carrier's JSON is read by hand rather than into structs: encoding/json takes "reply" for Reply, the last of two
// equal names, U+FFFD for bytes that are not UTF-8, and 0 for what is missing. Each of those could turn an answer that
// nobody understands into an order that was accepted.

var errNotJSON = errors.New("not one JSON value in UTF-8")

// checkJSON reports whether a body is one JSON value in UTF-8 and nothing else.
func checkJSON(body []byte) error {
	if !utf8.Valid(body) || !json.Valid(body) {
		return errNotJSON
	}
	return nil
}

// object is a JSON object that is being read member by member. The first thing that is wrong is kept, and everything
// read afterwards is worth nothing: ask for the problem at the end. Members that nobody asks for are ignored, because
// the carrier may add some; a null is a member that is not there.
type object struct {
	members map[string]json.RawMessage
	problem error
}

// objectOf reads a value of a body that checkJSON found well. Two members of one name are a problem.
func objectOf(raw []byte) *object {
	o := &object{members: map[string]json.RawMessage{}}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		o.fail("", "is not an object")
		return o
	}
	for decoder.More() {
		token, err := decoder.Token()
		name, isName := token.(string)
		var member json.RawMessage
		if err != nil || !isName || decoder.Decode(&member) != nil {
			o.fail("", "is not an object")
			return o
		}
		if _, twice := o.members[name]; twice {
			o.fail("", "has two members of one name")
		}
		o.members[name] = member
	}
	for name, member := range o.members {
		if string(member) == "null" {
			delete(o.members, name)
		}
	}
	return o
}

// fail keeps the first problem. It names the member that was asked for, never what was found there.
func (o *object) fail(name, problem string) {
	if o.problem == nil {
		o.problem = fmt.Errorf("%q %s", name, problem)
	}
}

// has reports whether a member is there.
func (o *object) has(name string) bool {
	_, there := o.members[name]
	return there
}

// member is a required member of a JSON type, told by its first byte.
func (o *object) member(name, starts, kind string) json.RawMessage {
	raw, there := o.members[name]
	switch {
	case !there:
		o.fail(name, "is missing")
		return nil
	case strings.IndexByte(starts, raw[0]) < 0:
		o.fail(name, "is not "+kind)
		return nil
	}
	return raw
}

// text is a required string.
func (o *object) text(name string) string {
	raw := o.member(name, `"`, "a string")
	if raw == nil {
		return ""
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		o.fail(name, "is not a string")
	}
	return text
}

// optionalText is a string that may be missing; then it is empty.
func (o *object) optionalText(name string) string {
	if !o.has(name) {
		return ""
	}
	return o.text(name)
}

// literal is a required number as it was written.
func (o *object) literal(name string) string {
	return string(o.member(name, "-0123456789", "a number"))
}

// whole is a required integer; 1.0 and 1e0 are none.
func (o *object) whole(name string) int64 {
	n, err := strconv.ParseInt(o.literal(name), 10, 64)
	if err != nil {
		o.fail(name, "is not a whole number")
	}
	return n
}

// truth is a required boolean.
func (o *object) truth(name string) bool {
	return string(o.member(name, "tf", "a boolean")) == "true"
}

// optionalTruth is a boolean that may be missing; then it is nil.
func (o *object) optionalTruth(name string) *bool {
	if !o.has(name) {
		return nil
	}
	truth := o.truth(name)
	return &truth
}

// optionalList is the elements of an array that may be missing; then there are none.
func (o *object) optionalList(name string) []json.RawMessage {
	if !o.has(name) {
		return nil
	}
	list, err := listOf(o.members[name])
	if err != nil {
		o.fail(name, "is not an array")
	}
	return list
}

// inner is a required object.
func (o *object) inner(name string) *object {
	inner := objectOf(o.member(name, "{", "an object"))
	if inner.problem != nil {
		o.fail(name, "is not a readable object")
	}
	return inner
}

// listOf is the elements of a JSON array.
func listOf(raw []byte) ([]json.RawMessage, error) {
	list := []json.RawMessage{}
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || raw[0] != '[' || json.Unmarshal(raw, &list) != nil {
		return nil, errors.New("not an array")
	}
	return list, nil
}
