package carrier

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Config is what a Client needs to know. BaseURL must be set; a zero anywhere else means the default that its comment names.
type Config struct {
	// BaseURL is the carrier's, "https://api.thinktel.ca/rest.svc". Plain http is taken for a loopback host only.
	BaseURL string
	// Username and Password are the credentials of HTTP Basic authentication. Without both, the Client is shut until Renew.
	Username string
	Password Secret

	// PostTimeout is how long one submission may take from dialling to the last byte of the answer. Default 60 s.
	PostTimeout time.Duration
	// GetTimeout is the same for one try of a look-up. Default 10 s.
	GetTimeout time.Duration
	// GetTries is how often a look-up is tried at most, the first time included. Default 3.
	GetTries int
	// GetTotal bounds all tries of a look-up and the waits between them. Default 25 s.
	GetTotal time.Duration

	// MaxAnswer is how many bytes the answer to an order, or a status, may have. Default 1 MiB.
	MaxAnswer int64
	// MaxList is how many bytes a list may have. Default 4 MiB, which is ten times the largest list expected.
	MaxList int64
	// RetryAfterCap is the longest wait that a Retry-After of the carrier can impose on callers. Default 5 min.
	RetryAfterCap time.Duration

	// Breaker says when submissions pause.
	Breaker Breaker
	// NoPortIn is how the carrier says that it knows no such port-in. Default NoPortInException.
	NoPortIn NoPortIn

	// RootCAs are who may sign the carrier's certificate. Nil means the system's.
	RootCAs *x509.CertPool
	// Transport takes the place of the Client's own transport, for tests. A Client with a strange transport never claims
	// that nothing was written: it cannot know.
	Transport http.RoundTripper
	// Observe is told about every exchange and every submission that the breaker held back. It runs in the caller's
	// goroutine and must not block. Nil means that nobody watches.
	Observe func(context.Context, Observation)
	// Panicked is told where a submission panicked, which it survives. Nil means nobody.
	Panicked func(context.Context, error)
	// Now is the clock that dates in Retry-After are read by. Nil means time.Now.
	Now func() time.Time
}

// Breaker says when submissions pause. While they pause, orders are not sent and their callers are told to come back.
type Breaker struct {
	// Credentials is after how many 401 and 403 in a row. Default 3.
	Credentials int
	// Unreachable is after how many failures to connect in a row. Default 5.
	Unreachable int
	// Pause is how long nothing is sent. Then one submission goes through: if the carrier reads it, all do again.
	// Default 30 s.
	Pause time.Duration
}

// NoPortIn names a way to say that there is no such port-in. What the carrier really does is not known, so exactly one
// form counts, and every other is an answer that could not be read.
type NoPortIn string

// The ways of saying that there is no such port-in.
const (
	// NoPortInException is HTTP 404 with an Exception in the carrier's schema.
	NoPortInException NoPortIn = "404-exception"
	// NoPortInAny404 is HTTP 404 with any body. A proxy's 404 looks the same: choose it only if the carrier's has no body.
	NoPortInAny404 NoPortIn = "any-404"
	// NoPortInEmpty is HTTP 200 without a body.
	NoPortInEmpty NoPortIn = "empty-200"
	// NoPortInNull is HTTP 200 with the JSON value null.
	NoPortInNull NoPortIn = "null-200"
	// NoPortInBlank is HTTP 200 with a PortInStatus whose Status is empty.
	NoPortInBlank NoPortIn = "blank-200"
)

// NoPortIns lists the ways, the default first.
func NoPortIns() []NoPortIn {
	return []NoPortIn{NoPortInException, NoPortInAny404, NoPortInEmpty, NoPortInNull, NoPortInBlank}
}

const (
	defaultPostTimeout   = time.Minute
	defaultGetTimeout    = 10 * time.Second
	defaultGetTries      = 3
	defaultGetTotal      = 25 * time.Second
	defaultMaxAnswer     = 1 << 20
	defaultMaxList       = 4 << 20
	defaultRetryAfterCap = 5 * time.Minute
	defaultCredentials   = 3
	defaultUnreachable   = 5
	defaultPause         = 30 * time.Second
)

