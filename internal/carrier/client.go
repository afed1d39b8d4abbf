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
	config    Config // without the password
	base      string
	transport *redacting
	// ours reports whether the transport is the Client's own, whose connections count what they write.
	ours  bool
	login atomic.Pointer[login]
}

// login is what a Client shows the carrier, and how that fares.
type login struct {
	authorize func(*http.Request)
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
		ours:   config.Transport == nil,
	}
	c.transport = &redacting{next: config.Transport, authorize: func(req *http.Request) { c.login.Load().authorize(req) }}
	if username == "" {
		c.Shut()
	} else {
		c.enter(username, password)
	}
	if c.ours {
		c.transport.next = newTransport(dial, &tls.Config{
			MinVersion: tls.VersionTLS12,
			RootCAs:    config.RootCAs,
			NextProtos: []string{"http/1.1"},
		})
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
		authorize: func(req *http.Request) { req.SetBasicAuth(username, secret) },
		gate:      newGate(c.config.Breaker),
	})
}

// Shut takes the credentials away. Until Renew the carrier is not asked for anything and gets nothing: everything ends with
// CARRIER_CREDENTIALS.
func (c *Client) Shut() {
	c.login.Store(&login{authorize: func(*http.Request) {}, gate: newShutGate(c.config.Breaker)})
}

func (c *Client) gate() *gate { return c.login.Load().gate }

// Close closes the connections that are not in use. Exchanges under way go on; the Client stays usable.
func (c *Client) Close() {
	c.transport.CloseIdleConnections()
}

// request is one exchange to be had with the carrier.
type request struct {
	method  string
	path    string // escaped, below the base URL
	body    []byte // nil for a GET
	limit   int64  // of the answer's bytes
	timeout time.Duration
}

// exchange sends a request once and reads the answer within the bounds of the request. It is the one place that talks to
// the carrier. It never fails: what went wrong is part of the answer.
func (c *Client) exchange(ctx context.Context, r request) answer {
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
	resp, err := c.transport.RoundTrip(req)
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
