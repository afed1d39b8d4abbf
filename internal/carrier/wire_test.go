package carrier_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
)

func TestFault02_AConnectionThatDiesAfterTheRequestIsInDoubt(t *testing.T) {
	t.Parallel()
	large := order
	large.Body = []byte(`"` + strings.Repeat("x", 8<<20) + `"`)
	for name, c := range map[string]struct {
		call  carrier.Call
		posts int32
		play  play
	}{
		"closed after the body": {order, 1, func(_ *net.TCPConn, _ int32, read func() error) { _ = read() }},
		"reset after the body": {order, 1, func(conn *net.TCPConn, _ int32, read func() error) {
			_ = read()
			reset(conn)
		}},
		"reset in mid-body": {large, 0, func(conn *net.TCPConn, _ int32, _ func() error) {
			_, _ = conn.Read(make([]byte, 1000))
			reset(conn)
		}},
		"cut in the header of the answer": {order, 1, func(conn *net.TCPConn, _ int32, read func() error) {
			_ = read()
			write(conn, acceptedAnswer[:40])
		}},
		"cut in the body of the answer": {order, 1, func(conn *net.TCPConn, _ int32, read func() error) {
			_ = read()
			write(conn, acceptedAnswer[:len(acceptedAnswer)-1])
		}},
		"reset in the body of the answer": {order, 1, func(conn *net.TCPConn, _ int32, read func() error) {
			_ = read()
			write(conn, acceptedAnswer[:len(acceptedAnswer)-1])
			reset(conn)
		}},
		"no HTTP": {order, 1, func(conn *net.TCPConn, _ int32, read func() error) {
			_ = read()
			write(conn, "220 mail.example.com ESMTP Jane Doe\r\n")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serveBare(t, c.play)
			out := settles(t, client(t, settings(server.url)).Submit(t.Context(), c.call), carrier.InDoubt)
			posted(t, &server.posts, c.posts)
			posted(t, &server.conns, 1)
			if strings.Contains(out.Evidence, "Jane") || strings.Contains(out.Evidence, "127.0.0.1") {
				t.Errorf("evidence %q", out.Evidence)
			}
		})
	}
}

// TestFault02_AReusedConnectionThatDiesIsNotTriedAgain is about net/http, which repeats requests on a new connection when
// a reused one dies, unless it is kept from it.
func TestFault02_AReusedConnectionThatDiesIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*net.TCPConn){
		"closed":                   func(*net.TCPConn) {},
		"reset":                    reset,
		"closed within the answer": func(conn *net.TCPConn) { write(conn, acceptedAnswer[:30]) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var server *bareServer
			var c *carrier.Client
			var out carrier.Outcome
			// On a busy machine a connection may come back too late to be reused: that says nothing, and is tried anew.
			for tries := 0; tries == 0 || tries < 20 && server.conns.Load() > 1; tries++ {
				server = serveBare(t, func(conn *net.TCPConn, n int32, read func() error) {
					for served := 0; read() == nil; served++ {
						if n == 1 && served == 1 {
							end(conn)
							return
						}
						write(conn, acceptedAnswer)
					}
				})
				c = client(t, settings(server.url))
				settles(t, c.Submit(t.Context(), order), carrier.Accepted)
				out = c.Submit(t.Context(), order)
			}
			settles(t, out, carrier.InDoubt)
			posted(t, &server.posts, 2)
			posted(t, &server.conns, 1)
			settles(t, c.Submit(t.Context(), order), carrier.Accepted)
			posted(t, &server.posts, 3)
			posted(t, &server.conns, 2)
		})
	}
}

// TestFault02_AnIdleConnectionThatDiesTellsTheTruth lets the server end every connection right after its first answer, so
// that the next request meets a dying connection at every stage of its death. Whatever the client then says is held
// against what the server read.
func TestFault02_AnIdleConnectionThatDiesTellsTheTruth(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*net.TCPConn){"closed": func(*net.TCPConn) {}, "reset": reset} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serveBare(t, func(conn *net.TCPConn, _ int32, read func() error) {
				if read() == nil {
					write(conn, acceptedAnswer)
					end(conn)
				}
			})
			config := settings(server.url)
			config.Breaker.Unreachable = 1000
			c := client(t, config)
			for range 300 {
				before := server.posts.Load()
				out := c.Submit(t.Context(), order)
				arrived := server.posts.Load() - before
				switch {
				case arrived > 1,
					out.Settlement == carrier.NotSent && arrived != 0,
					out.Settlement == carrier.Accepted && arrived != 1,
					out.Settlement == carrier.Refused:
					t.Fatalf("the server read %d POSTs, the client says %+v", arrived, out)
				}
			}
		})
	}
}

// brittle is a connection that takes so many bytes more once it is told to break.
type brittle struct {
	net.Conn
	left atomic.Int64 // negative: whole
}

func (b *brittle) Write(p []byte) (int, error) {
	left := b.left.Load()
	if left < 0 || int64(len(p)) < left {
		return b.Conn.Write(p)
	}
	n, err := b.Conn.Write(p[:left])
	if err == nil {
		err = &net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}
	}
	return n, err
}

