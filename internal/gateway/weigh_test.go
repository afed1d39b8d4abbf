package gateway_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/gateway"
	"github.com/portin/portin/internal/inflight"
)

// untouched is a body that nobody may read.
type untouched struct{ t *testing.T }

func (u untouched) Read([]byte) (int, error) {
	u.t.Error("the body is read")
	return 0, io.EOF
}

// weighing is a face with a scale.
func weighing(t *testing.T, limit int64) (*face, *inflight.Scale) {
	t.Helper()
	scale := inflight.New(limit)
	return newFace(t, func(c *gateway.Config) { c.Scale = scale }), scale
}

// large is a body of so many bytes.
func large(n int) string {
	const around = `{"form":{"customerName":""}}`
	return `{"form":{"customerName":"` + strings.Repeat("x", n-len(around)) + `"}}`
}

// send sends a body that says how long it is, or, below 0, does not.
func (f *face) send(body io.Reader, length int64) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/v1/port-ins?requestId="+key, body)
	r.Header.Set("Content-Type", "application/json")
	r.ContentLength = length
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w
}

// wantBusy wants the answer to a body that does not fit.
func wantBusy(t *testing.T, f *face, w *httptest.ResponseRecorder) {
	t.Helper()
	f.refusedBefore(t, w, http.StatusTooManyRequests, "SERVICE_BUSY")
	wait, err := strconv.Atoi(w.Header().Get("Retry-After"))
	if err != nil || wait < 1 || w.Header().Get("Connection") != "close" {
		t.Errorf("the head of the answer is %v", w.Header())
	}
	for _, d := range status.FromProto(errorOf(t, w)).Details() {
		if retry, ok := d.(*errdetails.RetryInfo); ok && retry.GetRetryDelay().GetSeconds() == int64(wait) && retry.GetRetryDelay().GetNanos() == 0 {
			return
		}
	}
	t.Errorf("no RetryInfo of %d s: %s", wait, w.Body)
}

func TestABodyIsWeighedBeforeItIsRead(t *testing.T) {
	t.Parallel()
	const size = 100 << 10
	f, scale := weighing(t, inflight.OfJSON(size))
	wantBusy(t, f, f.send(untouched{t}, size+1))
	if scale.Weight() != 0 || scale.Refused() != 1 {
		t.Errorf("%d bytes are in flight, %d were refused", scale.Weight(), scale.Refused())
	}
	f.service.answer = func(ctx context.Context, _ proto.Message) (proto.Message, error) {
		if got := scale.Weight(); got != inflight.OfJSON(size) || inflight.From(ctx) == nil {
			t.Errorf("during the call %d bytes are in flight; the call's load is %v", got, inflight.From(ctx))
		}
		if w := f.do(http.MethodGet, "/v1/port-ins/0190b0a8-0000-7000-8000-000000000001/events", ""); w.Code == http.StatusTooManyRequests {
			t.Errorf("a read is answered %d", w.Code)
		}
		return &portinv1.PortInResponse{}, nil
	}
	f.service.answer = onlyPortIn(f.service.answer)
	if w := f.send(strings.NewReader(large(size)), size); w.Code != http.StatusOK {
		t.Errorf("what fits is answered %d: %s", w.Code, w.Body)
	}
	if got := scale.Weight(); got != 0 {
		t.Errorf("in the end %d bytes are in flight", got)
	}
}

// onlyPortIn answers orders with answer, and everything else with nothing.
func onlyPortIn(answer func(context.Context, proto.Message) (proto.Message, error)) func(context.Context, proto.Message) (proto.Message, error) {
	return func(ctx context.Context, request proto.Message) (proto.Message, error) {
		if _, ok := request.(*portinv1.PortInRequest); ok {
			return answer(ctx, request)
		}
		return &portinv1.ListPortInOrderEventsResponse{}, nil
	}
}

