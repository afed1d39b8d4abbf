package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

func TestEveryCodeHasAnHTTPStatus(t *testing.T) {
	t.Parallel()
	want := map[codes.Code]int{
		codes.Canceled: 499, codes.Unknown: 500, codes.InvalidArgument: 400, codes.DeadlineExceeded: 504, codes.NotFound: 404,
		codes.AlreadyExists: 409, codes.PermissionDenied: 403, codes.ResourceExhausted: 429, codes.FailedPrecondition: 422,
		codes.Aborted: 409, codes.OutOfRange: 400, codes.Unimplemented: 501, codes.Internal: 500, codes.Unavailable: 503,
		codes.DataLoss: 500, codes.Unauthenticated: 401, 99: 500,
	}
	for code := codes.Canceled; !strings.HasPrefix(code.String(), "Code("); code++ {
		if want[code] == 0 {
			t.Errorf("%s has no row here: give it one, and one in httpStatuses and perhaps in foreignErrors", code)
		}
	}
	for code, want := range want {
		w := newFace(t).answering(nil, failure(code, "because", info("SOME_REASON"))).do(http.MethodGet, "/v1/port-ins", "")
		if got := errorOf(t, w); w.Code != want || got.GetCode() != int32(code) || got.GetMessage() != "because" {
			t.Errorf("%s was answered %d %v, want %d", code, w.Code, got, want)
		}
		if got := w.Header().Get("WWW-Authenticate"); (got != "") != (code == codes.Unauthenticated) {
			t.Errorf("%s has WWW-Authenticate %q", code, got)
		}
	}
	w := newFace(t).answering(nil, failure(codes.ResourceExhausted, "x", info("REQUEST_TOO_LARGE"))).place("{}")
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("REQUEST_TOO_LARGE was answered %d", w.Code)
	}
}

func TestForeignErrorsAreToldInOurWords(t *testing.T) {
	t.Parallel()
	for code := codes.Canceled; code <= codes.Unauthenticated+1; code++ {
		foreign := []error{
			status.Error(code, "password=hunter2"),
			failure(code, "password=hunter2", &errdetails.ErrorInfo{Reason: "X", Domain: "library.example"}),
		}
		for _, err := range foreign {
			w := newFace(t).answering(nil, err).do(http.MethodGet, "/v1/port-ins", "")
			if got := errorOf(t, w); strings.Contains(w.Body.String(), "hunter2") || got.GetMessage() == "" {
				t.Errorf("%s was told as %s", code, w.Body)
			}
			if hasRetry := w.Header().Get("Retry-After") != ""; hasRetry != (code == codes.Unavailable) {
				t.Errorf("%s has Retry-After %q", code, w.Header().Get("Retry-After"))
			}
		}
	}
	w := newFace(t).answering(nil, errors.New("password=hunter2")).do(http.MethodGet, "/v1/port-ins", "")
	if w.Code != 500 || reasonOf(t, w) != "INTERNAL" || strings.Contains(w.Body.String(), "hunter2") {
		t.Errorf("an error without a status was answered %d %s", w.Code, w.Body)
	}
}

func TestWhatTheVersionDoesNotOffer(t *testing.T) {
	t.Parallel()
	if w := newFace(t).do(http.MethodGet, "/v1/sip-trunks", ""); w.Code != 501 || reasonOf(t, w) != "NOT_OFFERED" {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

func TestRetryAfterIsWholeSeconds(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]string{
		0: "1", time.Millisecond: "1", time.Second: "1", 1001 * time.Millisecond: "2", time.Minute: "60", -time.Second: "1",
	} {
		err := failure(codes.Unavailable, "later", info("CARRIER_UNREACHABLE"), &errdetails.RetryInfo{RetryDelay: durationpb.New(wait)})
		w := newFace(t).answering(nil, err).place("{}")
		if got := w.Header().Get("Retry-After"); got != want {
			t.Errorf("%v became %q, want %q", wait, got, want)
		}
	}
}

func TestFieldPathsAreTheCallers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ method, target, field, want string }{
		{"POST", "/v1/port-ins", "order.trunk_did.dids[2].number", "trunkDid.dids[2].number"},
		{"POST", "/v1/port-ins", "order.form.service_address.postal_code", "form.serviceAddress.postalCode"},
		{"POST", "/v1/port-ins", "order.target", "target"},
		{"POST", "/v1/port-ins", "order", "body"},
		{"POST", "/v1/port-ins", "request_id", "requestId"},
		{"POST", "/v1/port-ins", "order.form.numbers_to_remain[0]", "form.numbersToRemain[0]"},
		{"POST", "/v1/port-ins", "order.nobody_knows.this_field", "nobody_knows.this_field"},
		{"POST", "/v1/port-ins", "", ""},
		{"POST", "/v1/port-ins/5:resolveInDoubt", "resolution.placed.ticket_id", "placed.ticketId"},
		{"POST", "/v1/port-ins/5:resolveInDoubt", "resolution.outcome", "outcome"},
		{"POST", "/v1/port-ins/5:resolveInDoubt", "order_id", "orderId"},
		{"POST", "/v1/port-ins/5:erase", "reason", "reason"},
		{"POST", "/v1/port-ins/5:close", "reason", "reason"},
		{"POST", "/v1/port-ins/5:acknowledgeAttention", "code", "code"},
		{"POST", "/v1/portability:check", "numbers[3]", "numbers[3]"},
		{"GET", "/v1/port-ins?pageSize=1", "from_create_time", "fromCreateTime"},
		{"GET", "/v1/tickets/5/status", "ticket_id", "ticketId"},
	} {
		bad := &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: c.field, Description: "is wrong"}}}
		f := newFace(t).answering(nil, failure(codes.InvalidArgument, "fields", info("INVALID_FIELDS"), bad))
		body := ""
		if c.method == "POST" {
			body = "{}"
		}
		w := f.do(c.method, c.target, body)
		if got := fieldsOf(t, w); len(got) != 1 || got[0] != c.want {
			t.Errorf("%s at %s became %q, want %q", c.field, c.target, got, c.want)
		}
	}
}

