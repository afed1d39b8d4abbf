package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// bindings calls f for every HTTP binding that the descriptors of the contract have, whatever the gateway knows of it.
func bindings(f func(method protoreflect.MethodDescriptor, rule *annotations.HttpRule)) {
	eachMethod(func(method protoreflect.MethodDescriptor) {
		rule, _ := proto.GetExtension(method.Options(), annotations.E_Http).(*annotations.HttpRule)
		for _, rule := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
			f(method, rule)
		}
	})
}

func TestEveryBindingReachesItsRPC(t *testing.T) {
	t.Parallel()
	count := 0
	bindings(func(method protoreflect.MethodDescriptor, rule *annotations.HttpRule) {
		count++
		if method.IsStreamingServer() {
			return
		}
		f := newFace(t).answering(dynamicpb.NewMessage(method.Output()), nil)
		verb, path, body := http.MethodGet, rule.GetGet()+rule.GetPost()+rule.GetPatch()+rule.GetDelete(), ""
		switch {
		case rule.GetPost() != "":
			verb = http.MethodPost
		case rule.GetPatch() != "":
			verb = http.MethodPatch
		case rule.GetDelete() != "":
			verb = http.MethodDelete
		}
		if rule.GetBody() != "" {
			body = "{}"
		}
		f.do(verb, strings.NewReplacer("{", "a-", "}", "-b").Replace(path), body)
		calls := f.service.received()
		if len(calls) != 1 || calls[0].method != "/"+string(method.Parent().FullName())+"/"+string(method.Name()) {
			t.Errorf("%s %s reached %v, want %s: is its service in the table of services?", verb, path, calls, method.FullName())
		}
	})
	if count < 15 {
		t.Errorf("the contract has %d bindings, this test is blind", count)
	}
}

func TestEveryParameterCanBeSaid(t *testing.T) {
	t.Parallel()
	// A message in a query would need dots, which no call of the contract has use for.
	bindings(func(method protoreflect.MethodDescriptor, rule *annotations.HttpRule) {
		fields := method.Input().Fields()
		for i := range fields.Len() {
			field := fields.Get(i)
			isMessage := field.Message() != nil && field.Message().ParentFile().Package() != "google.protobuf"
			if (isMessage || field.IsMap()) && rule.GetBody() != string(field.Name()) && rule.GetBody() != "*" {
				t.Errorf("%s cannot be said in a query", field.FullName())
			}
		}
	})
}

func TestUnknownPathsAndMethods(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, path string
		code         int
		reason       string
		allow        string
	}{
		{"GET", "/v1/portins", 404, "ROUTE_NOT_FOUND", ""},
		{"GET", "/v2/port-ins", 404, "ROUTE_NOT_FOUND", ""},
		{"GET", "/metrics", 404, "ROUTE_NOT_FOUND", ""},
		{"GET", "/v1/port-ins/", 404, "ROUTE_NOT_FOUND", ""},
		{"GET", "/v1/port-ins//events", 404, "ROUTE_NOT_FOUND", ""},
		{"GET", "/v1/port%2Dins", 404, "ROUTE_NOT_FOUND", ""},
		{"GET", "/v1/port-ins/a/b/c", 404, "ROUTE_NOT_FOUND", ""},
		{"OPTIONS", "*", 404, "ROUTE_NOT_FOUND", ""},
		{"DELETE", "/v1/port-ins", 405, "METHOD_NOT_ALLOWED", "GET, POST"},
		{"OPTIONS", "/v1/port-ins", 405, "METHOD_NOT_ALLOWED", "GET, POST"},
		{"HEAD", "/v1/port-ins", 405, "METHOD_NOT_ALLOWED", "GET, POST"},
		{"PUT", "/v1/port-ins/4165550123", 405, "METHOD_NOT_ALLOWED", "GET"},
		{"POST", "/v1/port-ins:watch", 405, "METHOD_NOT_ALLOWED", "GET"},
		{"GET", "/v1/port-ins/4165550123:resolveInDoubt", 405, "METHOD_NOT_ALLOWED", "POST"},
		{"GET", "/v1/portability:check", 405, "METHOD_NOT_ALLOWED", "POST"},
		{"POST", "/v1/tickets/1/status", 405, "METHOD_NOT_ALLOWED", "GET"},
		{"BREW", "/v1/holidays", 405, "METHOD_NOT_ALLOWED", "GET"},
		{"GET", "/v1/port-ins/%ff", 400, "MALFORMED_REQUEST", ""},
	} {
		t.Run(c.method+c.path, func(t *testing.T) {
			t.Parallel()
			f := newFace(t)
			w := f.do(c.method, c.path, "")
			f.refusedBefore(t, w, c.code, c.reason)
			if got := w.Header().Get("Allow"); got != c.allow {
				t.Errorf("Allow = %q, want %q", got, c.allow)
			}
			if strings.Contains(f.log.String(), "4165550123") {
				t.Errorf("the log has the path: %s", f.log)
			}
		})
	}
}

