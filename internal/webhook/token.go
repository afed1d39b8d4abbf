package webhook

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"github.com/portin/portin/internal/bookmark"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
)

// tokenVersion is that of how a page token is written.
const tokenVersion = 1

// bind is the binding of a list: whatever says which entries it has.
func (w *Webhooks) bind(list ...any) bookmark.Binding {
	return bookmark.Bind(append([]any{w.ledger.ID()}, list...)...)
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

func (p position) token(b bookmark.Binding) string {
	return b.Token(tokenVersion, append(binary.BigEndian.AppendUint64(nil, uint64(p.created)), p.endpointID[:]...))
}

// readPosition reads a token of position; an empty one is before every endpoint.
func readPosition(token string, b bookmark.Binding) (position, error) {
	place, err := unseal(token, b, 8+len(uuid.UUID{}))
	if err != nil || place == nil {
		return position{created: time.Time{}.UnixMicro()}, err
	}
	return position{int64(binary.BigEndian.Uint64(place)), uuid.UUID(place[8:])}, nil
}

// sequence is a place in a list of deliveries.
type sequence int64

func (s sequence) token(b bookmark.Binding) string {
	return b.Token(tokenVersion, binary.BigEndian.AppendUint64(nil, uint64(s)))
}

// readSequence reads a token of sequence; an empty one is 0.
func readSequence(token string, b bookmark.Binding) (int64, error) {
	place, err := unseal(token, b, 8)
	if err != nil || place == nil {
		return 0, err
	}
	return int64(binary.BigEndian.Uint64(place)), nil
}

// unseal returns the place of a token, or nil for none.
func unseal(token string, b bookmark.Binding, size int) ([]byte, error) {
	if token == "" {
		return nil, nil
	}
	place, ok := b.Place(tokenVersion, token)
	if !ok || len(place) != size {
		return nil, fault.New(fault.ReasonPageTokenInvalid,
			"the page_token is not one of this list; send the one of the page before with the same filters, or none to begin again")
	}
	return place, nil
}
