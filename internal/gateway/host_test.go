package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/portin/portin/internal/gateway"
)

// Where callers are not told apart, a page whose name was made to point to this machine is not let in by that name.
func TestANameThatPointsHereIsNotThisMachine(t *testing.T) {
	t.Parallel()
	ask := func(f *face, path, host string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
		r.Host = host
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		return w.Code
	}
	guarded, open := newFace(t, func(c *gateway.Config) { c.ThisMachineAlone = true }), newFace(t)
	for host, own := range map[string]bool{
		"localhost": true, "localhost:8080": true, "LocalHost:8080": true, "localhost.:8080": true, "portin.localhost:8080": true,
		"127.0.0.1": true, "127.0.0.1:8080": true, "127.8.9.1:80": true, "[::1]": true, "[::1]:8080": true, "": true,
		"evil.example": false, "evil.example:8080": false, "localhost.evil.example": false, "127.0.0.1.evil.example:8080": false,
		"evillocalhost:8080": false, "192.0.2.1:8080": false, "0.0.0.0:8080": false, "[::]:8080": false, "[2001:db8::1]:8080": false, "127.1:8080": false,
	} {
		for _, path := range []string{"/v1/port-ins", "/docs/", "/openapi.json"} {
			if code := ask(guarded, path, host); (code != http.StatusForbidden) != own {
				t.Errorf("%s of %q is answered %d", path, host, code)
			}
			if code := ask(open, path, host); code == http.StatusForbidden {
				t.Errorf("%s of %q is answered %d where callers are told apart", path, host, code)
			}
		}
	}
}
