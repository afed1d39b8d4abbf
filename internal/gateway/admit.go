package gateway

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/inflight"
)

// admit lets a request pass to its RPC when all of it was understood. It runs once the mux has chosen the route, and
// hands the generated code a request of which nothing is left to doubt: the body decoded, the query checked, the header
// reduced to what the service may see.
func (g *gateway) admit(next runtime.HandlerFunc) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, params map[string]string) {
		route := g.routes.of(r)
		load := g.loadOf(route)
		defer load.LetGo()
		r = r.WithContext(inflight.With(withRoute(r.Context(), route), load))
		nameSpan(r, route)
		inner, refused := g.understand(w, r, route, params)
		if refused != nil {
			g.refuse(w, r, refused)
			return
		}
		// All of the request has been read, and a read deadline that ends now would cancel a call that is merely long. A
		// writer without deadlines has nothing to lift.
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		if route.streams {
			stream := newStreamWriter(w)
			defer stream.end()
			w = stream
		}
		next(w, inner, params)
	}
}

// understand reads all of a request, the cheap parts first.
func (g *gateway) understand(
	w http.ResponseWriter, r *http.Request, route *route, params map[string]string,
) (*http.Request, *refusal) {
	if refused := g.checkPath(r, params); refused != nil {
		return nil, refused
	}
	header, refused := headerFor(w, r)
	if refused != nil {
		return nil, refused
	}
	query, refused := route.readQuery(r.URL.RawQuery)
	if refused != nil {
		return nil, refused
	}
	if route.takesKey() {
		if refused := takeIdempotencyKey(r.Header, query); refused != nil {
			return nil, refused
		}
	}
	if route.rpc == portinv1.PortInService_WatchPortInOrders_FullMethodName {
		if refused := takeLastEventID(r.Header, query); refused != nil {
			return nil, refused
		}
	}
	body, refused := g.readBody(w, r, route, query)
	if refused != nil {
		return nil, refused
	}
	if route.streams && wantsEventStream(r.Header) {
		header["Accept"] = []string{eventStreamType}
	}

	// The mux would pass Host and RemoteAddr on as metadata under names that callers forge. The caller's address goes
	// where a gRPC server has it.
	from := &peer.Peer{Addr: callersAddress(r)}
	if r.TLS != nil { // with the certificate that the caller showed, if any
		from.AuthInfo = credentials.TLSInfo{State: *r.TLS}
	}
	ctx := peer.NewContext(r.Context(), from)
	inner := r.WithContext(ctx)
	inner.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: query.Encode()}
	inner.Header, inner.Body, inner.ContentLength = header, body, 0
	inner.Host, inner.RemoteAddr, inner.Form, inner.PostForm = "", "", nil, nil
	return inner, nil
}

// checkPath refuses what the mux takes for a value of a path: nothing, bytes that are no text, and the verb of another
// route ("GET …/{order_id}:resolveInDoubt" is no order_id).
func (g *gateway) checkPath(r *http.Request, params map[string]string) *refusal {
	for _, value := range params {
		if value == "" {
			return noRoute()
		}
		if !utf8.ValidString(value) {
			return malformed("the path is not UTF-8")
		}
	}
	if path := r.URL.EscapedPath(); strings.Contains(path, ":") {
		if allow := g.routes.methodsOf(path); !slices.Contains(allow, r.Method) {
			return wrongMethod(allow)
		}
	}
	return nil
}

// callersAddress is where a request came from, as the server saw it.
func callersAddress(r *http.Request) net.Addr {
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return inProcessAddr{}
	}
	return net.TCPAddrFromAddrPort(addr)
}
