package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"

	"github.com/portin/portin/internal/auth"
	"github.com/portin/portin/internal/certs"
	"github.com/portin/portin/internal/config"
	"github.com/portin/portin/internal/identity"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/rpc"
)

// access is who may call and what the faces serve with. Without files it is everybody, in the clear.
type access struct {
	// authenticator and certificates are nil when the settings name no files for them.
	authenticator *auth.Authenticator
	certificates  *certs.Files
	// asks says whether callers are asked for certificates.
	asks bool
	// adopted is the tenant that the ledger stores as its default one; empty when there are no tenants.
	adopted string
}

// callersParams are who may call, and by what, as the settings have it.
func callersParams(c config.Config, log *slog.Logger) auth.Params {
	p := auth.Params{Roster: c.Auth.CallersFile, Certificates: c.TLS.ClientCAFile != "", Log: log}
	if c.Auth.OIDCIssuer != "" {
		p.Issuer = auth.Issuer{URL: c.Auth.OIDCIssuer, Audience: c.Auth.OIDCAudience, TenantClaim: c.Auth.OIDCTenantClaim}
	}
	return p
}

// newAccess reads the files of the settings. The first tenant of the callers file adopts what the ledger has from before.
func (a *App) newAccess(ctx context.Context) (*access, error) {
	is := &access{asks: a.config.TLS.ClientCAFile != ""}
	if c := a.config.Auth; c.CallersFile != "" {
		p := callersParams(a.config, a.log)
		first, err := auth.Check(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("auth-callers-file: %w", err)
		}
		if is.adopted, err = a.ledger.Adopt(ctx, first); err != nil {
			return nil, fmt.Errorf("asking the ledger which tenant its orders belong to: %w", err)
		}
		p.Adopted, p.Observer = is.adopted, a.metrics.access
		if is.authenticator, err = auth.New(p); err != nil {
			return nil, fmt.Errorf("auth-callers-file: %w", err)
		}
	}
	if c := a.config.TLS; c.CertFile != "" {
		var err error
		if is.certificates, err = certs.New(certs.Params{ //nolint:contextcheck // it reads files, and logs without a call
			CertFile: c.CertFile, KeyFile: c.KeyFile, ClientCAFile: c.ClientCAFile, Log: a.log, Observer: a.metrics.access,
		}); err != nil {
			return nil, fmt.Errorf("tls-cert-file: %w", err)
		}
	}
	return is, nil
}

// door is what asks who calls.
func (is *access) door() rpc.Access {
	if is.authenticator == nil {
		return rpc.Everybody(ledger.Default)
	}
	return door{is.authenticator}
}

// known asks who sends a request, and lets everybody be somebody where callers are not told apart.
func (is *access) known(ctx context.Context, authorization string, certificate *x509.Certificate) error {
	_, err := is.door().Authenticate(ctx, authorization, certificate)
	return err
}

// tls is the configuration of a face that speaks these protocols; nil in the clear. A caller may show a certificate, and one
// who shows none may have a key.
func (is *access) tls(protocols ...string) *tls.Config {
	if is.certificates == nil {
		return nil
	}
	asked := tls.NoClientCert
	if is.asks {
		asked = tls.VerifyClientCertIfGiven
	}
	return is.certificates.Server(asked, protocols...)
}

// run follows the files until ctx ends.
func (is *access) run(ctx context.Context) []func() {
	var all []func()
	if is.authenticator != nil {
		all = append(all, func() { is.authenticator.Run(ctx) })
	}
	if is.certificates != nil {
		all = append(all, func() { is.certificates.Run(ctx) })
	}
	return all
}

// door is the authenticator as the gRPC face asks it.
type door struct{ authenticator *auth.Authenticator }

// Authenticate finds out who calls.
func (d door) Authenticate(ctx context.Context, authorization string, certificate *x509.Certificate) (identity.Caller, error) {
	return d.authenticator.Authenticate(ctx, auth.Credentials{Authorization: authorization, Certificate: certificate})
}

// NewKey makes an API key and prints it, with the line by which the callers file knows it.
func NewKey(out io.Writer) error {
	key, sum := auth.NewKey()
	_, err := fmt.Fprintf(out, "The key, which is shown once:\n\n  %s\n\nThe line of its caller in the callers file:\n\n  key_sha256: %s\n", key, sum)
	return err
}
