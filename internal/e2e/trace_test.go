package e2e_test

import (
	"encoding/hex"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc/metadata"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/product"
)

const (
	aTraceID    = "4bf92f3577b34da6a3ce929d0e0e4736"
	aSpanID     = "00f067aa0ba902b7"
	traceparent = "00-" + aTraceID + "-" + aSpanID + "-01"
)

// An order is one trace, the caller's own, from the face to the ledger and the carrier, on either face and engine.
func TestAnOrderIsOneTrace(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		s := start(t, e)
		o := golden(t, product.Specs()[0], "smallest")
		var orderID string
		if f == overJSON {
			a := s.do(t, http.MethodPost, "http://"+s.HTTPAddress+"/v1/port-ins", marshalled(t, o), "Idempotency-Key", newKey(), "Traceparent", traceparent)
			orderID = message[portinv1.PortInResponse](t, a).GetOrder().GetOrderId()
		} else {
			ctx := metadata.AppendToOutgoingContext(t.Context(), "traceparent", traceparent)
			resp, err := s.grpc.PortIn(ctx, &portinv1.PortInRequest{Order: o, RequestId: newKey()})
			if err != nil {
				t.Fatal(err)
			}
			orderID = resp.GetOrder().GetOrderId()
		}
		s.quit(t)

		const rpc, request = "portin.v1.PortInService/PortIn", "POST /v1/port-ins"
		want := map[string]string{
			rpc:              aSpanID + " of the order",
			"ledger FindKey": rpc, "ledger Claim": rpc + " of the order", "ledger Advance": rpc + " of the order",
			"carrier DIDs": rpc, "carrier PortInStatusByNumber": rpc,
		}
		if f == overJSON {
			want[request], want[rpc] = aSpanID, request+" of the order"
		}
		got := parents(t, s.traces.spans(), orderID)
		for name := range got { // the lists that an order refers to, which are asked for as they are needed
			if _, ok := want[name]; !ok && strings.HasPrefix(name, "carrier ") && got[name] == rpc {
				delete(got, name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("what each span hangs on (-want +got):\n%s", diff)
		}
		if !s.log.has("trace_id=" + aTraceID) {
			t.Error("the log does not name the trace")
		}
		for _, r := range s.carrier.Received() {
			if text := fmt.Sprint(r); strings.Contains(strings.ToLower(text), "traceparent") || strings.Contains(text, aTraceID) {
				t.Errorf("the carrier was told of the trace: %s", text)
			}
		}
	})
}

// parents are the names of the spans that each span hangs on, of the caller's trace; one that has the order's ID says so. Spans
// of the same name have to hang on the same.
func parents(t *testing.T, spans []*tracepb.Span, orderID string) map[string]string {
	t.Helper()
	names := map[string]string{}
	for _, is := range spans {
		names[string(is.GetSpanId())] = is.GetName()
	}
	all := map[string]string{}
	for _, is := range spans {
		if got := hex.EncodeToString(is.GetTraceId()); got != aTraceID {
			t.Errorf("%s belongs to the trace %s", is.GetName(), got)
		}
		parent, ok := names[string(is.GetParentSpanId())]
		if !ok {
			parent = hex.EncodeToString(is.GetParentSpanId())
		}
		for _, a := range is.GetAttributes() {
			if a.GetKey() == "portin.order_id" && a.GetValue().GetStringValue() == orderID {
				parent += " of the order"
			}
		}
		if was, ok := all[is.GetName()]; ok && was != parent {
			t.Errorf("%s hangs on %q and on %q", is.GetName(), was, parent)
		}
		all[is.GetName()] = parent
	}
	return all
}

// Whatever callers and the carrier wrote stays out of traces, for only what stands here is in a span; that the traces of no test
// have it is looked at whenever a service of one ends.
func TestFault28_TracesAreDiscreet(t *testing.T) {
	t.Parallel()
	onEveryWay(t, func(t *testing.T, e engine, f face) {
		s := start(t, e, quick)
		r := s.must(t, f, golden(t, product.Specs()[0], "fullest"), newKey(), accepted)
		s.get(t, r.orderID)
		s.events(t, r.orderID)
		s.list(t)
		o := golden(t, product.Specs()[0], "smallest")
		o.GetTrunkDid().GetDids()[0].Number = "canary"
		s.portIn(t.Context(), f, o, "canary")
		for _, path := range []string{
			"/v1/numbers/4165550123/status?unknown=canary", "/v1/tickets/canary/status", "/v1/port-ins/canary", "/v1/canary", "/v1/port-ins?number=4165550123",
		} {
			s.do(t, http.MethodGet, "http://"+s.HTTPAddress+path, nil)
		}
		for _, outcome := range []string{"rejected", "exception", "html", "cut-after-ticket"} {
			s.portIn(t.Context(), f, s.carrier.order(t, outcome), newKey())
		}
		s.quit(t)

		keys := map[string]bool{}
		for _, is := range s.traces.spans() {
			for _, a := range is.GetAttributes() {
				keys[a.GetKey()] = true
			}
			if len(is.GetEvents()) > 0 || is.GetStatus().GetMessage() != "" || len(is.GetLinks()) > 0 {
				t.Errorf("a span has more than attributes: %v", is)
			}
		}
		want := []string{
			"http.request.method", "http.response.status_code", "http.route", "portin.account", "portin.class", "portin.operation",
			"portin.order_id", "portin.reason", "portin.request_id", "rpc.method", "rpc.response.status_code", "rpc.system.name",
		}
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(keys))); diff != "" {
			t.Errorf("attributes of spans (-want +got):\n%s", diff)
		}
	})
}

// A collector that is down, or hangs, neither slows calls nor keeps the service from stopping.
func TestACollectorThatIsDownIsNobodysTrouble(t *testing.T) {
	t.Parallel()
	hanging, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0") // takes connections and answers nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hanging.Close() })
	closed, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	for name, address := range map[string]string{"hanging": hanging.Addr().String(), "down": closed.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, sqlite, tracing(address))
			for _, f := range faces() {
				s.must(t, f, s.carrier.order(t, ""), newKey(), accepted)
			}
			begun := time.Now()
			s.quit(t)
			if took := time.Since(begun); took > 20*time.Second { // a few, and what a busy machine adds
				t.Errorf("the stop took %v", took)
			}
			if !s.log.has("the trace collector does not take spans") {
				t.Error("the log does not say that spans are lost")
			}
		})
	}
}

// Calls are counted once, whichever face they came over, and only there.
func TestCallsOverEitherFaceAreCountedOnce(t *testing.T) {
	t.Parallel()
	s := start(t, sqlite)
	const name = `{grpc_code="OK",grpc_method="PortIn",grpc_service="portin.v1.PortInService",grpc_type="unary"}`
	for i, f := range faces() {
		if got := s.metric(t, "grpc_server_handled_total"+name); got != float64(i) {
			t.Errorf("%v calls before the one over %s, want %d", got, f, i)
		}
		s.must(t, f, s.carrier.order(t, ""), newKey(), accepted)
	}
	if got := s.metric(t, "grpc_server_handled_total"+name); got != 2 {
		t.Errorf("%v calls after both", got)
	}
}
