package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// answerWithin is how long an endpoint may take to answer, from the look-up of its name on.
	answerWithin = 15 * time.Second
	// drainWithin is how long the body of an answer is waited for, and drainBytes how much of it is read and thrown away: only
	// so that the connection can be used again.
	drainWithin = time.Second
	drainBytes  = 4 << 10
)

// control is asked about every address before it is connected to.
type control func(ctx context.Context, network, address string, conn syscall.RawConn) error

// newTransport connects to endpoints. No proxy from the environment, which would connect for us to where we must not; no
// HTTP/2 and no decompression, which are more for a stranger to play with.
func newTransport(resolver *net.Resolver, c Config, refuse control) *http.Transport {
	dialer := &net.Dialer{Timeout: answerWithin, Resolver: resolver, ControlContext: refuse}
	if c.AllowInward {
		dialer.ControlContext = nil
	}
	var http1 http.Protocols
	http1.SetHTTP1(true)
	return &http.Transport{
		Protocols:              &http1,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    answerWithin,
		MaxIdleConns:           c.AtOnce,
		MaxIdleConnsPerHost:    c.PerEndpoint,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 16 << 10,
		DisableCompression:     true,
	}
}

// newClient posts through a transport. It follows no redirect and keeps no cookie.
func newClient(t http.RoundTripper) *http.Client {
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// outcome is what a try met.
type outcome struct {
	// status is that of the answer; 0 when there was none.
	status int
	// problem says what was wrong, without anything that the endpoint said and without an address; empty when it took the event.
	problem string
	// final says that another try cannot help, and wait how long the endpoint asks us to stay away.
	final bool
	wait  time.Duration
}

func (o outcome) taken() bool { return o.problem == "" }

// gone reports whether the endpoint said that it is there no more.
func (o outcome) gone() bool { return o.status == http.StatusGone }

// post tells an endpoint of an event, once.
func (w *Webhooks) post(ctx context.Context, e endpoint, id string, body []byte) outcome {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, bytes.NewReader(body))
	if err != nil || !w.config.schemeAllowed(req.URL.Scheme) {
		return outcome{problem: "the URL is not allowed by the settings of the service"}
	}
	at := w.now()
	req.Header = http.Header{
		"Content-Type":      {"application/json"},
		"User-Agent":        {"portin"},
		"Webhook-Id":        {id},
		"Webhook-Timestamp": {strconv.FormatInt(at.Unix(), 10)},
		"Webhook-Signature": {signatures(e.secrets(at), id, at, body)},
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return outcome{problem: problemOf(err)}
	}
	// The body of 101 Switching Protocols is the bare connection, whose reads no time-out ends.
	if resp.StatusCode >= http.StatusOK {
		slow := time.AfterFunc(drainWithin, cancel)
		_, _ = io.CopyN(io.Discard, resp.Body, drainBytes) // the status is all that counts
		slow.Stop()
	}
	_ = resp.Body.Close()
	return answered(resp, at)
}

// answered is what an answer means.
func answered(resp *http.Response, now time.Time) outcome {
	o := outcome{status: resp.StatusCode}
	switch code := resp.StatusCode; {
	case code >= 200 && code <= 299:
	case code >= 300 && code <= 399:
		o.problem = fmt.Sprintf("it answered %d; redirects are not followed", code)
	case code == http.StatusGone:
		o.problem = "it answered 410 Gone"
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable:
		o.problem = fmt.Sprintf("it answered %d", code)
		o.wait = retryAfter(resp.Header.Get("Retry-After"), now)
	default:
		o.problem = fmt.Sprintf("it answered %d", code)
	}
	return o
}

// problemOf says in our words why there was no answer.
func problemOf(err error) string {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var op *net.OpError
	switch {
	case errors.Is(err, errInward):
		return errInward.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "it did not answer within 15 seconds"
	case errors.As(err, &dns):
		return "its host name could not be resolved"
	case errors.As(err, &certificate):
		return "its TLS certificate is not to be trusted"
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record), errors.As(err, &alert):
		return "TLS could not be agreed on"
	case errors.As(err, &op) && op.Op == "dial":
		return "no connection could be made"
	}
	return "the connection broke before an answer that can be read"
}

// retryAfter reads a Retry-After, which is a number of seconds or an HTTP date; 0 when it is neither.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	wait := time.Duration(0)
	if date, err := http.ParseTime(header); err == nil {
		wait = date.Sub(now)
	} else if header != "" && strings.Trim(header, "0123456789") == "" {
		seconds, err := strconv.ParseInt(header, 10, 32)
		if err != nil {
			return longestWait
		}
		wait = time.Duration(seconds) * time.Second
	}
	if wait <= 0 {
		return 0
	}
	return max(shortestWait, min(wait, longestWait))
}
