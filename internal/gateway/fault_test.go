package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/portin/portin/internal/gateway"
)

// The tests here are rows of the table of faults to survive; their names have the row's number. For all of them a
// refused request never reaches the service.

func TestFault25BrokenBodies(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"form":`, 10_000) + strings.Repeat(`}`, 10_000)
	cases := []struct {
		name, body string
		code       int
		reason     string
		field      string
	}{
		{"invalid UTF-8", "{\"form\":{\"customerName\":\"\xff\"}}", 400, "MALFORMED_REQUEST", ""},
		{"a raw NUL", "{\"form\":{\"customerName\":\"a\x00b\"}}", 400, "MALFORMED_REQUEST", "form.customerName"},
		{"a byte order mark", "\ufeff{}", 400, "MALFORMED_REQUEST", ""},
		{"nothing but space", "  \n ", 400, "MALFORMED_REQUEST", ""},
		{"null", "null", 400, "MALFORMED_REQUEST", ""},
		{"a list", "[]", 400, "MALFORMED_REQUEST", ""},
		{"cut off", `{"form":{"customerName":"A`, 400, "MALFORMED_REQUEST", "form.customerName"},
		{"nested 10,000 deep", deep, 400, "MALFORMED_REQUEST", "form.form"},
		{"lists 10,000 deep", strings.Repeat("[", 10_000), 400, "MALFORMED_REQUEST", ""},
		{"a key twice", `{"form":{},"form":{}}`, 400, "MALFORMED_REQUEST", "form"},
		{"a key in both spellings", `{"trunkDid":{"pilotNumber":"1","pilot_number":"2"}}`, 400, "MALFORMED_REQUEST", "trunkDid.pilot_number"},
		{"a key twice by escapes", `{"form":{},"f\u006frm":{}}`, 400, "MALFORMED_REQUEST", `f\u006frm`},
		{"two arms", `{"trunkDid":{},"virtualFax":{}}`, 400, "MALFORMED_REQUEST", "virtualFax"},
		{"a huge integer", `{"form":{"currentProviderId":99999999999999999999}}`, 400, "MALFORMED_REQUEST", "form.currentProviderId"},
		{"a huge exponent", `{"form":{"currentProviderId":1e999999999}}`, 400, "MALFORMED_REQUEST", "form.currentProviderId"},
		{"an integer of a MiB", `{"form":{"currentProviderId":` + strings.Repeat("9", 1<<20) + `}}`, 400, "MALFORMED_REQUEST", "form.currentProviderId"},
		{"an unknown field", `{"form":{"customerNam":"A"}}`, 400, "MALFORMED_REQUEST", "form.customerNam"},
		{"null in a list", `{"trunkDid":{"dids":[null]}}`, 400, "MALFORMED_REQUEST", "trunkDid.dids[0]"},
		{"a lone surrogate", `{"form":{"customerName":"\ud800"}}`, 400, "MALFORMED_REQUEST", "form.customerName"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFace(t)
			w := f.place(c.body)
			f.refusedBefore(t, w, c.code, c.reason)
			if got := strings.Join(fieldsOf(t, w), " "); got != c.field {
				t.Errorf("the error is about %q, want %q: %s", got, c.field, w.Body)
			}
		})
	}
}

func TestFault25NullArmIsNoArm(t *testing.T) {
	t.Parallel()
	// null is JSON for "not set"; that an order needs a target is the service's rule, and it finds none here.
	f := newFace(t)
	f.place(`{"form":{},"trunkDid":null,"virtualFax":{}}`)
	if got := fmt.Sprint(f.service.onlyRequest(t)); strings.Contains(got, "trunk_did") || !strings.Contains(got, "virtual_fax") {
		t.Errorf("the service was asked %s", got)
	}
}

func TestFault25TooManyNumbers(t *testing.T) {
	t.Parallel()
	for _, count := range []int{1000, 1001, 1_000_000} {
		f := newFace(t)
		w := f.place(`{"generalProduct":{"numbers":["4165550123"` + strings.Repeat(`,"4165550123"`, count-1) + `]}}`)
		if count == 1000 {
			f.service.onlyRequest(t)
			continue
		}
		f.refusedBefore(t, w, 400, "INVALID_FIELDS")
		if got := fieldsOf(t, w); len(got) != 1 || got[0] != "generalProduct.numbers" {
			t.Errorf("the error is about %q", got)
		}
	}
}

