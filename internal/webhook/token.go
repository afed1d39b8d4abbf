package webhook

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
)

// A page token is where a page ended and what the list was, in bytes that are nobody's business but this file's: a
// version, the binding, and the place. It holds no secret and gives no right: the tenant is never read from it.

const (
	tokenVersion = 1
	bindingSize  = 16
)

// binding ties a token to the ledger and to the list that it came from.
type binding [bindingSize]byte

// bind is the binding of a list: whatever says which entries it has.
func (w *Webhooks) bind(list ...any) binding {
	text, err := json.Marshal(append([]any{w.ledger.ID()}, list...))
	if err != nil {
		panic("webhook: a list cannot be written as JSON: " + err.Error()) // of our own types, all plain
	}
	sum := sha256.Sum256(text)
	return binding(sum[:bindingSize])
}

// position is a place in a list of endpoints.
type position struct {
	created    int64 // microseconds
	endpointID uuid.UUID
}

func positionOf(r ledger.Endpoint) position {
	id, _ := uuid.Parse(r.EndpointID) // all are UUIDs; one that is not still has a place by its time
	return position{r.Created.UnixMicro(), id}
}

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.created, q.created), bytes.Compare(p.endpointID[:], q.endpointID[:]))
}

func (p position) token(b binding) string {
	return seal(b, append(binary.BigEndian.AppendUint64(nil, uint64(p.created)), p.endpointID[:]...))
}

// readPosition reads a token of position; an empty one is before every endpoint.
func readPosition(token string, b binding) (position, error) {
	place, err := unseal(token, b, 8+len(uuid.UUID{}))
	if err != nil || place == nil {
		return position{created: time.Time{}.UnixMicro()}, err
	}
	return position{int64(binary.BigEndian.Uint64(place)), uuid.UUID(place[8:])}, nil
}

// sequence is a place in a list of deliveries.
type sequence int64

func (s sequence) token(b binding) string {
	return seal(b, binary.BigEndian.AppendUint64(nil, uint64(s)))
}

// readSequence reads a token of sequence; an empty one is 0.
func readSequence(token string, b binding) (int64, error) {
	place, err := unseal(token, b, 8)
	if err != nil || place == nil {
		return 0, err
	}
	return int64(binary.BigEndian.Uint64(place)), nil
}

func seal(b binding, place []byte) string {
	return base64.RawURLEncoding.EncodeToString(append(append([]byte{tokenVersion}, b[:]...), place...))
}

// unseal returns the place of a token, or nil for none.
func unseal(token string, b binding, size int) ([]byte, error) {
	if token == "" {
		return nil, nil
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(text) != 1+bindingSize+size || text[0] != tokenVersion || !bytes.Equal(text[1:1+bindingSize], b[:]) {
		return nil, fault.New(fault.ReasonPageTokenInvalid,
			"the page_token is not one of this list; send the one of the page before with the same filters, or none to begin again")
	}
	return text[1+bindingSize:], nil
}
