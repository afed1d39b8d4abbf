package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pressly/goose/v3"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/order"
)

// What the binary of the first shape writes and reads. These texts are as frozen as the migration.
const (
	yesterdaysColumns = `order_id, tenant, request_id, carrier_account, target, customer_reference, created, attempt, owner, lease_ns, fence,
		warnings, looks, look_failed, reply, message, error_id, reason, problem, retry_after_ns, doubt_since, doubt_asked, doubt_finding,
		doubt_agreed, doubt_counted, attention, status, disputing, port_date, claimed, settled, state, needs_attention, class, length, span, due,
		ticket, updated`
	yesterdaysEvent = `INSERT INTO events
		(sequence, serial, time, actor_kind, actor_name, type, attempt, state, status, ticket, port_date, unverified, note)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	yesterdaysNumbers = `INSERT INTO numbers (tenant, number, created, order_id, serial, held)
		SELECT ?1, j.value, ?2, ?3, ?4, ?6 FROM json_each(?5) j WHERE TRUE`
	yesterdaysStep = `UPDATE orders SET attempt = ?, owner = ?, lease_ns = ?, fence = ?, warnings = ?, looks = ?, look_failed = ?, reply = ?,
		message = ?, error_id = ?, reason = ?, problem = ?, retry_after_ns = ?, doubt_since = ?, doubt_asked = ?, doubt_finding = ?,
		doubt_agreed = ?, doubt_counted = ?, attention = ?, status = ?, disputing = ?, port_date = ?, claimed = ?, settled = ?,
		state = ?, needs_attention = ?, class = ?, length = ?, span = ?, due = ?, ticket = ?, updated = ? WHERE serial = ?`
)

// yesterday writes as the binary of the first shape does.
type yesterday struct {
	*testing.T
	// exec carries out a statement.
	exec     func(query string, args ...any) error
	sequence int64
}

// write writes an order with one event for each type, as of these states.
func (y *yesterday) write(serial int64, r ledger.Record, events ...ledger.Event) {
	y.Helper()
	s, err := store(serial, clean(r))
	if err != nil {
		y.Fatal(err)
	}
	values := slices.Concat(s.fixed()[:7], s.plain()[:24], s.indexed(), []any{serial})
	y.do(`INSERT INTO orders (`+yesterdaysColumns+`, serial) VALUES (?`+strings.Repeat(`, ?`, len(values)-1)+`)`, values...)
	y.do(`INSERT INTO contents (serial, content, numbers) VALUES (?, ?, ?)`, serial, r.Content, s.numbers)
	y.do(yesterdaysNumbers, r.Tenant, s.created, r.OrderID, serial, s.numbers, number(r.Holds()))
	y.tell(serial, events...)
}

// step changes an order.
func (y *yesterday) step(serial int64, r ledger.Record, events ...ledger.Event) {
	y.Helper()
	s, err := store(serial, clean(r))
	if err != nil {
		y.Fatal(err)
	}
	y.do(yesterdaysStep, slices.Concat(s.plain()[:24], s.indexed(), []any{serial})...)
	y.tell(serial, events...)
}

// tell writes events, of which it knows neither the tenant nor how the order stood.
func (y *yesterday) tell(serial int64, events ...ledger.Event) {
	y.Helper()
	for _, e := range events {
		y.sequence++
		y.do(yesterdaysEvent, y.sequence, serial, micros(e.Time), string(e.Actor.Kind), e.Actor.Name, string(e.Type), e.Attempt, int64(e.State),
			string(e.Status), e.Ticket, e.PortDate, number(e.Unverified), e.Note)
	}
	y.do(`UPDATE ledger SET sequence = ? WHERE one = 1`, y.sequence)
}

func (y *yesterday) do(query string, args ...any) {
	y.Helper()
	if err := y.exec(query, args...); err != nil {
		y.Fatalf("%v: %s", err, query)
	}
}

// firstShape makes a ledger of the first shape, and hands what fill writes.
func firstShape(t *testing.T, fill func(y *yesterday)) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "ledger.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, folder, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	y := &yesterday{T: t, exec: func(query string, args ...any) error {
		_, err := db.ExecContext(t.Context(), query, args...)
		return err
	}}
	y.do(`PRAGMA application_id = 0x706f7274`)
	y.do(`INSERT INTO ledger (one, id, carrier, sequence, probe) VALUES (1, 'an id', ?, 0, 0)`, ledgertest.Carrier)
	fill(y)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// told is an order of the first shape, its events as they are to be read, and steps of its life.
type told struct {
	ledger.Record

	events []ledger.Event
}

// live takes an order through some steps.
func live(t *testing.T, r ledger.Record, steps ...ledger.Step) told {
	t.Helper()
	all := told{r, []ledger.Event{ledger.Claimed(r, ledgertest.Entry("claimed"))}}
	for _, s := range steps {
		next, events, err := s.Apply(all.Record)
		if err != nil {
			t.Fatal(err)
		}
		all = told{next, append(all.events, events...)}
	}
	return all
}

// lives are orders of every kind; the due times of accepted ones are zero, for nobody followed them.
func lives(t *testing.T) []told {
	t.Helper()
	rest := ledger.Step{Now: ledgertest.Epoch(), Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.Due = time.Time{}
		return ledger.Entry{}, nil
	}}
	other := ledgertest.Record(5)
	other.Tenant = "another"
	accept := func(n int) ledger.Step {
		return ledgertest.Accept(ledgertest.Ticket(n), ledgertest.Epoch().Add(time.Hour))
	}
	return []told{
		live(t, ledgertest.Record(0)),
		live(t, ledgertest.Record(1), ledgertest.Move(order.NotSent, order.ByAnswer, ledgertest.Epoch())),
		live(t, ledgertest.Record(2), ledgertest.Move(order.InDoubt, order.ByAnswer, ledgertest.Epoch())),
		live(t, ledgertest.Record(3), accept(3), rest),
		live(t, ledgertest.Record(4), accept(4), rest, ledgertest.Fare(order.StatusConfirmed, ledgertest.Epoch()), ledgertest.Fare(order.StatusRejected, ledgertest.Epoch())),
		live(t, other, accept(5), rest, ledgertest.Fare(order.StatusCompleted, ledgertest.Epoch())),
		live(t, ledgertest.Record(6), ledgertest.Move(order.Refused, order.ByAnswer, ledgertest.Epoch())),
	}
}

// as fails the test unless an order and its events are there as they were.
func (y *yesterday) as(s *Store, want told) {
	y.Helper()
	ctx := y.Context()
	got, err := s.Find(ctx, want.Tenant, want.OrderID)
	events, err2 := s.Events(ctx, want.Tenant, want.OrderID, true, 0, 100)
	if err := errors.Join(err, err2); err != nil {
		y.Fatal(err)
	}
	if diff := gocmp.Diff(want.Record, got, cmpopts.EquateEmpty()); diff != "" {
		y.Errorf("order %s (-want +got):\n%s", want.OrderID, diff)
	}
	if diff := gocmp.Diff(want.events, events, cmpopts.IgnoreFields(ledger.Event{}, "Sequence")); diff != "" {
		y.Errorf("the events of order %s (-want +got):\n%s", want.OrderID, diff)
	}
}

// A ledger of the first shape is brought forward with all that is in it, and its open orders are followed.
func TestFirstShape(t *testing.T) {
	t.Parallel()
	all := lives(t)
	y := &yesterday{T: t}
	path := firstShape(t, func(y *yesterday) {
		for i, want := range all {
			y.write(int64(i+1), want.Record, want.events...)
		}
	})
	s := opened(t, path)
	for i, want := range all {
		if want.State == order.Accepted && want.Category() != order.CategoryClosed {
			want.Due = want.Settled
			all[i] = want
		}
		y.as(s, want)
	}
	counts, err := s.Count(t.Context())
	if diff := gocmp.Diff(ledger.Counts{Sending: 1, InDoubt: 1, Open: 1, Attention: 1}, counts); err != nil || diff != "" {
		t.Errorf("Count: error %v; (-want +got):\n%s", err, diff)
	}
	now := ledgertest.Epoch().AddDate(0, 0, 1)
	taken, err := s.Take(t.Context(), ledger.Turn{State: order.Accepted, Now: now, Until: now, Limit: 10})
	if err != nil || len(taken) != 2 {
		t.Errorf("Take of the orders to follow: %d, %v; want 2", len(taken), err)
	}
	page, _, err := s.List(t.Context(), ledger.Query{Tenant: "another", History: all[5].OrderID, Limit: 10, MaxBytes: 1})
	if err != nil || len(page) != 1 {
		t.Errorf("List of a history: %d, %v; want 1", len(page), err)
	}
	if _, err := s.Claim(t.Context(), ledgertest.Correct(all[4].Record, 100), ledgertest.Entry("corrected")); err != nil {
		t.Errorf("Claim of an order that corrects one of the first shape: %v", err)
	}
	intact(t, s)
	// Brought forward once, it stays as it is.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = opened(t, path)
	y.as(s, all[3].taken(now))
}

// taken is the order as it was handed out once.
func (o told) taken(until time.Time) told {
	o.Due = until
	o.Fence++
	return o
}

// The binary of the first shape runs on today's: a ledger that was brought forward can be handed back to it.
func TestYesterdaysBinaryOnTodaysShape(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	all := lives(t)
	y := &yesterday{T: t, exec: func(query string, args ...any) error {
		return s.writer.write(t.Context(), func(ctx context.Context, t *transaction) error {
			t.sequence = t.before // It counts by itself.
			_, err := t.exec(ctx, query, args...)
			return err
		})
	}}
	for i, want := range all {
		y.write(int64(i+1), want.Record, want.events...)
		y.as(s, want)
	}
	// It leaves what it does not know: an order that was followed and corrected stays both.
	first := ledgertest.Elsewhere(50)
	first.Validated, first.Rejects, first.Checked, first.Status = true, []byte("rejects"), ledgertest.Epoch(), order.StatusRejected
	was, err := s.Follow(t.Context(), first, ledgertest.Entry("followed"))
	if err != nil {
		t.Fatal(err)
	}
	claim(t, s, ledgertest.Correct(was, 51))
	was, err = s.Find(t.Context(), was.Tenant, was.OrderID)
	if err != nil {
		t.Fatal(err)
	}
	y.sequence = asked[int64](t, s, latestSequence)
	clear(s.writer.recent)
	next, _, err := ledgertest.Fare(order.StatusHold, ledgertest.Epoch()).Apply(was)
	if err != nil {
		t.Fatal(err)
	}
	y.step(asked[int64](t, s, `SELECT serial FROM orders WHERE order_id = ?`, was.OrderID), next)
	got, err := s.Find(t.Context(), was.Tenant, was.OrderID)
	if diff := gocmp.Diff(next, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Errorf("the order that yesterday's binary changed: %v (-want +got):\n%s", err, diff)
	}
	var columns int
	err = s.reader.read(t.Context(), func(l *line) error {
		return l.each(t.Context(), `SELECT `+yesterdaysColumns+` FROM orders`, nil, func(row) error { columns++; return nil })
	})
	if err != nil || columns != len(all)+2 {
		t.Errorf("yesterday's columns: %d orders, %v", columns, err)
	}
}