func TestABodyOfUnknownLengthIsWeighedAsItIsRead(t *testing.T) {
	t.Parallel()
	const size = 100 << 10
	f, scale := weighing(t, inflight.OfJSON(size))
	wantBusy(t, f, f.send(io.MultiReader(strings.NewReader(large(size+1))), -1))
	if got := scale.Weight(); got != 0 {
		t.Errorf("after the refusal %d bytes are in flight", got)
	}
	other, err := scale.Put(inflight.OfJSON(size))
	if err != nil {
		t.Fatal(err)
	}
	if w := f.send(io.MultiReader(strings.NewReader(large(inflight.Light))), -1); w.Code != http.StatusOK {
		t.Errorf("a small one beside a large one is answered %d: %s", w.Code, w.Body)
	}
	other.LetGo()
	if w := f.send(io.MultiReader(strings.NewReader(large(size))), -1); w.Code != http.StatusOK {
		t.Errorf("what fits is answered %d: %s", w.Code, w.Body)
	}
	if got := scale.Weight(); got != 0 {
		t.Errorf("in the end %d bytes are in flight", got)
	}
}

func TestTheLoadOfABodyIsLetGo(t *testing.T) {
	t.Parallel()
	const size = 100 << 10
	f, scale := weighing(t, inflight.OfJSON(size))
	for name, body := range map[string]string{
		"broken": strings.Repeat("x", size), "refused": large(size)[:size-1] + "x", "cut off": large(size)[:size/2],
	} {
		if w := f.send(strings.NewReader(body), size); w.Code != http.StatusBadRequest || scale.Weight() != 0 {
			t.Errorf("%s: answered %d, %d bytes are in flight", name, w.Code, scale.Weight())
		}
	}
	f.service.answer = func(context.Context, proto.Message) (proto.Message, error) { panic("a handler") }
	if w := f.send(strings.NewReader(large(size)), size); w.Code != http.StatusInternalServerError || scale.Weight() != 0 {
		t.Errorf("a panic: answered %d, %d bytes are in flight", w.Code, scale.Weight())
	}
	var kept *inflight.Load
	f.service.answer = func(ctx context.Context, _ proto.Message) (proto.Message, error) {
		kept = inflight.From(ctx)
		kept.Hold()
		return &portinv1.PortInResponse{}, nil
	}
	if w := f.send(strings.NewReader(large(size)), size); w.Code != http.StatusOK || scale.Weight() != inflight.OfJSON(size) {
		t.Errorf("an order that is held on: answered %d, %d bytes are in flight", w.Code, scale.Weight())
	}
	kept.LetGo()
	if got := scale.Weight(); got != 0 {
		t.Errorf("in the end %d bytes are in flight", got)
	}
}

// A stranger's large body is refused before it is weighed or read; its small one is the service's to refuse.
func TestAStrangersLargeBodyIsNotWeighed(t *testing.T) {
	t.Parallel()
	const size = 100 << 10
	scale, verified := inflight.New(1<<30), &x509.Certificate{Raw: []byte("verified")}
	var asked []string
	f := newFace(t, func(c *gateway.Config) {
		c.Scale = scale
		c.Access = func(_ context.Context, authorization string, certificate *x509.Certificate) error {
			asked = append(asked, authorization+" "+strconv.FormatBool(certificate == verified))
			switch {
			case authorization == "Bearer later":
				return fault.New(fault.ReasonIssuerUnreachable, "ask again").WithRetryAfter(7 * time.Second)
			case authorization == "Bearer good", certificate != nil:
				return nil
			}
			return fault.New(fault.ReasonUnauthenticated, "no")
		}
	})
	send := func(body io.Reader, length int64, change func(*http.Request)) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/v1/port-ins?requestId="+key, body)
		r.Header.Set("Content-Type", "application/json")
		r.ContentLength = length
		change(r)
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		return w
	}
	with := func(authorization ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header["Authorization"] = authorization }
	}
	for name, c := range map[string]struct {
		change func(*http.Request)
		code   int
		reason string
	}{
		"nobody":       {with(), http.StatusUnauthorized, "UNAUTHENTICATED"},
		"a wrong key":  {with("Bearer bad"), http.StatusUnauthorized, "UNAUTHENTICATED"},
		"two keys":     {with("Bearer good", "Bearer good"), http.StatusUnauthorized, "UNAUTHENTICATED"},
		"perhaps":      {with("Bearer later"), http.StatusServiceUnavailable, "ISSUER_UNREACHABLE"},
		"not verified": {func(r *http.Request) { r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{verified}} }, http.StatusUnauthorized, "UNAUTHENTICATED"},
	} {
		for _, length := range []int64{size, -1} {
			w := send(untouched{t}, length, c.change)
			f.refusedBefore(t, w, c.code, c.reason)
			if wait := w.Header().Get("Retry-After"); (wait == "7") != (c.code == http.StatusServiceUnavailable) {
				t.Errorf("%s: Retry-After is %q", name, wait)
			}
		}
	}
	if scale.Weight() != 0 || scale.Refused() != 0 {
		t.Errorf("%d bytes are in flight, %d were refused for their weight", scale.Weight(), scale.Refused())
	}
	f.answering(&portinv1.PortInResponse{}, nil)
	chain := func(r *http.Request) { r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{verified}}} }
	for name, change := range map[string]func(*http.Request){"a key": with("Bearer good"), "a certificate": chain} {
		if w := send(strings.NewReader(large(size)), size, change); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	before := len(asked)
	if w := send(strings.NewReader("{}"), 2, with("Bearer bad")); w.Code != http.StatusOK || len(asked) != before {
		t.Errorf("a small body is answered %d %s, and who sends it was asked %d times here", w.Code, w.Body, len(asked)-before)
	}
}

