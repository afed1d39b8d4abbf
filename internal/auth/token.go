package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/portin/portin/internal/identity"
)

const (
	// leeway is how far the issuer's clock may be ahead of ours.
	leeway = time.Minute
	// scopePrefix begins the scopes of ours among the words of a token.
	scopePrefix = "portin:"
	// maxSubjectShown is how much of a subject a name shows.
	maxSubjectShown = 128
)

// algorithms are those that tokens may be signed with, whatever the issuer says: all have a public key, so that whoever can
// check a token cannot make one.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// tokens are the tokens of one issuer.
type tokens struct {
	issuer, tenantClaim string
	config              *oidc.Config
	now                 func() time.Time
	keys                *keys
}

func newTokens(p Params) *tokens {
	t := &tokens{
		issuer: p.Issuer.URL, tenantClaim: p.Issuer.TenantClaim, now: p.Now, keys: newKeys(p),
		// Times are checked below: the library would let a token in five minutes too early.
		config: &oidc.Config{ClientID: p.Issuer.Audience, SkipExpiryCheck: true},
	}
	for _, a := range algorithms {
		t.config.SupportedSigningAlgs = append(t.config.SupportedSigningAlgs, string(a))
	}
	if t.tenantClaim == "" {
		t.tenantClaim = "tenant"
	}
	return t
}

// renew has keys that are old fetched again, without waiting for them.
func (t *tokens) renew(ctx context.Context) {
	if t != nil && t.keys.old() {
		t.keys.refresh(ctx)
	}
}

// close gives up the connections to the issuer.
func (t *tokens) close() {
	if t != nil {
		t.keys.client.CloseIdleConnections()
	}
}

// caller is who a token is of.
func (t *tokens) caller(ctx context.Context, r *roster, raw string) (identity.Caller, Refusal) {
	subject, claims, why := t.verify(ctx, raw)
	switch {
	case why != "":
		return identity.Caller{}, why
	case r.subjects[subject] != nil:
		return *r.subjects[subject], ""
	}
	tenant, listed := r.tenants[textOf(claims[t.tenantClaim])]
	scopes := scopesOf(claims)
	if subject == "" || !listed || len(scopes) == 0 {
		return identity.Caller{}, TokenOfNobody
	}
	return identity.Caller{Name: nameOf(subject), Tenant: tenant, Scopes: scopes}, ""
}

// claims are what a token says, as JSON. A struct would take "Tenant" for "tenant".
type claims map[string]json.RawMessage

// verify checks a token wholly. The library's errors quote it, so they end here.
func (t *tokens) verify(ctx context.Context, raw string) (subject string, said claims, why Refusal) {
	signed := &signature{keys: t.keys, why: Malformed}
	token, err := oidc.NewVerifier(t.issuer, signed, t.config).Verify(ctx, raw)
	if err != nil {
		return "", nil, signed.why
	}
	var notBefore float64
	if token.Claims(&said) != nil || said["nbf"] != nil && json.Unmarshal(said["nbf"], &notBefore) != nil {
		return "", nil, TokenForeign
	}
	// A token without an end has the zero time for one, which is long over.
	if now := t.now(); token.Expiry.Before(now) || notBefore > float64(now.Add(leeway).Unix()) {
		return "", nil, TokenExpired
	}
	return token.Subject, said, ""
}

// signature is the check of one token's signature, which remembers what would be wrong if the verifier failed now: first that
// the token cannot be read, then what its signature came to, and, when that is good, its claims.
type signature struct {
	keys *keys
	why  Refusal
}

var _ oidc.KeySet = (*signature)(nil)

// VerifySignature returns what was signed.
func (s *signature) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil {
		return nil, err
	}
	payload, why := s.keys.check(ctx, jws)
	if why != "" {
		s.why = why
		return nil, &refusedError{why}
	}
	s.why = TokenForeign
	return payload, nil
}

// scopesOf are the scopes of ours that a token has. Issuers write them in either claim, as a text of words or as a list.
func scopesOf(said claims) []identity.Scope {
	words := map[string]bool{}
	for _, claim := range []string{"scope", "scp"} {
		var list []string
		if json.Unmarshal(said[claim], &list) != nil {
			list = strings.Fields(textOf(said[claim]))
		}
		for _, word := range list {
			words[word] = true
		}
	}
	var scopes []identity.Scope
	for _, scope := range identity.Scopes() {
		if words[scopePrefix+string(scope)] {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

// textOf is a claim that is a text; empty when it is none.
func textOf(claim json.RawMessage) string {
	var text string
	if json.Unmarshal(claim, &text) != nil {
		return ""
	}
	return text
}

// nameOf is what a subject is called. One that cannot be shown as it is goes by its digest, which begins with a character that
// no subject that is shown begins with, so that no two have one name; and no name of the roster has a colon.
func nameOf(subject string) string {
	if len(subject) <= maxSubjectShown && printable(subject) && !strings.ContainsAny(subject, " ") && subject[0] != '#' {
		return "oidc:" + subject
	}
	sum := sha256.Sum256([]byte(subject))
	return "oidc:#" + hex.EncodeToString(sum[:16])
}
