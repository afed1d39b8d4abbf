package gateway_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

var uuid4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func TestRequestID(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "has space", "é", strings.Repeat("x", 129), "a\tb", "<script>"} {
		f := newFace(t)
		w := f.do(http.MethodGet, "/v1/port-ins", "", "X-Request-Id: "+id)
		if got := w.Header()["X-Request-Id"]; len(got) != 1 || !uuid4.MatchString(got[0]) {
			t.Errorf("%q was answered with the id %q, want one made", id, got)
		}
		if got := f.service.received()[0].metadata.Get("x-request-id"); len(got) != 1 || got[0] != w.Header().Get("X-Request-Id") {
			t.Errorf("the service worked under %q, the answer says %q", got, w.Header().Get("X-Request-Id"))
		}
	}
	longest := strings.Repeat("x", 128)
	if got := newFace(t).do(http.MethodGet, "/nowhere", "", "X-Request-Id: "+longest).Header().Get("X-Request-Id"); got != longest {
		t.Errorf("an error has the id %q", got)
	}
}

func TestTheServicesRequestIDWins(t *testing.T) {
	t.Parallel()
	for _, err := range []error{nil, failure(codes.NotFound, "none", info("ORDER_NOT_FOUND"))} {
		f := newFace(t)
		f.service.answer = func(ctx context.Context, _ proto.Message) (proto.Message, error) {
			set := grpc.SetHeader
			if err != nil {
				set = grpc.SetTrailer
			}
			if err := set(ctx, metadata.Pairs("x-request-id", "theirs", "x-secret", "1", "grpc-status-details-bin", "x")); err != nil {
				t.Error(err)
			}
			return &portinv1.ListPortInOrdersResponse{}, err
		}
		w := f.do(http.MethodGet, "/v1/port-ins", "", "X-Request-Id: mine", "TE: trailers")
		if got := w.Header().Get("X-Request-Id"); got != "theirs" {
			t.Errorf("X-Request-Id = %q", got)
		}
		for name := range w.Header() {
			if strings.HasPrefix(name, "Grpc-") || strings.Contains(name, "Secret") {
				t.Errorf("metadata leaked as %s", name)
			}
		}
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	for _, path := range []string{"/v1/port-ins", "/v1/nothing"} {
		h := f.do(http.MethodGet, path, "").Header()
		if h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Type") != "application/json" {
			t.Errorf("%s has %v", path, h)
		}
	}
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	for timeout, want := range map[string]time.Duration{"30S": 30 * time.Second, "5M": 5 * time.Minute, "1000H": 1000 * time.Hour} {
		f := newFace(t)
		f.service.answer = func(ctx context.Context, _ proto.Message) (proto.Message, error) {
			if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > want || time.Until(deadline) < want-10*time.Second {
				t.Errorf("%s gave the deadline %v", timeout, deadline)
			}
			return &portinv1.ListPortInOrdersResponse{}, nil
		}
		f.do(http.MethodGet, "/v1/port-ins", "", "Grpc-Timeout: "+timeout)
	}
	for _, timeout := range []string{"0S", "S", "30", "30s", "-1S", "999999999S", "1.5S", "soon"} {
		f := newFace(t)
		w := f.do(http.MethodGet, "/v1/port-ins", "", "Grpc-Timeout: "+timeout)
		f.refusedBefore(t, w, 400, "MALFORMED_REQUEST")
	}
	f := newFace(t)
	f.service.answer = func(ctx context.Context, _ proto.Message) (proto.Message, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if w := f.do(http.MethodGet, "/v1/port-ins", "", "Grpc-Timeout: 1m"); w.Code != 504 || reasonOf(t, w) != "DEADLINE_EXCEEDED" {
		t.Errorf("a passed deadline was answered %d %s", w.Code, w.Body)
	}
}

func TestTheServiceSeesWhoCalls(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	f.service.answer = func(ctx context.Context, _ proto.Message) (proto.Message, error) {
		if p, _ := peer.FromContext(ctx); p == nil || p.Addr.String() != "192.0.2.1:1234" {
			t.Errorf("the peer is %v", p)
		}
		return &portinv1.ListPortInOrdersResponse{}, nil
	}
	f.do(http.MethodGet, "/v1/port-ins", "", "X-Forwarded-For: 10.0.0.1")
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	const other = "11111111-9d55-4c8e-9f43-1f1b1c6c2f10"
	for _, c := range []struct {
		query   string
		headers []string
		want    string
	}{
		{"", nil, ""},
		{"", []string{"Idempotency-Key: " + key}, key},
		{"", []string{`Idempotency-Key: "` + key + `"`}, key},
		{"?requestId=" + key, nil, key},
		{"?request_id=" + key, []string{"Idempotency-Key: " + strings.ToUpper(key)}, strings.ToUpper(key)},
		{"", []string{"Idempotency-Key: " + key, "Idempotency-Key: " + strings.ToUpper(key)}, key},
	} {
		f := newFace(t)
		f.do(http.MethodPost, "/v1/port-ins"+c.query, "{}", c.headers...)
		want := &portinv1.PortInRequest{Order: &portinv1.PortInOrder{}, RequestId: c.want}
		sameMessage(t, want, f.service.onlyRequest(t))
		if got := f.service.received()[0].metadata.Get("idempotency-key"); got != nil {
			t.Errorf("the key went on as metadata %q", got)
		}
	}
	for _, c := range []struct {
		query   string
		headers []string
	}{
		{"?requestId=" + key, []string{"Idempotency-Key: " + other}},
		{"?request_id=" + key, []string{"Idempotency-Key: " + other}},
		{"?requestId=", []string{"Idempotency-Key: " + other}},
		{"", []string{"Idempotency-Key: " + key, "Idempotency-Key: " + other}},
		{"", []string{"Idempotency-Key: \xff"}},
	} {
		f := newFace(t)
		w := f.do(http.MethodPost, "/v1/port-ins"+c.query, "{}", c.headers...)
		f.refusedBefore(t, w, 400, "INVALID_FIELDS")
		if got := fieldsOf(t, w); len(got) != 1 || got[0] != "requestId" {
			t.Errorf("the error is about %q", got)
		}
	}
}

// limited is a writer whose connection has deadlines.
type limited struct {
	*httptest.ResponseRecorder

	lifted []string
}

func (l *limited) SetReadDeadline(at time.Time) error {
	l.lifted = append(l.lifted, "read "+at.Format(time.DateOnly))
	return nil
}

func (l *limited) SetWriteDeadline(at time.Time) error {
	if at.IsZero() {
		l.lifted = append(l.lifted, "write "+at.Format(time.DateOnly))
	}
	return nil
}

func TestDeadlinesOfTheConnectionDoNotEndCalls(t *testing.T) {
	t.Parallel()
	for target, want := range map[string][]string{
		"/v1/port-ins":       {"read 0001-01-01"},
		"/v1/port-ins:watch": {"read 0001-01-01", "write 0001-01-01", "write 0001-01-01"}, // at its beginning and at its end
		"/v1/port-ins?x=1":   nil,
	} {
		w := &limited{ResponseRecorder: httptest.NewRecorder()}
		newFace(t).ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		if !slices.Equal(w.lifted, want) {
			t.Errorf("%s lifted %q, want %q", target, w.lifted, want)
		}
	}
}
