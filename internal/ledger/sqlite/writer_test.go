package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
)

// queue is writes that wait for one that is under way, so that they make one group.
type queue struct {
	*testing.T

	store *Store
	gate  chan struct{}
	errs  map[string]chan error
}

// newQueue occupies the writer of a store. It is called in a bubble, where synctest.Wait tells that everybody waits.
func newQueue(t *testing.T, s *Store) queue {
	t.Helper()
	q := queue{T: t, store: s, gate: make(chan struct{}), errs: map[string]chan error{}}
	go func() {
		_ = s.writer.write(context.WithoutCancel(t.Context()), func(context.Context, *transaction) error { <-q.gate; return nil })
	}()
	synctest.Wait()
	return q
}

// add lets a write wait behind those that wait already.
func (q queue) add(name string, write func(ctx context.Context) error) (leave context.CancelFunc) {
	ctx, leave := context.WithCancel(q.Context())
	end := make(chan error, 1)
	q.errs[name] = end
	go func() { end <- write(ctx) }()
	synctest.Wait()
	return leave
}

// claim lets the claim of the nth order wait.
func (q queue) claim(n int) (leave context.CancelFunc) {
	return q.add(fmt.Sprint(n), func(ctx context.Context) error {
		_, err := q.store.Claim(ctx, ledgertest.Record(n), ledgertest.Entry("claimed"))
		return err
	})
}

// run lets the writes be carried out and returns what became of each.
func (q queue) run() map[string]error {
	close(q.gate)
	all := map[string]error{}
	for name, end := range q.errs {
		all[name] = <-end
	}
	return all
}

// there fails the test unless exactly these orders are there, with events that have no gap among their sequences.
func there(t *testing.T, s *Store, want ...int) {
	t.Helper()
	var ids []string
	for _, n := range want {
		found(t, s, n, false)
		ids = append(ids, ledgertest.Record(n).OrderID)
	}
	if n := asked[int](t, s, `SELECT count(*) FROM orders`); n != len(ids) {
		t.Errorf("%d orders are there, want %v", n, ids)
	}
	if n := asked[int](t, s, `SELECT max(sequence) - count(*) + (SELECT sequence FROM ledger) - max(sequence) FROM events`); n != 0 {
		t.Errorf("%d sequences have no event", n)
	}
	intact(t, s)
}

func TestGroupSharesACommitAndNoFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := fresh(t)
		q := newQueue(t, s)
		commits := s.writer.commits.Load()
		halfway := func(end func() error) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				return s.writer.write(ctx, func(ctx context.Context, t *transaction) error {
					if _, err := t.insert(ctx, ledgertest.Record(100)); err != nil {
						return err
					}
					return end()
				})
			}
		}
		q.claim(1)
		q.add("fails", halfway(func() error { return errors.New("no") }))
		q.claim(2)
		q.add("panics", halfway(func() error { panic("a secret") }))
		q.add("key taken", func(ctx context.Context) error {
			_, err := s.Claim(ctx, ledgertest.Record(1), ledgertest.Entry("claimed"))
			return err
		})
		q.claim(3)
		got := q.run()
		want := map[string]string{
			"1": "", "2": "", "3": "", "fails": "no", "panics": "a write panicked with a string", "key taken": ledger.ErrMoved.Error(),
		}
		if diff := cmp.Diff(want, texts(got)); diff != "" {
			t.Errorf("what became of the writes (-want +got):\n%s", diff)
		}
		if n := s.writer.commits.Load() - commits; n != 2 {
			t.Errorf("there were %d commits, want one for the write before and one for the group", n)
		}
		there(t, s, 1, 2, 3)
	})
}

// texts are errors as they read.
func texts(errs map[string]error) map[string]string {
	all := map[string]string{}
	for name, err := range errs {
		all[name] = ""
		if err != nil {
			all[name] = err.Error()
		}
	}
	return all
}

// When a commit fails it fails for all, also for one that only looked: what it saw was not to be.
func TestCommitFailsForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := fresh(t)
		r := claim(t, s, ledgertest.Record(1))
		do(t, s, `CREATE TABLE unpaid (serial INTEGER REFERENCES orders (serial) DEFERRABLE INITIALLY DEFERRED)`)
		q := newQueue(t, s)
		q.claim(2)
		q.add("looks", func(ctx context.Context) error {
			_, err := s.Claim(ctx, ledgertest.Record(2), ledgertest.Entry("claimed"))
			return err
		})
		q.add("steps", func(ctx context.Context) error {
			_, err := s.Advance(ctx, r.OrderID, ledgertest.Accept("T", r.Claimed))
			return err
		})
		q.add("owes", func(ctx context.Context) error {
			return s.writer.write(ctx, func(ctx context.Context, t *transaction) error {
				_, err := t.exec(ctx, `INSERT INTO unpaid VALUES (-1)`)
				return err
			})
		})
		q.claim(3)()
		for name, err := range q.run() {
			if name == "3" {
				if !errors.Is(err, context.Canceled) {
					t.Errorf("who left is told %v", err)
				}
			} else if code(err) != sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY || errors.Is(err, ledger.ErrMoved) {
				t.Errorf("%s is told %v, want why the commit failed", name, err)
			}
		}
		there(t, s, 1)
		// What the failed step did is forgotten, by the next step too.
		got, err := s.Advance(t.Context(), r.OrderID, ledger.Step{Now: r.Claimed, Change: func(r *ledger.Record) (ledger.Entry, error) {
			return ledger.Entry{}, errors.New(r.State.String())
		}})
		if err == nil || err.Error() != "SENDING" || got.State != r.State {
			t.Errorf("the next step is handed an order in %v, and returns %+v", err, got)
		}
		claim(t, s, ledgertest.Record(2))
		claim(t, s, ledgertest.Record(3))
		there(t, s, 1, 2, 3)
	})
}

