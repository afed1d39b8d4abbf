package auth

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"time"

	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/handfile"
)

const (
	// lookEvery is how often the roster's file is looked at.
	lookEvery = 5 * time.Second
	// maxRoster is how large it may be: a thousand callers with all that they may have fit.
	maxRoster = 8 << 20
)

// Check reads a roster and returns its first tenant, the one that may adopt what a ledger holds from before there were
// tenants; or everything that is wrong with it. Callers of it who can never call are no error, and told of in the log. Of the
// Params, only Roster, Certificates, Issuer and Log count, and the issuer is not looked at. Whether the roster's "default" is the
// adopted tenant is not known here, so that name is let through.
func Check(ctx context.Context, p Params) (first string, err error) {
	r, _, err := load(p.Roster, adoptedTenant)
	if err != nil {
		return "", err
	}
	r.warn(ctx, p.Log, p.Certificates, p.Issuer != (Issuer{}))
	return r.first, nil
}

// load reads a roster's file, and the digest of what it found.
func load(path, adopted string) (*roster, handfile.Sum, error) {
	content, err := handfile.Read(path, maxRoster)
	if err != nil {
		return nil, sha256.Sum256([]byte(err.Error())), fmt.Errorf("reading the callers file: %w", err)
	}
	r, err := parse(content, adopted)
	if err != nil {
		err = fmt.Errorf("the callers file cannot be used: %w", err)
	}
	return r, sha256.Sum256(content), err
}

// Run keeps what is known up to date until ctx ends: the issuer's keys, once there are any, and the roster, whose file it looks
// at every five seconds. A good one replaces the one in force as a whole once two looks have found it, for half a file may be a
// roster with fewer callers; a bad one leaves it in force, and is logged once.
func (a *Authenticator) Run(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			a.tokens.close()
			return
		case <-ticker.C:
			a.look(ctx)
			a.tokens.renew(ctx)
		}
	}
}

func (a *Authenticator) look(ctx context.Context) {
	defer func() {
		if p := recover(); p != nil {
			a.log.ErrorContext(ctx, "looking at the callers file panicked", slog.Any("error", fault.Panicked(p)))
		}
	}()
	read, found, err := load(a.file, a.adopted)
	if !a.looks.Changed(found) {
		return
	}
	a.observer.Roster(err == nil)
	if err != nil {
		a.log.ErrorContext(ctx, "the callers file has changed and cannot be used; the one before stays in force", slog.Any("error", err))
		return
	}
	a.roster.Store(read)
	a.log.InfoContext(ctx, "the callers file has changed", slog.Int("tenants", len(read.tenants)), slog.Int("callers", read.callers))
	read.warn(ctx, a.log, a.certificates, a.tokens != nil)
}
