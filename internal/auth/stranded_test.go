package auth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// everyKind is a roster with a caller for each way of being known, and one for each two.
const everyKind = `tenants: [acme]
callers:
  - {name: zoe, tenant: acme, scopes: [read], certificate: [zoe.example.com, "spiffe://example.com/zoe"]}
  - {name: crm, tenant: acme, scopes: [read], certificate: crm.example.com}
  - {name: night-shift, tenant: acme, scopes: [read], subject: u-night}
  - {name: either, tenant: acme, scopes: [read], certificate: either.example.com, subject: u-either}
  - {name: billing, tenant: acme, scopes: [read], key_sha256: ` + hexA + `}
  - {name: moving, tenant: acme, scopes: [read], key_sha256: ` + hexB + `, certificate: moving.example.com, subject: u-moving}
`

// warned are the callers that a log in JSON warns of, by what it says that they need.
func warned(t *testing.T, log string) map[string]string {
	t.Helper()
	told := map[string]string{}
	for line := range strings.Lines(log) {
		var said struct{ Level, Needs, Names string }
		if err := json.Unmarshal([]byte(line), &said); err != nil {
			t.Fatal(err)
		}
		if said.Level == "WARN" {
			told[said.Needs] = said.Names
		}
	}
	return told
}

// A caller who has nothing but what the service never asks for can never call, and nobody hears of that but by a warning.
func TestCallersWhoCanNeverCall(t *testing.T) {
	t.Parallel()
	h := newHouse(t, everyKind, nil)
	issuer := Issuer{URL: "https://login.example.com", Audience: "portin"}
	for name, c := range map[string]struct {
		params Params
		want   map[string]string
	}{
		"keys alone": {Params{}, map[string]string{
			"tls-client-ca-file": "crm zoe", "auth-oidc-issuer": "night-shift", "tls-client-ca-file or auth-oidc-issuer": "either",
		}},
		"certificates": {Params{Certificates: true}, map[string]string{"auth-oidc-issuer": "night-shift"}},
		"tokens":       {Params{Issuer: issuer}, map[string]string{"tls-client-ca-file": "crm zoe"}},
		"everything":   {Params{Certificates: true, Issuer: issuer}, map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			c.params.Roster, c.params.Log = h.file, slog.New(slog.NewJSONHandler(&log, nil))
			first, err := Check(t.Context(), c.params)
			if err != nil || first != "acme" {
				t.Fatalf("the first tenant is %q, %v", first, err)
			}
			if diff := cmp.Diff(c.want, warned(t, log.String())); diff != "" {
				t.Errorf("callers who can never call (-want +got):\n%s", diff)
			}
		})
	}
}

// However many they are, a line of the log stays one that can be read.
func TestManyCallersWhoCanNeverCall(t *testing.T) {
	t.Parallel()
	var roster strings.Builder
	roster.WriteString("tenants: [acme]\ncallers:\n")
	for i := range 200 {
		fmt.Fprintf(&roster, "  - {name: c%03d, tenant: acme, scopes: [read], subject: u-%d}\n", i, i)
	}
	h := newHouse(t, roster.String(), nil)
	var log bytes.Buffer
	if _, err := Check(t.Context(), Params{Roster: h.file, Log: slog.New(slog.NewJSONHandler(&log, nil))}); err != nil {
		t.Fatal(err)
	}
	callers := warned(t, log.String())["auth-oidc-issuer"]
	if !strings.HasPrefix(callers, "c000 c001 ") || !strings.HasSuffix(callers, " c019 and 180 more") {
		t.Errorf("the callers are %q", callers)
	}
}

// A roster that is changed for one with such callers is in force all the same: the others call on.
func TestAChangedRosterWithCallersWhoCanNeverCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key, sum := NewKey()
		h := newHouse(t, aRoster, nil)
		defer h.runs()()
		h.writes("tenants: [acme]\ncallers:\n  - {name: billing, tenant: acme, scopes: [read], key_sha256: " + sum +
			"}\n  - {name: crm, tenant: acme, scopes: [read], certificate: crm.example.com}\n")
		pass(time.Minute)
		if got, why := h.bearer(key); got.Name != "billing" {
			t.Errorf("the other caller is %v, %q", got, why)
		}
		if diff := cmp.Diff(map[string]string{"tls-client-ca-file": "crm"}, warned(t, h.logged())); diff != "" {
			t.Errorf("callers who can never call (-want +got):\n%s", diff)
		}
		if n := strings.Count(h.logged(), "WARN"); n != 1 {
			t.Errorf("it is told %d times", n)
		}
	})
}
