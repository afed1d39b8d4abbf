package sqlite

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// scattered fills a store with orders whose times are microseconds to years apart, some at the same microsecond, some changed before
// they were created, and returns them newest first.
func scattered(t *testing.T, s *Store, die *rand.Rand, n int) []ledger.Record {
	t.Helper()
	var all []ledger.Record
	at := time.Date(2020, time.February, 29, 23, 59, 59, 0, time.UTC)
	for i := range n {
		at = at.Add(time.Duration(die.IntN(3)) * time.Duration(1+die.Int64N(1<<(10+die.IntN(40)))))
		r := ledger.Record{
			OrderID: fmt.Sprintf("order %03d %d", die.IntN(1000), i), Tenant: fmt.Sprint("tenant ", i%5/4), RequestID: fmt.Sprint(i), Attempt: 1,
			CustomerReference: []string{"", "a", "b", "b"}[die.IntN(4)],
			Numbers:           []string{fmt.Sprint(i % 40)}, State: order.States()[die.IntN(5)], Created: at,
			Updated: at.Add(time.Duration(die.Int64N(1 << (10 + die.IntN(48))))),
		}
		if die.IntN(10) == 0 {
			r.Updated = at.Add(-time.Duration(die.IntN(1 << 40)))
		}
		if r.State == order.Accepted {
			r.Status, r.Ticket = order.Statuses()[die.IntN(len(order.Statuses()))], fmt.Sprint(i)
		}
		for _, code := range reasons()[:2] {
			if die.IntN(4) == 0 {
				r.Attend(code, "why", at)
			}
		}
		all = append(all, clean(r))
	}
	err := s.writer.write(t.Context(), func(ctx context.Context, t *transaction) error {
		for _, r := range all {
			written, err := t.insert(ctx, r)
			if err != nil {
				return err
			}
			if err := t.hold(ctx, written, r.Numbers[:1], []rival{{}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b ledger.Record) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.OrderID, a.OrderID))
	})
	return all
}

// reasons are some for attention; scattered orders have the first two.
func reasons() []ledger.AttentionCode {
	return []ledger.AttentionCode{ledger.AttentionNoTicket, ledger.AttentionNoProgress, ledger.AttentionLateAnswer}
}

// asks is a query by something, and perhaps by something else too.
func asks(die *rand.Rand, all []ledger.Record) ledger.Query {
	q := ledger.Query{Tenant: "tenant 0", Limit: 1 + die.IntN(20), MaxBytes: 1000}
	some := func() ledger.Record { return all[die.IntN(len(all))] }
	near := func(at time.Time) time.Time { return at.Add(time.Duration(die.IntN(3001)-1500) * time.Nanosecond) }
	between := func(from, before *time.Time, value func(ledger.Record) time.Time) {
		if die.IntN(3) > 0 {
			*from = near(value(some()))
		}
		if die.IntN(3) > 0 {
			*before = near(value(some()))
		}
	}
	if die.IntN(3) > 0 {
		between(&q.FromUpdated, &q.BeforeUpdated, func(r ledger.Record) time.Time { return r.Updated })
	}
	if die.IntN(4) == 0 {
		between(&q.FromCreated, &q.BeforeCreated, func(r ledger.Record) time.Time { return r.Created })
	}
	if die.IntN(3) == 0 {
		q.States = order.States()[:1+die.IntN(5)]
	}
	if die.IntN(4) == 0 {
		q.Categories = []order.Category{order.CategoryClosed, order.CategoryAttention}
	}
	if die.IntN(4) == 0 {
		q.NeedsAttention = new(die.IntN(2) == 0)
	}
	if die.IntN(6) == 0 {
		q.Attention = [][]ledger.AttentionCode{reasons()[:1], reasons()[1:2], reasons()[1:], reasons()[:2]}[die.IntN(4)]
	}
	if die.IntN(3) == 0 {
		q.CustomerReference = some().CustomerReference
	}
	if die.IntN(8) == 0 {
		q.Number = some().Numbers[0]
	}
	if die.IntN(2) == 0 {
		last := some()
		q.After = ledger.Position{Created: last.Created, OrderID: last.OrderID}
	}
	return q
}

