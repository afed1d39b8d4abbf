package intake

import (
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
func (in *Intake) bind(list any) bookmark.Binding { return bookmark.Bind(in.Ledger.ID(), list) }

// position is a place in a list of orders.
type position struct{ ledger.Position }

func (p position) token(b bookmark.Binding) string {
	id := uuid.MustParse(p.OrderID)
	place := binary.BigEndian.AppendUint64(nil, uint64(p.Created.UnixMicro()))
	return b.Token(tokenVersion, append(place, id[:]...))
}

// readPosition reads a token of position; an empty one is the beginning.
func readPosition(token string, b bookmark.Binding) (ledger.Position, error) {
	place, err := open(token, b, 8+len(uuid.UUID{}))
	if err != nil || place == nil {
		return ledger.Position{}, err
	}
	return ledger.Position{
		Created: time.UnixMicro(int64(binary.BigEndian.Uint64(place))).UTC(),
		OrderID: uuid.UUID(place[8:]).String(),
	}, nil
}

// sequence is a place in a list of events.
type sequence int64

func (s sequence) token(b bookmark.Binding) string {
	return b.Token(tokenVersion, binary.BigEndian.AppendUint64(nil, uint64(s)))
}

// readSequence reads a token of sequence; an empty one is the beginning.
func readSequence(token string, b bookmark.Binding) (int64, error) {
	place, err := open(token, b, 8)
	if err != nil || place == nil {
		return 0, err
	}
	return int64(binary.BigEndian.Uint64(place)), nil
}

// open returns the place of a token, or nil for none.
func open(token string, b bookmark.Binding, size int) ([]byte, error) {
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
