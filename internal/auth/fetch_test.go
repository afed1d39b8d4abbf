package auth

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// With nothing given but what has to be, the keys come over a transport of its own, whose connections end with Run.
func TestTheOwnTransport(t *testing.T) {
	t.Parallel()
	i := &issuer{t: t, asked: map[string]int{}, clock: &clock{at: time.Now()}}
	i.Server = httptest.NewServer(i)
	t.Cleanup(i.Close)
	key, public := newKey(t, "one")
	i.publishes(public)
	h := newHouse(t, aRoster, func(p *Params) {
		p.Log, p.Observer, p.Now = slog.New(slog.DiscardHandler), nil, nil
		p.Issuer = Issuer{URL: i.URL, Audience: audience}
	})
	stop := h.runs()
	h.refused("a token", i.sign(key, nil), "")
	h.refused("a foreign one", i.sign(key, map[string]any{"aud": "other"}), TokenForeign)
	i.wasAsked(1, 1)
	stop()
}

func TestAnAnswerIsNeverQuoted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"a failure":  {down, "answered with status 503"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/"+planted, http.StatusFound) }, "answered with status 302"},
		"not JSON":   {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, planted) }, "is not what it should be"},
		"other JSON": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `"`+planted+`"`) }, "is not what it should be"},
		"cut short": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			fmt.Fprint(w, planted)
		}, "ended early"},
		"a large header": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", planted+strings.Repeat("a", 65<<10)) }, "exceeded"},
	} {
		server := httptest.NewServer(c.answer)
		client := newClient(nil)
		var into struct{ Keys []string }
		err := get(t.Context(), client, server.URL, &into)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), planted) {
			t.Errorf("%s: %v", name, err)
		}
		client.CloseIdleConnections()
		server.Close()
	}
	if err := get(context.Background(), newClient(nil), ":", nil); err == nil {
		t.Error("no address is asked")
	}
}

// endless is a body that never ends, and how much of it was read.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return len(p), nil
}

func TestNoMoreIsReadThanAnAnswerMayHave(t *testing.T) {
	t.Parallel()
	var body endless
	err := get(t.Context(), newClient(transport(func(*http.Request) (*http.Response, error) { return answered(&body), nil })), "http://localhost", nil)
	if err == nil || body.read > 2*maxAnswer {
		t.Errorf("%d bytes were read: %v", body.read, err)
	}
}
