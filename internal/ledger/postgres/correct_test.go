package postgres_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/ledger/postgres"
	"github.com/portin/portin/internal/ledger/postgres/pgtest"
	"github.com/portin/portin/internal/order"
)

// patient is a store on a database whose server ends no deadlock: transactions that wait in a circle wait until the call's time
// is up, and the test sees it.
func patient(t *testing.T) (*postgres.Store, string) {
	t.Helper()
	url := pgtest.Database(t)
	admin := pgtest.Connect(t, url)
	if _, err := admin.Exec(t.Context(), "ALTER ROLE postgres IN DATABASE "+admin.Config().Database+" SET deadlock_timeout = '1h'"); err != nil {
		t.Fatal(err)
	}
	return opened(t, url, 0), url
}

// rejected is an accepted order that the losing carrier has rejected: it holds its numbers and may be corrected.
func rejected(t *testing.T, s ledger.Store, r ledger.Record) ledger.Record {
	t.Helper()
	if _, err := s.Claim(t.Context(), r, ledgertest.Entry("")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Advance(t.Context(), r.OrderID, ledgertest.Accept("ticket "+r.OrderID, r.Claimed)); err != nil {
		t.Fatal(err)
	}
	r, err := s.Advance(t.Context(), r.OrderID, ledgertest.Fare(order.StatusRejected, r.Claimed))
	if err != nil || !r.Correctable() {
		t.Fatal(r, err)
	}
	return r
}

// Both corrections have written their order when the first gets its predecessor's row. The second finds it taken, and leaves
// nothing behind.
func TestTwoCorrectionsOfOneOrder(t *testing.T) {
	t.Parallel()
	s, url := patient(t)
	was := rejected(t, s, ledgertest.Record(1))
	gate := pgtest.Connect(t, url)
	if _, err := gate.Exec(t.Context(), "BEGIN; SELECT FROM orders FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	type outcome struct {
		r   ledger.Record
		err error
	}
	ended := make(chan outcome, 2)
	for i := range 2 {
		go func() {
			r, err := s.Claim(context.WithoutCancel(t.Context()), ledgertest.Correct(was, 2+i), ledgertest.Entry(""))
			ended <- outcome{r, err}
		}()
	}
	waiting(t, url, 2)
	if _, err := gate.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	won, lost := <-ended, <-ended
	if won.err != nil {
		won, lost = lost, won
	}
	if won.err != nil || !errors.Is(lost.err, ledger.ErrNotCorrectable) || lost.r.OrderID != was.OrderID || lost.r.Successor != won.r.OrderID {
		t.Errorf("one got error %v, the other order %s, corrected by %q, and %v; want ErrNotCorrectable and order %s, corrected by %s",
			won.err, lost.r.OrderID, lost.r.Successor, lost.err, was.OrderID, won.r.OrderID)
	}
	page, _, err := s.List(t.Context(), ledger.Query{Tenant: was.Tenant, Limit: 10, MaxBytes: 1 << 20})
	if err != nil || len(page) != 2 {
		t.Errorf("%d orders are there, want 2; error %v", len(page), err)
	}
	consistent(t, url)
}

// A correction waits for an Advance that has its predecessor, and the other way round, and goes by what that has made of it.
func TestCorrectionAgainstAdvanceOfThePredecessor(t *testing.T) {
	t.Parallel()
	s, url := patient(t)
	for i, c := range []struct {
		fares       order.Status
		correctable bool
	}{{order.StatusCompleted, true}, {order.StatusConfirmed, false}} {
		was := rejected(t, s, ledgertest.Record(10*i))
		correction := ledgertest.Correct(was, 10*i+1)
		for _, number := range []int{30, 3} {
			correction.Numbers = append(correction.Numbers, ledgertest.Number(1000+100*i+number))
		}
		gate := pgtest.Connect(t, url)
		if _, err := gate.Exec(t.Context(), "BEGIN; SELECT FROM holds FOR UPDATE; SELECT FROM ledger FOR UPDATE"); err != nil {
			t.Fatal(err)
		}
		advanced, corrected := make(chan error, 1), make(chan error, 1)
		go func() {
			_, err := s.Advance(context.WithoutCancel(t.Context()), was.OrderID, ledgertest.Fare(c.fares, was.Updated))
			advanced <- err
		}()
		waiting(t, url, 1)
		go func() {
			_, err := s.Claim(context.WithoutCancel(t.Context()), correction, ledgertest.Entry(""))
			corrected <- err
		}()
		waiting(t, url, 2)
		if _, err := gate.Exec(t.Context(), "COMMIT"); err != nil {
			t.Fatal(err)
		}
		if err := <-advanced; err != nil {
			t.Errorf("%s: Advance: %v", c.fares, err)
		}
		if err := <-corrected; c.correctable && err != nil || !c.correctable && !errors.Is(err, ledger.ErrNotCorrectable) {
			t.Errorf("%s: the correction: %v", c.fares, err)
		}
		consistent(t, url)
	}
}

// A correction that waits for a number has none yet of those behind it: who comes for two of these is told at once.
func TestACorrectionTakesItsNumbersInTurn(t *testing.T) {
	t.Parallel()
	s, url := patient(t)
	was := ledgertest.Record(1)
	was.Numbers = []string{"+2", "+3"}
	was = rejected(t, s, was)
	correction, other := ledgertest.Correct(was, 2), ledgertest.Record(3)
	correction.Numbers, other.Numbers = []string{"+2", "+1", "+0"}, []string{"+1", "+2"}
	gate := pgtest.Connect(t, url)
	if _, err := gate.Exec(t.Context(), "BEGIN; INSERT INTO holds VALUES ('+0', '{nobody}')"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- claims(s, correction)(context.WithoutCancel(t.Context())) }()
	waiting(t, url, 1)
	err := claims(s, other)(t.Context())
	if held, ok := errors.AsType[*ledger.HeldError](err); !ok || held.Holder.OrderID != was.OrderID {
		t.Errorf("who comes in between: %v, want that order %s holds a number", err, was.OrderID)
	}
	if _, err := gate.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the correction: %v", err)
	}
	consistent(t, url)
}

