package auth

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/identity"
)

// operators is a roster with a caller that is found by its subject.
const operators = aRoster + "callers: [{name: operators, tenant: globex, scopes: [operate], subject: [00u1abcd, 00u2efgh]}]\n"

func TestTokens(t *testing.T) {
	t.Parallel()
	i, h := newIssuer(t, operators)
	key, public := newKey(t, "one")
	i.publishes(public)
	read, all := []identity.Scope{identity.ScopeRead}, identity.Scopes()
	for name, c := range map[string]struct {
		changes map[string]any
		want    identity.Caller
	}{
		"the usual":          {nil, identity.Caller{Name: "oidc:u-1", Tenant: "acme", Scopes: read}},
		"several audiences":  {map[string]any{"aud": []string{"other", audience}}, identity.Caller{Name: "oidc:u-1", Tenant: "acme", Scopes: read}},
		"another tenant":     {map[string]any{"tenant": "globex"}, identity.Caller{Name: "oidc:u-1", Tenant: "globex", Scopes: read}},
		"scp as a text":      {map[string]any{"scope": nil, "scp": "portin:read x"}, identity.Caller{Name: "oidc:u-1", Tenant: "acme", Scopes: read}},
		"scp as a list":      {map[string]any{"scope": nil, "scp": []string{"portin:read", "read"}}, identity.Caller{Name: "oidc:u-1", Tenant: "acme", Scopes: read}},
		"both":               {map[string]any{"scope": "portin:admin portin:order", "scp": []string{"portin:read", "portin:operate"}}, identity.Caller{Name: "oidc:u-1", Tenant: "acme", Scopes: all}},
		"a name of a robot":  {map[string]any{"sub": "auth0|5f7c8ec7c33c6c004bbafe82@clients"}, identity.Caller{Name: "oidc:auth0|5f7c8ec7c33c6c004bbafe82@clients", Tenant: "acme", Scopes: read}},
		"a name with spaces": {map[string]any{"sub": "a b"}, identity.Caller{Name: "oidc:#c8687a08aa5d6ed2044328fa6a697ab8", Tenant: "acme", Scopes: read}},
		"a name like a log":  {map[string]any{"sub": "a\nlevel=ERROR"}, identity.Caller{Name: "oidc:#c16328997e61e2c2ebf2f31ccbd4442c", Tenant: "acme", Scopes: read}},
		"a long name":        {map[string]any{"sub": strings.Repeat("a", 129)}, identity.Caller{Name: "oidc:#c12cb024a2e5551cca0e08fce8f1c5e3", Tenant: "acme", Scopes: read}},
		"a false digest":     {map[string]any{"sub": "#c8687a08aa5d6ed2044328fa6a697ab8"}, identity.Caller{Name: "oidc:#aadfcb9dd0af3484e80af434cdab50fa", Tenant: "acme", Scopes: read}},
		"the roster's":       {map[string]any{"sub": "00u1abcd"}, identity.Caller{Name: "operators", Tenant: "globex", Scopes: []identity.Scope{identity.ScopeOperate}}},
		"the roster's, without a tenant and scopes": {
			map[string]any{"sub": "00u2efgh", "tenant": nil, "scope": nil}, identity.Caller{Name: "operators", Tenant: "globex", Scopes: []identity.Scope{identity.ScopeOperate}},
		},
		"a clock ahead": {map[string]any{"nbf": h.clock.Now().Add(55 * time.Second).Unix()}, identity.Caller{Name: "oidc:u-1", Tenant: "acme", Scopes: read}},
	} {
		got, why := h.bearer(i.sign(key, c.changes))
		if diff := cmp.Diff(c.want, got); diff != "" || why != "" {
			t.Errorf("%s is refused with %q (-want +got):\n%s", name, why, diff)
		}
	}
	if diff := cmp.Diff(map[string]int{discovery: 1, keySet: 1}, i.counts()); diff != "" {
		t.Errorf("the issuer was asked (-want +got):\n%s", diff)
	}
}

func TestTheTenantsClaimIsASetting(t *testing.T) {
	t.Parallel()
	i, h := newIssuer(t, aRoster, func(p *Params) {
		p.Adopted, p.Issuer.TenantClaim = "acme", "https://example.com/org"
	})
	key, public := newKey(t, "one")
	i.publishes(public)
	got, why := h.bearer(i.sign(key, map[string]any{"tenant": "globex", "https://example.com/org": "acme"}))
	if got.Tenant != "default" || why != "" {
		t.Errorf("the caller is %v, refused with %q", got, why)
	}
	if got, why := h.bearer(i.sign(key, map[string]any{"https://example.com/org": "default"})); why != TokenOfNobody {
		t.Errorf("whoever says to be of the adopted tenant by its name in the ledger is %v, refused with %q", got, why)
	}
}

