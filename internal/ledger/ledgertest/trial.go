package ledgertest

import (
	"bytes"
	"cmp"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// trial is what a case gets: a test, an open store on a ledger of its own, and what cases ask of the two again and again.
// The methods that end the test belong to the test's own goroutine.
type trial struct {
	testing.TB
	ledger.Store

	engine Engine
	ledger Ledger
	// patience is how long a case waits for what comes soon.
	patience time.Duration
	// probes counts the orders that were made to find out who holds a number.
	probes int
}

// begin makes a ledger and opens it.
func begin(t testing.TB, e Engine) *trial {
	t.Helper()
	tr := &trial{TB: t, engine: e, ledger: e.New(t), patience: cmp.Or(e.patience, 20*time.Second)}
	tr.Store = tr.open()
	return tr
}

// open opens the ledger once more, and closes it at the end of the test.
func (t *trial) open() ledger.Store {
	t.Helper()
	s, err := t.ledger.Open(t.Context(), Carrier)
	if err != nil {
		t.Fatalf("the ledger does not open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("the store does not close: %v", err)
		}
	})
	return s
}

// reopen closes the store and opens the ledger again.
func (t *trial) reopen() {
	t.Helper()
	if err := t.Close(); err != nil {
		t.Fatalf("the store does not close: %v", err)
	}
	t.Store = t.open()
}

// stores are as many stores on the ledger as may be open at once, n at the most.
func (t *trial) stores(n int) []ledger.Store {
	t.Helper()
	all := []ledger.Store{t.Store}
	for t.ledger.Shared && len(all) < n {
		all = append(all, t.open())
	}
	return all
}

// claimed claims an order, which must succeed.
func (t *trial) claimed(r ledger.Record) ledger.Record {
	t.Helper()
	got, err := t.Claim(t.Context(), r, Entry("claimed"))
	if err != nil {
		t.Fatalf("Claim of order %s: %v", r.OrderID, err)
	}
	return got
}

// advanced advances an order, which must succeed.
func (t *trial) advanced(orderID string, s ledger.Step) ledger.Record {
	t.Helper()
	got, err := t.Advance(t.Context(), orderID, s)
	if err != nil {
		t.Fatalf("Advance of order %s: %v", orderID, err)
	}
	return got
}

// found is the order as it is at rest.
func (t *trial) found(r ledger.Record) ledger.Record {
	t.Helper()
	got, err := t.Find(t.Context(), r.Tenant, r.OrderID)
	if err != nil {
		t.Fatalf("Find of order %s: %v", r.OrderID, err)
	}
	return got
}

// told are all events of an order.
func (t *trial) told(r ledger.Record) []ledger.Event {
	t.Helper()
	got, err := t.Events(t.Context(), r.Tenant, r.OrderID, false, 0, 10_000)
	if err != nil {
		t.Fatalf("Events of order %s: %v", r.OrderID, err)
	}
	return got
}

// sight is all that a ledger has on an order.
type sight struct {
	Record ledger.Record
	Events []ledger.Event
}

// seen is all that the ledger has on some orders, in their order.
func (t *trial) seen(orders ...ledger.Record) []sight {
	t.Helper()
	all := make([]sight, 0, len(orders))
	for _, r := range orders {
		all = append(all, sight{t.found(r), t.told(r)})
	}
	return all
}

// absent fails the test if the ledger has an order, by its id or by its key.
func (t *trial) absent(r ledger.Record) {
	t.Helper()
	if _, err := t.Find(t.Context(), r.Tenant, r.OrderID); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("Find of order %s, which was never claimed: %v, want ErrNotFound", r.OrderID, err)
	}
	if _, err := t.Events(t.Context(), r.Tenant, r.OrderID, false, 0, 10); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("Events of order %s, which was never claimed: %v, want ErrNotFound", r.OrderID, err)
	}
	if other, err := t.FindKey(t.Context(), r.Tenant, r.RequestID); err == nil && other.OrderID == r.OrderID {
		t.Errorf("the key of order %s, which was never claimed, leads to it", r.OrderID)
	}
}

// holder is the order that holds a number, or "". It finds out by claiming the number for an order of another tenant.
func (t *trial) holder(number string) string {
	t.Helper()
	t.probes++
	probe := Record(4_000_000 + t.probes)
	probe.Tenant, probe.Numbers, probe.Due = "prober", []string{number}, time.Time{}
	_, err := t.Claim(t.Context(), probe, Entry("probe"))
	if held, ok := errors.AsType[*ledger.HeldError](err); ok {
		return held.Holder.OrderID
	}
	if err != nil {
		t.Fatalf("Claim of %s to see who holds it: %v", number, err)
	}
	t.advanced(probe.OrderID, Move(order.Refused, order.ByAnswer, probe.Created))
	return ""
}

// held fails the test unless each of the order's numbers is held by that order, or by none where holds is false.
func (t *trial) held(r ledger.Record, holds bool, when string) {
	t.Helper()
	want := map[bool]string{true: r.OrderID}[holds]
	for _, n := range r.Numbers {
		if got := t.holder(n); got != want {
			t.Errorf("%s: %s is held by %q, want %q", when, n, got, want)
		}
	}
}

// same compares two values wholly. Times must be the same moment in the same location, and no list is an empty list.
func (t *trial) same(what string, want, got any) {
	t.Helper()
	if diff := difference(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// difference is how two values differ; see trial.same.
func difference(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return "" // Nearly always, and many times faster.
	}
	return gocmp.Diff(want, got, cmpopts.EquateEmpty(),
		gocmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) && a.Location() == b.Location() }),
		gocmp.FilterValues(func(a, b []byte) bool { return len(a) > 0 || len(b) > 0 }, gocmp.Comparer(bytes.Equal)),
	)
}

// unnumbered are events without their sequence, which is the store's business.
func unnumbered(events []ledger.Event) []ledger.Event {
	all := make([]ledger.Event, 0, len(events))
	for _, e := range events {
		e.Sequence = 0
		all = append(all, e)
	}
	return all
}

// together calls f n times at once and waits for all of them.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

// joined is errors as one text, a line each, for a report.
func joined(errs []error) string {
	var lines strings.Builder
	for _, err := range errs {
		if err != nil {
			lines.WriteString("\n\t" + err.Error())
		}
	}
	return lines.String()
}
