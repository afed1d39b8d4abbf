package config

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a text that is never printed. Reveal is the only way to it. (fmt cannot ask an unexported field of a struct
// how it wants to be printed, so a Secret is kept in exported ones.)
type Secret string

const stars = "********"

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }

// String is stars, or nothing for an empty secret, so that it can be seen whether one is set.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return stars
}

// Format is what every verb of fmt prints, also one that is not for texts: fmt itself shows the text that it cannot print.
func (s Secret) Format(f fmt.State, verb rune) {
	text := s.String()
	if verb == 'q' || verb == 'v' && f.Flag('#') {
		text = `"` + text + `"`
	}
	_, _ = io.WriteString(f, text) // fmt keeps its own errors
}

// MarshalText is what JSON and YAML hold.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue is what a log line holds.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
