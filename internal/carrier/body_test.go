package carrier_test

import (
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
