package identity_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/portin/portin/internal/identity"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// A scope that is declared and not listed could be given to nobody.
func TestEveryScopeIsListed(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "scope.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []identity.Scope
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Scope") {
			return true
		}
		lit, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			return true
		}
		value, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Fatal(err)
		}
		declared = append(declared, identity.Scope(value))
		return true
	})
	if diff := cmp.Diff(declared, identity.Scopes()); diff != "" {
		t.Errorf("Scopes is not what is declared (-declared +listed):\n%s", diff)
	}
}

func TestNoScopeImpliesAnother(t *testing.T) {
	t.Parallel()
	for _, has := range identity.Scopes() {
		caller := identity.Caller{Name: "billing", Tenant: "acme", Scopes: []identity.Scope{has}}
		for _, wants := range identity.Scopes() {
			if got := caller.May(wants); got != (has == wants) {
				t.Errorf("a caller with %s may %s: %t", has, wants, got)
			}
		}
	}
	for _, wants := range identity.Scopes() {
		if (identity.Caller{}).May(wants) {
			t.Errorf("the zero caller may %s", wants)
		}
		if !identity.Everybody("default").May(wants) {
			t.Errorf("everybody may not %s", wants)
		}
	}
	if identity.Everybody("default").May("") {
		t.Error("everybody may do what has no name")
	}
}

func TestParseScope(t *testing.T) {
	t.Parallel()
	for _, want := range identity.Scopes() {
		if got, err := identity.ParseScope(string(want)); got != want || err != nil {
			t.Errorf("ParseScope(%q) = %q, %v", want, got, err)
		}
	}
	for _, text := range []string{"", "Read", "read ", "portin:read", "hunter2"} {
		got, err := identity.ParseScope(text)
		if got != "" || err == nil {
			t.Errorf("ParseScope(%q) = %q, %v", text, got, err)
			continue
		}
		if want := "is no scope; there are [read order operate admin]"; err.Error() != want {
			t.Errorf("the error is %q, want %q", err, want)
		}
	}
}

func TestTheContextCarriesTheCaller(t *testing.T) {
	t.Parallel()
	if got, ok := identity.From(t.Context()); ok {
		t.Errorf("%v calls in a context that nobody has put a caller into", got)
	}
	want := identity.Caller{Name: "billing", Tenant: "acme", Scopes: []identity.Scope{identity.ScopeRead}}
	outer := identity.With(t.Context(), identity.Everybody("default"))
	got, ok := identity.From(identity.With(outer, want))
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("From, %t (-want +got):\n%s", ok, diff)
	}
	if got, _ := identity.From(outer); got.Tenant != "default" || got.Name != "" {
		t.Errorf("the outer context has %v", got)
	}
}
