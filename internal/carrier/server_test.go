package carrier_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portin/portin/internal/carrier"
)

// The servers that the tests talk to: one over HTTP, one that speaks to the bare connection, one without a network.

var order = carrier.Call{
	Operation: "DIDs",
	Path:      "/v2/NumberPorts/Inbound/DIDs",
	Body:      []byte(`{"DIDs":[{"Number":4165550123}],"PilotNumber":4165550100,"PortForm":{}}`),
}

// settings is a Config that is right for a base URL.
func settings(base string) carrier.Config {
	return carrier.Config{BaseURL: base, Username: "porter", Password: "hunter2"}
}

// client makes a Client and closes it at the end.
func client(t *testing.T, config carrier.Config) *carrier.Client {
	t.Helper()
	c, err := carrier.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// serve starts an HTTP server and returns its URL and the number of POSTs that it was sent whole.
func serve(t *testing.T, handler http.HandlerFunc) (url string, posts *atomic.Int32) {
	t.Helper()
	posts = new(atomic.Int32)
	server := httptest.NewServer(counting(posts, handler))
	t.Cleanup(server.Close)
	return server.URL, posts
}

// counting counts the POSTs whose body arrived whole, and leaves the body readable.
func counting(posts *atomic.Int32, handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err == nil && r.Method == http.MethodPost {
			posts.Add(1)
		}
		handler(w, r)
	}
}

// answering is a handler with one answer.
func answering(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{contentType}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// bareServer is a server that does with its connections as it likes.
type bareServer struct {
	url   string
	posts atomic.Int32 // whole ones
	conns atomic.Int32
}

// play handles one connection; n counts from 1. It may call read to take the next request off it.
type play func(conn *net.TCPConn, n int32, read func() error)

func serveBare(t *testing.T, play play) *bareServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &bareServer{url: "http://" + listener.Addr().String()}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			n := s.conns.Add(1)
			wg.Go(func() {
				defer func() { _ = conn.Close() }()
				play(conn.(*net.TCPConn), n, s.reader(conn))
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		wg.Wait()
	})
	return s
}

// reader reads requests off a connection and counts the whole POSTs.
func (s *bareServer) reader(conn net.Conn) func() error {
	buffered := bufio.NewReader(conn)
	return func() error {
		req, err := http.ReadRequest(buffered)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return err
		}
		if req.Method == http.MethodPost {
			s.posts.Add(1)
		}
		return nil
	}
}

// reset ends a connection with a RST.
func reset(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}

const acceptedAnswer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 52\r\n\r\n" + plainAccepted

// write sends text; the client may have left.
func write(conn net.Conn, text string) { _, _ = io.WriteString(conn, text) }

// pipes is a network inside the process, whose time a synctest bubble can turn.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	dials atomic.Int32
}

// servePipes starts an HTTP server on pipes and returns a Client of it.
func servePipes(t *testing.T, config carrier.Config, handler http.HandlerFunc) (c *carrier.Client, posts *atomic.Int32) {
	t.Helper()
	network := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	posts = new(atomic.Int32)
	server := &http.Server{Handler: counting(posts, handler), ReadHeaderTimeout: time.Hour}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(network)
	}()
	config.BaseURL = "http://127.0.0.1"
	c, err := carrier.NewWithDial(config, network.dial)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		_ = server.Close()
		<-served
	})
	return c, posts
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	p.dials.Add(1)
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.done:
		return nil, errors.New("closed")
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.done)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

// settles asserts what a submission came to and hands it back.
func settles(t *testing.T, out carrier.Outcome, want carrier.Settlement) carrier.Outcome {
	t.Helper()
	if out.Settlement != want {
		t.Errorf("settlement %d, want %d: %+v", out.Settlement, want, out)
	}
	if (out.Fault != nil) != (want == carrier.NotSent || want == carrier.Refused) {
		t.Errorf("fault %v for settlement %d", out.Fault, out.Settlement)
	}
	return out
}

func posted(t *testing.T, posts *atomic.Int32, want int32) {
	t.Helper()
	if got := posts.Load(); got != want {
		t.Errorf("%d POSTs, want %d", got, want)
	}
}

// pass lets time pass in a synctest bubble.
func pass(d time.Duration) { <-time.After(d) }
