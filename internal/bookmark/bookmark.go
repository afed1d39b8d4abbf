// Package bookmark writes and reads the tokens by which a caller goes on in a list, or in a watch.
//
// It promises that a token is read by the list alone that it came from, of the same ledger and with the same filters, and that
// any other text is refused, whatever it holds. It refuses to be a secret: a token gives no right, and the owner of a list is never
// read from it.
package bookmark

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
)

// Binding ties a token to what it is a place in.
type Binding [16]byte

// Bind is the binding of something, by all that says what it is: plain values, which JSON writes the same way every time.
func Bind(what ...any) Binding {
	text, err := json.Marshal(what)
	if err != nil {
		panic("bookmark: it is bound to what cannot be written as JSON: " + err.Error()) // of our own types, all plain
	}
	sum := sha256.Sum256(text)
	return Binding(sum[:len(Binding{})])
}

// Token is a place as callers keep it. The version is that of how the place is written.
func (b Binding) Token(version byte, place []byte) string {
	return base64.RawURLEncoding.EncodeToString(append(append([]byte{version}, b[:]...), place...))
}

// Place is the place of a token of this binding and version; false is any other text.
func (b Binding) Place(version byte, token string) ([]byte, bool) {
	text, err := base64.RawURLEncoding.DecodeString(token)
	place, bound := bytes.CutPrefix(text, append([]byte{version}, b[:]...))
	return place, err == nil && bound && b.Token(version, place) == token // which has no line breaks and loose bits
}
