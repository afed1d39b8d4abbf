package auth

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/identity"
)

func TestAPIKeys(t *testing.T) {
	t.Parallel()
	key, sum := NewKey()
	old, oldSum := NewKey()
	other, otherSum := NewKey()
	stranger, _ := NewKey()
	h := newHouse(t, `
tenants: [acme, globex]
callers:
  - {name: billing, tenant: acme, scopes: [order, read], key_sha256: [`+sum+`, `+oldSum+`]}
  - {name: crm, tenant: globex, scopes: [read], key_sha256: `+strings.ToUpper(otherSum)+`}
`, nil)
	h.plants(sum, oldSum, otherSum, strings.ToUpper(otherSum))
	billing := identity.Caller{Name: "billing", Tenant: "acme", Scopes: []identity.Scope{identity.ScopeOrder, identity.ScopeRead}}
	crm := identity.Caller{Name: "crm", Tenant: "globex", Scopes: []identity.Scope{identity.ScopeRead}}
	for name, c := range map[string]struct {
		key  string
		want identity.Caller
		why  Refusal
	}{
		"a key":              {key, billing, ""},
		"another key of it":  {old, billing, ""},
		"another caller's":   {other, crm, ""},
		"a stranger's":       {stranger, identity.Caller{}, UnknownKey},
		"the digest":         {sum, identity.Caller{}, Malformed},
		"in capitals":        {strings.ToUpper(key), identity.Caller{}, Malformed},
		"cut":                {key[:len(key)-1], identity.Caller{}, Malformed},
		"longer":             {key + "a", identity.Caller{}, Malformed},
		"with other letters": {key[:len(key)-1] + "1", identity.Caller{}, Malformed},
	} {
		got, why := h.bearer(c.key)
		if diff := cmp.Diff(c.want, got); diff != "" || why != c.why {
			t.Errorf("%s is refused with %q, want %q (-want +got):\n%s", name, why, c.why, diff)
		}
	}
	if key == old || !keyForm.MatchString(key) || len(sum) != 64 {
		t.Errorf("keys are like %s and %s", key, sum)
	}
}

