package gateway_test

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/portin/portin/internal/gateway"
)

func TestOpenAPIIsServedAsItIs(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../gen/openapi/portin.openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	f := newFace(t, func(c *gateway.Config) { c.OpenAPI = document })
	w := f.do(http.MethodGet, "/openapi.json", "")
	if w.Code != 200 || w.Body.String() != string(document) || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("answered %d %v with %d bytes, want %d", w.Code, w.Header(), w.Body.Len(), len(document))
	}
	again := f.do(http.MethodGet, "/openapi.json", "", "If-None-Match: "+w.Header().Get("ETag"))
	if again.Code != http.StatusNotModified {
		t.Errorf("the same document was answered %d", again.Code)
	}
	if head := f.do(http.MethodHead, "/openapi.json", ""); head.Code != 200 || head.Body.Len() != 0 {
		t.Errorf("HEAD was answered %d with %d bytes", head.Code, head.Body.Len())
	}
}

func TestDocsLoadNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	f := newFace(t, func(c *gateway.Config) { c.Version = "v1.2.3<b>" })
	for _, path := range []string{"/", "/docs"} {
		if w := f.do(http.MethodGet, path, ""); w.Code != http.StatusFound || w.Header().Get("Location") != "/docs/" {
			t.Errorf("%s was answered %d %v", path, w.Code, w.Header())
		}
	}
	w := f.do(http.MethodGet, "/docs/", "")
	page, policy := w.Body.String(), w.Header().Get("Content-Security-Policy")
	if w.Code != 200 || !strings.Contains(page, "portin v1.2.3&lt;b&gt;") || !strings.Contains(page, "/openapi.json") {
		t.Errorf("answered %d %s", w.Code, page)
	}
	if got := f.do(http.MethodHead, "/docs/", ""); got.Code != 200 || got.Body.Len() != 0 {
		t.Errorf("HEAD was answered %d", got.Code)
	}
	inline := strings.Count(page, "<script>")
	if inline == 0 || strings.Count(policy, "'sha256-") != inline || strings.Contains(policy, "script-src 'self' 'unsafe") ||
		!strings.HasPrefix(policy, "default-src 'none'; ") {
		t.Errorf("the policy for %d scripts is %s", inline, policy)
	}
	loads := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(loads) < 4 {
		t.Errorf("the page loads %v, this test is blind", loads)
	}
	for _, load := range loads {
		if w := f.do(http.MethodGet, load[1], ""); w.Code != 200 || !strings.HasPrefix(load[1], "/docs/") || w.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("the page loads %s, which is answered %d", load[1], w.Code)
		}
	}
	w = f.do(http.MethodPost, "/docs/", "")
	f.refusedBefore(t, w, 405, "METHOD_NOT_ALLOWED")
	if got := w.Header().Get("Allow"); got != "GET, HEAD" {
		t.Errorf("Allow = %q", got)
	}
}

func TestWithoutADocumentThereAreNoDocs(t *testing.T) {
	t.Parallel()
	f := newFace(t, func(c *gateway.Config) { c.OpenAPI = nil })
	for _, path := range []string{"/", "/docs/", "/openapi.json"} {
		f.refusedBefore(t, f.do(http.MethodGet, path, ""), 404, "ROUTE_NOT_FOUND")
	}
}
