package directory

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"

	"github.com/portin/portin/internal/fault"
)

const (
	defaultPageSize = 100
	maxPageSize     = 1000
)

// query is a request for one page of a list.
type query struct {
	// list and filter are what page tokens are bound to.
	list   string
	filter string
	size   int32
	token  string
}

// page cuts a page out of a list and returns the token of the next one, which is empty on the last.
//
// A token is a position. A list that changes between two pages may therefore repeat an entry or leave one out; the
// carrier's lists change once in a while, and a token that a change made invalid would be no better for anybody.
func page[T any](q query, items []T) (entries []T, next string, err error) {
	from := 0
	if q.token != "" {
		if from, err = q.position(q.token); err != nil {
			return nil, "", err
		}
	}
	size := int(q.size)
	if size <= 0 {
		size = defaultPageSize
	}
	from = min(from, len(items))
	to := min(from+min(size, maxPageSize), len(items))
	if to < len(items) {
		next = q.tokenOf(to)
	}
	return items[from:to], next, nil
}

// tokenOf is the token of a position: four bytes that stand for the list and its filter, and the position.
func (q query) tokenOf(position int) string {
	return base64.RawURLEncoding.EncodeToString(binary.AppendUvarint(q.mark(), uint64(position)))
}

// position reads a token back. Only what tokenOf writes for this list and this filter is read.
func (q query) position(token string) (int, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil && len(raw) > len(q.mark()) {
		position, _ := binary.Uvarint(raw[len(q.mark()):])
		if position > 0 && position < 1<<31 && q.tokenOf(int(position)) == token {
			return int(position), nil
		}
	}
	return 0, fault.New(fault.ReasonPageTokenInvalid,
		"the page token is not one of this list and these filters; start again without one")
}

// mark is the list and the filter in four bytes. It tells them apart by mistake, not by intent: a forged token leads to
// another page of a list that the caller may read anyway.
func (q query) mark() []byte {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(q.list + "\x00" + q.filter))
	return hash.Sum(nil)
}
