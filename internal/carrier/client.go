package carrier

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// Client talks to the carrier. It is safe for concurrent use.
type Client struct {
	config Config // without the password
	base   string
	next   http.RoundTripper
	// ours reports whether the transport is the Client's own, whose connections count what they write.
	ours  bool
	login atomic.Pointer[login]
}

// login is what a Client shows the carrier, and how that fares. An exchange is had with the one that let it through, whatever
// the Client has by then: never without credentials, and its answer is held against no others.
type login struct {
	transport *redacting
	gate      *gate
}

// New makes a Client. It reports everything that is wrong with the Config at once and opens no connection. A Config without
// Username and Password makes one that is Shut.
func New(config Config) (*Client, error) {
	return newClient(config, (&net.Dialer{}).DialContext)
}

func newClient(config Config, dial dialer) (*Client, error) {
	username, password := config.Username, config.Password
	config.Username, config.Password = "", ""
	config = config.withDefaults()
	problems := []error{config.validate()}
	if username != "" || password != "" {
		problems = append(problems, CheckLogin(username, password))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	c := &Client{
		config: config,
		base:   strings.TrimRight(config.BaseURL, "/"),
		next:   config.Transport,
		ours:   config.Transport == nil,
	}
	if c.ours {
		c.next = newTransport(dial, &tls.Config{
			MinVersion: tls.VersionTLS12,
			RootCAs:    config.RootCAs,
			NextProtos: []string{"http/1.1"},
		})
	}
	if username == "" {
		c.Shut()
	} else {
		c.enter(username, password)
	}
	return c, nil
}

// Renew gives the Client other credentials, from the next exchange on. A pause because the carrier refused those before, or
// was not reached, ends.
func (c *Client) Renew(username string, password Secret) error {
	if err := CheckLogin(username, password); err != nil {
		return err
	}
	c.enter(username, password)
	return nil
}

func (c *Client) enter(username string, password Secret) {
	secret := string(password)
	c.login.Store(&login{
		transport: &redacting{next: c.next, authorize: func(req *http.Request) { req.SetBasicAuth(username, secret) }},
		gate:      newGate(c.config.Breaker),
	})
}

// Shut takes the credentials away, from the next exchange on. Until Renew the carrier is not asked for anything and gets
// nothing: everything ends with CARRIER_CREDENTIALS.
func (c *Client) Shut() {
	c.login.Store(&login{gate: newShutGate(c.config.Breaker)}) // nothing gets past that
}

// Close closes the connections that are not in use. Exchanges under way go on; the Client stays usable.
func (c *Client) Close() {
	if own, ok := c.next.(interface{ CloseIdleConnections() }); ok {
		own.CloseIdleConnections()
	}
}

// request is one exchange to be had with the carrier.
type request struct {
	method  string
	path    string // escaped, below the base URL
	body    []byte // nil for a GET
	limit   int64  // of the answer's bytes
	timeout time.Duration
}

// exchange sends a request once, with a login that has let it through, and reads the answer within the bounds of the request.
// It is the one place that talks to the carrier. It never fails: what went wrong is part of the answer.
func (c *Client) exchange(ctx context.Context, l *login, r request) answer {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	watch := newWitness(c.ours)
	body := newOnceBody(r.body)
	defer body.end()
	req, err := r.build(httptrace.WithClientTrace(ctx, watch.trace()), c.base, body)
	if err != nil {
		return answer{unwritten: true, failure: failureRequest, cause: err}
	}
	// RoundTrip and not http.Client.Do: nothing between here and the wire follows a redirect, keeps a cookie or wraps an
	// error in a URL.
	resp, err := l.transport.RoundTrip(req)
	if err != nil {
		unwritten := watch.nothingWritten()
		return answer{unwritten: unwritten, failure: failureOf(err), cause: causeOf(err, unwritten)}
	}
	defer func() { _ = resp.Body.Close() }()
	return readAnswer(resp, r.limit)
}

// build makes the HTTP request. net/http repeats a request on another connection only if it can rewind the body or there
// is none; onceBody cannot be rewound, and no header that promises idempotency is set.
func (r request) build(ctx context.Context, base string, body *onceBody) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, base+r.path, nil)
	if err != nil {
		return nil, errPath // its own error would quote the path
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", "portin")
	if r.body != nil {
		req.Body, req.ContentLength = body, int64(len(r.body))
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// isPath reports whether a text can follow the base URL.
func isPath(path string) bool {
	at, err := url.Parse(path)
	return err == nil && strings.HasPrefix(path, "/") && at.Host == "" && at.RawQuery == "" && at.Fragment == ""
}