// passes is a plain reading of a query.
func passes(q ledger.Query, r ledger.Record) bool {
	within := func(from, before, at time.Time) bool {
		return (from.IsZero() || !at.Before(from)) && (before.IsZero() || at.Before(before))
	}
	standings := q.Standings()
	return q.Tenant == r.Tenant && (standings == nil || slices.Contains(standings, r.Standing())) &&
		(q.NeedsAttention == nil || *q.NeedsAttention == (len(r.Attention) > 0)) &&
		(len(q.Attention) == 0 || slices.ContainsFunc(q.Attention, r.Attends)) &&
		(q.CustomerReference == "" || q.CustomerReference == r.CustomerReference) &&
		(q.Number == "" || slices.Contains(r.Numbers, q.Number)) &&
		within(q.FromCreated, q.BeforeCreated, r.Created) && within(q.FromUpdated, q.BeforeUpdated, r.Updated) &&
		(q.After == ledger.Position{} || cmp.Or(r.Created.Compare(q.After.Created), cmp.Compare(r.OrderID, q.After.OrderID)) < 0)
}

// Every way to find a page finds what a plain reading of the query finds. The conformance suite asks more kinds of questions, but of
// fewer orders, by which only the simplest ways are tried.
func TestEveryWayFindsThePage(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	die := rand.New(rand.NewPCG(7, 11))
	all := scattered(t, s, die, 400)
	names := map[string]string{
		byNumber: "number", byUpdate: "update", mergeClasses: "classes", mergeReference: "reference", mergeLengths: "lengths", mergeSpans: "spans",
		mergeReasons: "reasons", mergeReferenceReason: "reference and reason",
	}
	ways := map[string]int{}
	for n := range 600 {
		s.few = []int{0, 100}[n%2]
		q := asks(die, all)
		var want []string
		wantMore := false
		for _, r := range all {
			if passes(q, r) {
				if len(want) == q.Limit {
					wantMore = true
					break
				}
				want = append(want, r.OrderID)
			}
		}
		page, more, err := s.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range page {
			got = append(got, r.OrderID)
		}
		way := "none"
		if w := wantedBy(q); len(w.classes) > 0 {
			err = s.reader.look(t.Context(), func(l *line) error {
				p, err := l.plan(t.Context(), w, s.few)
				way = names[p.query]
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if diff := gocmp.Diff(want, got); diff != "" || more != wantMore {
			t.Fatalf("by %s, %+v: more %v, want %v; orders (-want +got):\n%s", way, q, more, wantMore, diff)
		}
		if len(want) > 0 {
			ways[way]++
		}
	}
	for _, name := range names {
		if ways[name] < 10 {
			t.Errorf("only %d pages were found by %s: %v", ways[name], name, ways)
		}
	}
}

// The window of a range has every order of that length that was changed in the range, and the orders in the midst of it qualify.
func TestLengthsHaveBounds(t *testing.T) {
	t.Parallel()
	die := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		created := time.UnixMicro(die.Int64N(1 << 51))
		r := ledger.Record{Created: created, Updated: created.Add(time.Duration(die.Int64N(1<<(1+die.IntN(58)))) * time.Microsecond / 8)}
		us := micros(r.Updated) - micros(r.Created)
		if shortest, longest := lengthOf(r).bounds(); us < shortest || us >= longest {
			t.Fatalf("%d µs have length %d, which is from %d to %d", us, lengthOf(r), shortest, longest)
		}
		if s := spanOf(r); s.length() != lengthOf(r) || s.class() != classOf(r) {
			t.Fatalf("span %d is of class %d and length %d, want %d and %d", s, s.class(), s.length(), classOf(r), lengthOf(r))
		}
	}
	backwards := ledger.Record{Created: time.Unix(2, 0), Updated: time.Unix(2, -1000)}
	if n := lengthOf(backwards); n != 0 {
		t.Errorf("an order that was changed before it was created has length %d", n)
	}
}

// The orders that benchmarks and plans are tried on are like those that the store writes.
func TestBulkIsLikeTheStores(t *testing.T) {
	t.Parallel()
	b := newBulk(t, 1000)
	n := 0
	err := b.reader.read(t.Context(), func(l *line) error {
		return l.each(t.Context(), `SELECT `+selected+` FROM orders o JOIN contents c ON c.serial = o.serial`, nil, func(from row) error {
			got, err := read(from)
			if err != nil {
				return err
			}
			n++
			want, err := store(got.serial, got.record)
			if diff := gocmp.Diff(want.indexed(), got.indexed()); diff != "" {
				t.Errorf("order %d (-the store's +the bulk's):\n%s", n, diff)
			}
			return err
		})
	})
	if err != nil || n != b.n {
		t.Errorf("%d orders, %v", n, err)
	}
}
