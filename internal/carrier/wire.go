package carrier

import (
	"net"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
)

// tally is a TCP connection that counts the bytes which the kernel took.
type tally struct {
	net.Conn
	taken atomic.Int64
}

// Write counts what was taken, even if it was not all of p.
func (t *tally) Write(p []byte) (int, error) {
	n, err := t.Conn.Write(p)
	t.taken.Add(int64(n))
	return n, err
}

// wire is a connection to the carrier as net/http sees it: the TCP connection itself, or TLS above it. It counts the
// bytes that its writes put on the TCP connection, so that a handshake before them and an alert after them, which are no
// part of a request, do not count.
type wire struct {
	net.Conn
	below *tally
	used  atomic.Int64
}

// Write counts what it puts on the TCP connection. A write of TLS that fails may have left half a record there: that
// counts, although Conn.Write then says that it wrote nothing.
func (w *wire) Write(p []byte) (int, error) {
	before := w.below.taken.Load()
	n, err := w.Conn.Write(p)
	w.used.Add(w.below.taken.Load() - before)
	return n, err
}

// witness watches one exchange and can swear, if need be, that no byte of its request left. Over HTTP/1 a connection
// carries one request at a time, so whatever a wire took since the exchange got it belongs to the exchange.
//
// net/http ends the goroutine that writes a request before RoundTrip fails with an error of the connection, so the count
// is final when the witness is asked.
type witness struct {
	// sworn is false when the transport is not the Client's own: then the absence of a wire proves nothing.
	sworn bool

	mu    sync.Mutex
	wires map[*wire]int64 // with the count at the time that the exchange got it
}

func newWitness(sworn bool) *witness {
	return &witness{sworn: sworn, wires: map[*wire]int64{}}
}

// trace is the hook that tells the witness which connections the exchange gets.
func (w *witness) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		w.mu.Lock()
		defer w.mu.Unlock()
		conn, ours := info.Conn.(*wire)
		if !ours {
			w.sworn = false
			return
		}
		if _, known := w.wires[conn]; !known {
			w.wires[conn] = conn.used.Load()
		}
	}}
}

// nothingWritten reports whether it is certain that no byte of the request left. When in doubt it is not.
func (w *witness) nothingWritten() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for conn, before := range w.wires {
		if conn.used.Load() != before {
			return false
		}
	}
	return w.sworn
}
