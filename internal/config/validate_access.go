package config

import (
	"net"
	"net/url"
	"strconv"
)

func (c Config) validateAddresses(bad func(name, format string, args ...any)) {
	const unprotected = "without tls-cert-file and auth-callers-file that is for loopback alone, see insecure-listen"
	protected := c.InsecureListen || c.TLS.CertFile != "" && c.Auth.CallersFile != ""
	for _, a := range []struct {
		name, is       string
		used, anywhere bool
		why            string
	}{
		{"grpc-address", c.GRPC.Address, true, protected, unprotected},
		{"http-address", c.HTTP.Address, true, protected, unprotected},
		{"admin-address", c.Admin.Address, true, c.Admin.InsecureListen, "it is never protected, see admin-insecure-listen"},
		{"sandbox-address", c.Standin.Address, c.Sandbox, false, "the stand-in is for this machine alone"},
	} {
		if !a.used {
			continue
		}
		host, _, _ := net.SplitHostPort(a.is)
		switch {
		case !hostPort(a.is):
			bad(a.name, "is not host:port, 127.0.0.1:8080 for one")
		case !loopback(host) && !a.anywhere:
			bad(a.name, "is not a loopback address; %s", a.why)
		}
	}
}

// validateAccess looks at what certificates and callers need of each other. What is in the files is looked at when they are
// read.
func (c Config) validateAccess(bad func(name, format string, args ...any)) {
	if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		bad("tls-key-file", "and tls-cert-file go together; give both or neither")
	}
	if c.TLS.ClientCAFile != "" && c.TLS.CertFile == "" {
		bad("tls-client-ca-file", "needs tls-cert-file; callers show their certificate to one who has one")
	}
	if c.TLS.ClientCAFile != "" && c.Auth.CallersFile == "" {
		bad("tls-client-ca-file", "needs auth-callers-file, which says who the callers are")
	}
	if c.Auth.OIDCIssuer == "" {
		if c.Auth.OIDCAudience != "" {
			bad("auth-oidc-audience", "needs auth-oidc-issuer")
		}
		return
	}
	u, err := url.Parse(c.Auth.OIDCIssuer)
	switch {
	case err != nil, u.Host == "", u.User != nil, u.RawQuery != "", u.Fragment != "":
		bad("auth-oidc-issuer", "is not a URL without credentials and parameters, https://login.example.com for one")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		bad("auth-oidc-issuer", "must begin with https://; whoever stands between could make tokens")
	}
	if c.Auth.OIDCAudience == "" {
		bad("auth-oidc-audience", "is missing; without it, tokens for other services would be taken")
	}
	if c.Auth.CallersFile == "" {
		bad("auth-oidc-issuer", "needs auth-callers-file, which names the tenants")
	}
	if c.Auth.OIDCTenantClaim == "" {
		bad("auth-oidc-tenant-claim", "is empty")
	}
}

// hostPort reports whether a text is host:port; the host may be empty.
func hostPort(s string) bool {
	_, port, err := net.SplitHostPort(s)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	return err == nil
}

// loopback reports whether a host can only be reached from this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
