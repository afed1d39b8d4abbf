package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	// allowedHeaders are the headers that pages of the allowed origins may send.
	allowedHeaders = "Accept, Authorization, Content-Type, Grpc-Timeout, Idempotency-Key, Last-Event-ID, Traceparent, Tracestate, " +
		"X-Request-Id"
	// exposedHeaders are those that they may read.
	exposedHeaders = "Allow, Retry-After, WWW-Authenticate, X-Request-Id"
	// preflightSeconds is how long a browser may remember what it was told.
	preflightSeconds = "600"
)

// cors tells browsers which pages may call. It does not keep anybody out: that is what authentication is for. It never
// allows credentials that a browser adds by itself; a token in Authorization needs none.
type cors struct {
	origins []string
	methods string
}

// newCORS reports every origin that is none. A wildcard is none.
func newCORS(origins, methods []string) (*cors, error) {
	var problems []error
	for _, origin := range origins {
		if u, err := url.Parse(origin); err != nil || u.Host == "" || strings.Contains(u.Host, "*") || u.User != nil ||
			(u.Scheme != "http" && u.Scheme != "https") || u.Scheme+"://"+u.Host != origin || strings.ToLower(origin) != origin {
			problems = append(problems, fmt.Errorf("%q is no origin: want a scheme and a host in lower case, https://shop.example for one", origin))
		}
	}
	return &cors{origins: slices.Clone(origins), methods: strings.Join(methods, ", ")}, errors.Join(problems...)
}

// wrap answers preflights, and puts the headers that belong to an allowed origin on every other answer. An origin that is
// not allowed gets none of them, and a preflight's answer without them.
func (c *cors) wrap(next http.Handler) http.Handler {
	if len(c.origins) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, origin := w.Header(), r.Header.Get("Origin")
		h.Add("Vary", "Origin")
		allowed := slices.Contains(c.origins, origin)
		if allowed {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Expose-Headers", exposedHeaders)
		}
		if r.Method != http.MethodOptions || origin == "" || r.Header.Get("Access-Control-Request-Method") == "" {
			next.ServeHTTP(w, r)
			return
		}
		h.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
		if allowed {
			h.Set("Access-Control-Allow-Methods", c.methods)
			h.Set("Access-Control-Allow-Headers", allowedHeaders)
			h.Set("Access-Control-Max-Age", preflightSeconds)
		}
		w.WriteHeader(http.StatusNoContent)
	})
}
