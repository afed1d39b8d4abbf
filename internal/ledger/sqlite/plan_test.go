package sqlite

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/order"
)

// exercised is a store that has prepared every statement that it has: all that its methods do has been done.
func exercised(t *testing.T) *Store {
	t.Helper()
	s := newBulk(t, 1000).Store
	q := ledger.Query{Tenant: ledger.Default, Limit: 10, MaxBytes: 1 << 20}
	long := func(q *ledger.Query) { q.FromUpdated = bulkEpoch() }
	for _, set := range []func(*ledger.Query){
		func(*ledger.Query) {}, long,
		func(q *ledger.Query) { q.RequestID = "x" }, func(q *ledger.Query) { q.Ticket = "x" }, func(q *ledger.Query) { q.Number = "x" },
		func(q *ledger.Query) { q.History = "x" }, func(q *ledger.Query) { q.CustomerReference = "reference 1" }, func(q *ledger.Query) { q.BeforeUpdated = bulkEpoch().Add(time.Hour) },
		func(q *ledger.Query) { q.Attention = reasons() },
		func(q *ledger.Query) { q.Attention, q.CustomerReference = reasons(), "reference 1" },
		func(q *ledger.Query) { long(q); q.States = []order.State{order.Accepted} },
	} {
		q := q
		set(&q)
		if _, _, err := s.List(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	r := ledgertest.Record(1)
	steps := []func() error{
		func() error { _, err := s.Claim(t.Context(), r, ledgertest.Entry("")); return err },
		func() error { return advance(t, s, r, ledgertest.Move(order.NotSent, order.ByAnswer, r.Claimed)) },
		func() error {
			_, err := s.Take(t.Context(), ledger.Turn{State: order.NotSent, Now: r.Due, Until: r.Due, Limit: 1})
			return err
		},
		func() error { _, err := s.Claim(t.Context(), ledgertest.Resend(r), ledgertest.Entry("")); return err },
		func() error { return advance(t, s, r, ledgertest.Move(order.NotSent, order.ByAnswer, r.Claimed)) },
		func() error {
			other := ledgertest.Record(2)
			other.Numbers = r.Numbers
			_, err := s.Claim(t.Context(), other, ledgertest.Entry(""))
			return err
		},
		func() error { return advance(t, s, r, ledgertest.Accept("T", r.Claimed)) },
		func() error {
			return advance(t, s, ledgertest.Record(2), ledgertest.Move(order.Refused, order.ByAnswer, r.Claimed))
		},
		func() error { _, err := s.Events(t.Context(), r.Tenant, r.OrderID, false, 0, 10); return err },
		func() error { _, err := s.FindKey(t.Context(), r.Tenant, r.RequestID); return err },
		func() error { _, err := s.Find(t.Context(), r.Tenant, r.OrderID); return err },
		func() error { _, err := s.Sending(t.Context()); return err },
		func() error { _, err := s.Count(t.Context()); return err },
		func() error {
			_, err := s.OfNumber(t.Context(), ledger.NumberQuery{Number: r.Numbers[0], Limit: 1})
			return err
		},
		func() error { return s.Check(t.Context()) },
		func() error { return follows(t, s) },
		func() error { return erases(t, s) },
		func() error { return hooks(t, s) },
		func() error {
			if err := advance(t, s, ledgertest.Record(3), ledgertest.Accept("T", r.Claimed)); !errors.Is(err, ledger.ErrNotFound) {
				return errors.Join(errors.New("an order that is not there was found"), err)
			}
			return nil
		},
	}
	for i, step := range steps {
		if err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	return s
}

// follows does all that is done with an order that was placed elsewhere and one that corrects it.
func follows(t *testing.T, s *Store) error {
	t.Helper()
	first := ledgertest.Elsewhere(5010)
	first.Status = order.StatusRejected
	was, err := s.Follow(t.Context(), first, ledgertest.Entry(""))
	over := ledgertest.Elsewhere(5011)
	over.Status = order.StatusCompleted
	_, err2 := s.Follow(t.Context(), over, ledgertest.Entry(""))
	_, err3 := s.Claim(t.Context(), ledgertest.Correct(was, 5012), ledgertest.Entry(""))
	_, err4 := s.Events(t.Context(), was.Tenant, was.OrderID, true, 0, 10)
	_, err5 := s.Head(t.Context())
	_, err6 := s.Changes(t.Context(), 0, 10)
	_, err7 := s.Records(t.Context(), []string{was.OrderID})
	return errors.Join(err, err2, err3, err4, err5, err6, err7)
}

// erases does all that is done to remove what is personal of an order.
func erases(t *testing.T, s *Store) error {
	t.Helper()
	r := ledgertest.Record(2)
	all, err := s.Erasable(t.Context(), ledgertest.Epoch().AddDate(1, 0, 0), 1)
	_, err2 := s.Erase(t.Context(), r.OrderID, ledgertest.Erasure())
	if len(all) != 1 {
		err2 = errors.Join(err2, errors.New("no order is erasable"))
	}
	return errors.Join(err, err2)
}

// hooks does all that is done with an endpoint.
func hooks(t *testing.T, s *Store) error {
	t.Helper()
	ctx := t.Context()
	e, err := s.PutEndpoint(ctx, ledgertest.Endpoint(1))
	id, a, b := ledgertest.Record(1).OrderID, int64(1), int64(2)
	err = errors.Join(err, s.Enqueue(ctx, e.EndpointID, e.Cursor, e.Cursor+1, []ledger.Delivery{ledgertest.Delivery(id, a, 0), ledgertest.Delivery(id, b, 0)}))
	due, err2 := s.DueEndpoints(ctx, ledgertest.Epoch())
	taken, err3 := s.TakeDeliveries(ctx, e.EndpointID, ledgertest.Epoch(), ledgertest.Epoch(), 10)
	if len(due) != 1 || len(taken) != 1 {
		return errors.Join(err, err2, err3, errors.New("nothing was handed out"))
	}
	taken[0].State = ledger.DeliveryGivenUp
	err = errors.Join(err, s.SettleDelivery(ctx, taken[0]))
	_, err4 := s.Redeliver(ctx, e.Tenant, e.EndpointID, 0, []ledger.DeliveryState{ledger.DeliveryGivenUp}, ledgertest.Epoch())
	err = errors.Join(err, err4)
	for _, states := range [][]ledger.DeliveryState{nil, {ledger.DeliveryGivenUp}} {
		_, _, err5 := s.Deliveries(ctx, e.Tenant, e.EndpointID, states, 0, 10)
		err = errors.Join(err, err5)
	}
	for _, tenant := range []string{"", e.Tenant} {
		_, err6 := s.Endpoints(ctx, tenant)
		_, err7 := s.PendingDeliveries(ctx, tenant)
		err = errors.Join(err, err6, err7)
	}
	taken, err8 := s.TakeDeliveries(ctx, e.EndpointID, ledgertest.Epoch(), ledgertest.Epoch(), 10)
	for _, d := range taken {
		d.State = ledger.DeliveryDelivered
		err = errors.Join(err, s.SettleDelivery(ctx, d))
	}
	_, err9 := s.ForgetDeliveries(ctx, ledgertest.Epoch().AddDate(1, 0, 0), 10)
	e.Version, e.Disabled = e.Version+1, true
	_, err10 := s.PutEndpoint(ctx, e)
	err10 = errors.Join(err10, s.Enqueue(ctx, e.EndpointID, e.Cursor+1, e.Cursor+2, []ledger.Delivery{ledgertest.Delivery(id, b+1, 0)}))
	if n, err := s.ForgetDeliveries(ctx, ledgertest.Epoch().AddDate(1, 0, 0), 10); n != 2 || err != nil {
		return errors.Join(err, err10, errors.New("what waits for a disabled endpoint was not forgotten"))
	}
	return errors.Join(err, err2, err3, err8, err9, err10, s.DeleteEndpoint(ctx, e.Tenant, e.EndpointID))
}

func advance(t *testing.T, s *Store, r ledger.Record, step ledger.Step) error {
	t.Helper()
	_, err := s.Advance(t.Context(), r.OrderID, step)
	return err
}

// statements are the texts that the store has prepared.
func statements(t *testing.T, s *Store) []string {
	t.Helper()
	var all []string
	err := s.writer.write(t.Context(), func(_ context.Context, t *transaction) error {
		for text := range t.statements {
			all = append(all, text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range cap(s.reader.idle) {
		l := <-s.reader.idle
		for text := range l.statements {
			all = append(all, text)
		}
		s.reader.idle <- l
	}
	return all
}

// steps are how SQLite carries out a statement.
func steps(t *testing.T, s *Store, statement string) (plan []string) {
	t.Helper()
	args := named(map[string]any{
		"tenant": "x", "created": 1, "order_id": "x", "from_created": 1, "from_updated": 1, "before_updated": 2, "request_id": "x", "ticket": "x",
		"reference": "x", "number": "x", "classes": "[]", "streams": "[]", "reasons": "[]", "limit": 1, "history": "x", "after": 1, "count": 0, "epoch": 0, "base": 1,
		"but": "x", "unsettled": 1,
	})
	positional := slices.Repeat([]any{1}, 60)
	err := s.writer.write(t.Context(), func(ctx context.Context, t *transaction) (err error) {
		rows, err := t.conn.QueryContext(ctx, `EXPLAIN QUERY PLAN `+statement, slices.Concat(positional, args)...)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			var id, parent, unused int
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				return err
			}
			plan = append(plan, step)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatalf("%v: %s", err, statement)
	}
	return plan
}

// No statement of the store reads a table, or sorts, without a bound: what it costs does not grow with the ledger.
func TestEveryStatementHasItsIndex(t *testing.T) {
	t.Parallel()
	s := exercised(t)
	// Lists that came as an argument, streams and pages are read whole. Tables are not: ledger has one row.
	mayScan := regexp.MustCompile(`^SCAN (json_each|j|p|stream|merged|found|present|ledger|CONSTANT ROW)\b`)
	// Endpoints are few: a question about all of them reads all of them, and of their deliveries those that it is about.
	mayScan = regexp.MustCompile(mayScan.String() + `|^SCAN (f$|w\b)`)
	// What is sorted: the few orders of a ticket, one for each account, of a history, or of a narrow range of time; who holds the
	// numbers of one order; as many events of each order of a history as are wanted; the reasons of all that needs attention.
	maySort := []string{byTicket, byUpdate, byHistory, historysEvents, countReasons, "AS place", "held = 2"}
	control := regexp.MustCompile(`^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|EXPLAIN)`)
	seen := 0
	for _, statement := range statements(t, s) {
		if slices.Contains(fills(), statement) || control.MatchString(statement) {
			continue
		}
		seen++
		for _, step := range steps(t, s, statement) {
			if strings.HasPrefix(step, "SCAN") && !mayScan.MatchString(step) {
				t.Errorf("%s\n\tin %s", step, statement)
			}
			sorts := false
			for _, text := range maySort {
				sorts = sorts || strings.Contains(statement, text)
			}
			if strings.Contains(step, "TEMP B-TREE") && !sorts {
				t.Errorf("%s\n\tin %s", step, statement)
			}
			// Streams go on from an order: at once, also among many of the same microsecond.
			if strings.Contains(statement, "merged(") && strings.Contains(step, "SEARCH h ") && !strings.Contains(step, "(created,order_id)<(?,?)") {
				t.Errorf("%s\n\tin %s", step, statement)
			}
		}
	}
	tried := statements(t, s)
	for _, statement := range []string{
		byKey, byTicket, byNumber, byUpdate, mergeClasses, mergeReasons, mergeReference, mergeReferenceReason, mergeLengths, mergeSpans, findLengths, findSpans, findReferences,
		fewUpdated, ordersDue, leases, countState, countAttention, countReasons, countClass, orderByKey, orderByID, orderByRow, tenantsByID, ordersEvents, historysEvents,
		byHistory, changes, latestSequence, ordersByIDs, endpointByID, endpointsOf, endpointsAll, deliveriesLatest, deliveriesIn, pendingOfTenant,
		pendingOfAll, ofNumber, firsts, markFirst, redeliver, ordersUnerased, deliveriesOver, deliveriesShut, removeShut, dueEndpoints, deliveriesDue,
	} {
		if !slices.Contains(tried, statement) {
			t.Errorf("not tried: %s", statement)
		}
	}
	if seen < 30 {
		t.Errorf("only %d statements were tried", seen)
	}
}