// A key counts only in its own form, so that nobody's idea of a password is ever kept as a fast digest.
func TestAKeyThatSomebodyThoughtUp(t *testing.T) {
	t.Parallel()
	sum := digestOf("portin_hunter2")
	h := newHouse(t, fmt.Sprintf("tenants: [acme]\ncallers: [{name: a, tenant: acme, scopes: [read], key_sha256: %x}]", sum), nil)
	if _, why := h.bearer("portin_hunter2"); why != Malformed {
		t.Errorf("it is refused with %q", why)
	}
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	h := newHouse(t, `
tenants: [acme]
callers:
  - {name: crm, tenant: acme, scopes: [read], certificate: [CRM.internal.example.com, "spiffe://example.com/crm"]}
  - {name: erp, tenant: acme, scopes: [read], certificate: "spiffe://example.com/erp"}
`, nil)
	uri := func(text string) *url.URL {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	for name, c := range map[string]struct {
		certificate x509.Certificate
		want        string
	}{
		"a DNS name":                  {x509.Certificate{DNSNames: []string{"other.example.com", "crm.Internal.example.com"}}, "crm"},
		"a URI":                       {x509.Certificate{URIs: []*url.URL{uri("spiffe://example.com/erp")}}, "erp"},
		"two names of one caller":     {x509.Certificate{DNSNames: []string{"crm.internal.example.com"}, URIs: []*url.URL{uri("spiffe://example.com/crm")}}, "crm"},
		"names of two callers":        {x509.Certificate{DNSNames: []string{"crm.internal.example.com"}, URIs: []*url.URL{uri("spiffe://example.com/erp")}}, ""},
		"a URI as a DNS name":         {x509.Certificate{DNSNames: []string{"spiffe://example.com/erp"}}, ""},
		"a URI in capitals":           {x509.Certificate{URIs: []*url.URL{uri("spiffe://example.com/ERP")}}, ""},
		"a name below":                {x509.Certificate{DNSNames: []string{"a.crm.internal.example.com"}}, ""},
		"a wildcard":                  {x509.Certificate{DNSNames: []string{"*.internal.example.com"}}, ""},
		"the common name, and no SAN": {commonName("crm.internal.example.com"), ""},
		"no name":                     {x509.Certificate{}, ""},
	} {
		got, why := h.finds(Credentials{Certificate: &c.certificate})
		if got.Name != c.want || (why == UnknownCertificate) != (c.want == "") {
			t.Errorf("%s is of %q, %q; want %q", name, got.Name, why, c.want)
		}
	}
}

func commonName(name string) x509.Certificate {
	var c x509.Certificate
	c.Subject.CommonName = name
	return c
}

// Whatever stands in Authorization decides, for behind a mesh the certificate is the mesh's.
func TestTheBearerComesBeforeTheCertificate(t *testing.T) {
	t.Parallel()
	key, sum := NewKey()
	stranger, _ := NewKey()
	h := newHouse(t, `
tenants: [acme]
callers:
  - {name: billing, tenant: acme, scopes: [read], key_sha256: `+sum+`}
  - {name: mesh, tenant: acme, scopes: [read], certificate: mesh.example.com}
`, nil)
	h.plants(key, stranger, sum, planted)
	mesh := &x509.Certificate{DNSNames: []string{"mesh.example.com"}}
	for header, want := range map[string][2]string{
		"":                                {"mesh", ""},
		"Bearer " + key:                   {"billing", ""},
		"bearer   " + key:                 {"billing", ""},
		"Bearer " + stranger:              {"", string(UnknownKey)},
		"Bearer":                          {"", string(Malformed)},
		"Bearer ":                         {"", string(Malformed)},
		" ":                               {"", string(Malformed)},
		key:                               {"", string(Malformed)},
		"Bearer\t" + key:                  {"", string(Malformed)},
		"Bearer " + key + " ":             {"", string(Malformed)},
		"Bearer " + key + "," + key:       {"", string(Malformed)},
		"Basic " + key:                    {"", string(Malformed)},
		"Bearer eyJhbGciOiJub25lIn0.e30.": {"", string(Malformed)}, // nobody's tokens are taken here
		"Bearer " + planted:               {"", string(Malformed)},
	} {
		got, why := h.finds(Credentials{Authorization: header, Certificate: mesh})
		if diff := cmp.Diff(want, [2]string{got.Name, string(why)}); diff != "" {
			t.Errorf("%q (-want +got):\n%s", header, diff)
		}
	}
	if _, why := h.finds(Credentials{}); why != NoCredentials {
		t.Errorf("no credentials are refused with %q", why)
	}
	if diff := cmp.Diff(map[Refusal]int{NoCredentials: 1, UnknownKey: 1, Malformed: 10}, h.observer.refused); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

func TestFault28_CredentialsPrintAsStars(t *testing.T) {
	t.Parallel()
	c := Credentials{Authorization: "Bearer " + planted, Certificate: &x509.Certificate{DNSNames: []string{planted}}}
	holder := struct {
		C Credentials
		P *Credentials
	}{c, &c}
	var out strings.Builder
	for _, v := range []any{c, &c, holder, &holder, []Credentials{c}, map[string]Credentials{"x": c}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(text)
		for _, log := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
			slog.New(log).InfoContext(t.Context(), "x", slog.Any("v", v))
		}
	}
	if shown := out.String(); strings.Contains(shown, planted) || strings.Contains(shown, fmt.Sprintf("%x", planted)) || !strings.Contains(shown, stars) {
		t.Errorf("credentials are shown: %s", shown)
	}
}

// A refusal that is declared and not listed would be missing from the metrics until it happens.
func TestEveryRefusalIsListed(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "refusal.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []Refusal
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		declared = append(declared, Refusal(value))
		return true
	})
	if diff := cmp.Diff(declared, Refusals()); diff != "" {
		t.Errorf("Refusals is not what is declared (-declared +listed):\n%s", diff)
	}
}

func TestNewTellsEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		issuer Issuer
		want   string
	}{
		"no audience": {Issuer{URL: "https://id.example.com"}, "needs an audience"},
		"no URL":      {Issuer{Audience: audience}, "https URL"},
		"http":        {Issuer{URL: "http://id.example.com", Audience: audience}, "https URL"},
		"a query":     {Issuer{URL: "https://id.example.com?" + planted, Audience: audience}, "https URL"},
		"a user":      {Issuer{URL: "https://a:" + planted + "@id.example.com", Audience: audience}, "https URL"},
		"no address":  {Issuer{URL: "::", TenantClaim: "org"}, "needs an audience"},
	} {
		_, err := New(Params{Roster: t.TempDir() + "/none", Issuer: c.issuer})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "reading the callers file") || strings.Contains(err.Error(), planted) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, good := range []string{"http://127.0.0.1:5556/dex", "http://localhost", "http://[::1]:80", "https://id.example.com/realms/a/"} {
		if err := (Issuer{URL: good, Audience: audience}).validate(); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}
