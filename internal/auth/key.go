package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"regexp"
	"strings"
)

// keyPrefix begins every API key. It tells a key from a token, and lets a scanner find one that was published by mistake.
const keyPrefix = "portin_"

// keySize is how many random bytes a key has.
const keySize = 32

// NewKey makes an API key, and the hex SHA-256 of it for the roster. The key is shown to its owner once and kept nowhere.
func NewKey() (key, hexSHA256 string) {
	var random [keySize]byte
	_, _ = rand.Read(random[:]) // never fails
	key = keyPrefix + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random[:]))
	sum := digestOf(key)
	return key, hex.EncodeToString(sum[:])
}

// keyForm is what every key looks like. A text that somebody thought up is not taken, even if the roster has its digest.
var keyForm = regexp.MustCompile(`^` + keyPrefix + `[a-z2-7]{52}$`)

// digest is what is kept of an API key. A plain SHA-256 is enough, without salt and not slow on purpose: those help against
// guessing, and nobody guesses 256 random bits.
type digest [sha256.Size]byte

func digestOf(key string) digest { return sha256.Sum256([]byte(key)) }
