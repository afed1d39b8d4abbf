package carrier

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"time"
)

const (
	dialTimeout      = 10 * time.Second
	handshakeTimeout = 10 * time.Second
	idleTimeout      = 30 * time.Second
	idleConns        = 128 // as many orders as may be under way at once
	maxHeader        = 64 << 10
)

// dialer opens a TCP connection; net.Dialer.DialContext is one.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// newTransport makes the one transport. What it leaves out matters as much as what it sets: no HTTP/2, which repeats
// requests by rules of its own; no decompression, so that no answer grows after its size was checked; and no proxy from
// the environment, which would see every order and the credentials because of a variable that somebody set for another
// program.
func newTransport(dial dialer, security *tls.Config) *http.Transport {
	var http1 http.Protocols
	http1.SetHTTP1(true)
	return &http.Transport{
		Protocols: &http1,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return dialPlain(ctx, dial, network, address)
		},
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return dialTLS(ctx, dial, network, address, security)
		},
		MaxIdleConnsPerHost:    idleConns,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true,
	}
}

func dialPlain(ctx context.Context, dial dialer, network, address string) (*wire, error) {
	// net/http lets a dial go on after its request was given up, so the time-out has to be here.
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	below := &tally{Conn: conn}
	return &wire{Conn: below, below: below}, nil
}

func dialTLS(ctx context.Context, dial dialer, network, address string, security *tls.Config) (*wire, error) {
	plain, err := dialPlain(ctx, dial, network, address)
	if err != nil {
		return nil, err
	}
	security = security.Clone()
	if security.ServerName, _, err = net.SplitHostPort(address); err != nil {
		_ = plain.Close()
		return nil, &handshakeError{err}
	}
	secure := tls.Client(plain.below, security)
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = plain.Close()
		return nil, &handshakeError{err}
	}
	return &wire{Conn: secure, below: plain.below}, nil
}

// handshakeError is a failure to agree on TLS.
type handshakeError struct{ cause error }

func (e *handshakeError) Error() string { return fmt.Sprintf("TLS handshake: %v", e.cause) }
func (e *handshakeError) Unwrap() error { return e.cause }

// redacting adds the credentials to a copy of a request on its last few metres, so that no code above it has a request
// which holds them.
type redacting struct {
	next http.RoundTripper
	// authorize is a function because fmt prints one as an address.
	authorize func(*http.Request)
}

// RoundTrip sends a copy of the request with the credentials.
func (t *redacting) RoundTrip(req *http.Request) (*http.Response, error) {
	sent := req.Clone(req.Context())
	t.authorize(sent)
	return t.next.RoundTrip(sent)
}
