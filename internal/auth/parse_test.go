package auth

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/identity"
)

const (
	hexA = "a3f5c0de00112233445566778899aabbccddeeff00112233445566778899aabb"
	// hexB looks like a number.
	hexB = "0012345678901234567890123456789012345678901234567890123456789012"
)

// bytesOf is the digest that hex digits stand for.
func bytesOf(t *testing.T, text string) digest {
	t.Helper()
	sum, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return digest(sum)
}

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := parse([]byte(`
# Who may call.
tenants: [acme, globex]
callers:
  - name: billing
    tenant: acme
    scopes: [read, order]
    key_sha256: [`+hexA+`, `+hexB+`]
  - name: crm
    tenant: globex
    scopes: [admin]
    certificate: [CRM.internal.example.com, "spiffe://example.com/crm", "urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427"]
    subject: 0012
  - name: operators
    tenant: globex
    scopes: [read, operate]
    subject: ["00u1abcd", auth0|5f 7]
`), "globex")
	if err != nil {
		t.Fatal(err)
	}
	billing := &identity.Caller{Name: "billing", Tenant: "acme", Scopes: []identity.Scope{identity.ScopeRead, identity.ScopeOrder}}
	crm := &identity.Caller{Name: "crm", Tenant: "default", Scopes: []identity.Scope{identity.ScopeAdmin}}
	operators := &identity.Caller{Name: "operators", Tenant: "default", Scopes: []identity.Scope{identity.ScopeRead, identity.ScopeOperate}}
	want := &roster{
		first: "acme", tenants: map[string]string{"acme": "acme", "globex": "default"}, callers: 3,
		keys: []holder{{bytesOf(t, hexA), billing}, {bytesOf(t, hexB), billing}},
		certificates: map[san]*identity.Caller{
			{name: "crm.internal.example.com"}:                                 crm,
			{uri: true, name: "spiffe://example.com/crm"}:                      crm,
			{uri: true, name: "urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427"}: crm,
		},
		subjects: map[string]*identity.Caller{"0012": crm, "00u1abcd": operators, "auth0|5f 7": operators},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(roster{}, holder{}, san{})); diff != "" {
		t.Errorf("the roster (-want +got):\n%s", diff)
	}
}

// Callers may be left out: those of an issuer bring their tenant and scopes with them.
func TestParseWithoutCallers(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"tenants: [acme]", "tenants: [acme]\ncallers: []\n"} {
		if r, err := parse([]byte(content), ""); err != nil || r.first != "acme" {
			t.Errorf("%q: %v", content, err)
		}
	}
}

// caller is a roster with one caller of these fields, on line 2.
func caller(fields string) string { return "tenants: [acme]\ncallers: [{" + fields + "}]" }

func TestParseTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	many := strings.Repeat("a, ", 1001)
	for content, want := range map[string]string{
		"":                                    "the file is empty",
		"# nothing\n":                         "the file is empty",
		"---\n":                               "the file (line 2): must have the fields tenants, callers",
		"tenants: [acme":                      "the file is not YAML: line 1",
		"a: *" + planted:                      "the file is not YAML: no line is known",
		"tenants: [acme]\n---\na: 1":          "the file has a second document, or an end that is not YAML",
		planted:                               "the file (line 1): must have the fields tenants, callers",
		"callers: []":                         "the file (line 1): must have tenants",
		"tenants: []":                         "tenants (line 1): is empty",
		"tenants:\n":                          "tenants (line 1): must be a list",
		"tenants: acme":                       "tenants (line 1): must be a list",
		"tenants: [acme]\ntenants: [b]":       "tenants (line 2): is there twice",
		"tenants: [acme]\n" + planted + ": 1": "the file (line 2): has an unknown field; there are tenants, callers",
		"tenants: [acme]\n[a]: 1":             "the file (line 2): has an unknown field; there are tenants, callers",
		"tenants: [a, " + planted + "]":       "tenants[1] (line 1): must be 1 to 64 of a-z, 0-9, dot, underscore and hyphen",
		"tenants: [a, a]":                     "tenants[1] (line 1): is there twice",
		"tenants: [a, [b]]":                   "tenants[1] (line 1): must be a text",
		"tenants: [a, ~]":                     "tenants[1] (line 1): must be a text",
		"tenants: [\"\"]":                     "tenants[0] (line 1): must be a text",
		"tenants: [&x a, *x]":                 "tenants[1] (line 1): must be a text",
		"tenants: [default]":                  "tenants[0] (line 1): is what the ledger calls the tenant that adopted what was there before there were tenants; take another name",
		"tenants: [" + many + "]":             "tenants (line 1): has more entries than 1000",
		"tenants: [acme]\ncallers: {a: 1}":    "callers (line 2): must be a list",
		"tenants: [acme]\ncallers: [a]":       "callers[0] (line 2): must have the fields name, tenant, scopes, key_sha256, certificate, subject",
		caller("tenant: acme, scopes: [read], subject: a"):                                                         "callers[0] (line 2): must have a name",
		caller("name: a, scopes: [read], subject: a"):                                                              "callers[0] (line 2): must have a tenant",
		caller("name: a, tenant: acme, subject: a"):                                                                "callers[0] (line 2): must have scopes",
		caller("name: a, tenant: acme, scopes: [read]"):                                                            "callers[0] (line 2): must have a key_sha256, a certificate or a subject",
		caller("name: a, tenant: acme, scopes: [], subject: a"):                                                    "callers[0].scopes (line 2): is empty",
		caller("name: a, tenant: acme, scopes: read, subject: a"):                                                  "callers[0].scopes (line 2): must be a list",
		caller("name: a, tenant: acme, scopes: [read, " + planted + "], subject: a"):                               "callers[0].scopes[1] (line 2): is no scope; there are [read order operate admin]",
		caller("name: a, tenant: acme, scopes: [read, read], subject: a"):                                          "callers[0].scopes[1] (line 2): is there twice",
		caller("name: " + planted + ", tenant: acme, scopes: [read], subject: a"):                                  "callers[0].name (line 2): must be 1 to 64 of a-z, 0-9, dot, underscore and hyphen",
		caller("name: a, tenant: " + planted + ", scopes: [read], subject: a"):                                     "callers[0].tenant (line 2): must be one of the tenants",
		caller("name: a, tenant: acme, scopes: [read], subject: []"):                                               "callers[0].subject (line 2): is empty",
		caller("name: a, tenant: acme, scopes: [read], subject: a, " + planted + ": a"):                            "callers[0] (line 2): has an unknown field; there are name, tenant, scopes, key_sha256, certificate, subject",
		caller("name: a, tenant: acme, scopes: [read], subject: a, <<: {scopes: [admin]}"):                         "callers[0] (line 2): has an unknown field; there are name, tenant, scopes, key_sha256, certificate, subject",
		caller("name: a, tenant: acme, scopes: [read], subject: [1,2,3,4,5,6,7,8,9]"):                              "callers[0].subject (line 2): has more entries than 8",
		caller("name: a, tenant: acme, scopes: [read], subject: é" + planted):                                      "callers[0].subject (line 2): must be at most 255 printable ASCII characters",
		caller("name: a, tenant: acme, scopes: [read], subject: " + strings.Repeat("a", 256)):                      "callers[0].subject (line 2): must be at most 255 printable ASCII characters",
		caller("name: a, tenant: acme, scopes: [read], subject: {a: b}"):                                           "callers[0].subject (line 2): must be a list",
		caller("name: a, tenant: acme, scopes: [read], key_sha256: " + hexA[1:]):                                   "callers[0].key_sha256 (line 2): must be a SHA-256 in 64 hex digits",
		caller("name: a, tenant: acme, scopes: [read], key_sha256: [" + hexA + ", " + planted + "]"):               "callers[0].key_sha256[1] (line 2): must be a SHA-256 in 64 hex digits",
		caller("name: a, tenant: acme, scopes: [read], key_sha256: portin_" + planted):                             "callers[0].key_sha256 (line 2): is a key itself: revoke it, and put the hex SHA-256 of another here",
		caller("name: a, tenant: acme, scopes: [read], key_sha256: [" + hexA + ", " + strings.ToUpper(hexA) + "]"): "callers[0].key_sha256[1] (line 2): is the same as callers[0].key_sha256[0]",
		caller("name: a, tenant: acme, scopes: [read], certificate: [a.example, A.example]"):                       "callers[0].certificate[1] (line 2): is the same as callers[0].certificate[0]",
		caller("name: a, tenant: acme, scopes: [read], certificate: \"*.example.com\""):                            "callers[0].certificate (line 2): must be a DNS name, without a wildcard, or a URI",
		caller("name: a, tenant: acme, scopes: [read], certificate: \"a.example:443\""):                            "callers[0].certificate (line 2): must be a DNS name without a port, or a URI as a certificate has it",
		caller("name: a, tenant: acme, scopes: [read], certificate: \"spiffe://a/b c\""):                           "callers[0].certificate (line 2): must be a DNS name without a port, or a URI as a certificate has it",
		caller("name: a, tenant: acme, scopes: [read], certificate: \"https://a:" + planted + "\""):                "callers[0].certificate (line 2): must be a DNS name without a port, or a URI as a certificate has it",
		caller("name: a, tenant: acme, scopes: [read], subject: a}, {name: a, tenant: acme, scopes: [read], subject: a"): "callers[1].name (line 2): is the same as callers[0].name\n" +
			"callers[1].subject (line 2): is the same as callers[0].subject",
	} {
		_, err := parse([]byte(content), "")
		if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", content, diff)
		}
		for _, secret := range []string{planted, hexA, hexA[1:]} {
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("the error quotes the file: %v", err)
			}
		}
	}
}

func TestParseTellsAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := parse([]byte("tenants: [A]\ncallers:\n  - {name: B, tenant: c, scopes: [d]}\n  - {}\nowner: e\n"), "")
	want := `the file (line 5): has an unknown field; there are tenants, callers
tenants[0] (line 1): must be 1 to 64 of a-z, 0-9, dot, underscore and hyphen
callers[0].name (line 3): must be 1 to 64 of a-z, 0-9, dot, underscore and hyphen
callers[0].tenant (line 3): must be one of the tenants
callers[0].scopes[0] (line 3): is no scope; there are [read order operate admin]
callers[0] (line 3): must have a key_sha256, a certificate or a subject
callers[1] (line 4): must have a name
callers[1] (line 4): must have a tenant
callers[1] (line 4): must have scopes
callers[1] (line 4): must have a key_sha256, a certificate or a subject`
	if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" {
		t.Errorf("the problems (-want +got):\n%s", diff)
	}
	_, err = parse([]byte("tenants: ["+strings.Repeat("A, ", 80)+"]"), "")
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 51 || lines[50] != "and 30 more problems" {
		t.Errorf("%d lines, the last is %q", len(lines), lines[len(lines)-1])
	}
}

// Who adopted what was there before tenants is the ledger's to remember: the order of the file has no say in it.
func TestOnlyTheAdoptedTenantIsStoredAsDefault(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tenants, adopted string
		want             map[string]string
	}{
		{"[acme, globex]", "acme", map[string]string{"acme": "default", "globex": "globex"}},
		{"[globex, acme]", "acme", map[string]string{"acme": "default", "globex": "globex"}},
		{"[globex]", "acme", map[string]string{"globex": "globex"}},
		{"[acme, globex]", "", map[string]string{"acme": "acme", "globex": "globex"}},
		{"[globex, default]", "default", map[string]string{"default": "default", "globex": "globex"}},
		{"[acme, default]", "acme", nil},
		{"[default]", "", nil},
	} {
		r, err := parse([]byte("tenants: "+c.tenants), c.adopted)
		if (err == nil) != (c.want != nil) {
			t.Errorf("%s with %q adopted: %v", c.tenants, c.adopted, err)
			continue
		}
		if err == nil && !cmp.Equal(c.want, r.tenants) {
			t.Errorf("%s with %q adopted (-want +got):\n%s", c.tenants, c.adopted, cmp.Diff(c.want, r.tenants))
		}
	}
}
