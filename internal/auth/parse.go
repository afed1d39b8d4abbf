package auth

import (
	"encoding/hex"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/portin/portin/internal/identity"
	"github.com/portin/portin/internal/strictyaml"
)

// What a roster may have. The bounds are there for a file that is not one, and so that comparing every key stays cheap.
const (
	maxTenants     = 1000
	maxCallers     = 1000
	maxCredentials = 8   // of one kind, of one caller
	maxSubject     = 255 // what OpenID Connect allows
	maxURI         = 2048
)

var (
	nameForm = regexp.MustCompile(`^[a-z0-9._-]{1,64}$`)
	hostForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

const nameRule = "must be 1 to 64 of a-z, 0-9, dot, underscore and hyphen"

// reading is a roster that is being read, and where what must be there once stands.
type reading struct {
	strictyaml.Problems

	roster  *roster
	adopted string
	names   map[string]string
	// held is the place of every credential.
	held map[any]string
}

// parse reads a roster. The tenant that is adopted is the one that the ledger stores as "default"; the order of the file's
// tenants has no say in it. The error tells all problems, each with its place, and quotes nothing.
func parse(content []byte, adopted string) (*roster, error) {
	top, err := strictyaml.Document(content)
	if err != nil {
		return nil, err
	}
	r := &reading{
		roster:  &roster{tenants: map[string]string{}, certificates: map[san]*identity.Caller{}, subjects: map[string]*identity.Caller{}},
		adopted: adopted, names: map[string]string{}, held: map[any]string{},
	}
	fields := r.Fields(top, "", "tenants", "callers")
	if fields != nil {
		r.readTenants(top, fields["tenants"])
	}
	for _, e := range r.List(fields["callers"], maxCallers) {
		r.readCaller(e)
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	return r.roster, nil
}

func (r *reading) readTenants(top, e strictyaml.Entry) {
	for _, e := range r.Some(top, e, "tenants", maxTenants) {
		tenant, ok := r.Text(e)
		_, twice := r.roster.tenants[tenant]
		switch {
		case !ok:
		case !nameForm.MatchString(tenant):
			r.Add(e, nameRule)
		case twice:
			r.Add(e, "is there twice")
		case tenant == adoptedTenant && tenant != r.adopted:
			r.Add(e, "is what the ledger calls the tenant that adopted what was there before there were tenants; take another name")
		default:
			r.roster.tenants[tenant] = tenant
			if tenant == r.adopted {
				r.roster.tenants[tenant] = adoptedTenant
			}
			if r.roster.first == "" {
				r.roster.first = tenant
			}
		}
	}
}

func (r *reading) readCaller(e strictyaml.Entry) {
	fields := r.Fields(e, e.Place+".", "name", "tenant", "scopes", "key_sha256", "certificate", "subject")
	if fields == nil {
		return
	}
	caller := &identity.Caller{Name: r.readName(e, fields["name"]), Tenant: r.readTenant(e, fields["tenant"]), Scopes: r.readScopes(e, fields["scopes"])}
	r.roster.callers++
	given := false
	for _, kind := range []struct {
		name string
		read func(strictyaml.Entry, string, *identity.Caller)
	}{{"key_sha256", r.readKey}, {"certificate", r.readCertificate}, {"subject", r.readSubject}} {
		given = given || fields[kind.name].Given()
		for _, e := range r.OneOrMore(fields[kind.name], maxCredentials) {
			if text, ok := r.Text(e); ok {
				kind.read(e, text, caller)
			}
		}
	}
	if !given {
		r.Add(e, "must have a key_sha256, a certificate or a subject")
	}
}

func (r *reading) readName(of, e strictyaml.Entry) string {
	name, ok := r.Required(of, e, "name")
	switch first, twice := r.names[name]; {
	case !ok:
	case !nameForm.MatchString(name):
		r.Add(e, nameRule)
	case twice:
		r.Add(e, "is the same as "+first)
	default:
		r.names[name] = e.Place
	}
	return name
}

func (r *reading) readTenant(of, e strictyaml.Entry) string {
	tenant, ok := r.Required(of, e, "tenant")
	stored, listed := r.roster.tenants[tenant]
	if ok && !listed {
		r.Add(e, "must be one of the tenants")
	}
	return stored
}

func (r *reading) readScopes(of, e strictyaml.Entry) []identity.Scope {
	var scopes []identity.Scope
	for _, e := range r.Some(of, e, "scopes", len(identity.Scopes())) {
		text, ok := r.Text(e)
		if !ok {
			continue
		}
		scope, err := identity.ParseScope(text)
		switch {
		case err != nil:
			r.Add(e, err.Error())
		case slices.Contains(scopes, scope):
			r.Add(e, "is there twice")
		default:
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

// take notes that a credential is one caller's, and reports whether it is nobody's yet.
func (r *reading) take(e strictyaml.Entry, credential any) bool {
	first, taken := r.held[credential]
	if taken {
		r.Add(e, "is the same as "+first)
		return false
	}
	r.held[credential] = e.Place
	return true
}

func (r *reading) readKey(e strictyaml.Entry, text string, caller *identity.Caller) {
	sum, err := hex.DecodeString(text)
	switch {
	case strings.HasPrefix(text, keyPrefix):
		r.Add(e, "is a key itself: revoke it, and put the hex SHA-256 of another here")
	case err != nil || len(sum) != len(digest{}):
		r.Add(e, "must be a SHA-256 in 64 hex digits")
	case r.take(e, digest(sum)):
		r.roster.keys = append(r.roster.keys, holder{digest(sum), caller})
	}
}

func (r *reading) readCertificate(e strictyaml.Entry, text string, caller *identity.Caller) {
	name := san{uri: strings.Contains(text, ":"), name: text}
	if !name.uri {
		name.name = strings.ToLower(text)
	}
	switch u, err := url.Parse(text); {
	case !name.uri && (len(text) > 253 || !hostForm.MatchString(name.name)):
		r.Add(e, "must be a DNS name, without a wildcard, or a URI")
	case name.uri && (err != nil || u.Host == "" && u.Scheme != "urn" || len(text) > maxURI || u.String() != text):
		r.Add(e, "must be a DNS name without a port, or a URI as a certificate has it") // it is compared letter by letter
	case r.take(e, name):
		r.roster.certificates[name] = caller
	}
}

func (r *reading) readSubject(e strictyaml.Entry, text string, caller *identity.Caller) {
	switch {
	case len(text) > maxSubject || !printable(text):
		r.Add(e, "must be at most 255 printable ASCII characters")
	case r.take(e, text):
		r.roster.subjects[text] = caller
	}
}

// printable reports whether a text is of visible ASCII and spaces.
func printable(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}
