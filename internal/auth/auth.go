// Package auth proves who calls: by an API key, a token of an OpenID Connect issuer, or a client certificate.
//
// It promises that whoever is refused is told one and the same thing, and whoever cannot be judged yet to come back; that no
// key, token or digest is ever in an error or in the log; and that neither a flood of forged tokens nor an issuer that is down
// costs the issuer, or the callers whose keys are known, anything. It refuses to decide what a caller may do with an order, to
// keep keys (a file has digests of them), and to check a certificate's chain.
package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/portin/portin/internal/handfile"
	"github.com/portin/portin/internal/identity"
)

// Params are what New needs.
type Params struct {
	// Roster is the file that says who may call.
	Roster string
	// Adopted is the tenant, as the roster names it, that the ledger stores as "default"; empty when none is.
	Adopted string
	// Issuer is whose tokens are taken; the zero value is nobody's.
	Issuer Issuer
	// Certificates says that callers are asked for certificates. It admits nobody; callers who have nothing else are told of
	// without it.
	Certificates bool
	// Transport reaches the issuer; nil is one of its own, without a proxy.
	Transport http.RoundTripper
	Log       *slog.Logger
	// Observer is told what becomes of credentials; nil is nobody.
	Observer Observer
	// Now is the clock; nil is the system's.
	Now func() time.Time
}

// Authenticator finds out who calls. Build it with New; its methods are safe for concurrent use. A change of the roster, and
// a key that the issuer has withdrawn, are seen only while Run runs.
type Authenticator struct {
	file, adopted string
	certificates  bool // are asked for
	log           *slog.Logger
	observer      Observer
	roster        atomic.Pointer[roster]
	tokens        *tokens        // nil where no issuer is set
	looks         handfile.Looks // at the roster's file; Run's alone
}

// New reads the roster and returns an authenticator, or everything that is wrong with the roster and the settings. It does not
// ask the issuer for anything, and leaves it to Check to tell of callers who can never call.
func New(p Params) (*Authenticator, error) {
	if p.Observer == nil {
		p.Observer = nobody{}
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	a := &Authenticator{file: p.Roster, adopted: p.Adopted, certificates: p.Certificates, log: p.Log, observer: p.Observer}
	read, found, unread := load(p.Roster, p.Adopted)
	if err := errors.Join(unread, p.Issuer.validate()); err != nil {
		return nil, err
	}
	a.looks.Begin(found)
	a.roster.Store(read)
	a.observer.Roster(true)
	if p.Issuer != (Issuer{}) {
		a.tokens = newTokens(p)
	}
	return a, nil
}

// Authenticate returns who calls. A bearer token decides where there is one, for behind a mesh the certificate is the mesh's;
// any other Authorization is refused rather than passed over. The error is an unauthenticated fault that does not say why;
// the function Why does. Only a token that cannot be checked, because the issuer was never reached, has another one, by which its
// caller comes back. It waits for the issuer's keys only when a token may be signed by one that is not known yet, and
// never longer than ctx.
func (a *Authenticator) Authenticate(ctx context.Context, c Credentials) (identity.Caller, error) {
	caller, why := a.caller(ctx, c)
	if why != "" {
		a.observer.Refused(why)
		return identity.Caller{}, answer(why)
	}
	return caller, nil
}

func (a *Authenticator) caller(ctx context.Context, c Credentials) (identity.Caller, Refusal) {
	switch r := a.roster.Load(); {
	case c.Authorization != "":
		return a.bearer(ctx, r, c.Authorization)
	case c.Certificate != nil:
		return known(r.byCertificate(c.Certificate), UnknownCertificate)
	default:
		return identity.Caller{}, NoCredentials
	}
}

func (a *Authenticator) bearer(ctx context.Context, r *roster, authorization string) (identity.Caller, Refusal) {
	token, ok := bearer(authorization)
	switch {
	case ok && keyForm.MatchString(token):
		return known(r.byKey(token), UnknownKey)
	case ok && a.tokens != nil:
		return a.tokens.caller(ctx, r, token)
	default:
		return identity.Caller{}, Malformed
	}
}

// known is a caller of the roster, or the refusal when there is none.
func known(c *identity.Caller, otherwise Refusal) (identity.Caller, Refusal) {
	if c == nil {
		return identity.Caller{}, otherwise
	}
	return *c, ""
}
