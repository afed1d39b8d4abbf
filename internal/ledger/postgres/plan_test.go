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
	reason := func(q *ledger.Query) { q.Attention = []ledger.AttentionCode{ledger.AttentionNoTicket} }
	updated := ask(func(q *ledger.Query) { q.FromUpdated, q.BeforeUpdated = at.AddDate(0, -3, 0), at })
	history := ask(func(q *ledger.Query) { q.History = "h" })
	for name, c := range map[string]struct {
		statement
		want []string
	}{
		"everything":        {everything.direct(), []string{"orders_created"}},
		"key":               {ask(func(q *ledger.Query) { q.RequestID = "k" }).direct(), []string{"orders_key"}},
		"ticket":            {ask(func(q *ledger.Query) { q.Ticket = "t" }).direct(), []string{"orders_ticket"}},
		"number":            {ask(func(q *ledger.Query) { q.Number = "n" }).byNumber(), []string{"numbers_list", "orders_pkey"}},
		"of a number":       {statement{findOfNumber, []any{"n", "o", int64(1), true, 1}}, []string{"numbers_everybody", "orders_pkey"}},
		"history":           {history.byHistory(), []string{"orders_history", "orders_pkey"}},
		"events":            {eventsOf("o", 1, 1), []string{"events_order", "orders_pkey"}},
		"row's events":      {eventsOfRow("t", "h", 1, 1), []string{"events_order", "orders_history", "orders_pkey"}},
		"changes":           {changes(1, 1), []string{"events_order", "events_pkey", "orders_pkey"}},
		"records":           {statement{readRecords, []any{[]string{"o"}}}, []string{"orders_pkey"}},
		"adopt":             {statement{adoptAccepted, []any{1}}, []string{"orders_pkey", "orders_unfollowed"}},
		"state":             {shelf.byShelf(), []string{"orders_standing"}},
		"reference":         {reference.byShelf(), []string{"orders_reference"}},
		"reason":            {ask(reason).byShelf(), []string{"orders_standing"}},
		"reason, updated":   {ask(func(q *ledger.Query) { reason(q); q.FromUpdated = at }).byShelf(), []string{"orders_standing"}},
		"reason, reference": {ask(func(q *ledger.Query) { reason(q); q.CustomerReference = "r" }).byShelf(), []string{"orders_reference"}},
		"reason, number":    {ask(func(q *ledger.Query) { reason(q); q.Number = "n" }).byNumber(), []string{"numbers_list", "orders_pkey"}},
		"state, updated":    {shelf.walk(), []string{"orders_standing"}},
		"updated":           {updated.bySpan(updated.reach), []string{"orders_span_26", "orders_span_31", "orders_span_36", "orders_span_41", "orders_updated"}},
		"few updated":       {updated.byUpdate(), []string{"orders_updated"}},
		"how many":          {updated.inRange(), []string{"orders_updated"}},
		"least and most":    {updated.ends(), []string{"orders_updated"}},
		"take":              {statement{takeDue, []any{int16(1), int64(1), 1, int64(1)}}, []string{"orders_due", "orders_pkey"}},
		"sending":           {statement{readSending, []any{int16(order.Sending)}}, []string{"orders_unsettled"}},
		"erasable":          {statement{findErasable, []any{int64(1), 1}}, []string{"orders_unerased"}},
		"erase numbers":     {statement{eraseNumbers, []any{"o", []string{"n"}}}, []string{"numbers_everybody"}},
		"erase events":      {statement{eraseEvents, []any{[]int64{1}, []string{""}, []string{""}, []string{""}, []string{""}}}, []string{"events_pkey"}},
		"count":             {statement{countOpen, []any{int16(order.Sending), int16(order.InDoubt)}}, []string{"endpoints", "orders_attention", "orders_due", "orders_open", "orders_unsettled", "queues_due"}},
	} {
		if diff := cmp.Diff(c.want, s.indexes(t, c.statement)); diff != "" {
			t.Errorf("%s: the indexes (-want +got):\n%s", name, diff)
		}
	}
}

// What was delivered is never read on the way to what is pending, nor what waits behind something else.
func TestEveryQueryForWebhooksHasItsIndex(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	s := testStore(t, url)
	conn := pgtest.Connect(t, url)
	for _, statement := range []string{
		`INSERT INTO endpoints SELECT 'e' || n, 't' || n % 5, 1, false, 0, '', n FROM generate_series(1, 50) AS n`,
		`INSERT INTO deliveries SELECT 'e' || n % 5, n, 'o' || n % 1000, n, CASE n % 7 WHEN 0 THEN 'PENDING' ELSE 'DELIVERED' END, 0, n, 0, '' FROM generate_series(1, 40000) AS n`,
		`INSERT INTO queues SELECT endpoint_id, order_id, min(sequence), min(due) FROM deliveries WHERE state = 'PENDING' GROUP BY 1, 2`,
		`ANALYZE`,
	} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	states := []ledger.DeliveryState{ledger.DeliveryDelivered, ledger.DeliveryGivenUp}
	for name, c := range map[string]struct {
		statement
		want []string
	}{
		"endpoints of one":  {statement{readEndpointsOf, []any{"t1"}}, []string{"endpoints_tenant"}},
		"who is due":        {statement{readDueEndpoints, []any{int64(100)}}, []string{"endpoints_pkey", "queues_due"}},
		"take":              {statement{pickQueues, []any{"e1", int64(100), 10}}, []string{"endpoints_pkey", "queues_due"}},
		"what was taken":    {statement{takeDeliveries, []any{"e1", []string{"o1"}, int64(1)}}, []string{"deliveries_pkey", "queues_pkey"}},
		"first of an order": {statement{setQueues, []any{"e1", []string{"o1"}}}, []string{"deliveries_pending", "queues_pkey"}},
		"orders done with":  {statement{dropQueues, []any{"e1", []string{"o1"}}}, []string{"deliveries_pending", "queues_pkey"}},
		"list":              {listDeliveries("e1", nil, 0, 10), []string{"deliveries_pkey"}},
		"list by state":     {listDeliveries("e1", states, 100, 10), []string{"deliveries_state"}},
		"count":             {statement{countPending, []any{"t1"}}, []string{"deliveries_pending", "endpoints_tenant"}},
		"redeliver":         {statement{whichAgain, []any{"e1", names(states), int64(39_000)}}, []string{"deliveries_state"}},
		"forget":            {statement{forgetOver, []any{int64(100), 10}}, []string{"deliveries_over", "deliveries_pkey"}},
		"shut":              {statement{findShut, []any{int64(100), 10}}, []string{"deliveries_pending", "endpoints"}},
		"forget what waits": {statement{removeShut, []any{"e1", []int64{7}}}, []string{"deliveries_pkey"}},
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
