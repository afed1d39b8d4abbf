package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
)

const (
	secretPrefix = "whsec_"
	secretSize   = 32
)

// secret is what deliveries are signed with. The key is behind a function because fmt prints one as an address, with every
// verb and wherever it lies; by itself a secret prints as stars.
type secret struct{ key func() [secretSize]byte }

func secretOf(key [secretSize]byte) secret {
	return secret{func() [secretSize]byte { return key }}
}

// newSecret makes a secret.
func newSecret() secret {
	var key [secretSize]byte
	_, _ = rand.Read(key[:]) // never fails
	return secretOf(key)
}

var errNoSecret = errors.New("an endpoint at rest has no secret that can be read")

// readSecret reads what reveal wrote. The error does not quote it.
func readSecret(text string) (secret, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, secretPrefix))
	if err != nil || len(key) != secretSize {
		return secret{}, errNoSecret
	}
	return secretOf([secretSize]byte(key)), nil
}

// reveal is the secret as Standard Webhooks writes it.
func (s secret) reveal() string {
	key := s.key()
	return secretPrefix + base64.StdEncoding.EncodeToString(key[:])
}

// String is stars.
func (s secret) String() string { return "********" }

// GoString is stars too.
func (s secret) GoString() string { return s.String() }

func (s secret) equal(t secret) bool { return s.key() == t.key() }

// sign is the signature of a message.
func (s secret) sign(id string, at time.Time, body []byte) string {
	key := s.key()
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// oldSecret is a secret that was replaced, and until when deliveries are signed with it too.
type oldSecret struct {
	secret secret
	until  time.Time
}
