package gateway_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/gateway"
)

const (
	aTraceID    = "4bf92f3577b34da6a3ce929d0e0e4736"
	aSpanID     = "00f067aa0ba902b7"
	traceparent = "00-" + aTraceID + "-" + aSpanID + "-01"
)

// tracedFace is a face whose spans are kept.
func tracedFace(t *testing.T) (*face, *tracetest.SpanRecorder) {
	t.Helper()
	kept := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(kept)).Tracer("test")
	return newFace(t, func(c *gateway.Config) { c.Tracer = tracer }), kept
}

// shown is what a test compares of a span.
func shown(is sdktrace.ReadOnlySpan) map[string]string {
	all := map[string]string{"name": is.Name(), "kind": is.SpanKind().String(), "status": is.Status().Code.String() + is.Status().Description}
	for _, a := range is.Attributes() {
		all[string(a.Key)] = a.Value.String()
	}
	for _, e := range is.Events() {
		all["event"] = e.Name
	}
	return all
}

func TestARequestHasOneSpan(t *testing.T) {
	t.Parallel()
	requestID := "X-Request-Id: r-1"
	of := func(name, status string, further ...string) map[string]string {
		all := map[string]string{
			"name": name, "kind": "server", "status": status, "portin.request_id": "r-1",
			"http.request.method": strings.Fields(name)[0],
		}
		for i := 0; i < len(further); i += 2 {
			all[further[i]] = further[i+1]
		}
		return all
	}
	for name, c := range map[string]struct {
		do   func(*face) *httptest.ResponseRecorder
		want []map[string]string
	}{
		"an order": {
			func(f *face) *httptest.ResponseRecorder { return f.place("{}", requestID) },
			[]map[string]string{of("POST /v1/port-ins", "Unset", "http.route", "/v1/port-ins", "http.response.status_code", "200")},
		},
		"a number in the path": {
			func(f *face) *httptest.ResponseRecorder {
				return f.do(http.MethodGet, "/v1/numbers/4165550123/status?hunter2=hunter2", "", requestID)
			},
			[]map[string]string{of("GET /v1/numbers/{number}/status", "Unset", "http.route", "/v1/numbers/{number}/status", "http.response.status_code", "400")},
		},
		"no route": {
			func(f *face) *httptest.ResponseRecorder { return f.do(http.MethodGet, "/v1/hunter2", "", requestID) },
			[]map[string]string{of("GET", "Unset", "http.response.status_code", "404")},
		},
		"a method that there is none of": {
			func(f *face) *httptest.ResponseRecorder { return f.do("HUNTER2", "/v1/port-ins", "", requestID) },
			[]map[string]string{of("_OTHER", "Unset", "http.response.status_code", "405")},
		},
		"a panic": {
			func(f *face) *httptest.ResponseRecorder {
				f.service.answer = func(context.Context, proto.Message) (proto.Message, error) { panic("hunter2") }
				return f.place("{}", requestID)
			},
			[]map[string]string{of("POST /v1/port-ins", "Error", "http.route", "/v1/port-ins", "http.response.status_code", "500")},
		},
		"an answer that is cut off": {
			func(f *face) *httptest.ResponseRecorder {
				f.service.watch = func(_ *portinv1.WatchPortInOrdersRequest, s watchStream) error {
					_ = s.Send(watchAnswer("one"))
					panic("hunter2")
				}
				defer func() { _ = recover() }() // the abort that net/http knows
				return f.do(http.MethodGet, "/v1/port-ins:watch", "", requestID)
			},
			[]map[string]string{of("GET /v1/port-ins:watch", "Error", "http.route", "/v1/port-ins:watch", "http.response.status_code", "200")},
		},
		"the documentation": {
			func(f *face) *httptest.ResponseRecorder { return f.do(http.MethodGet, "/openapi.json", "", requestID) },
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, kept := tracedFace(t)
			c.do(f)
			var got []map[string]string
			for _, is := range kept.Ended() {
				got = append(got, shown(is))
			}
			if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("spans (-want +got):\n%s", diff)
			}
		})
	}
}

// The caller's trace goes on in the request's span, and the request's span in the call. A state without a trace is nothing.
func TestTheTraceCrossesToTheCall(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		headers            []string
		wantTrace, parent  string
		wantState, sampled string
	}{
		"with a state":    {[]string{"Traceparent: " + traceparent, "Tracestate: vendor=1"}, aTraceID, aSpanID, "vendor=1", "-01"},
		"not sampled":     {[]string{"Traceparent: " + strings.TrimSuffix(traceparent, "1") + "0"}, aTraceID, aSpanID, "", "-00"},
		"no trace":        {nil, "", trace.SpanID{}.String(), "", "-01"},
		"a broken one":    {[]string{"Traceparent: 00-hunter2", "Tracestate: vendor=1"}, "", trace.SpanID{}.String(), "", "-01"},
		"one of no trace": {[]string{"Tracestate: vendor=1"}, "", trace.SpanID{}.String(), "", "-01"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, kept := tracedFace(t)
			f.place("{}", c.headers...)
			md := f.service.received()[0].metadata
			given := strings.Split(strings.Join(md.Get("traceparent"), " "), "-")
			if len(given) != 4 || c.wantTrace != "" && given[1] != c.wantTrace || "-"+given[3] != c.sampled {
				t.Fatalf("the call has the traceparent %v", given)
			}
			if got := strings.Join(md.Get("tracestate"), " "); got != c.wantState {
				t.Errorf("the call has the tracestate %q, want %q", got, c.wantState)
			}
			if c.sampled == "-00" {
				return // no span was kept
			}
			span := kept.Ended()[0]
			got := []string{span.SpanContext().TraceID().String(), span.SpanContext().SpanID().String(), span.Parent().SpanID().String()}
			if diff := cmp.Diff([]string{given[1], given[2], c.parent}, got); diff != "" {
				t.Errorf("the call's trace and parent, and the parent of that (-given +span):\n%s", diff)
			}
		})
	}
}

func TestTheLogOfRefusalsNamesTheTrace(t *testing.T) {
	t.Parallel()
	f, _ := tracedFace(t)
	f.place("{", "Traceparent: "+traceparent)
	if got := f.log.String(); !strings.Contains(got, " trace_id="+aTraceID+" ") {
		t.Errorf("the log has %s", got)
	}
}
