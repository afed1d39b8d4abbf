package gateway_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/gateway"
)

func TestFault32PanicsAreInternal(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		panics func()
		logged string
	}{
		"a value":         {func() { panic("password=hunter2") }, "a string"},
		"an error":        {func() { panic(errors.New("password=hunter2")) }, "a *errors.errorString"},
		"of the language": {func() { _ = []int{}[len(os.Args):] }, "slice bounds out of range"},
	} {
		counted := 0
		f := newFace(t, func(c *gateway.Config) { c.Panicked = func() { counted++ } })
		f.service.answer = func(context.Context, proto.Message) (proto.Message, error) { c.panics(); return nil, nil }
		w := f.place("{}")
		if w.Code != 500 || reasonOf(t, w) != "INTERNAL" || strings.Contains(w.Body.String(), "hunter2") {
			t.Errorf("%s was answered %d %s", name, w.Code, w.Body)
		}
		log := f.log.String()
		if strings.Count(log, "\n") != 1 || len(log) > 4<<10 || !strings.Contains(log, c.logged) || strings.Contains(log, "hunter2") ||
			!strings.Contains(log, w.Header().Get("X-Request-Id")) || !strings.Contains(log, "panic_test.go") {
			t.Errorf("%s was logged as %s", name, log)
		}
		if counted != 1 {
			t.Errorf("%s was counted %d times", name, counted)
		}
	}
}

func TestFault32PanicOfAWatch(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	f.service.watch = func(*portinv1.WatchPortInOrdersRequest, watchStream) error { panic("hunter2") }
	w := f.do(http.MethodGet, "/v1/port-ins:watch", "")
	if w.Code != 500 || reasonOf(t, w) != "INTERNAL" || !strings.Contains(f.log.String(), "panic_test.go") {
		t.Errorf("answered %d %s, logged %s", w.Code, w.Body, f.log)
	}

	// In mid-stream the answer is cut off, not ended as if it were whole.
	f.service.watch = func(_ *portinv1.WatchPortInOrdersRequest, s watchStream) error {
		if err := s.Send(watchAnswer("one")); err != nil {
			return err
		}
		panic("hunter2")
	}
	defer func() {
		if p := recover(); p != http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
			t.Errorf("the handler ended with %v", p)
		}
	}()
	f.do(http.MethodGet, "/v1/port-ins:watch", "")
}

func TestAnAbortedHandlerStaysAborted(t *testing.T) {
	t.Parallel()
	f := newFace(t, func(c *gateway.Config) { c.Log = nil })
	f.service.answer = func(context.Context, proto.Message) (proto.Message, error) { panic(http.ErrAbortHandler) }
	server := httptest.NewServer(f)
	defer server.Close()
	response, err := server.Client().Get(server.URL + "/v1/port-ins")
	if err == nil {
		response.Body.Close()
		t.Errorf("answered %d, want a closed connection", response.StatusCode)
	}
	server.CloseClientConnections()
}
