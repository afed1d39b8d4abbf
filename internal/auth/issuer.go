package auth

import (
	"errors"
	"net"
	"net/url"
)

// Issuer is whose tokens are taken. The zero value is nobody's.
type Issuer struct {
	// URL is the issuer as its tokens name it; its keys are found from there. It is https, or http on this machine.
	URL string
	// Audience is what its tokens must be for.
	Audience string
	// TenantClaim is the claim that has the tenant of a caller that the roster does not know; empty means "tenant".
	TenantClaim string
}

// maxURL is how long an address at the issuer may be.
const maxURL = 2048

func (i Issuer) validate() error {
	if i == (Issuer{}) {
		return nil
	}
	var problems []error
	if !safe(i.URL) {
		problems = append(problems, errors.New("the issuer must be an https URL without user, query and fragment"))
	}
	if i.Audience == "" {
		problems = append(problems, errors.New("an issuer needs an audience: without one, a token for any other service would be good here"))
	}
	return errors.Join(problems...)
}

// safe reports whether keys that were fetched from a URL are those that its host has: nobody on the way can change them.
func safe(text string) bool {
	u, err := url.Parse(text)
	if err != nil || len(text) > maxURL || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}
