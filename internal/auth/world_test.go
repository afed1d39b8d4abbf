package auth

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"go.uber.org/goleak"

	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/identity"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

const (
	audience = "portin-api"
	aRoster  = "tenants: [acme, globex]\n"
)

// clock is a clock that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// observer notes what it is told.
type observer struct {
	mu      sync.Mutex
	refused map[Refusal]int
	rosters []bool
	keys    chan bool
}

func (o *observer) Refused(why Refusal) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refused[why]++
}

func (o *observer) Roster(ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rosters = append(o.rosters, ok)
}

func (o *observer) Keys(ok bool) { o.keys <- ok }

// told are the files that it was told of since it was last asked.
func (o *observer) told() []bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	told := o.rosters
	o.rosters = nil
	return told
}

// house is an authenticator with what it is built from. When its test ends, nothing that was planted may be in its log, or in
// any error that it returned.
type house struct {
	*Authenticator

	t        *testing.T
	file     string
	clock    *clock
	observer *observer

	mu      sync.Mutex
	log     bytes.Buffer
	planted []string
}

func (h *house) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.Write(p)
}

// logged is the log, as it is by now.
func (h *house) logged() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.String()
}

func (h *house) plants(secrets ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.planted = append(h.planted, secrets...)
}

func (h *house) checks() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, secret := range h.planted {
		if strings.Contains(h.log.String(), secret) {
			h.t.Errorf("a secret is in the log or in an error: %s", secret)
		}
	}
}

func newHouse(t *testing.T, roster string, change func(*Params)) *house {
	t.Helper()
	h := &house{
		t: t, file: filepath.Join(t.TempDir(), "roster.yaml"), clock: &clock{at: time.Now()},
		observer: &observer{refused: map[Refusal]int{}, keys: make(chan bool, 100)},
	}
	h.writes(roster)
	p := Params{
		Roster: h.file, Log: slog.New(slog.NewJSONHandler(h, &slog.HandlerOptions{Level: slog.LevelDebug})), Observer: h.observer,
		Now: h.clock.Now,
	}
	if change != nil {
		change(&p)
	}
	var err error
	if h.Authenticator, err = New(p); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.checks)
	return h
}

func (h *house) writes(roster string) {
	h.t.Helper()
	if err := os.WriteFile(h.file, []byte(roster), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// finds authenticates, checks that a refusal says nothing, and returns who calls or why nobody does.
func (h *house) finds(c Credentials) (identity.Caller, Refusal) {
	h.t.Helper()
	caller, err := h.Authenticate(h.t.Context(), c)
	if err == nil {
		return caller, ""
	}
	fmt.Fprintf(h, "%v %+v %#v %v", err, err, err, errors.Unwrap(err))
	why, want := Why(err), "UNAUTHENTICATED: the request has no credentials that are valid here"
	if why == KeysMissing {
		want = "ISSUER_UNREACHABLE: the keys that tokens are checked with cannot be had yet; try again"
	}
	if again := fault.From(err).RetryAfter; why == "" || err.Error() != want || (again > 0) != (why == KeysMissing) {
		h.t.Errorf("the refusal %q is %v, to be tried again after %v", why, err, again)
	}
	return caller, why
}

func (h *house) bearer(token string) (identity.Caller, Refusal) {
	h.t.Helper()
	h.plants(token)
	return h.finds(Credentials{Authorization: "Bearer " + token})
}

// issuer is an issuer of tokens that runs.
type issuer struct {
	*httptest.Server

	t     *testing.T
	clock *clock

	mu    sync.Mutex
	keys  []any
	asked map[string]int
	// answer is what it answers instead; nil is what it should.
	answer http.HandlerFunc
}

const (
	discovery = "/.well-known/openid-configuration"
	keySet    = "/keys"
)

// newIssuer starts an issuer, and a house that takes its tokens.
func newIssuer(t *testing.T, roster string, changes ...func(*Params)) (*issuer, *house) {
	t.Helper()
	i := &issuer{t: t, asked: map[string]int{}}
	i.Server = httptest.NewTLSServer(i)
	t.Cleanup(i.Close)
	h := newHouse(t, roster, func(p *Params) {
		p.Issuer = Issuer{URL: i.URL, Audience: audience}
		p.Transport = i.Client().Transport
		for _, change := range changes {
			change(p)
		}
	})
	i.clock = h.clock
	return i, h
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.asked[r.URL.Path]++
	answer, keys := i.answer, i.keys
	i.mu.Unlock()
	switch {
	case answer != nil:
		answer(w, r)
	case r.URL.Path == discovery:
		i.discovered(w)
	case r.URL.Path == keySet:
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": keys})
	default:
		http.NotFound(w, r)
	}
}

// discovered answers where the keys are. What it says of algorithms must not count.
func (i *issuer) discovered(w io.Writer) {
	_ = json.NewEncoder(w).Encode(map[string]any{
		"issuer": i.URL, "jwks_uri": i.URL + keySet, "id_token_signing_alg_values_supported": []string{"none", "HS256", "ES256"},
	})
}

// onlyKeys answers right where the keys are, and then otherwise.
func (i *issuer) onlyKeys(answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == discovery {
			i.discovered(w)
			return
		}
		answer(w, r)
	}
}

// answers changes what the issuer answers.
func (i *issuer) answers(answer http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer = answer
}

// down answers as a server that fails, and quotes a secret of its own.
func down(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, planted, http.StatusServiceUnavailable)
}

// planted is in answers of the issuer and in rosters, and must never be in a log.
const planted = "hunter2-L9"

// publishes replaces the keys that the issuer has.
func (i *issuer) publishes(keys ...any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = keys
}

// counts is how often the issuer was asked for something since it was last counted.
func (i *issuer) counts() map[string]int {
	i.mu.Lock()
	defer i.mu.Unlock()
	counted := maps.Clone(i.asked)
	clear(i.asked)
	return counted
}

// newKey makes a key of an issuer.
func newKey(t *testing.T, id string) (private, public jose.JSONWebKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private = jose.JSONWebKey{Key: key, KeyID: id, Algorithm: string(jose.ES256), Use: "sig"}
	public = private.Public()
	return private, public
}

// sign makes a token of the usual claims with changes; a claim that is changed to nil is left out.
func (i *issuer) sign(key jose.JSONWebKey, changes map[string]any) string {
	i.t.Helper()
	return signed(i.t, jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key}, i.claims(changes))
}

func (i *issuer) claims(changes map[string]any) []byte {
	i.t.Helper()
	said := map[string]any{
		"iss": i.URL, "aud": audience, "sub": "u-1", "exp": i.clock.Now().Add(time.Hour).Unix(), "tenant": "acme", "scope": "openid portin:read",
	}
	maps.Copy(said, changes)
	maps.DeleteFunc(said, func(_ string, v any) bool { return v == nil })
	payload, err := json.Marshal(said)
	if err != nil {
		i.t.Fatal(err)
	}
	return payload
}

func signed(t *testing.T, key jose.SigningKey, payload []byte) string {
	t.Helper()
	signer, err := jose.NewSigner(key, nil)
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

// transport stands in for the network where time is a test's own.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answered(body io.Reader) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(body), Header: http.Header{}}
}