func TestFault25BodyOverTheLimit(t *testing.T) {
	t.Parallel()
	small := func(c *gateway.Config) { c.MaxDocumentBytes = 3 << 20 }
	const limit = 4<<20 + 1<<20
	body := func(n int) string {
		const around = `{"form":{"customerName":""}}`
		return `{"form":{"customerName":"` + strings.Repeat("x", n-len(around)) + `"}}`
	}
	t.Run("with a length", func(t *testing.T) {
		t.Parallel()
		f := newFace(t, small)
		w := f.place(body(limit + 1))
		f.refusedBefore(t, w, 413, "REQUEST_TOO_LARGE")
		if got := w.Header().Get("Connection"); got != "close" {
			t.Errorf("Connection = %q", got)
		}
	})
	t.Run("in chunks", func(t *testing.T) {
		t.Parallel()
		f := newFace(t, small)
		r := httptest.NewRequest(http.MethodPost, "/v1/port-ins?requestId="+key, io.MultiReader(strings.NewReader(body(limit+1))))
		r.Header.Set("Content-Type", "application/json")
		r.ContentLength = -1
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		f.refusedBefore(t, w, 413, "REQUEST_TOO_LARGE")
	})
	t.Run("at the limit", func(t *testing.T) {
		t.Parallel()
		f := newFace(t, small)
		if w := f.place(body(limit)); w.Code != 200 {
			t.Errorf("answered %d: %s", w.Code, w.Body)
		}
	})
	t.Run("cut off", func(t *testing.T) {
		t.Parallel()
		f := newFace(t, small)
		r := httptest.NewRequest(http.MethodPost, "/v1/port-ins?requestId="+key, io.MultiReader(strings.NewReader("{}"), brokenReader{}))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		f.refusedBefore(t, w, 400, "MALFORMED_REQUEST")
	})
	t.Run("shorter than it says", func(t *testing.T) {
		t.Parallel()
		f := newFace(t, small)
		server := httptest.NewServer(f)
		defer server.Close()
		r, _ := http.NewRequest(http.MethodPost, server.URL+"/v1/port-ins", io.MultiReader(strings.NewReader("{"), brokenReader{}))
		r.Header.Set("Content-Type", "application/json")
		if response, err := server.Client().Do(r); err == nil {
			response.Body.Close()
		}
		server.CloseClientConnections()
		if calls := f.service.received(); len(calls) != 0 {
			t.Errorf("the service was called %d times", len(calls))
		}
	})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestFault26TextThatLooksLikeSomethingElse(t *testing.T) {
	t.Parallel()
	names := []string{`../../etc/passwd`, `C:\\boot.ini`, `a\u0000b`, strings.Repeat("n", 300), `\u202egpj.exe`, `a\r\nX-Evil: 1`}
	for _, name := range names {
		t.Run(name[:min(len(name), 12)], func(t *testing.T) {
			t.Parallel()
			f := newFace(t)
			w := f.place(`{"form":{"customerName":"a\r\nSet-Cookie: x","lettersOfAuthorization":[{"fileName":"` + name + `"}]}}`)
			f.service.onlyRequest(t)
			for name, values := range w.Header() {
				if strings.ContainsAny(strings.Join(values, ""), "\r\n") || name == "Set-Cookie" || name == "X-Evil" {
					t.Errorf("the header %s is %q", name, values)
				}
			}
		})
	}
}

func TestFault27HeadersWithoutEffect(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	w := f.do(http.MethodGet, "/v1/port-ins", "",
		"Grpc-Metadata-Tenant: evil", "Grpc-Metadata-Authorization: Bearer evil", "Grpc-Metadata-X-Forwarded-For: 10.0.0.1",
		"X-HTTP-Method-Override: POST", "X-Forwarded-For: 10.0.0.1", "X-Forwarded-Host: evil.example", "Forwarded: for=10.0.0.1",
		"Cookie: session=1", "Idempotency-Key: "+key, "X-Request-Id: abc.DEF_1-2", "Traceparent: 00-1-2-01", "Accept-Language: fr",
		"Authorization: Bearer good", "Content-Type: text/event-stream", "Accept: text/event-stream", "Te: trailers")
	calls := f.service.received()
	if len(calls) != 1 || calls[0].method != "/portin.v1.PortInService/ListPortInOrders" {
		t.Fatalf("the service was asked %v", calls)
	}
	want := map[string][]string{
		"authorization": {"Bearer good"}, "x-request-id": {"abc.DEF_1-2"}, "traceparent": {"00-1-2-01"},
	}
	sameMetadata(t, want, calls[0].metadata)
	if got := w.Header().Get("X-Request-Id"); got != "abc.DEF_1-2" {
		t.Errorf("X-Request-Id = %q", got)
	}

	f = newFace(t)
	w = f.do(http.MethodPost, "/v1/port-ins", "states=1", "Content-Type: application/x-www-form-urlencoded", "X-HTTP-Method-Override: GET")
	f.refusedBefore(t, w, 415, "UNSUPPORTED_MEDIA_TYPE")
}

func TestFault36NotWhollyUnderstood(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ target, body string }{
		{"?validate-only=true", "{}"},
		{"?validateonly=true", "{}"},
		{"?validateOnly=maybe", "{}"},
		{"?validateOnly=true&validateOnly=true", "{}"},
		{"?validateOnly=true&validate_only=true", "{}"},
		{"?verbose=1", "{}"},
		{"?order.form.customerName=A", "{}"},
		{"?order=%7B%7D", "{}"},
		{"?=1", "{}"},
		{"?validateOnly", "{}"},
		{"?requestId=%ff", "{}"},
		{"?requestId=%zz", "{}"},
		{"?a;b", "{}"},
		{"?requestId[x]=1", "{}"},
		{"", "{}{}"},
		{"", "{} x"},
		{"", "{}\x00"},
		{"", `{"unknown":1}`},
		{"", `{"form":{"serviceAddress":{"planet":"Earth"}}}`},
		{"", `{"@type":"x"}`},
		{"", `{"[portin.v1.ext]":1}`},
	} {
		t.Run(c.target+c.body, func(t *testing.T) {
			t.Parallel()
			f := newFace(t)
			f.refusedBefore(t, f.do(http.MethodPost, "/v1/port-ins"+c.target, c.body), 400, "MALFORMED_REQUEST")
		})
	}
}

