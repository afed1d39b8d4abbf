package app

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/portin/portin/internal/config"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/ledger/sqlite"
	"github.com/portin/portin/internal/order"
)

// The least that a setting may say and what the ledger holds to are one time.
func TestOrdersAreKeptAsLongAsTheirKeys(t *testing.T) {
	t.Parallel()
	if config.LeastKept != ledger.KeyLife {
		t.Errorf("orders-keep may be %v, and keys live for %v", config.LeastKept, ledger.KeyLife)
	}
}

// sandboxed are settings of a ledger in a file, whose orders go to the sandbox.
func sandboxed(t *testing.T) config.Config {
	t.Helper()
	c := config.Default()
	c.Sandbox, c.Ledger.File = true, filepath.Join(t.TempDir(), "ledger.db")
	return c
}

// opened is the ledger of such settings.
func opened(t *testing.T, c config.Config) ledger.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: c.Ledger.File, Carrier: sandboxCarrier})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// closedNow closes a ledger, which must succeed.
func closedNow(t *testing.T, s ledger.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAnOrderIsErasedByCommand(t *testing.T) {
	t.Parallel()
	c := sandboxed(t)
	s := opened(t, c)
	old, young := ledgertest.Record(1), ledgertest.Record(2)
	for r, at := range map[*ledger.Record]time.Time{&old: time.Now().AddDate(0, 0, -31), &young: time.Now().AddDate(0, 0, -29)} {
		if _, err := s.Claim(t.Context(), *r, ledgertest.Entry("about John")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Advance(t.Context(), r.OrderID, ledgertest.Move(order.Refused, order.ByAnswer, at)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Adopt(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	asked := Erasure{OrderID: old.OrderID, Tenant: "acme", Reason: "asked for"}
	erase := func(e Erasure) (string, error) {
		var out bytes.Buffer
		err := Erase(t.Context(), c, e, slog.New(slog.DiscardHandler), &out)
		return out.String(), err
	}
	wantError := func(what string, e Erasure, text string) {
		t.Helper()
		if said, err := erase(e); err == nil || said != "" || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: said %q, error %v; want one that says %q", what, said, err, text)
		}
	}
	wantError("while the service has the file", asked, "/v1/port-ins/"+old.OrderID+":erase")
	closedNow(t, s)
	wantError("an order of 29 days", Erasure{OrderID: young.OrderID, Tenant: "default", Reason: "x"}, "ORDER_NOT_ERASABLE")
	wantError("another tenant's", Erasure{OrderID: old.OrderID, Tenant: "globex", Reason: "x"}, "ORDER_NOT_FOUND")
	wantError("no order id", Erasure{OrderID: "1", Tenant: "acme", Reason: "x"}, "order_id")
	wantError("no reason", Erasure{OrderID: old.OrderID, Tenant: "acme"}, "reason")
	for range 2 { // the second time it is erased already
		if said, err := erase(asked); err != nil || !strings.Contains(said, old.OrderID) {
			t.Errorf("said %q, error %v", said, err)
		}
	}
	s = opened(t, c)
	defer closedNow(t, s)
	events, err := s.Events(t.Context(), old.Tenant, old.OrderID, false, 0, 10)
	if err != nil || len(events) != 3 {
		t.Fatalf("%d events, %v; want 3", len(events), err)
	}
	last := events[2]
	want := ledger.Actor{Kind: ledger.ByOperator, Name: "portin ledger erase"}
	if last.Type != ledger.EventErased || last.Actor != want || last.Note != "asked for" || events[0].Note != "" {
		t.Errorf("the events are %+v", events)
	}
	if r, err := s.Find(t.Context(), old.Tenant, old.OrderID); err != nil || r.Erased.IsZero() || r.Numbers != nil {
		t.Errorf("the order is %+v, %v", r, err)
	}
	c.Sandbox = false
	wantError("settings that are wrong", asked, "carrier-url")
}

// A ledger that is not there holds no order. Made on the spot, it would say that there is no such order.
func TestNothingIsErasedInALedgerThatIsNotThere(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Sandbox, c.Ledger.File = true, filepath.Join(t.TempDir(), "ledger.db")
	e := Erasure{OrderID: "01900000-0000-7000-8000-000000000001", Tenant: "default", Reason: "asked for"}
	err := Erase(t.Context(), c, e, slog.New(slog.DiscardHandler), io.Discard)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it says %v", err)
	}
	if _, err := os.Stat(c.Ledger.File); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a ledger was made: %v", err)
	}
}
