package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/swaggest/swgui/v5emb"
)

const (
	docsPath    = "/docs/"
	openAPIPath = "/openapi.json"
)

// docs serves the OpenAPI document, and Swagger UI for it. Nothing of it is fetched from elsewhere, and the page may not
// do so either.
type docs struct {
	openAPI []byte
	etag    string
	// page is the page at /docs/; assets is what it loads.
	page   []byte
	policy string
	assets http.Handler
}

// newDocs renders the page once, to know which scripts stand in it. Without a document there is no documentation.
func newDocs(openAPI []byte, version string) (*docs, error) {
	if len(openAPI) == 0 {
		return &docs{}, nil
	}
	if !json.Valid(openAPI) {
		return nil, errors.New("the OpenAPI document is not JSON")
	}
	ui := v5emb.New(strings.TrimSpace("portin "+version), openAPIPath, docsPath)
	page := &renderedPage{header: http.Header{}}
	ui.ServeHTTP(page, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: docsPath}})

	digest := sha256.Sum256(openAPI)
	return &docs{
		openAPI: openAPI,
		etag:    `"` + hex.EncodeToString(digest[:16]) + `"`,
		page:    page.Bytes(),
		policy:  contentPolicy(page.Bytes()),
		assets:  ui,
	}, nil
}

// renderedPage is a http.ResponseWriter that keeps what is written.
type renderedPage struct {
	bytes.Buffer

	header http.Header
}

// Header is not used.
func (p *renderedPage) Header() http.Header { return p.header }

// WriteHeader does nothing.
func (p *renderedPage) WriteHeader(int) {}

var inlineScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)

// contentPolicy allows a page its own files, the scripts that stand in it, and calls to where it came from. Swagger UI
// sets styles on its elements and draws its icons from data URLs.
func contentPolicy(page []byte) string {
	scripts := []string{"'self'"}
	for _, script := range inlineScript.FindAllSubmatch(page, -1) {
		digest := sha256.Sum256(script[1])
		scripts = append(scripts, "'sha256-"+base64.StdEncoding.EncodeToString(digest[:])+"'")
	}
	return "default-src 'none'; script-src " + strings.Join(scripts, " ") + "; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
		"font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// before serves the documentation, and leaves every other path to the API.
func (d *docs) before(api http.Handler) http.Handler {
	if d.page == nil {
		return api
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		if path != "/" && path != "/docs" && path != openAPIPath && !strings.HasPrefix(path, docsPath) {
			api.ServeHTTP(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			refused := wrongMethod([]string{http.MethodGet, http.MethodHead})
			w.Header().Set("Allow", strings.Join(refused.allow, ", "))
			writeError(w, refused.status)
			return
		}
		d.serve(w, r)
	})
}

func (d *docs) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", d.policy)
	h.Set("Referrer-Policy", "no-referrer")
	switch r.URL.Path {
	case "/", "/docs":
		http.Redirect(w, r, docsPath, http.StatusFound)
	case openAPIPath:
		h.Set("Content-Type", jsonType)
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", d.etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(d.openAPI))
	case docsPath:
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Cache-Control", "no-cache")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(d.page))
	default:
		d.assets.ServeHTTP(w, r)
	}
}
