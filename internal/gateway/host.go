package gateway

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"google.golang.org/grpc/codes"

	"github.com/portin/portin/internal/fault"
)

// ofThisMachine lets pass what was asked of this machine by a name that it has for itself. Whoever owns another name can have it
// point here, and then the pages of that name, which a browser here may have loaded, are no longer those of another origin.
func (g *gateway) ofThisMachine(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(r.Host) {
			g.refuse(w, r, newRefusal(codes.PermissionDenied, fault.ReasonPermissionDenied,
				"where nobody says who they are, ask at localhost or 127.0.0.1, and by no other name; auth-callers-file says who may call"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLoopback reports whether a Host header is one that only this machine can mean. Browsers always send one.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "" || host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback()
}