func TestFault29_TokensThatAreRefused(t *testing.T) {
	t.Parallel()
	i, h := newIssuer(t, operators)
	key, public := newKey(t, "one")
	small, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey := jose.JSONWebKey{Key: small, KeyID: "rsa", Algorithm: string(jose.RS256)}
	encryption, encryptionPublic := newKey(t, "encryption")
	encryptionPublic.Use = "enc"
	secret := jose.JSONWebKey{Key: []byte(strings.Repeat("s", 32)), KeyID: "secret", Algorithm: string(jose.HS256)}
	i.publishes(public, rsaKey.Public(), encryptionPublic, secret)
	impostor, _ := newKey(t, "one")
	unknown, _ := newKey(t, "two")
	nameless := key
	nameless.KeyID = ""
	now := h.clock.Now()
	der, err := x509.MarshalPKIXPublicKey(small.Public())
	if err != nil {
		t.Fatal(err)
	}
	good := i.sign(key, nil)
	parts := strings.Split(good, ".")
	encode := base64.RawURLEncoding.EncodeToString
	hmacWith := func(secret []byte, id string) string {
		return signed(t, jose.SigningKey{Algorithm: jose.HS256, Key: jose.JSONWebKey{Key: secret, KeyID: id}}, i.claims(nil))
	}
	for name, c := range map[string]struct {
		token string
		why   Refusal
	}{
		"expired":                        {i.sign(key, map[string]any{"exp": now.Add(-time.Second).Unix()}), TokenExpired},
		"without an end":                 {i.sign(key, map[string]any{"exp": nil}), TokenExpired},
		"not yet valid":                  {i.sign(key, map[string]any{"nbf": now.Add(65 * time.Second).Unix()}), TokenExpired},
		"far from valid":                 {i.sign(key, map[string]any{"nbf": now.Add(time.Hour).Unix()}), TokenExpired},
		"expired, of the roster":         {i.sign(key, map[string]any{"sub": "00u1abcd", "exp": now.Add(-time.Second).Unix()}), TokenExpired},
		"another issuer's":               {i.sign(key, map[string]any{"iss": "https://evil.example.com"}), TokenForeign},
		"the issuer's with a slash":      {i.sign(key, map[string]any{"iss": i.URL + "/"}), TokenForeign},
		"no issuer's":                    {i.sign(key, map[string]any{"iss": nil}), TokenForeign},
		"for another audience":           {i.sign(key, map[string]any{"aud": "other"}), TokenForeign},
		"for other audiences":            {i.sign(key, map[string]any{"aud": []string{"other", audience + "2"}}), TokenForeign},
		"for no audience":                {i.sign(key, map[string]any{"aud": nil}), TokenForeign},
		"claims of the wrong kind":       {i.sign(key, map[string]any{"sub": 1}), TokenForeign},
		"claims that are no JSON":        {signed(t, jose.SigningKey{Algorithm: jose.ES256, Key: key}, []byte("x")), TokenForeign},
		"an impostor's of the same name": {i.sign(impostor, nil), TokenForged},
		"of an unknown key":              {i.sign(unknown, nil), TokenForged},
		"of a key to encrypt with":       {i.sign(encryption, nil), TokenForged},
		"with a changed payload":         {parts[0] + "." + encode(i.claims(map[string]any{"tenant": "globex"})) + "." + parts[2], TokenForged},
		"with another's signature":       {parts[0] + "." + parts[1] + "." + strings.Split(i.sign(impostor, nil), ".")[2], TokenForged},
		"without a signature":            {parts[0] + "." + parts[1] + ".", TokenForged},
		"alg none":                       {encode([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".", Malformed},
		"alg None":                       {encode([]byte(`{"alg":"None","kid":"one"}`)) + "." + parts[1] + ".", Malformed},
		"no alg":                         {encode([]byte(`{"kid":"one"}`)) + "." + parts[1] + "." + parts[2], Malformed},
		"HS256 with the public key":      {hmacWith(der, "rsa"), Malformed},
		"HS256 with it as PEM": {
			hmacWith(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "rsa"), Malformed,
		},
		"HS256 with a secret of the set": {i.sign(secret, nil), Malformed},
		"the key of another algorithm":   {signed(t, jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key.Key, KeyID: "rsa"}}, i.claims(nil)), TokenForged},
		"no token":                       {planted, Malformed},
		"two dots":                       {"..", Malformed},
		"as JSON":                        {`{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`, Malformed},
		"too large":                      {i.sign(key, map[string]any{"more": strings.Repeat("a", maxToken)}), Malformed},
		"of nobody":                      {i.sign(key, map[string]any{"sub": nil}), TokenOfNobody},
		"without a tenant":               {i.sign(key, map[string]any{"tenant": nil}), TokenOfNobody},
		"of an unknown tenant":           {i.sign(key, map[string]any{"tenant": "other"}), TokenOfNobody},
		"of tenants":                     {i.sign(key, map[string]any{"tenant": []string{"acme"}}), TokenOfNobody},
		"of a Tenant":                    {i.sign(key, map[string]any{"tenant": nil, "Tenant": "acme"}), TokenOfNobody},
		"without a scope":                {i.sign(key, map[string]any{"scope": nil}), TokenOfNobody},
		"without a scope of ours":        {i.sign(key, map[string]any{"scope": "read portin: portin:Read portin:read2 xportin:read"}), TokenOfNobody},
		"scopes of the wrong kind":       {i.sign(key, map[string]any{"scope": 7, "scp": map[string]any{"portin:read": true}}), TokenOfNobody},
	} {
		got, why := h.bearer(c.token)
		if diff := cmp.Diff(identity.Caller{}, got); diff != "" || why != c.why {
			t.Errorf("%s is refused with %q, want %q (-want +got):\n%s", name, why, c.why, diff)
		}
	}
	// The same keys are good for what they are for.
	for name, token := range map[string]string{"the usual": good, "RS256": i.sign(rsaKey, nil), "without the name of its key": i.sign(nameless, nil)} {
		if _, why := h.bearer(token); why != "" {
			t.Errorf("%s is refused with %q", name, why)
		}
	}
}
