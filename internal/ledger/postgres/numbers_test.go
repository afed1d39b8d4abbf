package postgres_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/ledger/postgres/pgtest"
	"github.com/portin/portin/internal/order"
)

// Whatever meets over a few numbers, nothing waits in a circle, and whoever holds a number holds it alone.
func TestWhateverMeetsOverNumbers(t *testing.T) {
	t.Parallel()
	s, url := patient(t)
	next := 100
	fresh := func(numbers []string, of func(n int) ledger.Record) ledger.Record {
		r := of(next)
		next++
		r.Numbers = slices.Clone(numbers)
		rand.Shuffle(len(r.Numbers), func(i, j int) { r.Numbers[i], r.Numbers[j] = r.Numbers[j], r.Numbers[i] })
		return r
	}
	pool := []string{"+1", "+2", "+3", "+4", "+5"}
	for round := range 25 {
		was := rejected(t, s, fresh(pool[1:4], ledgertest.Record))
		correct := func(n int) ledger.Record { return ledgertest.Correct(was, n) }
		acts := []func(context.Context) error{
			claims(s, fresh(pool[:3], correct)), claims(s, fresh(pool[2:], correct)), claims(s, fresh(pool[1:4], correct)),
			claims(s, fresh([]string{"+1", "+5"}, ledgertest.Record)), claims(s, fresh(pool[3:], ledgertest.Record)),
			follows(s, fresh([]string{"+1", "+2"}, ledgertest.Elsewhere)), follows(s, fresh([]string{"+5", "+4"}, ledgertest.Elsewhere)),
			func(ctx context.Context) error {
				_, err := s.Advance(ctx, was.OrderID, ledgertest.Fare(order.StatusCancelled, was.Updated))
				return err
			},
		}
		rand.Shuffle(len(acts), func(i, j int) { acts[i], acts[j] = acts[j], acts[i] })
		var wg sync.WaitGroup
		for _, act := range acts {
			wg.Go(func() {
				err := act(t.Context())
				if _, held := errors.AsType[*ledger.HeldError](err); err != nil && !held && !errors.Is(err, ledger.ErrNotCorrectable) {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		wg.Wait()
		consistent(t, url)
		over(t, s)
	}
}

func claims(s ledger.Store, r ledger.Record) func(context.Context) error {
	return func(ctx context.Context) error { _, err := s.Claim(ctx, r, ledgertest.Entry("")); return err }
}

func follows(s ledger.Store, r ledger.Record) func(context.Context) error {
	return func(ctx context.Context) error { _, err := s.Follow(ctx, r, ledgertest.Entry("")); return err }
}

// over ends every order that holds a number.
func over(t *testing.T, s ledger.Store) {
	t.Helper()
	page, _, err := s.List(t.Context(), ledger.Query{Tenant: ledger.Default, Limit: 100, MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range page {
		if !r.Holds() {
			continue
		}
		step := ledgertest.Move(order.Refused, order.ByAnswer, r.Updated)
		if r.State == order.Accepted {
			step = ledgertest.Fare(order.StatusCancelled, r.Updated)
		}
		if _, err := s.Advance(t.Context(), r.OrderID, step); err != nil {
			t.Fatal(err)
		}
	}
}

// consistent compares who holds a number with the orders that should. No number is held twice.
func consistent(t *testing.T, url string) {
	t.Helper()
	conn := pgtest.Connect(t, url)
	defer func() { _ = conn.Close(context.Background()) }()
	read := func(sql string) map[string][]string {
		rows, err := conn.Query(t.Context(), sql)
		if err != nil {
			t.Fatal(err)
		}
		var number string
		var ids []string
		holders := map[string][]string{}
		if _, err := pgx.ForEachRow(rows, []any{&number, &ids}, func() error {
			holders[number] = append(holders[number], ids...)
			ids = nil
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return holders
	}
	const should = `SELECT unnest(CASE successor WHEN '' THEN numbers ELSE kept END), ARRAY[order_id] FROM orders
		WHERE state IN (1, 4) OR state = 5 AND standing <> 54 OR guards AND status <> 'COMPLETED'`
	held := read("SELECT number, order_ids FROM holds")
	if diff := cmp.Diff(read(should), held); diff != "" {
		t.Errorf("who holds a number (-orders +holds):\n%s", diff)
	}
	for number, ids := range held {
		if len(ids) != 1 {
			t.Errorf("%s is held by %q", number, ids)
		}
	}
}
