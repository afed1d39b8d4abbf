package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/portin/portin/internal/account"
	"github.com/portin/portin/internal/auth"
	"github.com/portin/portin/internal/certs"
	"github.com/portin/portin/internal/config"
	"github.com/portin/portin/internal/sandbox"
)

// Check reports everything that is wrong with settings, as far as it can be seen without starting anything. What is allowed and
// hardly meant is a warning in the log, as when the service starts.
func Check(ctx context.Context, c config.Config, log *slog.Logger) error {
	warn(ctx, c, log)
	err := c.Validate()
	if c.Sandbox {
		if _, unknown := sandbox.ParseUnknowns(c.Standin.Unknowns); unknown != nil {
			err = errors.Join(err, fmt.Errorf("sandbox-unknowns: %w", unknown))
		}
	}
	if c.Auth.CallersFile != "" {
		if _, broken := auth.Check(ctx, callersParams(c, log)); broken != nil {
			err = errors.Join(err, fmt.Errorf("auth-callers-file: %w", broken))
		}
	}
	// What is missing, Validate has said.
	named := c.Carrier.AccountsFile != "" || c.Carrier.Username != "" && (c.Carrier.Password != "" || c.Carrier.PasswordFile != "")
	if !c.Sandbox && named {
		if broken := account.Check(accountParams(c)); broken != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", accountSetting(c), broken))
		}
	}
	if c.TLS.CertFile != "" && c.TLS.KeyFile != "" {
		_, broken := certs.New(certs.Params{ //nolint:contextcheck // it reads files, and logs without a call
			CertFile: c.TLS.CertFile, KeyFile: c.TLS.KeyFile, ClientCAFile: c.TLS.ClientCAFile, Log: slog.New(slog.DiscardHandler),
			Observer: newAccessMetrics(),
		})
		if broken != nil {
			err = errors.Join(err, fmt.Errorf("tls-cert-file: %w", broken))
		}
	}
	return err
}

// warn tells of settings that are allowed and hardly meant. A service that starts with them says the same.
func warn(ctx context.Context, c config.Config, log *slog.Logger) {
	if c.Sandbox && c.Ledger != (config.Ledger{}) {
		log.WarnContext(ctx, "the sandbox carrier forgets all tickets when the service ends, and this ledger keeps their orders: after the next start those that are open stay open, and hold their numbers, until they are closed by hand")
	}
}
