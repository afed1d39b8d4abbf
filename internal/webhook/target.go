package webhook

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// urlProblem says what is wrong with the URL of an endpoint; empty when nothing is. It looks at the text alone: where a
// host name leads is looked at whenever a connection is made.
func (c Config) urlProblem(text string) string {
	u, err := url.Parse(text)
	host := ""
	if err == nil {
		host = strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	}
	switch {
	case err != nil || u.Opaque != "" || strings.ContainsAny(text, " \t"):
		return "is not a URL; want one such as https://example.com/hooks/portin"
	case !c.schemeAllowed(u.Scheme):
		return "must begin with https://"
	case host == "":
		return "has no host; want one such as https://example.com/hooks/portin"
	case u.User != nil:
		return "must not hold a user name or a password; deliveries are signed instead"
	case u.Fragment != "" || strings.HasSuffix(text, "#"):
		return "must not have a fragment"
	case !validPort(u.Port()):
		return "has a port that is none; want 1 to 65535"
	case !c.AllowInward && inwardHost(host):
		return "is an address inside a network; want one of the internet"
	}
	return ""
}

func (c Config) schemeAllowed(scheme string) bool {
	return scheme == "https" || scheme == "http" && c.AllowHTTP
}

func validPort(port string) bool {
	if port == "" {
		return true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// inwardHost reports whether a host says by itself that it is inside a network.
func inwardHost(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && inward(addr)
}
