package carrier

import (
	"errors"
	"io"
	"sync"
)

// errBodyEnded stops a write of a body whose exchange is over.
var errBodyEnded = errors.New("carrier: the exchange is over")

// onceBody is a request's body that can be read once. Its type tells net/http nothing, so that GetBody stays nil.
//
// net/http may go on reading a body after RoundTrip has returned, when an answer comes early. After end it cannot: the
// bytes are the caller's again, and an order that was answered is not sent on.
type onceBody struct {
	mu    sync.Mutex
	left  []byte
	ended bool
}

func newOnceBody(body []byte) *onceBody { return &onceBody{left: body} }

// Read reads on; there is no way back.
func (b *onceBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case len(b.left) == 0:
		return 0, io.EOF
	case b.ended:
		return 0, errBodyEnded
	}
	n := copy(p, b.left)
	b.left = b.left[n:]
	return n, nil
}

// Close does nothing: the exchange ends the body.
func (b *onceBody) Close() error { return nil }

// end returns when nobody reads the body any more and makes sure that nobody does again.
func (b *onceBody) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
}