func TestWhoLeavesBeforeItsTurnIsNotServed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := fresh(t)
		q := newQueue(t, s)
		q.claim(1)
		leave := q.claim(2)
		leave()
		synctest.Wait()
		if err := <-q.errs["2"]; !errors.Is(err, context.Canceled) {
			t.Errorf("who leaves while the writer is busy is told %v", err)
		}
		delete(q.errs, "2")
		// One that leaves while its group is under way, before its turn.
		second := make(chan struct{})
		q.add("slow", func(ctx context.Context) error {
			return s.writer.write(ctx, func(context.Context, *transaction) error { <-second; return nil })
		})
		leave = q.claim(3)
		close(q.gate)
		synctest.Wait()
		leave()
		if err := <-q.errs["3"]; !errors.Is(err, context.Canceled) {
			t.Errorf("who leaves before its turn in the group is told %v", err)
		}
		close(second)
		if err := errors.Join(<-q.errs["1"], <-q.errs["slow"]); err != nil {
			t.Error(err)
		}
		there(t, s, 1)
	})
}

func TestCloseServesWhoWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := fresh(t)
		path := asked[string](t, s, `SELECT file FROM pragma_database_list WHERE name = 'main'`)
		q := newQueue(t, s)
		for n := range 5 {
			q.claim(n)
		}
		closed := make(chan error, 1)
		go func() { closed <- s.Close() }()
		synctest.Wait()
		for name, err := range q.run() {
			if err != nil {
				t.Errorf("%s, which waited when the store was closed: %v", name, err)
			}
		}
		if err := <-closed; err != nil {
			t.Error(err)
		}
		there(t, opened(t, path), 0, 1, 2, 3, 4)
	})
}

// Readers do not wait for the writer, and see nothing of what it has not committed.
func TestReadersDoNotWait(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	claim(t, s, ledgertest.Record(0))
	wrote, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- s.writer.write(context.WithoutCancel(t.Context()), func(ctx context.Context, t *transaction) error {
			_, err := t.claim(ctx, ledgertest.Record(1), ledgertest.Entry("claimed"))
			close(wrote)
			<-goOn
			return err
		})
	}()
	<-wrote
	there := func() []bool {
		var all []bool
		for n := range 2 {
			_, err := s.Find(t.Context(), ledger.Default, ledgertest.Record(n).OrderID)
			all = append(all, err == nil)
		}
		return all
	}
	if diff := cmp.Diff([]bool{true, false}, there()); diff != "" {
		t.Errorf("what is there while a write is under way (-want +got):\n%s", diff)
	}
	close(goOn)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]bool{true, true}, there()); diff != "" {
		t.Errorf("what is there afterwards (-want +got):\n%s", diff)
	}
}

// A store that is opened and closed in a bubble lets time pass there, and leaves the others as they are.
func TestStoreInABubble(t *testing.T) {
	t.Parallel()
	outside := fresh(t)
	synctest.Test(t, func(t *testing.T) {
		s := fresh(t)
		claim(t, s, ledgertest.Record(1))
		began := time.Now()
		<-time.After(24 * time.Hour)
		if passed := time.Since(began); passed != 24*time.Hour {
			t.Errorf("%v passed", passed)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, _, err := s.List(ctx, ledger.Query{Tenant: ledger.Default, Limit: 1, MaxBytes: 1}); err != nil {
			t.Error(err)
		}
	})
	claim(t, outside, ledgertest.Record(1))
}

// What a write throws may be anybody's data.
func TestPanicQuotesNothing(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	r := claim(t, s, ledgertest.Record(1))
	for _, thrown := range []any{"4165550123", fmt.Errorf("4165550123"), struct{ number string }{"4165550123"}} {
		_, err := s.Advance(t.Context(), r.OrderID, ledger.Step{Change: func(*ledger.Record) (ledger.Entry, error) { panic(thrown) }})
		if err == nil || strings.Contains(err.Error(), "416") || !strings.Contains(err.Error(), fmt.Sprintf("%T", thrown)) {
			t.Errorf("a panic with a %T is told as %v", thrown, err)
		}
	}
}
