package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
)

const aCarrier = "https://carrier.example/rest.svc"

// TestAWriteThatHangsHoldsNobody has a write hang as on a disk that does not answer: callers get their answer when their
// time is over, and what they had begun is carried out once the disk is back.
func TestAWriteThatHangsHoldsNobody(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "ledger.db"), Carrier: aCarrier})
	if err != nil {
		t.Fatal(err)
	}
	r := ledgertest.Record(1)
	if _, err := s.Claim(t.Context(), r, ledger.Entry{}); err != nil {
		t.Fatal(err)
	}
	hangs, goesOn := make(chan struct{}), make(chan struct{})
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := s.Advance(ctx, r.OrderID, ledger.Step{Now: time.Now(), Change: func(r *ledger.Record) (ledger.Entry, error) {
			close(hangs)
			<-goesOn
			r.PortDate = "2026-12-01"
			return ledger.Entry{}, nil
		}})
		left <- err
	}()
	<-hangs
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("who left is answered %v", err)
	}
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := s.Check(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("meanwhile writing is answered %v", err)
	}
	close(goesOn)
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if now, err := s.Find(t.Context(), r.Tenant, r.OrderID); err != nil || now.PortDate != "2026-12-01" {
		t.Errorf("afterwards the order has the day %q, %v", now.PortDate, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestFault14_ALinkToTheFileIsTheFile comes to one ledger by two names.
func TestFault14_ALinkToTheFileIsTheFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s, err := Open(t.Context(), Config{Path: filepath.Join(folder, "ledger.db"), Carrier: aCarrier})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	link := filepath.Join(folder, "link.db")
	if err := os.Symlink("ledger.db", link); err != nil {
		t.Fatal(err)
	}
	if second, err := Open(t.Context(), Config{Path: link, Carrier: aCarrier}); !errors.Is(err, ledger.ErrInUse) {
		t.Errorf("by a link the ledger opens a second time: %v, %v", second, err)
	}
}