func TestFault03_AConnectionThatIsDeadBeforeTheFirstByteIsNotSent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		taken int64 // bytes that the dying connection still takes
		want  carrier.Settlement
	}{
		"nothing":  {0, carrier.NotSent},
		"one byte": {1, carrier.InDoubt},
		"a few":    {100, carrier.InDoubt},
	} {
		for _, security := range []string{"plain", "TLS"} {
			t.Run(name+" over "+security, func(t *testing.T) {
				t.Parallel()
				posts := new(atomic.Int32)
				server := httptest.NewUnstartedServer(counting(posts, answering(200, typeJSON, plainAccepted)))
				config := settings("")
				if security == "TLS" {
					server.StartTLS()
					config.RootCAs = x509.NewCertPool()
					config.RootCAs.AddCert(server.Certificate())
				} else {
					server.Start()
				}
				t.Cleanup(server.Close)
				config.BaseURL = server.URL
				var conns []*brittle
				c2, err := carrier.NewWithDial(config, func(ctx context.Context, network, address string) (net.Conn, error) {
					conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
					b := &brittle{Conn: conn}
					b.left.Store(-1)
					conns = append(conns, b)
					return b, err
				})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(c2.Close)
				settles(t, c2.Submit(t.Context(), order), carrier.Accepted)
				conns[0].left.Store(c.taken)
				out := settles(t, c2.Submit(t.Context(), order), c.want)
				if out.Fault != nil && out.Fault.Reason != fault.ReasonCarrierUnreachable {
					t.Errorf("fault %v", out.Fault)
				}
				posted(t, posts, 1)
				if len(conns) != 1 {
					t.Errorf("%d connections; the POST was tried again", len(conns))
				}
				settles(t, c2.Submit(t.Context(), order), carrier.Accepted)
				posted(t, posts, 2)
			})
		}
	}
}

func TestFault03_RefusedNameAndTLSFailuresAreNotSent(t *testing.T) {
	t.Parallel()
	posts := new(atomic.Int32)
	untrusted := httptest.NewUnstartedServer(counting(posts, answering(200, typeJSON, plainAccepted)))
	untrusted.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	plain := serveBare(t, func(conn *net.TCPConn, _ int32, _ func() error) { write(conn, "HTTP/1.0 400 Bad Request\r\n\r\n") })
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	nowhere := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "carrier.invalid", IsNotFound: true}}

	for name, c := range map[string]struct {
		url  string
		dial error
		says string
	}{
		"refused":         {"http://" + closed.Addr().String(), nil, "no connection was made"},
		"unknown name":    {"https://carrier.invalid", nowhere, "the carrier's name was not found"},
		"untrusted":       {untrusted.URL, nil, "TLS was not agreed on"},
		"no TLS":          {strings.Replace(plain.url, "http:", "https:", 1), nil, "TLS was not agreed on"},
		"strange failure": {"https://carrier.invalid", errors.New("password=hunter2"), "no HTTP answer could be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dial := (&net.Dialer{}).DialContext
			if c.dial != nil {
				dial = func(context.Context, string, string) (net.Conn, error) { return nil, c.dial }
			}
			client, err := carrier.NewWithDial(settings(c.url), dial)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(client.Close)
			out := settles(t, client.Submit(t.Context(), order), carrier.NotSent)
			if want := "not_written: nothing was written, " + c.says; out.Evidence != want {
				t.Errorf("evidence %q, want %q", out.Evidence, want)
			}
			if !fault.Is(out.Fault, fault.ReasonCarrierUnreachable) || out.Fault.RetryAfter != 5*time.Second {
				t.Errorf("fault %v after %v", out.Fault, out.Fault.RetryAfter)
			}
			if text := out.Fault.Error(); strings.Contains(text, "carrier.invalid") || strings.Contains(text, "127.0.0.1") || strings.Contains(text, "hunter2") {
				t.Errorf("the error shows an address: %s", text)
			}
		})
	}
	t.Cleanup(func() { posted(t, posts, 0) })
}

func TestFault03_ADialThatHangsEndsAndIsNotSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := func(ctx context.Context, network, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, &net.OpError{Op: "dial", Net: network, Err: ctx.Err()}
		}
		c, err := carrier.NewWithDial(settings("https://carrier.invalid"), hang)
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		settles(t, c.Submit(t.Context(), order), carrier.NotSent)
		if took := time.Since(begun); took != 10*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestFault03_AHandshakeThatHangsEndsAndIsNotSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		silent := func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				for {
					if _, err := theirs.Read(make([]byte, 1000)); err != nil {
						return
					}
				}
			}()
			return ours, nil
		}
		c, err := carrier.NewWithDial(settings("https://carrier.invalid"), silent)
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		settles(t, c.Submit(t.Context(), order), carrier.NotSent)
		if took := time.Since(begun); took < 10*time.Second || took > 15*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestTLSWorksAndStaysOnHTTP1(t *testing.T) {
	t.Parallel()
	posts := new(atomic.Int32)
	server := httptest.NewUnstartedServer(counting(posts, func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 1 || r.TLS.Version < tls.VersionTLS12 {
			t.Errorf("%s over TLS %x", r.Proto, r.TLS.Version)
		}
		answering(200, typeJSON, plainAccepted)(w, r)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	config := settings(server.URL)
	config.RootCAs = x509.NewCertPool()
	config.RootCAs.AddCert(server.Certificate())
	settles(t, client(t, config).Submit(t.Context(), order), carrier.Accepted)
	posted(t, posts, 1)
}

func TestTheTransportIsSetUpSoThatNothingSurprises(t *testing.T) {
	t.Parallel()
	transport := carrier.TransportOf(client(t, settings("https://carrier.invalid"))).(*http.Transport)
	if transport.Proxy != nil || !transport.DisableCompression || transport.ForceAttemptHTTP2 || transport.Protocols.HTTP2() {
		t.Errorf("%+v", transport)
	}
	if transport.IdleConnTimeout != 30*time.Second || transport.MaxIdleConnsPerHost < 64 || transport.MaxResponseHeaderBytes > 64<<10 {
		t.Errorf("%+v", transport)
	}
}