func TestPathsAreSplitBeforeTheyAreUnescaped(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/v1/port-ins/a%2Fevents":                 "a/events",
		"/v1/port-ins/a%3Ab":                      "a:b",
		"/v1/port-ins/a%252Fb":                    "a%2Fb",
		"/v1/port-ins/0190b0a8-0000-7000-8000-01": "0190b0a8-0000-7000-8000-01",
	} {
		f := newFace(t)
		f.do(http.MethodGet, path, "")
		sameMessage(t, &portinv1.GetPortInOrderRequest{OrderId: want}, f.service.onlyRequest(t))
	}
	f := newFace(t)
	f.do(http.MethodGet, "/v1/numbers/+1%20416%20555%200123/status", "")
	want := &portinv1.GetPortInStatusRequest{Key: &portinv1.GetPortInStatusRequest_Number{Number: "+1 416 555 0123"}}
	sameMessage(t, want, f.service.onlyRequest(t))
}

func TestBodiesWhereNoneBelongs(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	f.refusedBefore(t, f.do(http.MethodGet, "/v1/port-ins", "{}"), 400, "MALFORMED_REQUEST")
}

func TestContentTypes(t *testing.T) {
	t.Parallel()
	for contentType, code := range map[string]int{
		"application/json":                 200,
		"application/json; charset=UTF-8":  200,
		"Application/JSON":                 200,
		"":                                 415,
		"text/plain":                       415,
		"application/json; charset=latin1": 415,
		"application/jsonp":                415,
		"multipart/form-data; boundary=x":  415,
		"application/json,text/plain":      415,
		"nonsense; ;":                      415,
	} {
		f := newFace(t)
		if w := f.place("{}", "Content-Type: "+contentType); w.Code != code {
			t.Errorf("%q was answered %d, want %d", contentType, w.Code, code)
		} else if code != 200 {
			f.refusedBefore(t, w, code, "UNSUPPORTED_MEDIA_TYPE")
		}
	}
	f := newFace(t)
	f.refusedBefore(t, f.place("{}", "Content-Encoding: gzip"), 415, "UNSUPPORTED_MEDIA_TYPE")
	twice := httptest.NewRequest(http.MethodPost, "/v1/port-ins?requestId="+key, strings.NewReader("{}"))
	twice.Header["Content-Type"] = []string{"application/json", "text/plain"}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, twice)
	f.refusedBefore(t, w, 415, "UNSUPPORTED_MEDIA_TYPE")
	f.refusedBefore(t, f.place("", "Content-Type: application/json"), 400, "MALFORMED_REQUEST")
}

func TestQueryFieldsOfTheContract(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	f.do(http.MethodGet, "/v1/port-ins?states=ORDER_STATE_IN_DOUBT&states=1&needs_attention=false&pageSize=7"+
		"&fromCreateTime=2026-01-31T15:04:05Z&customerReference=%C3%A9&attentionCodes=ATTENTION_CODE_NO_PROGRESS", "")
	got, _ := f.service.onlyRequest(t).(*portinv1.ListPortInOrdersRequest)
	if !slices.Equal(got.GetStates(), []portinv1.OrderState{4, 1}) || got.GetPageSize() != 7 || got.NeedsAttention == nil ||
		got.GetFromCreateTime().GetSeconds() != 1769871845 || got.GetCustomerReference() != "é" ||
		!slices.Equal(got.GetAttentionCodes(), []portinv1.AttentionCode{portinv1.AttentionCode_ATTENTION_CODE_NO_PROGRESS}) {
		t.Errorf("the service was asked %v", got)
	}

	// What the path gives, and what excludes it, cannot be given again.
	for _, target := range []string{
		"/v1/tickets/5/status?number=4165550123", "/v1/tickets/5/status?ticketId=6", "/v1/port-ins/5/events?order_id=6",
		"/v1/portability:check?numbers=1",
	} {
		f := newFace(t)
		method, body := http.MethodGet, ""
		if strings.HasSuffix(target, "numbers=1") {
			method, body = http.MethodPost, "{}"
		}
		f.refusedBefore(t, f.do(method, target, body), 400, "MALFORMED_REQUEST")
	}
}

// eachMethod calls f for every RPC of the contract.
func eachMethod(f func(protoreflect.MethodDescriptor)) {
	protoregistry.GlobalFiles.RangeFilesByPackage("portin.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			for j := range file.Services().Get(i).Methods().Len() {
				f(file.Services().Get(i).Methods().Get(j))
			}
		}
		return true
	})
}
