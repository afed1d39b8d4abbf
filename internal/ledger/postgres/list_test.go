package postgres

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/postgres/pgtest"
	"github.com/portin/portin/internal/order"
)

// Every way to a page has to find the same orders; which one is taken depends on how many there are, and no test has as many as
// an operator. So the ways are taken here one by one, with bounds so low that each is cut off in every manner.
func TestEveryWayLeadsToThePage(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Config{URL: pgtest.Database(t), Carrier: "c"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	chance := rand.New(rand.NewPCG(7, 7))
	all := scattered(t, s, chance, 300)
	ways := map[string]int{}
	for range 250 {
		f := newFilter(asks(chance, all))
		if f.none() {
			continue
		}
		f.few, f.far = chance.IntN(30), 1+chance.IntN(60)
		var want []string
		for _, r := range all {
			if passes(f.Query, r) {
				want = append(want, r.OrderID)
			}
		}
		wantMore := len(want) > f.Limit
		want = want[:min(len(want), f.Limit)]
		err := s.call(t.Context(), "list", func(ctx context.Context, conn *pgx.Conn) error {
			page, more, err := f.find(ctx, conn)
			var got []string
			for _, r := range page {
				got = append(got, r.OrderID)
			}
			if diff := gocmp.Diff(want, got); diff != "" || more != wantMore {
				t.Errorf("%+v: more %v, want %v; orders (-want +got):\n%s", f, more, wantMore, diff)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		ways[f.way(t, s)]++
	}
	for _, way := range []string{"few", "walk", "spans after a walk", "spans", "reasons"} {
		if ways[way] < 5 {
			t.Errorf("%d of the queries went by %s: the test does not try it", ways[way], way)
		}
	}
}

// way is how f.find finds its page, which is of what was updated in a range.
func (f filter) way(t *testing.T, s *Store) (way string) {
	t.Helper()
	if len(f.Attention) > 0 {
		return "reasons"
	}
	err := s.call(t.Context(), "list", func(ctx context.Context, conn *pgx.Conn) error {
		var inRange int
		count := f.inRange()
		if err := conn.QueryRow(ctx, count.sql, count.args...).Scan(&inRange); err != nil || inRange <= f.few {
			way = "few"
			return err
		}
		way = "spans"
		if f.shelved() {
			var ids []string
			var times []int64
			var decided bool
			walk := f.walk()
			if err := conn.QueryRow(ctx, walk.sql, walk.args...).Scan(&ids, &times, &decided); err != nil {
				return err
			}
			way = map[bool]string{true: "walk", false: "spans after a walk"}[decided]
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return way
}

// scattered fills a ledger with orders whose times are minutes to years apart, some at the same microsecond and on the very ends
// of spans, and returns them newest first.
func scattered(t *testing.T, s *Store, chance *rand.Rand, n int) []ledger.Record {
	t.Helper()
	var all []ledger.Record
	start := time.UnixMicro(795 << 41)
	at := start
	for i := range n {
		at = at.Add(time.Duration(chance.IntN(3)) * time.Duration(1+chance.Int64N(int64(1)<<(10+chance.IntN(40)))))
		r := ledger.Record{
			OrderID: fmt.Sprintf("order %03d %d", chance.IntN(1000), i), Tenant: "t", RequestID: fmt.Sprint(i), Attempt: 1,
			CustomerReference: fmt.Sprintf("reference %d", chance.IntN(4)),
			Numbers:           []string{fmt.Sprint(i / 2)}, State: order.States()[chance.IntN(5)], Created: at, Updated: at.Add(time.Duration(chance.Int64N(int64(1) << (10 + chance.IntN(44))))),
		}
		if r.State == order.Accepted {
			r.Status, r.Ticket = order.Statuses()[chance.IntN(len(order.Statuses()))], fmt.Sprint(i)
		}
		if chance.IntN(3) == 0 {
			r.Updated = time.UnixMicro(r.Updated.UnixMicro() >> 26 << 26)
		}
		if chance.IntN(1+n/75) == 0 {
			r.Attend(ledger.AttentionNoTicket, "none", at)
			if chance.IntN(2) == 0 {
				r.Attend(ledger.AttentionNoProgress, "slow", at)
			}
		}
		all = append(all, atRest(r))
	}
	err := s.call(t.Context(), "fill", func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.CopyFrom(ctx, pgx.Identifier{"orders"}, listed(recordColumns), pgx.CopyFromSlice(len(all), func(i int) ([]any, error) {
			values, err := changingValues(all[i])
			return append(fixedValues(all[i]), values...), err
		}))
		if err != nil {
			return err
		}
		_, err = conn.Exec(ctx, `INSERT INTO numbers SELECT order_id, unnest(numbers), tenant, created FROM orders; ANALYZE`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b ledger.Record) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.OrderID, a.OrderID))
	})
	return all
}

// asks is a query for what was updated in a range, and perhaps for something else too.
func asks(chance *rand.Rand, all []ledger.Record) ledger.Query {
	q := ledger.Query{Tenant: "t", Limit: 1 + chance.IntN(20), MaxBytes: 1000}
	some := func() ledger.Record { return all[chance.IntN(len(all))] }
	near := func(at time.Time) time.Time { return at.Add(time.Duration(chance.IntN(3)-1) * time.Microsecond) }
	switch chance.IntN(3) {
	case 0:
		q.FromUpdated = near(some().Updated)
	case 1:
		q.BeforeUpdated = near(some().Updated)
	case 2:
		q.FromUpdated, q.BeforeUpdated = near(some().Updated), near(some().Updated)
		if q.BeforeUpdated.Before(q.FromUpdated) {
			q.FromUpdated, q.BeforeUpdated = q.BeforeUpdated, q.FromUpdated
		}
	}
	if chance.IntN(3) == 0 {
		q.States = order.States()[:1+chance.IntN(5)]
	}
	if chance.IntN(4) == 0 {
		q.Categories = []order.Category{order.CategoryClosed, order.CategoryAttention}
	}
	if chance.IntN(4) == 0 {
		q.NeedsAttention = new(chance.IntN(2) == 0)
	}
	if chance.IntN(6) == 0 {
		q.Attention = []ledger.AttentionCode{ledger.AttentionNoProgress, ledger.AttentionLateAnswer}[:1+chance.IntN(2)]
	}
	if chance.IntN(4) == 0 {
		q.CustomerReference = some().CustomerReference
	}
	if chance.IntN(2) == 0 {
		last := some()
		q.After = ledger.Position{Created: last.Created, OrderID: last.OrderID}
	}
	if chance.IntN(4) == 0 {
		q.FromCreated = near(some().Created)
	}
	if chance.IntN(4) == 0 {
		q.BeforeCreated = near(some().Created)
	}
	return q
}

// passes is a plain reading of a query.
func passes(q ledger.Query, r ledger.Record) bool {
	wanted := q.Standings()
	switch after := q.After; {
	case wanted != nil && !slices.Contains(wanted, r.Standing()),
		q.NeedsAttention != nil && *q.NeedsAttention != (len(r.Attention) > 0),
		len(q.Attention) > 0 && !slices.ContainsFunc(q.Attention, r.Attends),
		q.CustomerReference != "" && q.CustomerReference != r.CustomerReference,
		!q.FromUpdated.IsZero() && r.Updated.Before(q.FromUpdated), !q.BeforeUpdated.IsZero() && !r.Updated.Before(q.BeforeUpdated),
		!q.FromCreated.IsZero() && r.Created.Before(q.FromCreated), !q.BeforeCreated.IsZero() && !r.Created.Before(q.BeforeCreated),
		after != ledger.Position{} && cmp.Or(r.Created.Compare(after.Created), cmp.Compare(r.OrderID, after.OrderID)) >= 0:
		return false
	}
	return true
}

// meddler does something when a query whose text holds a word has been answered.
type meddler struct {
	word string
	do   func()
}

func (m *meddler) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	if strings.Contains(d.SQL, m.word) {
		return context.WithValue(ctx, m, true)
	}
	return ctx
}

func (m *meddler) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	if ctx.Value(m) != nil {
		m.do()
	}
}

// An order that is updated while its page is looked for was in the range before, and is in it afterwards. It must not be missed
// for having been at neither place when that was looked at.
func TestAnOrderThatIsUpdatedMeanwhileIsOnThePage(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	s := testStore(t, url)
	all := scattered(t, s, rand.New(rand.NewPCG(1, 1)), 20)
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	other, updated := pgtest.Connect(t, url), 0
	config.Tracer = &meddler{word: "min(o.updated)", do: func() {
		updated++
		if _, err := other.Exec(context.Background(), "UPDATE orders SET updated = updated + (1::bigint << 45)"); err != nil {
			t.Error(err)
		}
	}}
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	f := newFilter(ledger.Query{Tenant: "t", FromUpdated: time.Unix(1, 0), Limit: 100, MaxBytes: 1000})
	f.few = 0
	page, more, err := f.updated(t.Context(), conn)
	if err != nil || len(page) != len(all) || more || updated != 1 {
		t.Errorf("%d of %d orders, more %v, updated %d times, error %v", len(page), len(all), more, updated, err)
	}
}
