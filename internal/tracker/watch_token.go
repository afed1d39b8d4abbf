package tracker

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"github.com/portin/portin/internal/bookmark"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
)

// A resume token is where a watch has come to and what it is of: a version, the binding, the sequence and the mark of the last
// event that is behind it and, while it lists the orders as they are, the last of them. It holds no secret and gives no right: the
// tenant is never read from it.

const (
	tokenVersion = 2
	sequenceSize = 8
	markSize     = 8
	orderSize    = 8 + len(uuid.UUID{})
)

// bind is the binding of what a watch is of.
func bind(ledgerID string, f filter) bookmark.Binding {
	return bookmark.Bind("watch", ledgerID, f.tenant, f.orderID, f.standings)
}

// mark tells an event from another one with the same sequence, as a ledger has it that was restored from before it.
type mark [markSize]byte

func markOf(e *ledger.Event) mark {
	text := make([]byte, 0, 64)
	text = binary.BigEndian.AppendUint64(text, uint64(e.Sequence))
	text = binary.BigEndian.AppendUint64(text, uint64(e.Time.UnixMicro()))
	sum := sha256.Sum256(append(text, e.OrderID...))
	return mark(sum[:markSize])
}

// place is where a watch has come to.
type place struct {
	// sequence is that of the last event that is behind it, 0 when there is none, and mark is the event's.
	sequence int64
	mark     mark
	// listing is whether it lists the orders as they were after that event, and last is the last one that it has told; zero
	// before the first.
	listing bool
	last    ledger.Position
}

// pass leaves an event behind.
func (p *place) pass(e *ledger.Event) { p.sequence, p.mark = e.Sequence, markOf(e) }

// token is the place as callers keep it.
func (p place) token(b bookmark.Binding) string {
	text := make([]byte, 0, sequenceSize+markSize+orderSize)
	text = append(binary.BigEndian.AppendUint64(text, uint64(p.sequence)), p.mark[:]...)
	if p.listing {
		var micro int64
		var id uuid.UUID
		if p.last != (ledger.Position{}) {
			micro, id = p.last.Created.UnixMicro(), uuid.MustParse(p.last.OrderID)
		}
		text = append(binary.BigEndian.AppendUint64(text, uint64(micro)), id[:]...)
	}
	return b.Token(tokenVersion, text)
}

// lastMicro is the end of the year 9999, which no engine goes beyond.
const lastMicro = 253402300800e6 - 1

// readToken reads a token that a watch with this binding was given.
func readToken(token string, b bookmark.Binding) (place, error) {
	text, ok := b.Place(tokenVersion, token)
	const short = sequenceSize + markSize
	if !ok || (len(text) != short && len(text) != short+orderSize) {
		return place{}, expired()
	}
	sequence, order := int64(binary.BigEndian.Uint64(text)), text[short:]
	p := place{sequence: sequence, mark: mark(text[short-markSize : short]), listing: len(order) > 0}
	if p.listing {
		micro, id := int64(binary.BigEndian.Uint64(order)), uuid.UUID(order[8:])
		if micro < 0 || micro > lastMicro || (id == uuid.Nil && micro != 0) {
			return place{}, expired()
		}
		if id != uuid.Nil {
			p.last = ledger.Position{Created: time.UnixMicro(micro).UTC(), OrderID: id.String()}
		}
	}
	if sequence < 0 || (sequence == 0) != (p.mark == mark{}) {
		return place{}, expired()
	}
	return p, nil
}

func expired() error {
	return fault.New(fault.ReasonWatchTokenExpired,
		"the resume_token is not one of this watch: of other filters, or of a ledger that has been replaced; watch again without it")
}
