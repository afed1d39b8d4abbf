package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/gateway"
)

const shop = "https://shop.example"

// corsHeaders are the headers of an answer that browsers decide by.
func corsHeaders(h http.Header) map[string]string {
	found := map[string]string{}
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") || name == "Vary" {
			found[name] = strings.Join(h[name], ", ")
		}
	}
	return found
}

func TestCORS(t *testing.T) {
	t.Parallel()
	f := newFace(t, func(c *gateway.Config) { c.CORSOrigins = []string{shop, "http://localhost:3000"} })
	allowed := map[string]string{
		"Access-Control-Allow-Origin":   shop,
		"Access-Control-Expose-Headers": "Allow, Retry-After, WWW-Authenticate, X-Request-Id",
		"Vary":                          "Origin",
	}
	preflight := map[string]string{
		"Access-Control-Allow-Origin":   shop,
		"Access-Control-Expose-Headers": "Allow, Retry-After, WWW-Authenticate, X-Request-Id",
		"Access-Control-Allow-Methods":  "DELETE, GET, PATCH, POST",
		"Access-Control-Allow-Headers":  "Accept, Authorization, Content-Type, Grpc-Timeout, Idempotency-Key, Last-Event-ID, Traceparent, Tracestate, X-Request-Id",
		"Access-Control-Max-Age":        "600",
		"Vary":                          "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
	}
	for _, c := range []struct {
		name, method, path, origin string
		headers                    []string
		code                       int
		want                       map[string]string
	}{
		{"an answer", "GET", "/v1/port-ins", shop, nil, 501, allowed},
		{"an error of the gateway", "GET", "/v1/nothing", shop, nil, 404, allowed},
		{"a preflight", "OPTIONS", "/v1/port-ins", shop, []string{"Access-Control-Request-Method: POST"}, 204, preflight},
		{"OPTIONS that is no preflight", "OPTIONS", "/v1/port-ins", shop, nil, 405, allowed},
		{"no origin", "GET", "/v1/nothing", "", nil, 404, map[string]string{"Vary": "Origin"}},
		{"another origin", "GET", "/v1/nothing", "https://evil.example", nil, 404, map[string]string{"Vary": "Origin"}},
		{"a longer origin", "GET", "/v1/nothing", shop + ".evil.example", nil, 404, map[string]string{"Vary": "Origin"}},
		{"another port", "GET", "/v1/nothing", shop + ":8443", nil, 404, map[string]string{"Vary": "Origin"}},
		{"no origin at all", "GET", "/v1/nothing", "null", nil, 404, map[string]string{"Vary": "Origin"}},
		{
			"another origin's preflight", "OPTIONS", "/v1/port-ins", "https://evil.example",
			[]string{"Access-Control-Request-Method: POST"},
			204,
			map[string]string{"Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := f.do(c.method, c.path, "", append(c.headers, "Origin: "+c.origin)...)
			if diff := cmp.Diff(c.want, corsHeaders(w.Header())); diff != "" || w.Code != c.code {
				t.Errorf("answered %d, want %d (-want +got):\n%s", w.Code, c.code, diff)
			}
		})
	}
}

func TestCORSIsOffByItself(t *testing.T) {
	t.Parallel()
	w := newFace(t).do(http.MethodOptions, "/v1/port-ins", "", "Origin: "+shop, "Access-Control-Request-Method: POST")
	if got := corsHeaders(w.Header()); len(got) != 0 || w.Code != 405 {
		t.Errorf("answered %d %v", w.Code, got)
	}
}

func TestNewReportsEveryProblem(t *testing.T) {
	t.Parallel()
	_, err := gateway.New(t.Context(), gateway.Config{
		CORSOrigins: []string{"*", "https://*.example", "shop.example", shop + "/", "null", "HTTPS://shop.example", "ftp://shop.example", shop},
		OpenAPI:     []byte("openapi: yaml"),
	})
	if err == nil {
		t.Fatal("a configuration without anything right was taken")
	}
	for _, want := range []string{
		`"*"`, `"https://*.example"`, `"shop.example"`, `"https://shop.example/"`, `"null"`, `"HTTPS://shop.example"`, `"ftp://shop.example"`,
		"no connection", "not JSON",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not mention %s: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), `"https://shop.example" `) {
		t.Errorf("the error complains about a good origin: %v", err)
	}
}
