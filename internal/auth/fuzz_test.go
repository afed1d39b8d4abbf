package auth

import (
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/portin/portin/internal/fault"
)

// Whatever a file has, its problems do not quote it, and what is taken is whole.
func FuzzRoster(f *testing.F) {
	for _, seed := range [][2]string{
		{"", ""},
		{"tenants: [", "]"},
		{"tenants: [a]\ncallers: [{name: ", ", tenant: a}]"},
		{"tenants: [a]\ncallers:\n- subject: ", "\n  <<: *a\n"},
		{"tenants: [a]\n", ": b"},
		{"a: *", ""},
		{"a: !!", " b"},
		{"%", " x\n---\n"},
		{"tenants: [a]\ncallers: [{name: b, tenant: a, scopes: [read], subject: x}]\n# ", ""},
		{"tenants: [a]\ncallers: [{name: b, tenant: a, scopes: [read], key_sha256: [" + hexA + ", ", "]}]"},
		{"&", " [a]"},
		{"{", "}"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		r, err := parse([]byte(before+planted+after), "acme")
		if err != nil {
			if strings.Contains(err.Error(), planted) || r != nil {
				t.Errorf("the error quotes the file: %v", err)
			}
			return
		}
		if len(r.tenants) == 0 || r.tenants[r.first] == "" || r.tenants["default"] != "" {
			t.Errorf("the tenants are %v, the first is %q", r.tenants, r.first)
		}
		stored := map[string]bool{}
		for _, s := range r.tenants {
			stored[s] = true
		}
		for _, h := range r.keys {
			if h.caller.Name == "" || !stored[h.caller.Tenant] || len(h.caller.Scopes) == 0 {
				t.Errorf("a caller is %v", h.caller)
			}
		}
	})
}

// No header but the right one gets in, and none gets out.
func FuzzAuthorization(f *testing.F) {
	key, sum := NewKey()
	const mark = "KEY"
	for _, seed := range []string{
		"Bearer KEY", "bearer  KEY", "KEY", "Bearer KEYKEY", "Bearer KEY\n", "Basic KEY", "Bearer eyJhbGciOiJub25lIn0.e30.", "Bearer eyJhbGciOiJFUzI1NiJ9.e30.AAAA",
		"Bearer {\"payload\":\"\"}", "Bearer .", "Bearer ..", "Bearer \xff", "Bearer " + strings.Repeat("a", maxToken+1),
	} {
		f.Add(seed)
	}
	file := f.TempDir() + "/roster.yaml"
	if err := os.WriteFile(file, []byte("tenants: [acme]\ncallers: [{name: a, tenant: acme, scopes: [read], key_sha256: "+sum+"}]"), 0o600); err != nil {
		f.Fatal(err)
	}
	a, err := New(Params{
		Roster: file, Issuer: Issuer{URL: "https://id.example.com", Audience: audience}, Log: slog.New(slog.DiscardHandler),
		Transport: transport(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }),
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, header string) {
		header = strings.ReplaceAll(header, mark, key)
		scheme, rest, _ := strings.Cut(header, " ")
		right := strings.EqualFold(scheme, "Bearer") && strings.TrimLeft(rest, " ") == key
		caller, err := a.Authenticate(t.Context(), Credentials{Authorization: header})
		if right != (err == nil) || right != (caller.Name == "a") {
			t.Errorf("%q: %v, %v", header, caller, err)
		}
		want := fault.ReasonUnauthenticated
		if Why(err) == KeysMissing {
			want = fault.ReasonIssuerUnreachable
		}
		if err != nil && (Why(err) == "" || !fault.Is(err, want)) {
			t.Errorf("%q: %v", header, err)
		}
	})
}
