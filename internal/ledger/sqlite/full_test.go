package sqlite

import (
	"errors"
	"testing"
	"testing/synctest"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
)

// large is the nth order, with contents that need some pages.
func large(n int) ledger.Record {
	r := ledgertest.Record(n)
	r.Content = make([]byte, 64<<10)
	return r
}

func TestFault16_DiskFull(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	before := claim(t, s, ledgertest.Record(0))
	do(t, s, `PRAGMA max_page_count = 1`) // As many as there are.
	var err error
	n := 0
	for err == nil {
		n++
		_, err = s.Claim(t.Context(), large(n), ledgertest.Entry("claimed"))
	}
	for range 3 {
		if code(err) != sqlite3.SQLITE_FULL {
			t.Errorf("Claim on a full disk: %v, want SQLITE_FULL", err)
		}
		if _, err := s.Find(t.Context(), ledger.Default, large(n).OrderID); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("Find of the order that did not fit: %v", err)
		}
		_, err = s.Claim(t.Context(), large(n), ledgertest.Entry("claimed"))
	}
	found(t, s, 0, false)
	do(t, s, `PRAGMA max_page_count = 100000`)
	claim(t, s, large(n))
	if _, err := s.Advance(t.Context(), before.OrderID, ledgertest.Accept("T", before.Claimed)); err != nil {
		t.Errorf("once there is room: %v", err)
	}
	intact(t, s)
}

// A disk on which nothing can be written says so in another process, whose limits are its own.
func TestFault16_WritesFail(t *testing.T) {
	t.Parallel()
	p, said := begun(t, actFull, t.TempDir()+"/ledger.db", 0)
	if said != "open" {
		t.Fatal(said)
	}
	if code, said := p.ended(t); code != 0 {
		t.Errorf("ended with %d: %s", code, said)
	}
}

func TestFault16_StatementFails(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	first := claim(t, s, ledgertest.Record(0))
	for i, raise := range []string{"ABORT", "FAIL", "ROLLBACK"} {
		do(t, s, `CREATE TRIGGER fails BEFORE INSERT ON events WHEN NEW.note = 'fails' BEGIN SELECT RAISE(`+raise+`, 'no'); END`)
		r := ledgertest.Record(10 + i)
		_, err := s.Claim(t.Context(), r, ledgertest.Entry("fails"))
		if code(err) != sqlite3.SQLITE_CONSTRAINT_TRIGGER {
			t.Errorf("%s: Claim: %v, want SQLITE_CONSTRAINT_TRIGGER", raise, err)
		}
		if _, err := s.Find(t.Context(), r.Tenant, r.OrderID); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("%s: Find of the order that failed: %v", raise, err)
		}
		step := ledgertest.Accept("T", first.Claimed)
		change := step.Change
		step.Change = func(r *ledger.Record) (ledger.Entry, error) {
			_, err := change(r)
			return ledgertest.Entry("fails"), err
		}
		if _, err := s.Advance(t.Context(), first.OrderID, step); code(err) != sqlite3.SQLITE_CONSTRAINT_TRIGGER {
			t.Errorf("%s: Advance: %v, want SQLITE_CONSTRAINT_TRIGGER", raise, err)
		}
		found(t, s, 0, false)
		// Others are not concerned, and nothing is once the cause is gone.
		claim(t, s, ledgertest.Record(20+i))
		do(t, s, `DROP TRIGGER fails`)
		claim(t, s, r)
		found(t, s, 10+i, false)
	}
	if _, err := s.Advance(t.Context(), first.OrderID, ledgertest.Accept(ledgertest.Ticket(0), first.Claimed)); err != nil {
		t.Error(err)
	}
	found(t, s, 0, true)
	intact(t, s)
}

// A connection on which no transaction can begin is replaced, and the next write gets another one.
func TestFault16_LockedOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // The time that SQLite waits for the lock passes at once.
		s := fresh(t)
		path := asked[string](t, s, `SELECT file FROM pragma_database_list WHERE name = 'main'`)
		db, err := connect(path, writing)
		if err != nil {
			t.Fatal(err)
		}
		other := &line{db: db}
		t.Cleanup(func() {
			if err := errors.Join(other.close(), db.Close()); err != nil {
				t.Error(err)
			}
		})
		tx, err := begin(t.Context(), other, recent{})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.Check(t.Context()); code(err) != sqlite3.SQLITE_BUSY {
				t.Errorf("Check while somebody else writes: %v, want SQLITE_BUSY", err)
			}
		}
		tx.rollback(t.Context())
		if err := s.Check(t.Context()); err != nil {
			t.Errorf("Check afterwards: %v", err)
		}
	})
}