// TestTheScaleIsEmptyInTheEnd, whatever becomes of hundreds of bodies at once over HTTP/1.1 and HTTP/2: they are answered, refused,
// cut off by who sends them, left, held on, or their call breaks.
func TestTheScaleIsEmptyInTheEnd(t *testing.T) {
	t.Parallel()
	const size = 100 << 10
	for _, second := range []bool{false, true} {
		scale := inflight.New(inflight.OfJSON(size))
		var posts, callers sync.WaitGroup
		f := newFace(t, func(c *gateway.Config) { c.Scale, c.Log = scale, nil })
		f.service.answer = func(ctx context.Context, _ proto.Message) (proto.Message, error) {
			switch rand.IntN(4) {
			case 0:
				panic("a handler")
			case 1:
				<-ctx.Done()
				return nil, ctx.Err()
			case 2:
				load := inflight.From(ctx)
				load.Hold()
				posts.Go(load.LetGo)
			}
			return &portinv1.PortInResponse{}, nil
		}
		server := httptest.NewUnstartedServer(f)
		server.EnableHTTP2 = second
		server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		server.StartTLS()
		client := server.Client()
		if second {
			// The client of net/http reads what its HTTP/2 writes, when it begins a connection anew: a race of its own.
			trusting := client.Transport.(*http.Transport).TLSClientConfig.Clone()
			client = &http.Client{Transport: &http2.Transport{TLSClientConfig: trusting}} //nolint:staticcheck // what it names instead is that client
		}
		whole := large(size)
		for range 32 {
			callers.Go(func() {
				for range 8 {
					ctx, leave := context.WithTimeout(t.Context(), rand.N(50*time.Millisecond))
					sendSomehow(ctx, t, client, server.URL, whole)
					leave()
				}
			})
		}
		callers.Wait()
		client.CloseIdleConnections()
		server.Close()
		posts.Wait()
		late := time.After(time.Minute) // closing a server waits for no handler of HTTP/2
		for got := scale.Weight(); got != 0; got = scale.Weight() {
			select {
			case <-time.After(time.Millisecond):
			case <-late:
				t.Fatalf("HTTP/2 %v: in the end %d bytes are in flight", second, got)
			}
		}
	}
}

// sendSomehow sends a body to an address: as it is, without its length, broken, or not all of it.
func sendSomehow(ctx context.Context, t *testing.T, client *http.Client, address, whole string) {
	t.Helper()
	body, length := io.Reader(strings.NewReader(whole)), int64(len(whole))
	switch rand.IntN(4) {
	case 0:
		length = -1
	case 1:
		body = strings.NewReader(whole[1:] + "x")
	case 2:
		body = io.MultiReader(strings.NewReader(whole[:len(whole)/2]), iotest.ErrReader(io.ErrUnexpectedEOF))
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/v1/port-ins?requestId="+key, body)
	if err != nil {
		t.Error(err)
		return
	}
	r.Header.Set("Content-Type", "application/json")
	r.ContentLength = length
	if w, err := client.Do(r); err == nil {
		_ = w.Body.Close()
	}
}