func TestFault37ErrorsQuoteNoValue(t *testing.T) {
	t.Parallel()
	const secret = "hunter2!Pa55"
	document := strings.Repeat("S3CRET!", 800_000/7)
	cases := []struct{ name, body, field, want string }{
		{
			"a password", `{"trunkDid":{"dids":[{"number":{"p":"` + secret + `"}}]}}`, "trunkDid.dids[0].number",
			`body: line 1, column 32: field "trunkDid.dids[0].number": wrong type or value, want a string`,
		},
		{
			"an account number", "{\n  \"form\": {\n\t\"customerAccountNumber\": [\"" + secret + "\"]}}", "form.customerAccountNumber",
			`body: line 3, column 27: field "form.customerAccountNumber": wrong type or value, want a string`,
		},
		{
			"a document", `{"form":{"lettersOfAuthorization":[{"content":"` + document + `"}]}}`, "form.lettersOfAuthorization[0].content",
			`body: line 1, column 47: field "form.lettersOfAuthorization[0].content": wrong type or value, want a string of base64`,
		},
		{
			"an enum", `{"state":"` + secret + `"}`, "state",
			`body: line 1, column 10: field "state": wrong type or value, want a name of OrderState such as ORDER_STATE_ACCEPTED`,
		},
		{
			"a value in the place of a name", `{"form":{"` + secret + `":1}}`, "form",
			`body: line 1, column 10: field "form": has a field that is not known`,
		},
		{
			"a number in the place of a name", `{"4165550123":1}`, "",
			`body: line 1, column 2: has a field that is not known`,
		},
		{
			"text behind a value", `{"form":{"customerName":"A"` + secret + `}}`, "form.customerName",
			`body: line 1, column 28: field "form.customerName": want a comma or the end of the object`,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFace(t)
			w := f.place(c.body)
			f.refusedBefore(t, w, 400, "MALFORMED_REQUEST")
			if got := errorOf(t, w).GetMessage(); got != c.want {
				t.Errorf("the message is\n%s, want\n%s", got, c.want)
			}
			if got := strings.Join(fieldsOf(t, w), " "); got != c.field {
				t.Errorf("the error is about %q, want %q", got, c.field)
			}
			for _, place := range []string{w.Body.String(), f.log.String()} {
				if strings.Contains(place, secret) || strings.Contains(place, "S3CRET") {
					t.Errorf("the value is quoted: %.300s", place)
				}
			}
		})
	}
	t.Run("a query", func(t *testing.T) {
		t.Parallel()
		f := newFace(t)
		w := f.do(http.MethodGet, "/v1/port-ins?pageSize=hunter2", "")
		f.refusedBefore(t, w, 400, "MALFORMED_REQUEST")
		if got := errorOf(t, w).GetMessage(); got != `query parameter "pageSize" has a wrong value, want a whole number of 32 bits` {
			t.Errorf("the message is %s", got)
		}
	})
}
