package carrier_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/portin/portin/internal/carrier"
)

// TestABodyIsTheCallersAgainAfterSubmit answers before the body was read, so that net/http is still sending when Submit
// returns; the race detector watches the caller write into it.
func TestABodyIsTheCallersAgainAfterSubmit(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := serveBare(t, func(conn *net.TCPConn, _ int32, read func() error) {
		_, _ = conn.Read(make([]byte, 100))
		write(conn, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
		<-release
		_ = read()
	})
	call := order
	call.Body = []byte(`"` + strings.Repeat("x", 32<<20) + `"`)
	settles(t, client(t, settings(server.url)).Submit(t.Context(), call), carrier.NotSent)
	for i := range call.Body {
		call.Body[i] = 0
	}
	close(release)
	posted(t, &server.posts, 0)
}

// What is left of a body when its exchange is over is neither read nor sent any more.
func TestABodyIsNotReadOnOnceItsExchangeIsOver(t *testing.T) {
	t.Parallel()
	read, end := carrier.OnceBody([]byte("an order"))
	p := make([]byte, 2)
	if n, err := read(p); n != 2 || err != nil || string(p) != "an" {
		t.Errorf("read %d bytes, %q: %v", n, p, err)
	}
	end()
	for range 2 {
		if n, err := read(p); n != 0 || err == nil || errors.Is(err, io.EOF) {
			t.Errorf("after the end %d bytes are read: %v", n, err)
		}
	}
}
