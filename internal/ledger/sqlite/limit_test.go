package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
)

// fill has the system refuse to make any file larger, and allow it again.
func fill(s *Store) error {
	ctx := context.Background()
	if _, err := s.Claim(ctx, ledgertest.Record(0), ledgertest.Entry("claimed")); err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ) // Writes fail instead.
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		return err
	}
	full := syscall.Rlimit{Cur: 300 << 10, Max: before.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
		return err
	}
	var err error
	n := 0
	for err == nil {
		n++
		_, err = s.Claim(ctx, large(n), ledgertest.Entry("claimed"))
	}
	if code(err)&0xff != sqlite3.SQLITE_IOERR && code(err) != sqlite3.SQLITE_FULL {
		return fmt.Errorf("Claim: %w, want SQLITE_IOERR or SQLITE_FULL", err)
	}
	if _, err := s.Find(ctx, ledger.Default, large(n).OrderID); !errors.Is(err, ledger.ErrNotFound) {
		return fmt.Errorf("Find of the order that did not fit: %w", err)
	}
	if _, err := s.Find(ctx, ledger.Default, large(n-1).OrderID); err != nil {
		return fmt.Errorf("Find of an order that fitted: %w", err)
	}
	// Not even a page is free.
	for err = s.Check(ctx); err == nil; err = s.Check(ctx) {
		continue
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		return err
	}
	if err := s.Check(ctx); err != nil {
		return fmt.Errorf("Check, once there is room: %w", err)
	}
	if _, err := s.Claim(ctx, large(n), ledgertest.Entry("claimed")); err != nil {
		return fmt.Errorf("Claim, once there is room: %w", err)
	}
	return nil
}