// warned is an order with paths to fields, and rejected a reject with one.
func warned() *portinv1.PortInOrder {
	return &portinv1.PortInOrder{
		Warnings: []*portinv1.Warning{{Field: "order.trunk_did.dids[2].number"}, {Field: "request_id"}}, Rejects: []*portinv1.Reject{rejected()},
	}
}

func rejected() *portinv1.Reject {
	return &portinv1.Reject{Field: "order.form.customer_account_number"}
}

func TestWarningsAreTheCallers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, target string
		answer         proto.Message
	}{
		{"POST", "/v1/port-ins", &portinv1.PortInResponse{Order: warned()}},
		{"GET", "/v1/port-ins/5", &portinv1.GetPortInOrderResponse{Order: warned()}},
		{"GET", "/v1/port-ins", &portinv1.ListPortInOrdersResponse{Orders: []*portinv1.PortInOrder{warned()}}},
		{"POST", "/v1/port-ins/5:resolveInDoubt", &portinv1.ResolveInDoubtResponse{Order: warned()}},
		{"POST", "/v1/port-ins/5:erase", &portinv1.ErasePortInOrderResponse{Order: warned()}},
		{"POST", "/v1/port-ins/5:close", &portinv1.ClosePortInOrderResponse{Order: warned()}},
		{"POST", "/v1/port-ins/5:acknowledgeAttention", &portinv1.AcknowledgeAttentionResponse{Order: warned()}},
		{"POST", "/v1/port-ins/5:resubmit", &portinv1.ResubmitPortInResponse{Order: warned()}},
		{"POST", "/v1/port-ins:follow", &portinv1.FollowPortInResponse{Order: warned()}},
	} {
		kept := proto.Clone(c.answer)
		f := newFace(t).answering(c.answer, nil)
		body := ""
		if c.method == "POST" {
			body = "{}"
		}
		w := f.do(c.method, c.target, body)
		if got := w.Body.String(); w.Code != 200 || !strings.Contains(got, `"trunkDid.dids[2].number"`) || !strings.Contains(got, `"requestId"`) ||
			!strings.Contains(got, `"form.customerAccountNumber"`) || strings.Contains(got, "trunk_did") || strings.Contains(got, "customer_account") {
			t.Errorf("%s was answered %d %s", c.target, w.Code, got)
		}
		sameMessage(t, kept, c.answer)
	}
}

func TestTheRejectsOfAStatusAreTheCallers(t *testing.T) {
	t.Parallel()
	f := newFace(t).answering(&portinv1.GetPortInStatusResponse{Status: &portinv1.PortInStatus{Rejects: []*portinv1.Reject{rejected()}}}, nil)
	w := f.do("GET", "/v1/tickets/5/status", "")
	if got := w.Body.String(); w.Code != 200 || !strings.Contains(got, `"form.customerAccountNumber"`) {
		t.Errorf("the status was answered %d %s", w.Code, got)
	}
}

func TestEveryAnswerWithPathsIsRewritten(t *testing.T) {
	t.Parallel()
	// The answers above and the stream's are all that can hold a Warning or a Reject.
	holders := map[string]bool{}
	withPaths := []protoreflect.FullName{
		(&portinv1.Warning{}).ProtoReflect().Descriptor().FullName(), (&portinv1.Reject{}).ProtoReflect().Descriptor().FullName(),
	}
	var reaches func(m protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) bool
	reaches = func(m protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) bool {
		if m == nil || seen[m.FullName()] {
			return false
		}
		seen[m.FullName()] = true
		for i := range m.Fields().Len() {
			if reaches(m.Fields().Get(i).Message(), seen) {
				return true
			}
		}
		return slices.Contains(withPaths, m.FullName())
	}
	eachMethod(func(m protoreflect.MethodDescriptor) {
		if reaches(m.Output(), map[protoreflect.FullName]bool{}) {
			holders[string(m.Name())] = true
		}
	})
	if got := fmt.Sprint(holders); got != "map[AcknowledgeAttention:true ClosePortInOrder:true ErasePortInOrder:true FollowPortIn:true GetPortInOrder:true GetPortInStatus:true ListPortInOrders:true PortIn:true "+
		"ResolveInDoubt:true ResubmitPortIn:true WatchPortInOrders:true]" {
		t.Errorf("%s have paths: add the new one to rewriteAnswer and to the tests above", got)
	}
}

