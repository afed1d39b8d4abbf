package sqlite

import (
	"errors"
	"flag"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/order"
)

var kills = flag.Int("kills", 10, "how many times TestFault11_KilledWriter kills a process")

func TestFault14_TwoStores(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	first := opened(t, path)
	second, err := Open(t.Context(), Config{Path: path, Carrier: ledgertest.Carrier})
	if !errors.Is(err, ledger.ErrInUse) || !strings.Contains(err.Error(), path) {
		t.Errorf("a second store: %v, %v; want ErrInUse and the file's name", second, err)
	}
	claim(t, first, ledgertest.Record(1))
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	claim(t, opened(t, path), ledgertest.Record(2))
}

func TestFault14_TwoProcesses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	holder, said := begun(t, actHold, path, 0)
	if said != "open" {
		t.Fatalf("a process that wants to open the ledger says %q", said)
	}
	if second, err := Open(t.Context(), Config{Path: path, Carrier: ledgertest.Carrier}); !errors.Is(err, ledger.ErrInUse) {
		t.Errorf("while another process has the ledger: %v, %v; want ErrInUse", second, err)
	}
	late, said := begun(t, actHold, path, 0)
	if code, _ := late.ended(t); code != inUse || !strings.Contains(said, path) {
		t.Errorf("a second process ends with %d and says %q", code, said)
	}
	holder.kill(t)
	s := opened(t, path)
	claim(t, s, ledgertest.Record(1))
	late, said = begun(t, actHold, path, 0)
	if code, _ := late.ended(t); code != inUse || !strings.Contains(said, path) {
		t.Errorf("beside this process, another ends with %d and says %q", code, said)
	}
}

// Orders are claimed and settled by a process that is killed at some moment, again and again, on one file.
func TestFault11_KilledWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	const claimed, accepted = "claimed", "accepted"
	acknowledged := map[int]string{}
	for round := range *kills {
		p, said := begun(t, actWork, path, round*roundSpace)
		if said != "open" {
			t.Fatalf("after %d kills: %s", round, said)
		}
		var lines []string
		for range rand.IntN(60) {
			if !p.lines.Scan() {
				t.Fatalf("the process ended by itself: %v", lines)
			}
			lines = append(lines, p.lines.Text())
		}
		lines = append(lines, p.kill(t)...)
		news := map[int]string{}
		for _, text := range lines {
			what, number, _ := strings.Cut(text, " ")
			n, err := strconv.Atoi(number)
			if err != nil || what != claimed && what != accepted {
				t.Fatalf("the process says %q", text)
			}
			news[n], acknowledged[n] = what, what
		}
		s := opened(t, path)
		intact(t, s)
		for n, what := range acknowledged {
			found(t, s, n, what == accepted)
		}
		// Of each worker, one more order may be there, wholly; and none after it.
		for i := range workers {
			n := round*roundSpace + i
			for news[n] != "" {
				n += workers
			}
			if _, err := s.Find(t.Context(), ledger.Default, ledgertest.Record(n).OrderID); err == nil {
				found(t, s, n, false)
				n += workers
			}
			if _, err := s.Find(t.Context(), ledger.Default, ledgertest.Record(n).OrderID); !errors.Is(err, ledger.ErrNotFound) {
				t.Errorf("order %d, which was never begun: %v", n, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// found fails the test unless the nth order is wholly there, and accepted if that was acknowledged.
func found(t *testing.T, s *Store, n int, accepted bool) {
	t.Helper()
	want := ledgertest.Record(n)
	events := []ledger.Event{ledger.Claimed(want, ledgertest.Entry("claimed"))}
	got, err := s.Find(t.Context(), want.Tenant, want.OrderID)
	if err != nil {
		t.Errorf("order %d: %v", n, err)
		return
	}
	if accepted || got.State == order.Accepted {
		next, told, err := ledgertest.Accept(ledgertest.Ticket(n), want.Claimed).Apply(want)
		if err != nil {
			t.Fatal(err)
		}
		want, events = next, append(events, told...)
	}
	told, err := s.Events(t.Context(), want.Tenant, want.OrderID, false, 0, 10)
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("order %d (-want +got):\n%s", n, diff)
	}
	if diff := cmp.Diff(events, told, cmpopts.IgnoreFields(ledger.Event{}, "Sequence")); diff != "" {
		t.Errorf("the events of order %d (-want +got):\n%s", n, diff)
	}
}
