package carrier

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a text that must not be seen. It prints as stars under every verb of fmt, in JSON, as text and in a log;
// only a conversion to string reveals it.
//
// fmt cannot ask an unexported field how it wants to be printed, so do not keep a Secret in one.
type Secret string

const stars = "********"

var (
	_ fmt.Formatter  = Secret("")
	_ fmt.Stringer   = Secret("")
	_ fmt.GoStringer = Secret("")
	_ slog.LogValuer = Secret("")
)

// Format writes stars, whatever the verb: %d and %x would show a string that only had a String method.
func (Secret) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, stars)
}

// String is stars.
func (Secret) String() string { return stars }

// GoString is stars.
func (Secret) GoString() string { return stars }

// MarshalText is stars, for JSON, YAML and every other encoding that asks.
func (Secret) MarshalText() ([]byte, error) { return []byte(stars), nil }

// LogValue is stars.
func (Secret) LogValue() slog.Value { return slog.StringValue(stars) }