func TestOrdersWhoseFateIsNotKnownAreTaken(t *testing.T) {
	t.Parallel()
	for state := range portinv1.OrderState_name {
		order := &portinv1.PortInOrder{State: portinv1.OrderState(state)}
		want := http.StatusOK
		if order.GetState() == portinv1.OrderState_ORDER_STATE_SENDING || order.GetState() == portinv1.OrderState_ORDER_STATE_IN_DOUBT {
			want = http.StatusAccepted
		}
		w := newFace(t).answering(&portinv1.PortInResponse{Order: order}, nil).place("{}")
		if w.Code != want || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s was answered %d %v, want %d", order.GetState(), w.Code, w.Header(), want)
		}
		w = newFace(t).answering(&portinv1.ResubmitPortInResponse{Order: order}, nil).do(http.MethodPost, "/v1/port-ins/5:resubmit", "{}")
		if w.Code != want {
			t.Errorf("a correction that is %s was answered %d, want %d", order.GetState(), w.Code, want)
		}
		w = newFace(t).answering(&portinv1.GetPortInOrderResponse{Order: order}, nil).do(http.MethodGet, "/v1/port-ins/5", "")
		if w.Code != http.StatusOK {
			t.Errorf("reading an order that is %s was answered %d", order.GetState(), w.Code)
		}
	}
}

func TestErrorsAreBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("\x01é", 100_000)
	many := &errdetails.BadRequest{}
	for range 1000 {
		many.FieldViolations = append(many.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: "order.form", Description: "is wrong"})
	}
	large := info("INVALID_FIELDS")
	large.Metadata = map[string]string{"a": strings.Repeat("x", 100_000)}
	for _, details := range [][]protoadapt.MessageV1{{info("INVALID_FIELDS"), many}, {large}, {info("INVALID_FIELDS")}} {
		f := newFace(t).answering(nil, failure(codes.InvalidArgument, long, details...))
		w := f.place("{}")
		if got := errorOf(t, w); w.Code != 400 || len(got.GetMessage()) > 1<<10 || len(got.GetMessage()) < 1000 {
			t.Errorf("answered %d with a message of %d bytes", w.Code, len(got.GetMessage()))
		}
	}
}

func TestErrorsThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	packed, err := anypb.New(info("INVALID_FIELDS"))
	if err != nil {
		t.Fatal(err)
	}
	unknown := &spb.Status{Code: int32(codes.InvalidArgument), Message: "bad \xff text", Details: []*anypb.Any{
		packed, {TypeUrl: "type.googleapis.com/nobody.knows.This", Value: []byte("x")},
	}}
	w := newFace(t).answering(nil, status.FromProto(unknown).Err()).place("{}")
	if got := errorOf(t, w); w.Code != 400 || got.GetMessage() != "bad ? text" {
		t.Errorf("answered %d %v", w.Code, got)
	}
}

func TestAnswersThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	for _, answer := range []proto.Message{
		&portinv1.PortInResponse{Order: &portinv1.PortInOrder{CarrierMessage: "\xff"}},
		&portinv1.ListPortInOrdersResponse{},
	} {
		w := newFace(t).answering(answer, nil).place("{}")
		if w.Code != 500 || reasonOf(t, w) != "INTERNAL" {
			t.Errorf("answered %d %s", w.Code, w.Body)
		}
	}
}

func TestZerosAreWrittenAndWhatIsNotSetIsNot(t *testing.T) {
	t.Parallel()
	order := &portinv1.PortInOrder{Target: &portinv1.PortInOrder_GeneralProduct{GeneralProduct: &portinv1.GeneralProduct{}}}
	w := newFace(t).answering(&portinv1.GetPortInOrderResponse{Order: order}, nil).do(http.MethodGet, "/v1/port-ins/5", "")
	for name, want := range map[string]bool{
		`"state"`: true, `"needsAttention"`: true, `"warnings"`: true, `"generalProduct"`: true, `"offeringId"`: true, // zeros
		`"form"`: false, `"trunkDid"`: false, `"createTime"`: false, "null": false, `"order"`: false, // absent
	} {
		if strings.Contains(w.Body.String(), name) != want {
			t.Errorf("%s in the answer is %t, want %t: %s", name, !want, want, w.Body)
		}
	}
	// An answer without its order is an empty object, not null.
	w = newFace(t).answering(&portinv1.GetPortInOrderResponse{}, nil).do(http.MethodGet, "/v1/port-ins/5", "")
	if w.Code != 200 || !strings.HasPrefix(w.Body.String(), "{") {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

func TestACallerWhoLeavesCancelsTheCall(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	ctx, leave := context.WithCancel(t.Context())
	f.service.answer = func(ctx context.Context, _ proto.Message) (proto.Message, error) {
		leave()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/port-ins", nil))
	if w.Code != 499 || reasonOf(t, w) != "CANCELLED" {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}
