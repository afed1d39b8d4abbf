package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/config"
	"github.com/portin/portin/internal/product"
)

// quick makes the carrier's time-outs short, for outcomes that never end.
func quick(c *config.Config) {
	c.Carrier.PostTimeout = 2 * time.Second
	c.Carrier.GetTimeout = time.Second
}

// TestFaults drives the service through what the carrier can do to an order, over both faces. Rows of the table of
// faults stand before their cases. The same request is sent twice: whatever happened, the second time must not place a
// second order, except where the first was not sent.
func TestFaults(t *testing.T) {
	t.Parallel()
	const (
		accepted = portinv1.OrderState_ORDER_STATE_ACCEPTED
		inDoubt  = portinv1.OrderState_ORDER_STATE_IN_DOUBT
		refused  = portinv1.OrderState_ORDER_STATE_REFUSED
		notSent  = portinv1.OrderState_ORDER_STATE_NOT_SENT
	)
	for _, c := range []struct {
		fault   string
		outcome string
		state   portinv1.OrderState
		code    codes.Code
		reason  string
		http    int
		wait    string
	}{
		{"", "accepted", accepted, codes.OK, "", 200, ""},
		{"", "deferred", accepted, codes.OK, "", 200, ""},
		{"", "no-ticket-mask", accepted, codes.OK, "", 200, ""},
		{"01", "timeout-after-body", inDoubt, codes.OK, "", 202, ""},
		{"01", "timeout-without-ticket", inDoubt, codes.OK, "", 202, ""},
		{"02", "cut-after-ticket", inDoubt, codes.OK, "", 202, ""},
		{"02", "reset-after-body", inDoubt, codes.OK, "", 202, ""},
		{"02", "cut-mid-answer", inDoubt, codes.OK, "", 202, ""},
		{"04", "rejected", refused, codes.FailedPrecondition, "CARRIER_REFUSED", 422, ""},
		{"04", "error", refused, codes.FailedPrecondition, "CARRIER_REFUSED", 422, ""},
		{"05", "truncated", inDoubt, codes.OK, "", 202, ""},
		{"05", "empty-200", inDoubt, codes.OK, "", 202, ""},
		{"05", "html-200", inDoubt, codes.OK, "", 202, ""},
		{"05", "utf16", inDoubt, codes.OK, "", 202, ""},
		{"05", "reply-missing", inDoubt, codes.OK, "", 202, ""},
		{"05", "reply-unknown", inDoubt, codes.OK, "", 202, ""},
		{"06", "exception-401", notSent, codes.FailedPrecondition, "CARRIER_CREDENTIALS", 422, ""},
		{"06", "html-403", notSent, codes.FailedPrecondition, "CARRIER_CREDENTIALS", 422, ""},
		{"07", "exception-400", refused, codes.InvalidArgument, "CARRIER_INVALID", 400, ""},
		{"07", "exception-409", refused, codes.FailedPrecondition, "CARRIER_REFUSED", 422, ""},
		{"07", "html-404", inDoubt, codes.OK, "", 202, ""},
		{"08", "throttled", notSent, codes.ResourceExhausted, "CARRIER_BUSY", 429, "7"},
		{"08", "throttled-absurd", notSent, codes.ResourceExhausted, "CARRIER_BUSY", 429, "300"},
		{"09", "exception-500", inDoubt, codes.OK, "", 202, ""},
		{"09", "html-502", inDoubt, codes.OK, "", 202, ""},
		{"09", "empty-503", inDoubt, codes.OK, "", 202, ""},
		{"10", "drip", inDoubt, codes.OK, "", 202, ""},
		{"10", "huge-body", inDoubt, codes.OK, "", 202, ""},
		{"10", "huge-header", inDoubt, codes.OK, "", 202, ""},
		{"", "redirect-307", inDoubt, codes.OK, "", 202, ""},
	} {
		t.Run(strings.TrimPrefix("Fault"+c.fault+"_"+c.outcome, "Fault_"), func(t *testing.T) {
			t.Parallel()
			s := start(t, quick)
			o := golden(t, product.Specs()[0], "smallest")
			o.Form.CustomerName = "Sandbox " + c.outcome
			text, err := protojson.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			key := newKey()
			over := s.place(t, text, key)
			if over.status != c.http || over.header.Get("Retry-After") != c.wait {
				t.Errorf("over JSON: HTTP %d, Retry-After %q; want %d, %q: %s", over.status, over.header.Get("Retry-After"), c.http, c.wait, over.body)
			}
			if over.header.Get("X-Request-Id") == "" {
				t.Error("over JSON: no X-Request-Id")
			}
			resp, err := s.grpc.PortIn(t.Context(), &portinv1.PortInRequest{Order: o, RequestId: key})
			if got := status.Code(err); got != c.code {
				t.Fatalf("over gRPC: %v, want %v", err, c.code)
			}
			posts, orderID := 1, resp.GetOrder().GetOrderId()
			if c.code != codes.OK {
				info := errorInfo(t, err)
				if info.GetReason() != c.reason {
					t.Errorf("the reason is %s, want %s", info.GetReason(), c.reason)
				}
				orderID = info.GetMetadata()["order_id"]
			} else if !resp.GetReplayed() {
				t.Error("the second answer is not called a replay")
			}
			if c.state == notSent {
				posts = 2
			}
			if got := s.orders(t); len(got) != posts {
				t.Errorf("the carrier got %d POSTs, want %d: %v", len(got), posts, got)
			}
			kept := s.do(t, http.MethodGet, "http://"+s.HTTPAddress+"/v1/port-ins/"+orderID, nil)
			if kept.status != 200 {
				t.Fatalf("the order cannot be read: HTTP %d: %s", kept.status, kept.body)
			}
			if got := message[portinv1.PortInOrder](t, kept).GetState(); got != c.state {
				t.Errorf("the order is %v, want %v", got, c.state)
			}
		})
	}
}

// errorInfo is the one ErrorInfo of an error.
func errorInfo(t *testing.T, err error) *errdetails.ErrorInfo {
	t.Helper()
	var found []*errdetails.ErrorInfo
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			found = append(found, info)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%v has %d ErrorInfo, want one", err, len(found))
	}
	return found[0]
}

func TestFault03_ACarrierThatIsDownGetsNothing(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *config.Config) {
		c.Sandbox = false
		c.Carrier.URL, c.Carrier.Username, c.Carrier.Password = "http://127.0.0.1:1/rest.svc", "nobody", "planted-password"
	})
	o := golden(t, product.Specs()[0], "smallest")
	_, err := s.grpc.PortIn(t.Context(), &portinv1.PortInRequest{Order: o, RequestId: newKey()})
	if status.Code(err) != codes.Unavailable || errorInfo(t, err).GetReason() != "CARRIER_UNREACHABLE" {
		t.Errorf("the order answers %v", err)
	}
	if strings.Contains(s.log.String(), "planted-password") {
		t.Error("the password is in the log")
	}
}

func TestTheStartLogSaysThatOrdersAreNotKept(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.do(t, http.MethodGet, "http://"+s.HTTPAddress+"/openapi.json", nil)
	if !strings.Contains(s.log.String(), "orders are not kept") {
		t.Errorf("the start log does not say so:\n%s", s.log)
	}
}
