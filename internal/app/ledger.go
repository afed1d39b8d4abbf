package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/portin/portin/internal/config"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/postgres"
	"github.com/portin/portin/internal/ledger/sqlite"
)

// sandboxCarrier is what a ledger of the stand-in's orders remembers instead of the address, which may change.
const sandboxCarrier = "the sandbox carrier"

// openLedger is the store that the settings name.
type openLedger struct {
	ledger.Store
	// is says what kind it is, for the log; folder is what is thrown away with it, when it is a throw-away one.
	is, folder string
}

// open opens the ledger that the settings name, or a throw-away one.
func open(ctx context.Context, c config.Config) (*openLedger, error) {
	carrier := c.Carrier.URL
	if c.Sandbox {
		carrier = sandboxCarrier
	}
	address, err := c.LedgerURL()
	switch {
	case err != nil:
		return nil, err
	case address != "":
		s, err := postgres.Open(ctx, postgres.Config{URL: address.Reveal(), Carrier: carrier})
		if err != nil {
			return nil, fmt.Errorf("the ledger: %w", err)
		}
		return &openLedger{Store: s, is: "postgres"}, nil
	case c.Ledger.File != "":
		s, err := sqlite.Open(ctx, sqlite.Config{Path: c.Ledger.File, Carrier: carrier})
		if err != nil {
			return nil, fmt.Errorf("the ledger: %w", err)
		}
		return &openLedger{Store: s, is: "sqlite"}, nil
	}
	folder, err := os.MkdirTemp("", "portin-ledger-")
	if err != nil {
		return nil, fmt.Errorf("a throw-away ledger: %w", err)
	}
	s, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(folder, "ledger.db"), Carrier: carrier})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("a throw-away ledger: %w", err), os.RemoveAll(folder))
	}
	return &openLedger{Store: s, is: "throw-away", folder: folder}, nil
}

// Close closes the ledger, and throws a throw-away one away.
func (l *openLedger) Close() error {
	err := l.Store.Close()
	if l.folder != "" {
		err = errors.Join(err, os.RemoveAll(l.folder))
	}
	return err
}
