package postgres

import (
	"context"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/postgres/pgtest"
	"github.com/portin/portin/internal/order"
)

// Every query has an index that was made for it, and is written such that the server sees that: it takes a partial index, or
// one over an expression, only where it can prove that it fits. On a small table it takes none at all, so it is told that
// reading all is dear.
func TestEveryQueryHasItsIndex(t *testing.T) {
	t.Parallel()
	s := testStore(t, pgtest.Database(t))
	all := scattered(t, s, rand.New(rand.NewPCG(5, 5)), 3000)
	at := all[len(all)/2].Created
	ask := func(change func(q *ledger.Query)) filter {
		q := ledger.Query{Tenant: "t", Limit: 50, MaxBytes: 1000, After: ledger.Position{Created: at, OrderID: "x"}}
		change(&q)
		return newFilter(q)
	}
	everything := ask(func(*ledger.Query) {})
	shelf := ask(func(q *ledger.Query) { q.States = []order.State{order.Refused} })
	reference := ask(func(q *ledger.Query) { q.CustomerReference = "r" })
	updated := ask(func(q *ledger.Query) { q.FromUpdated, q.BeforeUpdated = at.AddDate(0, -3, 0), at })
	for name, c := range map[string]struct {
		statement
		want []string
	}{
		"everything":     {everything.direct(), []string{"orders_created"}},
		"key":            {ask(func(q *ledger.Query) { q.RequestID = "k" }).direct(), []string{"orders_key"}},
		"ticket":         {ask(func(q *ledger.Query) { q.Ticket = "t" }).direct(), []string{"orders_ticket"}},
		"number":         {ask(func(q *ledger.Query) { q.Number = "n" }).byNumber(), []string{"numbers_list", "orders_pkey"}},
		"state":          {shelf.byShelf(), []string{"orders_standing"}},
		"reference":      {reference.byShelf(), []string{"orders_reference"}},
		"state, updated": {shelf.walk(), []string{"orders_standing"}},
		"updated":        {updated.bySpan(updated.reach), []string{"orders_span_26", "orders_span_31", "orders_span_36", "orders_span_41", "orders_updated"}},
		"few updated":    {updated.byUpdate(), []string{"orders_updated"}},
		"how many":       {updated.inRange(), []string{"orders_updated"}},
		"least and most": {updated.ends(), []string{"orders_updated"}},
		"take":           {statement{takeDue, []any{int16(1), int64(1), 1, int64(1)}}, []string{"orders_due", "orders_pkey"}},
		"sending":        {statement{readSending, []any{int16(order.Sending)}}, []string{"orders_unsettled"}},
		"count":          {statement{countOpen, []any{int16(order.Sending), int16(order.InDoubt)}}, []string{"orders_attention", "orders_unsettled"}},
	} {
		if diff := cmp.Diff(c.want, s.indexes(t, c.statement)); diff != "" {
			t.Errorf("%s: the indexes (-want +got):\n%s", name, diff)
		}
	}
}

// indexes are those that a statement uses; the names of tables that it reads whole, if any, stand among them.
func (s *Store) indexes(t *testing.T, q statement) (names []string) {
	t.Helper()
	err := s.write(t.Context(), "explain", func(ctx context.Context, tx *writing) error {
		if _, err := tx.Exec(ctx, "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off"); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, "EXPLAIN "+q.sql, q.args...)
		if err != nil {
			return err
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		for _, m := range regexp.MustCompile(`(?:Scan.* using|Seq Scan on) (\w+)`).FindAllStringSubmatch(strings.Join(lines, "\n"), -1) {
			names = append(names, m[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Compact(slices.Sorted(slices.Values(names)))
}
