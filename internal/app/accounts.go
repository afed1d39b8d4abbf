package app

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/portin/portin/internal/account"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/config"
)

// newAccounts builds the ways to the carrier, or to the stand-in for it, which has one account.
func (a *App) newAccounts() (*account.Accounts, error) {
	c := a.config
	p := accountParams(c)
	p.Carrier = carrier.Config{
		BaseURL: c.Carrier.URL, PostTimeout: c.Carrier.PostTimeout, GetTimeout: c.Carrier.GetTimeout,
		NoPortIn: carrier.NoPortIn(c.Carrier.NoPortIn),
		Panicked: func(ctx context.Context, err error) {
			a.metrics.panicked(panicOfOrders)()
			a.log.ErrorContext(ctx, "the carrier's client panicked while it sent an order", slog.Any("error", err))
		},
	}
	p.Observe = a.observed
	if a.sandbox != nil {
		p.Carrier.BaseURL = a.sandbox.baseURL()
	}
	p.Adopted, p.Log, p.Observer = a.access.adopted, a.log, a.metrics.access
	accounts, err := account.New(p)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", accountSetting(c), err)
	}
	return accounts, nil
}

// accountParams are the accounts that the settings name.
func accountParams(c config.Config) account.Params {
	if c.Sandbox {
		return account.Params{Username: sandboxUser, Password: sandboxPassword}
	}
	return account.Params{
		Username: c.Carrier.Username, Password: carrier.Secret(c.Carrier.Password.Reveal()), PasswordFile: c.Carrier.PasswordFile,
		File: c.Carrier.AccountsFile,
	}
}

// accountSetting is the setting that says who the service is at the carrier.
func accountSetting(c config.Config) string {
	if c.Carrier.AccountsFile != "" {
		return "carrier-accounts-file"
	}
	if c.Carrier.PasswordFile != "" {
		return "carrier-username, carrier-password-file"
	}
	return "carrier-username, carrier-password"
}
