package gateway

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner walks the tokens of a JSON text without making anything of them, and knows at each where in the value it
// stands. It is used twice: to refuse what has the wrong shape before anything is decoded (broken syntax, nesting, long
// lists), and to find the field at the position that the decoder complains about. Of the syntax it leaves nothing to the
// decoder but control characters in strings.
type scanner struct {
	data []byte
	pos  int
	// path is where the token at pos stands.
	path []step
	// maxElements is how many elements an array may have.
	maxElements int
	// target is where the walk ends, an offset; negative walks to the end.
	target int
	// atKey is set when the walk ended at a field's name.
	atKey bool
	// tooMany is set when it ended in an array that is too long.
	tooMany bool
	// problem says why it ended before its target. Empty when nothing is wrong.
	problem string
	// onString, when it is not nil, hears of every string that is a value.
	onString func(s *scanner, start, end int)
}

// step is one step into a value: the raw name of a field, or, when that is nil, the index of an element.
type step struct {
	key   []byte
	index int
}

// walk reads one value and nothing behind it. It reports whether it came to the end.
func (s *scanner) walk() bool {
	if !s.value(0) {
		return false
	}
	s.space()
	if s.pos < len(s.data) {
		return s.fail("there are bytes after the JSON value")
	}
	return true
}

func (s *scanner) fail(problem string) bool {
	s.problem = problem
	return false
}

// reached reports whether the next token is the one that is looked for.
func (s *scanner) reached() bool {
	return s.target >= 0 && s.pos >= s.target
}

func (s *scanner) space() {
	for s.pos < len(s.data) && strings.IndexByte(" \t\r\n", s.data[s.pos]) >= 0 {
		s.pos++
	}
}

// next is the next byte that is no space, 0 at the end.
func (s *scanner) next() byte {
	s.space()
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

func (s *scanner) value(depth int) bool {
	c := s.next()
	switch {
	case s.reached():
		return false
	case s.pos == len(s.data):
		return s.fail("the JSON ends too early")
	case depth > maxDepth && (c == '{' || c == '['):
		return s.fail("the JSON is nested deeper than " + strconv.Itoa(maxDepth) + " levels")
	case c == '{':
		return s.object(depth)
	case c == '[':
		return s.array(depth)
	case c == '"':
		start := s.pos
		ok := s.text()
		if ok && s.onString != nil {
			s.onString(s, start, s.pos)
		}
		return ok
	default:
		return s.word()
	}
}

func (s *scanner) object(depth int) bool {
	s.pos++
	if s.next() == '}' {
		s.pos++
		return true
	}
	s.path = append(s.path, step{})
	top := len(s.path) - 1
	for {
		s.path[top].key = nil
		if s.next() != '"' {
			return s.fail("want a field name in quotes")
		}
		start, here := s.pos, s.reached()
		if !s.text() {
			return false
		}
		s.path[top].key = s.data[start+1 : s.pos-1]
		if here {
			s.pos, s.atKey = start, true
			return false
		}
		if s.next() != ':' {
			return s.fail("want a colon after the field name")
		}
		s.pos++
		if !s.value(depth + 1) {
			return false
		}
		switch s.next() {
		case ',':
			s.pos++
		case '}':
			s.pos++
			s.path = s.path[:top]
			return true
		default:
			return s.fail("want a comma or the end of the object")
		}
	}
}

func (s *scanner) array(depth int) bool {
	s.pos++
	if s.next() == ']' {
		s.pos++
		return true
	}
	s.path = append(s.path, step{})
	top := len(s.path) - 1
	for {
		if s.path[top].index >= s.maxElements {
			s.path, s.tooMany = s.path[:top], true
			return s.fail("has more than " + strconv.Itoa(s.maxElements) + " entries")
		}
		if !s.value(depth + 1) {
			return false
		}
		switch s.next() {
		case ',':
			s.pos++
			s.path[top].index++
		case ']':
			s.pos++
			s.path = s.path[:top]
			return true
		default:
			return s.fail("want a comma or the end of the array")
		}
	}
}

// text reads a string. Every byte is looked at twice at most, however many escapes there are.
func (s *scanner) text() bool {
	start := s.pos
	quote := start
	for i := start + 1; ; {
		if i > quote {
			n := bytes.IndexByte(s.data[i:], '"')
			if n < 0 {
				return s.fail("a string has no end")
			}
			quote = i + n
		}
		escape := bytes.IndexByte(s.data[i:quote], '\\')
		if escape < 0 {
			s.pos = quote + 1
			return true
		}
		i += escape
		n := escapeLength(s.data[i:])
		if n == 0 {
			return s.fail("a string has an escape that JSON does not know")
		}
		i += n
	}
}

// escapeLength is how many bytes the escape at the start of data has, 0 when it is none.
func escapeLength(data []byte) int {
	if len(data) < 2 {
		return 0
	}
	if data[1] != 'u' {
		if strings.IndexByte(`"\/bfnrt`, data[1]) < 0 {
			return 0
		}
		return 2
	}
	first, ok := codeUnit(data)
	switch {
	case !ok:
		return 0
	case !utf16.IsSurrogate(first):
		return 6
	}
	second, ok := codeUnit(data[6:])
	if !ok || utf16.DecodeRune(first, second) == utf8.RuneError {
		return 0
	}
	return 12
}

// codeUnit reads an escape such as \u00e9.
func codeUnit(data []byte) (rune, bool) {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	return rune(unit), err == nil
}

// word reads a number, true, false or null.
func (s *scanner) word() bool {
	end := s.pos
	for end < len(s.data) && strings.IndexByte(" \t\r\n,:]}[{\"", s.data[end]) < 0 {
		end++
	}
	if !json.Valid(s.data[s.pos:end]) {
		return s.fail("want a JSON value")
	}
	s.pos = end
	return true
}
