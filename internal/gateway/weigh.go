package gateway

import (
	"crypto/x509"
	"io"
	"net/http"
	"strings"

	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/inflight"
)

// loadOf is the load of a call of a route, which weighs nothing yet; nil for a call without a body.
func (g *gateway) loadOf(route *route) *inflight.Load {
	if route.bodyType == nil {
		return nil
	}
	return g.scale.Begin()
}

// weighedBody is a body of unknown length, which grows heavier as it is read. Weighed as the longest body, a small one would not
// fit where it does.
type weighedBody struct {
	io.ReadCloser

	load *inflight.Load
	read int64
}

// Read reads on, or fails when what has come does not fit.
func (b *weighedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if unfit := b.load.Grow(inflight.OfJSON(b.read)); unfit != nil {
		return 0, unfit
	}
	return n, err
}

// weighed is the body of a request, once it fits as far as its length is known. Whoever sends one that weighs something has to
// be somebody: a length is only a promise, and a stranger's would hold its weight while callers are refused.
func (g *gateway) weighed(r *http.Request) (io.ReadCloser, error) {
	load := inflight.From(r.Context())
	if r.ContentLength < 0 || inflight.OfJSON(r.ContentLength) > 0 {
		if err := g.enter(r); err != nil {
			return nil, err
		}
	}
	if r.ContentLength < 0 {
		return &weighedBody{ReadCloser: r.Body, load: load}, nil
	}
	return r.Body, load.Grow(inflight.OfJSON(r.ContentLength))
}

// enter asks who sends a request. Its call will ask again, and for more: what it may do.
func (g *gateway) enter(r *http.Request) error {
	if g.access == nil {
		return nil
	}
	authorization := r.Header["Authorization"]
	if len(authorization) > 1 {
		return fault.New(fault.ReasonUnauthenticated, "the header authorization is given more than once")
	}
	var certificate *x509.Certificate
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		certificate = r.TLS.VerifiedChains[0][0]
	}
	return g.access(r.Context(), strings.Join(authorization, ""), certificate)
}
