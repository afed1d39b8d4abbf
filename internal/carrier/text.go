package carrier

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxMessage is how many bytes of a carrier's message are kept.
	MaxMessage = 1024
	// maxSummary is the same for a reject summary: 2,000 characters of the carrier's schema, in UTF-8.
	maxSummary = 8000
	// maxWord is the same for words: statuses, ids, codes.
	maxWord = 256
	// maxRejects is how many records of a reject are kept: several for each of the thousand numbers that an order may have. An
	// answer has room for many more when they are empty, and every caller would be told all of them, with what they mean.
	maxRejects = 5000
)

// clean makes a stranger's text fit to be shown and kept: valid UTF-8 of at most limit bytes on one line, without
// control characters and without marks that turn the direction of writing.
func clean(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "�"))
	text = strings.TrimSpace(text)
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return strings.TrimSpace(text[:limit])
}

// isID reports whether a text can be an id: short, and the same after clean.
func isID(text string) bool {
	return len(text) <= maxWord && clean(text, maxWord) == text
}
