package gateway_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// fieldsOfEvents are the names and values of the fields of events, without the data.
func fieldsOfEvents(body string) [][]string {
	var events [][]string
	for event := range strings.SplitSeq(strings.TrimSuffix(body, "\n\n"), "\n\n") {
		var fields []string
		for line := range strings.SplitSeq(event, "\n") {
			if strings.HasPrefix(line, "data: ") {
				line = "data"
			}
			fields = append(fields, line)
		}
		events = append(events, fields)
	}
	return events
}

// Every event has the token as its id, a sign of life has a name, and an error says when to come back.
func TestEventsForABrowser(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	f.service.watch = func(_ *portinv1.WatchPortInOrdersRequest, s watchStream) error {
		for _, answer := range []*portinv1.WatchPortInOrdersResponse{
			watchAnswer("a-token_1"),
			{ResumeToken: "a-token_2"},
			{ResumeToken: "no\nid", Order: warned()},
		} {
			if err := s.Send(answer); err != nil {
				return err
			}
		}
		return failure(codes.Unavailable, "stopping", info("SHUTTING_DOWN"), &errdetails.RetryInfo{RetryDelay: durationpb.New(3 * time.Second)})
	}
	w := f.do(http.MethodGet, "/v1/port-ins:watch", "", "Accept: text/event-stream")
	want := [][]string{
		{"id: a-token_1", "data"},
		{"event: alive", "id: a-token_2", "data"},
		{"data"},
		{"retry: 3000", "data"},
	}
	if diff := cmp.Diff(want, fieldsOfEvents(w.Body.String())); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if got := w.Header().Get("X-Accel-Buffering"); got != "no" {
		t.Errorf("a proxy is told to buffer %q", got)
	}
	// Lines have none of it.
	lines := strings.Split(f.do(http.MethodGet, "/v1/port-ins:watch", "").Body.String(), "\n")
	for _, line := range lines[:4] {
		if !strings.HasPrefix(line, "{") {
			t.Errorf("the line is %q", line)
		}
	}
}

func TestLastEventIDIsTheResumeToken(t *testing.T) {
	t.Parallel()
	token := func(is string) *portinv1.WatchPortInOrdersRequest {
		return &portinv1.WatchPortInOrdersRequest{ResumeToken: is}
	}
	for _, c := range []struct {
		name, target string
		headers      []string
		want         *portinv1.WatchPortInOrdersRequest
	}{
		{"none", "/v1/port-ins:watch?skipExisting=true", nil, &portinv1.WatchPortInOrdersRequest{SkipExisting: true}},
		{"empty", "/v1/port-ins:watch?resumeToken=q", []string{"Last-Event-ID:"}, token("q")},
		{"alone", "/v1/port-ins:watch?categories=CATEGORY_OPEN", []string{"Last-Event-ID: h"}, &portinv1.WatchPortInOrdersRequest{
			ResumeToken: "h", Categories: []portinv1.Category{portinv1.Category_CATEGORY_OPEN},
		}},
		{"over the query", "/v1/port-ins:watch?resume_token=q&skip_existing=true", []string{"Last-Event-ID: h"}, token("h")},
		{"over JSON's query", "/v1/port-ins:watch?resumeToken=q&skipExisting=true", []string{"Last-Event-ID: h"}, token("h")},
	} {
		f := newFace(t)
		var got *portinv1.WatchPortInOrdersRequest
		f.service.watch = func(r *portinv1.WatchPortInOrdersRequest, _ watchStream) error {
			got = r
			return nil
		}
		if w := f.do(http.MethodGet, c.target, "", c.headers...); w.Code != 200 {
			t.Errorf("%s: answered %d %s", c.name, w.Code, w.Body)
		}
		sameMessage(t, c.want, got)
	}

	f := newFace(t)
	w := f.do(http.MethodGet, "/v1/port-ins:watch", "", "Last-Event-ID: a", "Last-Event-ID: b")
	f.refusedBefore(t, w, 400, "MALFORMED_REQUEST")
	w = f.do(http.MethodGet, "/v1/port-ins:watch", "", "Last-Event-ID: \xff")
	f.refusedBefore(t, w, 400, "INVALID_FIELDS")
	if diff := cmp.Diff([]string{"resumeToken"}, fieldsOf(t, w)); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	// No other call reads it.
	if w := f.do(http.MethodGet, "/v1/port-ins", "", "Last-Event-ID: h"); w.Code != 501 {
		t.Errorf("a list was answered %d %s", w.Code, w.Body)
	}
}

// deadlines is a writer that notes the deadlines it is given, and when it was written to.
type deadlines struct {
	*httptest.ResponseRecorder

	now    func() time.Time
	last   time.Time
	writes []time.Duration
}

func (d *deadlines) SetWriteDeadline(at time.Time) error {
	d.last = at
	return nil
}

func (d *deadlines) Write(p []byte) (int, error) {
	d.writes = append(d.writes, d.last.Sub(d.now()))
	return d.ResponseRecorder.Write(p)
}

// A caller who takes nothing is left behind after a while, and one who takes its answers never is.
func TestEachPartOfAStreamHasItsTime(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	f.service.watch = twoThen(nil)
	w := &deadlines{ResponseRecorder: httptest.NewRecorder(), now: time.Now}
	f.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/port-ins:watch", nil))
	if len(w.writes) < 2 || !w.last.IsZero() {
		t.Errorf("%d parts were written, and the last deadline is %v", len(w.writes), w.last)
	}
	for _, left := range w.writes {
		if left < time.Minute || left > 2*time.Minute {
			t.Errorf("a part has %v", left)
		}
	}
}

// A browser comes back with what it was told last.
func TestAWatcherComesBack(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	left := make(chan struct{}, 10)
	f.service.watch = func(r *portinv1.WatchPortInOrdersRequest, s watchStream) error {
		defer func() { left <- struct{}{} }()
		if err := s.Send(watchAnswer(r.GetResumeToken() + "x")); err != nil {
			return err
		}
		<-s.Context().Done()
		return s.Context().Err()
	}
	server := httptest.NewServer(f)
	defer server.Close()
	last := ""
	for range 3 {
		ctx, leave := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/v1/port-ins:watch?skipExisting=true", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "text/event-stream")
		if last != "" {
			r.Header.Set("Last-Event-ID", last)
		}
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(response.Body).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		last = strings.TrimSpace(strings.TrimPrefix(line, "id: "))
		leave()
		response.Body.Close()
		<-left
	}
	if last != "xxx" {
		t.Errorf("the last event is %q", last)
	}
}
