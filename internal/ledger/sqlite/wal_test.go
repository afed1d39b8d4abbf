package sqlite

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
)

// files are a database's file and its log at one moment.
type files struct{ database, log []byte }

// copied copies the files of a store on which nobody works.
func copied(t *testing.T, path string) files {
	t.Helper()
	database, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(path + "-wal")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return files{database, log}
}

// restored is a store on a copy, the log of which is cut.
func (f files) restored(t *testing.T, cut int) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "copy.db")
	for name, content := range map[string][]byte{path: f.database, path + "-wal": f.log[:cut]} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return opened(t, path)
}

// holdings is all that a ledger has, in short: orders with their states, and how many numbers are held and events told.
type holdings struct {
	States         map[string]string
	Held, Sequence int
}

func holdingsOf(t *testing.T, s *Store) holdings {
	t.Helper()
	page, _, err := s.List(t.Context(), ledger.Query{Tenant: ledger.Default, Limit: 1000, MaxBytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	h := holdings{States: map[string]string{}}
	for _, r := range page {
		h.States[r.OrderID] = r.State.String()
	}
	h.Held = asked[int](t, s, `SELECT count(*) FROM numbers WHERE held = 1`)
	h.Sequence = asked[int](t, s, `SELECT sequence FROM ledger`)
	return h
}

// After each commit the files are copied as a power cut could leave them, with the log whole or cut somewhere. A copy opens, is
// sound, and is the ledger as one of the commits left it; the latest one, when the log is whole.
func TestFault12_LogCutAnywhere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	s := opened(t, path)
	do(t, s, `PRAGMA wal_autocheckpoint = 60`) // The log begins again a few times.
	const orders, cuts = 12, 2
	was := []holdings{holdingsOf(t, s)}
	lost := 0
	for n := range orders {
		r := ledgertest.Record(n)
		r.Content = make([]byte, rand.IntN(20<<10))
		claim(t, s, r)
		was = append(was, holdingsOf(t, s))
		check(t, copied(t, path), -1, was)
		if n%2 == 0 {
			if _, err := s.Advance(t.Context(), r.OrderID, ledgertest.Accept(ledgertest.Ticket(n), r.Claimed)); err != nil {
				t.Fatal(err)
			}
			was = append(was, holdingsOf(t, s))
		}
		// What was folded into the database already was on the disk before: no power cut takes it out of the log.
		now, folded := copied(t, path), foldedBytes(t, s)
		for range cuts {
			if check(t, now, folded+rand.IntN(len(now.log)-folded+1), was) < len(was)-1 {
				lost++
			}
		}
	}
	if lost == 0 {
		t.Error("no cut has cost a commit: nothing was tried")
	}
}

// foldedBytes is how much of the log is in the database as well.
func foldedBytes(t *testing.T, s *Store) int {
	t.Helper()
	const header, frame = 32, 24 + 4096
	var busy, frames, folded int
	err := s.reader.read(t.Context(), func(l *line) error {
		_, err := l.one(t.Context(), `PRAGMA wal_checkpoint(NOOP)`, nil, &busy, &frames, &folded)
		return err
	})
	if err != nil || busy != 0 || folded < 0 {
		t.Fatalf("how much of the log is folded in: busy %d, %d frames, %d folded, %v", busy, frames, folded, err)
	}
	if folded == 0 {
		return 0
	}
	return header + folded*frame
}

// check opens a copy and returns by which commit it is; -1 cuts nothing.
func check(t *testing.T, f files, cut int, was []holdings) int {
	t.Helper()
	whole := cut < 0
	if whole {
		cut = len(f.log)
	}
	s := f.restored(t, cut)
	intact(t, s)
	is := holdingsOf(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for i, then := range slices.Backward(was) {
		if cmp.Equal(then, is) {
			if whole && i < len(was)-1 {
				t.Errorf("with the whole log, the copy is by commit %d of %d", i, len(was)-1)
			}
			return i
		}
	}
	t.Errorf("with %d of %d bytes of the log, the copy is as no commit left it: %+v", cut, len(f.log), is)
	return -1
}
