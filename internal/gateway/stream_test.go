package gateway_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/durationpb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

type watchStream = grpc.ServerStreamingServer[portinv1.WatchPortInOrdersResponse]

// watchAnswer is an answer of a watch.
func watchAnswer(token string) *portinv1.WatchPortInOrdersResponse {
	return &portinv1.WatchPortInOrdersResponse{ResumeToken: token, Order: warned()}
}

// twoThen sends two answers and ends as it is told.
func twoThen(end error) func(*portinv1.WatchPortInOrdersRequest, watchStream) error {
	return func(_ *portinv1.WatchPortInOrdersRequest, s watchStream) error {
		for _, token := range []string{"one", "two"} {
			if err := s.Send(watchAnswer(token)); err != nil {
				return err
			}
		}
		return end
	}
}

// chunkOf reads a chunk of a stream.
func chunkOf(t *testing.T, chunk string) (*portinv1.WatchPortInOrdersResponse, *spb.Status) {
	t.Helper()
	body, isResult := strings.CutPrefix(chunk, `{"result":`)
	body, isEnd := strings.CutSuffix(body, "}")
	if isResult && isEnd {
		m := &portinv1.WatchPortInOrdersResponse{}
		if err := protojson.Unmarshal([]byte(body), m); err != nil {
			t.Fatalf("%q: %v", chunk, err)
		}
		return m, nil
	}
	body, isError := strings.CutPrefix(body, `{"error":`)
	st := &spb.Status{}
	if err := protojson.Unmarshal([]byte(body), st); err != nil || !isError {
		t.Fatalf("%q is neither a result nor an error: %v", chunk, err)
	}
	return nil, st
}

func TestStreamsAreLinesOrEvents(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ accept, contentType, before, after string }{
		{"", "application/x-ndjson", "", "\n"},
		{"application/x-ndjson", "application/x-ndjson", "", "\n"},
		{"application/json", "application/x-ndjson", "", "\n"},
		{"text/event-stream;q=0, */*", "application/x-ndjson", "", "\n"},
		{"text/event-stream", "text/event-stream", "id: %s\ndata: ", "\n\n"},
		{"text/html, Text/Event-Stream; q=0.5", "text/event-stream", "id: %s\ndata: ", "\n\n"},
	} {
		f := newFace(t)
		f.service.watch = twoThen(nil)
		w := f.do(http.MethodGet, "/v1/port-ins:watch?resumeToken=zero", "", "Accept: "+c.accept)
		if w.Code != 200 || w.Header().Get("Content-Type") != c.contentType || w.Header().Get("Cache-Control") != "no-store" || !w.Flushed {
			t.Errorf("%q was answered %d %v", c.accept, w.Code, w.Header())
		}
		chunks := strings.SplitAfter(w.Body.String(), c.after)
		if len(chunks) != 3 || chunks[2] != "" {
			t.Fatalf("%q was answered %q", c.accept, chunks)
		}
		for i, token := range []string{"one", "two"} {
			want := watchAnswer(token)
			want.Order.Warnings[0].Field, want.Order.Warnings[1].Field = "trunkDid.dids[2].number", "requestId"
			want.Order.Rejects[0].Field = "form.customerAccountNumber"
			got, _ := chunkOf(t, strings.TrimSuffix(strings.TrimPrefix(chunks[i], strings.ReplaceAll(c.before, "%s", token)), c.after))
			sameMessage(t, want, got)
		}
	}
}

func TestAnErrorBeforeTheFirstMessageIsAnOrdinaryError(t *testing.T) {
	t.Parallel()
	for _, header := range []bool{false, true} {
		for _, accept := range []string{"", "text/event-stream"} {
			f := newFace(t)
			f.service.watch = func(_ *portinv1.WatchPortInOrdersRequest, s watchStream) error {
				if header {
					if err := s.SendHeader(metadata.Pairs("x-request-id", "theirs")); err != nil {
						t.Error(err)
					}
				}
				return failure(codes.FailedPrecondition, "no", info("WATCH_TOKEN_EXPIRED"),
					&errdetails.RetryInfo{RetryDelay: durationpb.New(1)},
					&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "resume_token"}}})
			}
			w := f.do(http.MethodGet, "/v1/port-ins:watch", "", "Accept: "+accept)
			if w.Code != 422 || reasonOf(t, w) != "WATCH_TOKEN_EXPIRED" || w.Header().Get("Retry-After") != "1" {
				t.Errorf("answered %d %v %s", w.Code, w.Header(), w.Body)
			}
			if got := fieldsOf(t, w); len(got) != 1 || got[0] != "resumeToken" {
				t.Errorf("the error is about %q", got)
			}
		}
	}
	f := newFace(t)
	if w := f.do(http.MethodGet, "/v1/port-ins:watch", ""); w.Code != 501 || reasonOf(t, w) != "NOT_OFFERED" {
		t.Errorf("a watch that is not offered was answered %d %s", w.Code, w.Body)
	}
}

func TestAnErrorInMidStreamIsTheLastChunk(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	f.service.watch = twoThen(failure(codes.Unavailable, "stopping", info("SHUTTING_DOWN")))
	lines := strings.Split(strings.TrimSuffix(f.do(http.MethodGet, "/v1/port-ins:watch", "").Body.String(), "\n"), "\n")
	if len(lines) != 3 {
		t.Fatalf("answered %q", lines)
	}
	_, st := chunkOf(t, lines[2])
	if st.GetCode() != int32(codes.Unavailable) || st.GetMessage() != "stopping" || len(st.GetDetails()) != 1 {
		t.Errorf("the last line is %v", st)
	}

	f.service.watch = twoThen(io.ErrUnexpectedEOF)
	events := strings.Split(f.do(http.MethodGet, "/v1/port-ins:watch", "", "Accept: text/event-stream").Body.String(), "\n\n")
	if _, st := chunkOf(t, strings.TrimPrefix(events[2], "data: ")); st.GetCode() != int32(codes.Internal) || strings.Contains(st.GetMessage(), "EOF") {
		t.Errorf("the last event is %v", st)
	}
}

func TestAStreamWithoutMessagesIsEmpty(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	f.service.watch = func(*portinv1.WatchPortInOrdersRequest, watchStream) error { return nil }
	if w := f.do(http.MethodGet, "/v1/port-ins:watch", ""); w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("answered %d %q", w.Code, w.Body)
	}
}

func TestAWatcherWhoLeavesEndsTheHandler(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	ended := make(chan error, 1)
	f.service.watch = func(_ *portinv1.WatchPortInOrdersRequest, s watchStream) error {
		if err := s.Send(watchAnswer("one")); err != nil {
			return err
		}
		<-s.Context().Done()
		ended <- s.Context().Err()
		return s.Context().Err()
	}
	server := httptest.NewServer(f)
	defer server.Close()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/v1/port-ins:watch", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	line, err := bufio.NewReader(response.Body).ReadString('\n')
	if err != nil || !strings.Contains(line, "one") {
		t.Fatalf("the first line is %q, %v", line, err)
	}
	leave()
	if err := <-ended; err != context.Canceled { //nolint:errorlint // exactly this one
		t.Errorf("the handler ended with %v", err)
	}
}
