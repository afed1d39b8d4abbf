package auth

import (
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// maxToken is how long a key or a token may be. Tokens with many claims have about 2 KiB.
const maxToken = 8 << 10

// Credentials are what a request comes with. They print as stars.
type Credentials struct {
	// Authorization is the value of the header of that name; empty where there is none. Of several values, whoever wires this
	// decides.
	Authorization string
	// Certificate is the verified leaf of the connection; nil where there is none. That its chain is good, and its time, is
	// TLS's job.
	Certificate *x509.Certificate
}

const stars = "********"

// Format is what every verb of fmt prints.
func (Credentials) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, stars) } // fmt keeps its own errors

// MarshalText is what JSON and YAML hold.
func (Credentials) MarshalText() ([]byte, error) { return []byte(stars), nil }

// LogValue is what a log line holds.
func (Credentials) LogValue() slog.Value { return slog.StringValue(stars) }

// bearer is the token of an Authorization header, and false when it has another scheme or what cannot be a token: one of more
// than 8 KiB, or with a character that RFC 6750 has not (a token in JSON, for one, which the JOSE library would read).
func bearer(header string) (string, bool) {
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.TrimLeft(token, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > maxToken {
		return "", false
	}
	foreign := strings.IndexFunc(token, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && !strings.ContainsRune("-._~+/=", r)
	})
	return token, foreign < 0
}
