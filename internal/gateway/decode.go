package gateway

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// decoder decodes bodies. It does not change.
type decoder struct {
	// maxElements is how many elements an array may have.
	maxElements int
	// liftFrom is from which length on strings of base64 are decoded apart.
	liftFrom int
}

// decode decodes a body into a message, or says where it is wrong and what would be right. No error of it holds
// anything of the body but the names of fields. The shape is checked first, so that a body that is too much is refused
// before the rest of it is looked at.
func (d decoder) decode(data []byte, into proto.Message) *refusal {
	switch {
	case bytes.HasPrefix(data, []byte("\ufeff")):
		return malformed("body: begins with a byte order mark; send UTF-8 without one")
	case len(bytes.TrimLeft(data, " \t\r\n")) == 0:
		return malformed("body: is empty, want a JSON object")
	}
	body := into.ProtoReflect().Descriptor()
	lifter := &lifter{body: body, from: d.liftFrom}
	shape := &scanner{data: data, target: -1, maxElements: d.maxElements, onString: lifter.consider}
	if !shape.walk() {
		return shape.explain(body)
	}
	rest := lifter.rest(data)
	if n := validLength(rest); n < len(rest) {
		return malformed("body: " + positionIn(data, lifter.offset(n)) + ": is not UTF-8")
	}
	if err := (protojson.UnmarshalOptions{RecursionLimit: maxDepth}).Unmarshal(rest, into); err != nil {
		offset, ok := offsetOf(err, rest)
		if !ok {
			return malformed("body: cannot be read")
		}
		where := &scanner{data: data, target: lifter.offset(offset), maxElements: d.maxElements}
		where.walk()
		return where.explain(body)
	}
	lifter.putBack(into)
	return nil
}

// validLength is how many bytes of data are UTF-8 before the first that is not.
func validLength(data []byte) int {
	if utf8.Valid(data) {
		return len(data)
	}
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(data)
}

// decoderPosition is the one thing that is read of the decoder's error, whose text quotes the value.
var decoderPosition = regexp.MustCompile(`^[^(]{0,40}\(line (\d{1,9}):(\d{1,9})\): `)

// offsetOf is the offset that an error of protojson complains about: lines and columns begin at one, columns count
// characters.
func offsetOf(err error, data []byte) (int, bool) {
	m := decoderPosition.FindStringSubmatch(cut(err.Error(), 100))
	if m == nil {
		return 0, false
	}
	line, _ := strconv.Atoi(m[1])
	column, _ := strconv.Atoi(m[2])
	offset := 0
	for ; line > 1; line-- {
		offset += bytes.IndexByte(data[offset:], '\n') + 1
	}
	for ; column > 1 && offset < len(data); column-- {
		_, n := utf8.DecodeRune(data[offset:])
		offset += n
	}
	return offset, true
}

// positionIn says where an offset is, for a person.
func positionIn(data []byte, offset int) string {
	before := data[:offset]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return fmt.Sprintf("line %d, column %d", line, column)
}