// withDefaults fills in what is zero.
func (c Config) withDefaults() Config {
	c.PostTimeout = orDefault(c.PostTimeout, defaultPostTimeout)
	c.GetTimeout = orDefault(c.GetTimeout, defaultGetTimeout)
	c.GetTries = orDefault(c.GetTries, defaultGetTries)
	c.GetTotal = orDefault(c.GetTotal, defaultGetTotal)
	c.MaxAnswer = orDefault(c.MaxAnswer, defaultMaxAnswer)
	c.MaxList = orDefault(c.MaxList, defaultMaxList)
	c.RetryAfterCap = orDefault(c.RetryAfterCap, defaultRetryAfterCap)
	c.Breaker.Credentials = orDefault(c.Breaker.Credentials, defaultCredentials)
	c.Breaker.Unreachable = orDefault(c.Breaker.Unreachable, defaultUnreachable)
	c.Breaker.Pause = orDefault(c.Breaker.Pause, defaultPause)
	c.NoPortIn = orDefault(c.NoPortIn, NoPortInException)
	if c.Observe == nil {
		c.Observe = func(context.Context, Observation) {}
	}
	if c.Panicked == nil {
		c.Panicked = func(context.Context, error) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

// validate reports everything that is wrong at once. It quotes no value: a URL may hold credentials.
func (c Config) validate() error {
	problems := []error{checkBaseURL(c.BaseURL)}
	for name, negative := range map[string]bool{
		"PostTimeout":         c.PostTimeout < 0,
		"GetTimeout":          c.GetTimeout < 0,
		"GetTries":            c.GetTries < 0,
		"GetTotal":            c.GetTotal < 0,
		"MaxAnswer":           c.MaxAnswer < 0,
		"MaxList":             c.MaxList < 0,
		"Breaker.Credentials": c.Breaker.Credentials < 0,
		"Breaker.Unreachable": c.Breaker.Unreachable < 0,
		"Breaker.Pause":       c.Breaker.Pause < 0,
	} {
		if negative {
			problems = append(problems, fmt.Errorf("carrier: %s is negative", name))
		}
	}
	if c.RetryAfterCap < time.Second {
		problems = append(problems, errors.New("carrier: RetryAfterCap is less than a second"))
	}
	if !slices.Contains(NoPortIns(), c.NoPortIn) {
		problems = append(problems, fmt.Errorf("carrier: NoPortIn %q is none of %q", c.NoPortIn, NoPortIns()))
	}
	return errors.Join(problems...)
}

func checkBaseURL(text string) error {
	base, err := url.Parse(text)
	switch {
	case text == "":
		return errors.New("carrier: BaseURL is missing")
	case err != nil || base.Hostname() == "" || base.Opaque != "":
		return errors.New("carrier: BaseURL is not the URL of a host")
	case base.User != nil:
		return errors.New("carrier: BaseURL holds credentials; they belong into Username and Password")
	case base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return errors.New("carrier: BaseURL has a query or a fragment")
	case base.Scheme == "http" && !isLoopback(base.Hostname()):
		return errors.New("carrier: BaseURL is plain http; only a loopback host may be")
	case base.Scheme != "http" && base.Scheme != "https":
		return errors.New("carrier: BaseURL is neither https nor http")
	}
	return nil
}

// CheckLogin reports everything that is wrong with credentials, and quotes none of them.
func CheckLogin(username string, password Secret) error {
	var problems []error
	switch {
	case username == "":
		problems = append(problems, errors.New("carrier: Username is missing"))
	case strings.Contains(username, ":") || strings.ContainsFunc(username, unicode.IsControl):
		problems = append(problems, errors.New("carrier: Username holds a colon or a control character, which Basic authentication cannot carry"))
	}
	if password == "" {
		problems = append(problems, errors.New("carrier: Password is missing"))
	}
	return errors.Join(problems...)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
