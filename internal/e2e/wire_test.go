package e2e_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/portin/portin/internal/config"
)

// wire stands between services and PostgreSQL. It counts exchanges, which is what a client sends up to a point where the
// server answers, and breaks the connection at one of them, or all connections at once.
type wire struct {
	server string // its socket
	l      net.Listener

	mu    sync.Mutex
	conns map[net.Conn]bool
	shut  bool
	// left is how many exchanges go well before one that breaks; below 0 none does.
	left int
	how  breakage
	// broke counts the exchanges that broke.
	broke int

	working sync.WaitGroup
}

// breakage is how an exchange breaks.
type breakage string

const (
	// unheard: the server does not get what the client sent.
	unheard breakage = "unheard"
	// unanswered: the server has done it, and the client does not get the answer.
	unanswered breakage = "unanswered"
)

// newWire puts a wire before a database, and returns the settings of the ledger behind it.
func newWire(t *testing.T, l config.Ledger) (*wire, config.Ledger) {
	t.Helper()
	address, err := url.Parse(l.URL.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	query := address.Query()
	folder, err := os.MkdirTemp("", "portin-wire-") //nolint:usetesting // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	const socket = ".s.PGSQL.5432"
	w := &wire{server: filepath.Join(query.Get("host"), socket), conns: map[net.Conn]bool{}, left: -1}
	if w.l, err = new(net.ListenConfig).Listen(t.Context(), "unix", filepath.Join(folder, socket)); err != nil {
		t.Fatal(err)
	}
	w.working.Go(w.accept)
	t.Cleanup(func() {
		_ = w.l.Close()
		w.shutDown()
		w.working.Wait()
	})
	query.Set("host", folder)
	address.RawQuery = query.Encode()
	return w, config.Ledger{URL: config.Secret(address.String())}
}

// breakAt makes the exchange after some more break.
func (w *wire) breakAt(after int, how breakage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left, w.how = after, how
}

// broken is how many exchanges broke so far.
func (w *wire) broken() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.broke
}

// shutDown cuts every connection and lets nobody through, as if the server were gone.
func (w *wire) shutDown() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shut = true
	for c := range w.conns {
		_ = c.Close()
	}
}

// open lets clients through again.
func (w *wire) open() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shut = false
}

func (w *wire) accept() {
	for {
		client, err := w.l.Accept()
		if err != nil {
			return
		}
		w.working.Go(func() { w.carry(client) })
	}
}

// enter notes a connection, unless nobody gets through.
func (w *wire) enter(c net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.shut {
		return false
	}
	w.conns[c] = true
	return true
}

// carry carries one connection's bytes both ways, until one side ends.
func (w *wire) carry(client net.Conn) {
	defer client.Close()
	if !w.enter(client) {
		return
	}
	server, err := new(net.Dialer).DialContext(context.Background(), "unix", w.server)
	if err != nil {
		return
	}
	defer server.Close()
	var back sync.WaitGroup
	deaf := make(chan struct{}) // closes when the client is to get nothing more
	back.Go(func() {
		defer client.Close()
		w.answer(client, server, deaf)
	})
	_ = w.forward(bufio.NewReader(client), server, deaf)
	_ = server.Close()
	back.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, client)
}

var errBroken = errors.New("the exchange breaks")

// forward passes what the client sends on, message by message. The first one has no type.
func (w *wire) forward(client *bufio.Reader, server io.Writer, deaf chan struct{}) error {
	if err := pass(client, server, 0); err != nil {
		return err
	}
	for {
		kind, err := client.ReadByte()
		if err != nil {
			return err
		}
		if kind != 'S' && kind != 'Q' { // Sync and Query end what the client sends at a time
			if err := pass(client, server, kind); err != nil {
				return err
			}
			continue
		}
		switch breaks, how := w.breaks(); {
		case breaks && how == unheard:
			return errBroken
		case breaks:
			close(deaf)
			err := pass(client, server, kind)
			_, _ = client.Peek(1) // the server's answer ends the connection
			return errors.Join(errBroken, err)
		}
		if err := pass(client, server, kind); err != nil {
			return err
		}
	}
}

// breaks counts an exchange and reports whether it is the one that breaks.
func (w *wire) breaks() (bool, breakage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left--
	if w.left != -1 {
		w.left = max(w.left, -2)
		return false, ""
	}
	w.broke++
	return true, w.how
}

// pass passes the rest of a message on.
func pass(from *bufio.Reader, to io.Writer, kind byte) error {
	head, err := from.Peek(4)
	if err != nil {
		return err
	}
	length := int64(binary.BigEndian.Uint32(head))
	if kind != 0 {
		if _, err := to.Write([]byte{kind}); err != nil {
			return err
		}
	}
	_, err = io.CopyN(to, from, length)
	return err
}

// answer passes what the server says on. Once the client is deaf, the next words end the connection: the server has done
// what it was asked.
func (w *wire) answer(client io.Writer, server io.Reader, deaf <-chan struct{}) {
	b := make([]byte, 32<<10)
	for {
		n, err := server.Read(b)
		select {
		case <-deaf:
			return
		default:
		}
		if n > 0 {
			if _, err := client.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
