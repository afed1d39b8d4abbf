package carrier_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/portin/portin/internal/carrier"
)

func TestFault28_ASecretPrintsAsStars(t *testing.T) {
	t.Parallel()
	const planted = "hunter2"
	secret := carrier.Secret(planted)
	config := settings("http://localhost:1")
	values := []any{secret, &secret, config, &config, []carrier.Secret{secret}, map[string]carrier.Secret{"a": secret}, client(t, config)}
	// Not %p, which asks no method of the value; vet forbids it for a string.
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%c", "%U", "%t", "%08.3f", "%T"} {
		for _, value := range values {
			shown := fmt.Sprintf(verb, value)
			if strings.Contains(shown, planted) || strings.Contains(strings.ToLower(shown), fmt.Sprintf("%x", planted)) || strings.Contains(shown, "104 117") {
				t.Errorf("%s of a %T shows the secret: %s", verb, value, shown)
			}
		}
	}
	for _, value := range values[:6] {
		text, err := json.Marshal(value)
		var unsupported *json.UnsupportedTypeError
		if err != nil && !errors.As(err, &unsupported) || bytes.Contains(text, []byte(planted)) {
			t.Errorf("JSON of a %T: %s, %v", value, text, err)
		}
	}
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "a", secret, "b", config.Password)
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "a", secret, "b", &config, "c", values[6])
	if strings.Contains(out.String(), planted) || !strings.Contains(out.String(), "********") {
		t.Errorf("slog writes %s", out.String())
	}
	if secret.String() != "********" || secret.GoString() != "********" || string(secret) != planted {
		t.Error("String, GoString and the conversion")
	}
}

// TestFault28_NothingOfAnOrderComesThrough plants personal data in the order and in every kind of answer, and looks for it
// in all that the client says.
func TestFault28_Fault37_NothingOfAnOrderComesThrough(t *testing.T) {
	t.Parallel()
	const planted = "PLANTED-Jane-Doe"
	call := order
	call.Body = []byte(`{"PortForm":{"CustomerName":"` + planted + `"}}`)
	for _, status := range []int{200, 201, 302, 400, 401, 403, 404, 429, 500, 502} {
		for _, body := range []string{
			planted, `"` + planted + `"`, `{"` + planted + `":1}`, `{"Reply":"` + planted + `"}`, `{"Reply":` + planted + `}`,
			`{"ID":{"` + planted + `":1}}`, `[{"Number":"` + planted + `"}]`,
		} {
			url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "/"+planted)
				w.Header().Set("Retry-After", planted)
				w.Header().Set("X-Name", planted)
				answering(status, "application/json; name="+planted, body)(w, r)
			})
			var said strings.Builder
			config := settings(url)
			config.GetTries = 1
			config.Observe = func(_ context.Context, o carrier.Observation) { fmt.Fprintf(&said, "%+v\n", o) }
			c := client(t, config)
			out := c.Submit(t.Context(), call)
			fmt.Fprintf(&said, "%+v\n", out)
			_, err := c.Trunks(t.Context())
			fmt.Fprintf(&said, "%+v %v\n", err, errors.Unwrap(err))
			_, err = c.StatusByTicket(t.Context(), planted)
			fmt.Fprintf(&said, "%+v %v\n", err, errors.Unwrap(err))
			for _, secret := range []string{planted, "hunter2", "Basic "} {
				if strings.Contains(said.String(), secret) {
					t.Errorf("HTTP %d with %s: %q is in %s", status, body, secret, said.String())
				}
			}
		}
	}
}

// TestFault28_BrokenHTTPIsNotQuoted is about net/http, whose errors quote what it could not read.
func TestFault28_BrokenHTTPIsNotQuoted(t *testing.T) {
	t.Parallel()
	const planted = "Jane"
	for _, sent := range []string{
		planted + "\r\n",
		"HTTP/1.1 " + planted + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: " + planted + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\n" + planted + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + planted + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + planted + "\r\n\r\n",
	} {
		server := serveBare(t, func(conn *net.TCPConn, _ int32, read func() error) {
			_ = read()
			write(conn, sent)
		})
		config := settings(server.url)
		config.GetTries = 1
		c := client(t, config)
		_, err := c.Account(t.Context())
		for ; err != nil; err = errors.Unwrap(err) {
			if strings.Contains(err.Error(), planted) {
				t.Errorf("after %q an error quotes it: %v", sent, err)
			}
		}
		if out := c.Submit(t.Context(), order); strings.Contains(fmt.Sprintf("%+v", out), planted) {
			t.Errorf("after %q the outcome quotes it: %+v", sent, out)
		}
	}
}

func TestFault28_CredentialsStayBelowTheTransport(t *testing.T) {
	t.Parallel()
	var sent *http.Request
	config := settings("http://localhost:1")
	config.Transport = strange(func(req *http.Request) (*http.Response, error) {
		sent = req
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, nil
	})
	client(t, config).Submit(t.Context(), order)
	if user, password, ok := sent.BasicAuth(); !ok || user != "porter" || password != "hunter2" {
		t.Error("the request has no credentials")
	}
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key", "Expect", "Cookie", "Referer"} {
		if sent.Header.Get(name) != "" {
			t.Errorf("the request has a header %s", name)
		}
	}
	if sent.GetBody != nil || sent.Body == nil || sent.Body == http.NoBody || sent.ContentLength != int64(len(order.Body)) {
		t.Errorf("GetBody set: %v, length %d", sent.GetBody != nil, sent.ContentLength)
	}
}
