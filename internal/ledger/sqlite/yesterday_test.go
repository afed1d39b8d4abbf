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
	values := slices.Concat(s.fixed()[:7], s.plain()[:24], s.indexed()[:8], []any{serial})
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
	y.do(yesterdaysStep, slices.Concat(s.plain()[:24], s.indexed()[:8], []any{serial})...)
	y.tell(serial, events...)
}

// tell writes events, of which it knows neither the tenant nor how the order stood, and of how it was only some.
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

// live takes an order through some steps. What the first shape has no place for in an event is not known later either.
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
	for i := range all.events {
		all.events[i].Attention = nil
	}
	return all
}

// unfollowed leaves an order to nobody, as the binary of the first shape does with what it has accepted.
func unfollowed() ledger.Step {
	return ledger.Step{Now: ledgertest.Epoch(), Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.Due = time.Time{}
		return ledger.Entry{}, nil
	}}
}

// reread is an order as it is at rest.
func reread(t *testing.T, s *Store, r ledger.Record) ledger.Record {
	t.Helper()
	got, err := s.Find(t.Context(), r.Tenant, r.OrderID)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// lives are orders of every kind; the due times of accepted ones are zero, for nobody followed them.
func lives(t *testing.T) []told {
	t.Helper()
	rest := unfollowed()
	other := ledgertest.Record(5)
	other.Tenant = "another"
	attend := ledger.Step{Now: ledgertest.Epoch().Add(time.Minute), Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.Attend(ledger.AttentionLateAnswer, "late", ledgertest.Epoch())
		return ledger.Entry{}, nil
	}}
	accept := func(n int) ledger.Step {
		return ledgertest.Accept(ledgertest.Ticket(n), ledgertest.Epoch().Add(time.Hour))
	}
	return []told{
		live(t, ledgertest.Record(0)),
		live(t, ledgertest.Record(1), ledgertest.Move(order.NotSent, order.ByAnswer, ledgertest.Epoch())),
		live(t, ledgertest.Record(2), ledgertest.Move(order.InDoubt, order.ByAnswer, ledgertest.Epoch())),
		live(t, ledgertest.Record(3), accept(3), rest),
		live(t, ledgertest.Record(4), accept(4), rest, ledgertest.Fare(order.StatusConfirmed, ledgertest.Epoch()), ledgertest.Fare(order.StatusRejected, ledgertest.Epoch().Add(time.Minute))),
		live(t, other, accept(5), rest, ledgertest.Fare(order.StatusCompleted, ledgertest.Epoch())),
		live(t, ledgertest.Record(6), ledgertest.Move(order.Refused, order.ByAnswer, ledgertest.Epoch()), attend),
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

// soonest is when something is due first for orders of a state.
func soonest(all []told, state order.State) (first time.Time) {
	for _, l := range all {
		if l.State == state && !l.Due.IsZero() && (first.IsZero() || l.Due.Before(first)) {
			first = l.Due
		}
	}
	return first
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
	wanted := ledger.Counts{
		Sending: 1, InDoubt: 1, NeedsAttention: 1, Open: 1, Attention: 1, ByAttention: map[ledger.AttentionCode]int{ledger.AttentionLateAnswer: 1},
	}
	wanted.AcceptedDue, wanted.InDoubtDue = soonest(all, order.Accepted), soonest(all, order.InDoubt)
	if diff := gocmp.Diff(wanted, counts); err != nil || diff != "" {
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

// yesterdayOn writes as the binary of the first shape does, on a store of today's.
func yesterdayOn(t *testing.T, s *Store) *yesterday {
	t.Helper()
	clear(s.writer.recent)
	return &yesterday{T: t, sequence: asked[int64](t, s, latestSequence), exec: func(query string, args ...any) error {
		return s.writer.write(t.Context(), func(ctx context.Context, t *transaction) error {
			t.sequence = t.before // It counts by itself.
			_, err := t.exec(ctx, query, args...)
			return err
		})
	}}
}

func serialOf(t *testing.T, s *Store, r ledger.Record) int64 {
	t.Helper()
	return asked[int64](t, s, `SELECT serial FROM orders WHERE order_id = ?`, r.OrderID)
}

// The binary of the first shape runs on today's: a ledger that was brought forward can be handed back to it.
func TestYesterdaysBinaryOnTodaysShape(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	all := lives(t)
	y := yesterdayOn(t, s)
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
	y = yesterdayOn(t, s)
	next, _, err := ledgertest.Fare(order.StatusHold, ledgertest.Epoch()).Apply(was)
	if err != nil {
		t.Fatal(err)
	}
	y.step(serialOf(t, s, was), next)
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

// A ledger was handed back to the binary of the first shape for a while. What that has accepted is followed once today's has the
// file again, and what today's had accepted is due when it was.
func TestWhatYesterdaysBinaryAcceptedIsFollowed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	s := opened(t, path)
	late, ours := told{Record: claim(t, s, ledgertest.Record(10))}, told{Record: claim(t, s, ledgertest.Record(11))}
	if err := advance(t, s, ours.Record, ledgertest.Accept(ledgertest.Ticket(11), ledgertest.Epoch())); err != nil {
		t.Fatal(err)
	}
	// Zero is never, where this binary has said so.
	never := told{Record: claim(t, s, ledgertest.Record(12))}
	for _, step := range []ledger.Step{ledgertest.Accept(ledgertest.Ticket(12), ledgertest.Epoch()), unfollowed()} {
		if err := advance(t, s, never.Record, step); err != nil {
			t.Fatal(err)
		}
	}
	never.Record = reread(t, s, never.Record)
	later := ledgertest.Epoch().AddDate(0, 0, 5)
	if err := advance(t, s, ours.Record, ledger.Step{Now: later, Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.Due = later
		return ledger.Entry{}, nil
	}}); err != nil {
		t.Fatal(err)
	}
	ours.Record = reread(t, s, ours.Record)
	late = live(t, late.Record, ledgertest.Accept(ledgertest.Ticket(10), ledgertest.Epoch().Add(time.Minute)), unfollowed())
	y := yesterdayOn(t, s)
	all := append(lives(t), late, ours, never)
	for i, o := range all[:len(all)-3] {
		y.write(int64(i+100), o.Record, o.events...)
	}
	y.step(serialOf(t, s, late.Record), late.Record, late.events[1:]...)
	turn := ledger.Turn{State: order.Accepted, Now: ledgertest.Epoch().AddDate(0, 0, 1), Until: later, Limit: 10}
	if taken, err := s.Take(t.Context(), turn); err != nil || len(taken) != 0 {
		t.Fatalf("%d orders are due to a binary that did not open the file, %v", len(taken), err)
	}

	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = opened(t, path)
	var due []ledger.Record
	for _, o := range all {
		want := o.Record
		if want.State == order.Accepted && want.Category() != order.CategoryClosed && want.OrderID != ours.OrderID && want.OrderID != never.OrderID {
			want.Due = want.Settled
			due = append(due, o.taken(later).Record)
		}
		if diff := gocmp.Diff(want, reread(t, s, want), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("order %s (-want +got):\n%s", want.OrderID, diff)
		}
	}
	taken, err := s.Take(t.Context(), turn)
	byID := cmpopts.SortSlices(func(a, b ledger.Record) bool { return a.OrderID < b.OrderID })
	if diff := gocmp.Diff(due, taken, cmpopts.EquateEmpty(), byID); diff != "" || err != nil || len(due) != 3 {
		t.Errorf("the orders that are due, error %v (-want +got):\n%s", err, diff)
	}
	intact(t, s)
	// Once is enough: it is due when the follower says.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if taken, err := opened(t, path).Take(t.Context(), turn); err != nil || len(taken) != 0 {
		t.Errorf("%d orders are due once more, %v", len(taken), err)
	}
}

// What is looked for at every opening is found among the orders that are open.
func TestAdoptingReadsNoOrderThatIsOver(t *testing.T) {
	t.Parallel()
	want := []string{
		"SEARCH orders USING INDEX orders_open (class>? AND class<?)",
		"CORRELATED SCALAR SUBQUERY 1", "SEARCH e USING INDEX events_order (serial=?)",
	}
	if diff := gocmp.Diff(want, steps(t, fresh(t), adopt)); diff != "" {
		t.Errorf("the plan (-want +got):\n%s", diff)
	}
}

// Events of the binary of the first shape do not say how the order stood. What they change together has the same standing
// before it, which is where the latest change before left the order, whichever binary made that.
func TestYesterdaysEventsTellHowTheOrderStood(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	r := claim(t, s, ledgertest.Record(1))
	at := func(minutes int) time.Time { return ledgertest.Epoch().Add(time.Duration(minutes) * time.Minute) }
	tell := func(n int, typed ledger.EventType, state order.State, status order.Status) {
		y := yesterdayOn(t, s)
		y.tell(serialOf(t, s, r), ledger.Event{Time: at(n), Actor: ledger.Actor{Kind: ledger.ByService}, Type: typed, State: state, Status: status})
	}
	tell(1, ledger.EventStateChanged, order.NotSent, "")
	tell(2, ledger.EventClaimed, order.Sending, "")
	tell(3, ledger.EventStateChanged, order.Accepted, order.StatusConfirmed)
	tell(3, ledger.EventStatusChanged, order.Accepted, order.StatusConfirmed)
	tell(3, ledger.EventAttentionChanged, order.Accepted, order.StatusConfirmed)
	if err := advance(t, s, r, ledgertest.Accept(ledgertest.Ticket(1), at(4))); err != nil {
		t.Fatal(err)
	}
	if err := advance(t, s, r, ledger.Step{Now: at(5), Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.Status, r.Disputing = order.StatusRejected, true
		return ledger.Entry{}, nil
	}}); err != nil {
		t.Fatal(err)
	}
	tell(6, ledger.EventStatusChanged, order.Accepted, order.StatusCompleted)

	type stood struct{ Was, Is ledger.Standing }
	sending, notSent, accepted := standing(order.Sending, ""), standing(order.NotSent, ""), standing(order.Accepted, "")
	scheduled, closed := standing(order.Accepted, order.StatusConfirmed), standing(order.Accepted, order.StatusCompleted)
	disputed := ledger.Record{State: order.Accepted, Status: order.StatusRejected, Disputing: true}.Standing()
	want := []stood{
		{0, sending},
		{sending, notSent},
		{notSent, sending},
		{sending, scheduled},
		{sending, scheduled},
		{sending, scheduled},
		{sending, accepted},
		{accepted, disputed},
		{disputed, closed},
	}
	changes, err := s.Changes(t.Context(), 0, 100)
	ofOne, err2 := s.Events(t.Context(), r.Tenant, r.OrderID, false, 0, 100)
	ofHistory, err3 := s.Events(t.Context(), r.Tenant, r.OrderID, true, 0, 100)
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	for name, events := range map[string][]ledger.Event{"changes": changes, "events": ofOne, "events of the history": ofHistory} {
		var got []stood
		for _, e := range events {
			got = append(got, stood{e.Was, e.Is})
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
