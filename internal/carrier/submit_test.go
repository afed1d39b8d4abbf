package carrier_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
)

// TestEveryMeetingOverHTTP is the suite of the classifier over real HTTP: the same outcomes, and one POST each.
func TestEveryMeetingOverHTTP(t *testing.T) {
	t.Parallel()
	for _, m := range meetings() {
		if m.status == 0 {
			continue // fault 3
		}
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			url, posts := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if m.retryAfter != "" {
					w.Header().Set("Retry-After", m.retryAfter)
				}
				w.Header().Set("Location", r.URL.Path)
				answering(m.status, m.header(), m.body)(w, r)
			})
			var seen []carrier.Observation
			config := settings(url)
			config.RetryAfterCap = time.Minute
			config.Observe = func(_ context.Context, o carrier.Observation) { seen = append(seen, o) }
			out := client(t, config).Submit(t.Context(), order)
			posted(t, posts, 1)
			out.Evidence = ""
			if diff := cmp.Diff(m.want(), out, faultsAlike); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
			want := []carrier.Observation{{Operation: "DIDs", Class: m.class, HTTPStatus: m.status}}
			if diff := cmp.Diff(want, seen, cmpopts.IgnoreFields(carrier.Observation{}, "Duration")); diff != "" {
				t.Errorf("observed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFault27_TheRequestIsExactlyOurs(t *testing.T) {
	t.Parallel()
	var got *http.Request
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		answering(200, typeJSON, plainAccepted)(w, r)
	}))
	defer server.Close()
	config := settings(server.URL + "/rest.svc/")
	settles(t, client(t, config).Submit(t.Context(), order), carrier.Accepted)

	want := http.Header{
		"Accept":          {"application/json"},
		"Accept-Encoding": {"identity"},
		"Authorization":   {"Basic " + base64.StdEncoding.EncodeToString([]byte("porter:hunter2"))},
		"Content-Length":  {"71"},
		"Content-Type":    {"application/json"},
		"User-Agent":      {"portin"},
	}
	if diff := cmp.Diff(want, got.Header); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if got.Method != http.MethodPost || got.URL.Path != "/rest.svc"+order.Path || got.Proto != "HTTP/1.1" {
		t.Errorf("%s %s %s", got.Method, got.URL, got.Proto)
	}
	if !bytes.Equal(body, order.Body) {
		t.Errorf("body %q", body)
	}
}

func TestFault01_TimeOutAfterTheBodyIsInDoubt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, posts := servePipes(t, settings(""), func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		begun := time.Now()
		out := settles(t, c.Submit(t.Context(), order), carrier.InDoubt)
		if took := time.Since(begun); took != time.Minute {
			t.Errorf("took %v, want the time-out of a minute", took)
		}
		if want := "in_doubt: the request was written, the time was up"; out.Evidence != want {
			t.Errorf("evidence %q, want %q", out.Evidence, want)
		}
		posted(t, posts, 1)
	})
}

func TestFault20_AContextThatEndsMidwayIsInDoubt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c, posts := servePipes(t, settings(""), func(_ http.ResponseWriter, r *http.Request) {
			cancel()
			<-r.Context().Done()
		})
		settles(t, c.Submit(ctx, order), carrier.InDoubt)
		posted(t, posts, 1)

		out := settles(t, c.Submit(ctx, order), carrier.NotSent)
		if !fault.Is(out.Fault, fault.ReasonCarrierUnreachable) {
			t.Errorf("fault %v", out.Fault)
		}
		posted(t, posts, 1)
	})
}

func TestACallThatCannotBeSentIsNotSent(t *testing.T) {
	t.Parallel()
	url, posts := serve(t, answering(200, typeJSON, plainAccepted))
	c := client(t, settings(url))
	for name, call := range map[string]carrier.Call{
		"no body":        {Operation: "DIDs", Path: order.Path},
		"no path":        {Operation: "DIDs", Body: order.Body},
		"relative path":  {Operation: "DIDs", Path: "v2/DIDs", Body: order.Body},
		"another host":   {Operation: "DIDs", Path: "//example.com/DIDs", Body: order.Body},
		"a query":        {Operation: "DIDs", Path: "/DIDs?a=b", Body: order.Body},
		"a control byte": {Operation: "DIDs", Path: "/DIDs\r\n", Body: order.Body},
	} {
		out := settles(t, c.Submit(t.Context(), call), carrier.NotSent)
		if !fault.Is(out.Fault, fault.ReasonInternal) {
			t.Errorf("%s: fault %v, want an internal one", name, out.Fault)
		}
	}
	posted(t, posts, 0)
}

// strange is a transport that is not the Client's own.
type strange func(*http.Request) (*http.Response, error)

func (s strange) RoundTrip(req *http.Request) (*http.Response, error) { return s(req) }

func TestAStrangeTransportNeverProvesThatNothingWasWritten(t *testing.T) {
	t.Parallel()
	config := settings("http://localhost:1")
	config.Transport = strange(func(*http.Request) (*http.Response, error) { return nil, errors.New("dial tcp: refused") })
	c := client(t, config)
	settles(t, c.Submit(t.Context(), order), carrier.InDoubt)

	// One of net/http's hands out connections that do not count.
	url, posts := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	config = settings(url)
	config.Transport = &http.Transport{DisableKeepAlives: true}
	settles(t, client(t, config).Submit(t.Context(), order), carrier.InDoubt)
	posted(t, posts, 1)
}

func TestFault32_APanicIsInDoubt(t *testing.T) {
	t.Parallel()
	config := settings("http://localhost:1")
	config.Transport = strange(func(*http.Request) (*http.Response, error) { panic("hunter2") })
	var told []error
	config.Panicked = func(_ context.Context, err error) { told = append(told, err) }
	out := settles(t, client(t, config).Submit(t.Context(), order), carrier.InDoubt)
	if len(told) != 1 || !strings.Contains(told[0].Error(), "submit_test.go") || strings.Contains(told[0].Error(), "hunter2") {
		t.Errorf("told %q; want where it panicked, and not what was thrown", told)
	}
	if want := "in_doubt: the request was written, the client failed"; out.Evidence != want {
		t.Errorf("evidence %q, want %q", out.Evidence, want)
	}
}

func TestSubmissionsAreConcurrent(t *testing.T) {
	t.Parallel()
	const callers = 64
	var inside atomic.Int32
	all := make(chan struct{})
	url, posts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if inside.Add(1) == callers {
			close(all)
		}
		<-all
		answering(200, typeJSON, plainAccepted)(w, r)
	})
	c := client(t, settings(url))
	done := make(chan carrier.Outcome, callers)
	for range callers {
		go func() { done <- c.Submit(t.Context(), order) }()
	}
	for range callers {
		settles(t, <-done, carrier.Accepted)
	}
	posted(t, posts, callers)
}
