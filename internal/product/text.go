package product

import (
	"unicode"
	"unicode/utf8"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// text reports every text with characters that a form cannot hold: a line break in a name can start a header or a row of
// somebody else's form further on.
func (r *report) text(o *portinv1.PortInOrder) {
	orderPlan.rewrite(o.ProtoReflect(), newTrail(), func(way trail, kind textKind, text string) string {
		if flaw := textFlaw(kind, text); flaw != "" {
			r.add(at(way.String()), flaw)
		}
		return text
	})
}

// textFlaw says what is wrong with the characters of a text, and nothing for a right one.
func textFlaw(kind textKind, text string) string {
	if !utf8.ValidString(text) {
		return "is not valid UTF-8"
	}
	// Line and paragraph separators are no control characters, but they break a line all the same.
	for _, c := range text {
		switch {
		case kind == freeText && (c == '\n' || c == '\r' || c == '\t'):
		case unicode.IsControl(c) && kind == freeText:
			return "has a control character; want plain text, line breaks and tabs"
		case unicode.IsControl(c), c == '\u2028', c == '\u2029':
			if kind != freeText {
				return "has a control character or a line break; want a single line of plain text"
			}
		}
	}
	return ""
}
