package e2e_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/sandbox"
)

const (
	tokensAudience = "portin-api"
	discoveryPath  = "/.well-known/openid-configuration"
	keySetPath     = "/keys"
)

// issuer is an OpenID Connect issuer on this machine: it makes tokens, and says over HTTP with which keys it signs them.
type issuer struct {
	url, address string
	server       *http.Server
	served       chan struct{}

	mu   sync.Mutex
	keys []jose.JSONWebKey
	// asked counts the questions, by their path.
	asked map[string]int
}

// newIssuer starts an issuer for as long as the test takes, with these keys.
func newIssuer(t *testing.T, keys ...jose.JSONWebKey) *issuer {
	t.Helper()
	i := &issuer{address: "127.0.0.1:0", asked: map[string]int{}}
	i.up(t)
	i.url = "http://" + i.address
	i.publish(keys...)
	t.Cleanup(i.down)
	return i
}

// up begins to listen, at the address of the time before.
func (i *issuer) up(t *testing.T) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", i.address)
	if err != nil {
		t.Fatal(err)
	}
	i.address, i.served = l.Addr().String(), make(chan struct{})
	i.server = &http.Server{Handler: i, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
	go func() {
		defer close(i.served)
		_ = i.server.Serve(l)
	}()
}

// down cuts every connection and listens no more.
func (i *issuer) down() {
	_ = i.server.Close()
	<-i.served
}

// publish replaces the keys, of which the public halves are shown.
func (i *issuer) publish(keys ...jose.JSONWebKey) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = nil
	for _, key := range keys {
		i.keys = append(i.keys, key.Public())
	}
}

// ServeHTTP answers where the keys are, and which they are. What it says of algorithms must not count.
func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked[r.URL.Path]++
	switch r.URL.Path {
	case discoveryPath:
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": i.url, "jwks_uri": i.url + keySetPath, "id_token_signing_alg_values_supported": []string{"none", "HS256", "ES256"},
		})
	case keySetPath:
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: i.keys})
	default:
		http.NotFound(w, r)
	}
}

// wasAsked compares how often the issuer was asked where its keys are, and for them, with what it should be.
func (i *issuer) wasAsked(t *testing.T, when string, discoveries, keys int) {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	if diff := cmp.Diff(map[string]int{discoveryPath: discoveries, keySetPath: keys}, i.asked); diff != "" {
		t.Errorf("%s the issuer was asked (-want +got):\n%s", when, diff)
	}
}

// signingKey makes a key of an issuer.
func signingKey(t *testing.T, id string) jose.JSONWebKey {
	t.Helper()
	return jose.JSONWebKey{Key: newECDSA(t), KeyID: id, Algorithm: string(jose.ES256), Use: "sig"}
}

// claims are those of somebody who may read orders, with changes; a claim that is changed to nil is left out.
func (i *issuer) claims(changes map[string]any) map[string]any {
	said := map[string]any{
		"iss": i.url, "aud": tokensAudience, "sub": "u-1", "exp": time.Now().Add(time.Hour).Unix(), "tenant": "acme", "scope": "openid portin:read",
	}
	maps.Copy(said, changes)
	maps.DeleteFunc(said, func(_ string, v any) bool { return v == nil })
	return said
}

// token is one with the usual claims and changes, signed with a key.
func (i *issuer) token(t *testing.T, key jose.JSONWebKey, changes map[string]any) string {
	t.Helper()
	return signed(t, jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key}, i.claims(changes))
}

// signed is a token in its compact form.
func signed(t *testing.T, key jose.SigningKey, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// tokenTenants is a callers file whose one caller is known by the subject of its tokens.
const tokenTenants = "tenants: [acme, globex]\ncallers:\n  - {name: night-shift, tenant: acme, scopes: [read, operate], subject: 00u1abcd}\n"

// takesTokens runs the program with a callers file, and takes the issuer's tokens.
func takesTokens(t *testing.T, i *issuer, roster string) (*process, *authority, *standin) {
	t.Helper()
	a, carrier := newAuthority(t), newStandin(t, sandbox.Config{})
	args := append(a.guardedArgs(t, roster), "--ledger-file="+sqlite.ledger(t).File, "--auth-oidc-issuer="+i.url, "--auth-oidc-audience="+tokensAudience)
	return startProgram(t, carrier, args...), a, carrier
}