// A number that its predecessor holds beside another order, and that the correction does not ask for, stays with both until the
// predecessor is over.
func TestACorrectionLeavesTheNumbersOfOthers(t *testing.T) {
	t.Parallel()
	s, url := patient(t)
	was, other := ledgertest.Record(1), ledgertest.Record(2)
	was.Numbers, other.Numbers = []string{"+1", "+4"}, []string{"+4"}
	for _, act := range []func() (ledger.Record, error){
		func() (ledger.Record, error) { return s.Claim(t.Context(), was, ledgertest.Entry("")) },
		func() (ledger.Record, error) {
			return s.Advance(t.Context(), was.OrderID, ledgertest.Move(order.NotSent, order.ByAnswer, was.Claimed))
		},
		func() (ledger.Record, error) { return s.Claim(t.Context(), other, ledgertest.Entry("")) },
		func() (ledger.Record, error) {
			return s.Advance(t.Context(), was.OrderID, ledgertest.Accept("late", was.Claimed))
		},
		func() (ledger.Record, error) {
			return s.Advance(t.Context(), was.OrderID, ledgertest.Fare(order.StatusRejected, was.Claimed))
		},
	} {
		if _, err := act(); err != nil {
			t.Fatal(err)
		}
	}
	correction := ledgertest.Correct(was, 3)
	err := claims(s, correction)(t.Context())
	if held, ok := errors.AsType[*ledger.HeldError](err); !ok || held.Holder.OrderID != other.OrderID || held.Number != "+4" {
		t.Errorf("a correction that asks for both numbers: %v, want that order %s holds +4", err, other.OrderID)
	}
	correction.Numbers = []string{"+1"}
	if err := claims(s, correction)(t.Context()); err != nil {
		t.Error(err)
	}
	var ids []string
	if err := pgtest.Connect(t, url).QueryRow(t.Context(), "SELECT order_ids FROM holds WHERE number = '+4'").Scan(&ids); err != nil ||
		!slices.Equal(ids, []string{other.OrderID, was.OrderID}) {
		t.Errorf("+4 is held by %q, %v", ids, err)
	}
	if _, err := s.Advance(t.Context(), was.OrderID, ledgertest.Fare(order.StatusExpired, was.Claimed)); err != nil {
		t.Error(err)
	}
	consistent(t, url)
}
