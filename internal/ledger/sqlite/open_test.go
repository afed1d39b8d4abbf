package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
)

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	write := func(name string, content []byte, mode os.FileMode) {
		if err := os.WriteFile(at(name), content, mode); err != nil {
			t.Fatal(err)
		}
	}
	write("a text.db", bytes.Repeat([]byte("no database at all\n"), 500), 0o600)
	write("read-only.db", nil, 0o400)
	write("no folder", nil, 0o600)
	query(t, at("another.db"), `CREATE TABLE accounts (id INTEGER)`)
	query(t, at("marked.db"), `PRAGMA application_id = 1; CREATE TABLE orders (id INTEGER)`)
	for path, want := range map[string]string{
		"":                                 "a ledger needs the path of its file",
		at("missing/ledger.db"):            "the folder of the ledger " + at("missing/ledger.db") + ": ",
		at("no folder/ledger.db"):          "the folder of the ledger " + at("no folder/ledger.db") + " is no folder",
		folder:                             "the ledger " + folder + " is no file but d",
		at("read-only.db"):                 "the ledger " + at("read-only.db") + " is read-only",
		at("a text.db"):                    "open the ledger " + at("a text.db") + ": the file is no SQLite database",
		at("another.db"):                   "open the ledger " + at("another.db") + ": the file is another program's database",
		at("marked.db"):                    "open the ledger " + at("marked.db") + ": the file is another program's database",
		at("a long " + at("") + "name.db"): "the folder of the ledger ",
	} {
		before, _ := os.ReadFile(path)
		s, err := Open(t.Context(), Config{Path: path, Carrier: ledgertest.Carrier})
		if err == nil {
			t.Errorf("%q opens: %v", path, s.Close())
			continue
		}
		if !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %q, want %q…", path, err, want)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			t.Errorf("%q was written to", path)
		}
		// Nothing is kept: it can be opened, and refused, once more.
		if _, again := Open(t.Context(), Config{Path: path, Carrier: ledgertest.Carrier}); again == nil || again.Error() != err.Error() {
			t.Errorf("%q, once more: %v, want %v", path, again, err)
		}
	}
}

// query carries out statements on a file that is no ledger.
func query(t *testing.T, path, statements string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), statements)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestOpenTellsCarriersApart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	s := opened(t, path)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Config{Path: path, Carrier: "https://other.example"})
	if !errors.Is(err, ledger.ErrOtherCarrier) || !strings.Contains(err.Error(), ledgertest.Carrier) || !strings.Contains(err.Error(), "https://other.example") {
		t.Errorf("another carrier: %v; want ErrOtherCarrier and both names", err)
	}
}

// A path is a path, whatever characters it has, and what is made there is its owner's.
func TestOpenMakesTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a ?mode=memory&x=%20#1é.db")
	s := opened(t, path)
	claim(t, s, ledgertest.Record(1))
	for _, name := range []string{path, path + "-wal", path + "-shm", path + ".lock"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Error(err)
		} else if info.Mode() != 0o600 {
			t.Errorf("%s has the mode %s", name, info.Mode())
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	for name, want := range map[string]string{
		"journal_mode": "wal", "trusted_schema": "0", "foreign_keys": "1", "mmap_size": "0", "busy_timeout": "5000",
	} {
		if got := asked[string](t, s, `PRAGMA `+name); got != want {
			t.Errorf("%s is %s for readers, want %s", name, got, want)
		}
		if got := written(t, s, name); got != want {
			t.Errorf("%s is %s for the writer, want %s", name, got, want)
		}
	}
	if got := written(t, s, "synchronous"); got != "2" {
		t.Errorf("synchronous is %s for the writer, want 2, FULL", got)
	}
	err := s.reader.read(t.Context(), func(l *line) error {
		_, err := l.exec(t.Context(), `UPDATE ledger SET probe = 1`)
		return err
	})
	if err == nil {
		t.Error("a reader can write")
	}
}

// written is a setting of the connection that writes.
func written(t *testing.T, s *Store, setting string) (value string) {
	t.Helper()
	err := s.writer.write(t.Context(), func(ctx context.Context, t *transaction) error {
		_, err := t.one(ctx, `PRAGMA `+setting, nil, &value)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// A binary of yesterday opens what one of tomorrow has added to: it lists the columns that it knows, and leaves the rest.
func TestFault35_NewerSchema(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	s := opened(t, path)
	r := claim(t, s, ledgertest.Record(1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	query(t, path, `
		ALTER TABLE orders ADD COLUMN later TEXT NOT NULL DEFAULT '';
		ALTER TABLE events ADD COLUMN later TEXT;
		CREATE TABLE later (id INTEGER PRIMARY KEY, sequence INTEGER REFERENCES events (sequence));
		INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, TRUE)`)
	s = opened(t, path)
	found(t, s, 1, false)
	if _, err := s.Advance(t.Context(), r.OrderID, ledgertest.Accept(ledgertest.Ticket(1), r.Claimed)); err != nil {
		t.Error(err)
	}
	found(t, s, 1, true)
	claim(t, s, ledgertest.Record(2))
}

func TestSound(t *testing.T) {
	t.Parallel()
	if err := sound(linked); err != nil {
		t.Error(err)
	}
	for version, refused := range map[int]bool{3_051_003: false, 3_051_002: true, 3_050_099: true, 3_052_000: false, 2_099_099: true, 4_000_000: false} {
		err := sound(version)
		if (err != nil) != refused {
			t.Errorf("SQLite %s: %v", spelt(version), err)
		}
		if refused && (!strings.Contains(err.Error(), spelt(version)) || !strings.Contains(err.Error(), "3.51.3")) {
			t.Errorf("%v names neither", err)
		}
	}
}
