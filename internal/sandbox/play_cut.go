package sandbox

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
)

// The cuts: the connection ends where an answer should be. They need HTTP/1.1
// with a connection to take over; elsewhere the request is aborted, which a
// client sees as a cut too.

func cut(s *stage) { s.takeOver(func(net.Conn) {}) }

// reset ends the connection with RST instead of FIN.
func reset(s *stage) {
	s.takeOver(func(conn net.Conn) {
		if inner, ok := conn.(interface{ NetConn() net.Conn }); ok {
			conn = inner.NetConn() // below TLS
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a connection that is gone already needs no RST
		}
	})
}

// resetMidBody reads half of what the client announced.
func resetMidBody(s *stage) {
	_, _ = io.CopyN(io.Discard, s.r.Body, max(1, s.r.ContentLength/2))
	reset(s)
}

// cutMidAnswer announces the whole body and sends half of it.
func cutMidAnswer(s *stage) {
	body := s.truly.body
	s.takeOver(func(conn net.Conn) {
		var start bytes.Buffer
		fmt.Fprintf(&start, "HTTP/1.1 %d %s\r\n", s.truly.status, http.StatusText(s.truly.status))
		fmt.Fprintf(&start, "Content-Type: %s\r\nContent-Length: %d\r\n\r\n", typeJSON, len(body))
		start.Write(firstHalf(body))
		_, _ = start.WriteTo(conn) // the client may have left, which is what we want
	})
}

// takeOver takes the connection from the server, does the last thing to it and
// closes it.
func (s *stage) takeOver(last func(net.Conn)) {
	conn, _, err := http.NewResponseController(s.w).Hijack()
	if err != nil {
		s.abort()
	}
	last(conn)
	_ = conn.Close()
}
