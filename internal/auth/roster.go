package auth

import (
	"crypto/subtle"
	"crypto/x509"
	"strings"

	"github.com/portin/portin/internal/identity"
)

// adoptedTenant is how the ledger stores the tenant that adopted what was there before there were tenants.
const adoptedTenant = "default"

// roster is who may call, as the file has it. It is never changed once it is read.
type roster struct {
	// first is the first tenant of the file, and tenants are how the ledger stores each.
	first   string
	tenants map[string]string

	callers      int
	keys         []holder
	certificates map[san]*identity.Caller
	subjects     map[string]*identity.Caller
}

// holder is the caller that has a key.
type holder struct {
	key    digest
	caller *identity.Caller
}

// san is a name of a certificate. A DNS name is in lower case; it never stands for a URI, whatever it says.
type san struct {
	uri  bool
	name string
}

// byKey is the caller that has an API key, or nil. Every key is compared, to the end, so that the time it takes tells nothing
// about how much of a key was right.
func (r *roster) byKey(key string) *identity.Caller {
	var found *identity.Caller
	sum := digestOf(key)
	for i := range r.keys {
		if subtle.ConstantTimeCompare(sum[:], r.keys[i].key[:]) == 1 {
			found = r.keys[i].caller
		}
	}
	return found
}

// byCertificate is the caller that a certificate names, or nil: also when it names several, for it cannot be all of them.
func (r *roster) byCertificate(c *x509.Certificate) *identity.Caller {
	var found *identity.Caller
	for _, name := range sans(c) {
		switch caller := r.certificates[name]; {
		case caller == nil:
		case found != nil && found != caller:
			return nil
		default:
			found = caller
		}
	}
	return found
}

// sans are the names of a certificate that count. Its common name does not: authorities do not check it.
func sans(c *x509.Certificate) []san {
	var all []san
	for _, name := range c.DNSNames {
		all = append(all, san{name: strings.ToLower(name)})
	}
	for _, u := range c.URIs {
		all = append(all, san{uri: true, name: u.String()})
	}
	return all
}
