package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// turnCases are what Take hands out.
func turnCases() []aCase {
	return []aCase{
		{"the longest due is handed out first", longestDueFirst},
		{"an order is not handed out again before its time", notAgainBeforeItsTime},
		{"orders of other states are not handed out", otherStatesAreNot},
		{"an order that is never due is never handed out", neverDue},
		{"being handed out is no event", handedOutSilently},
		{"a taker tells by the fence that it is still the one", fenceTells},
		{"each order goes to one taker", oneTakerEach},
		{"an order that is being changed is passed over", changingIsPassedOver},
	}
}

// taken are the orders of a turn that must be handed out.
func (t *trial) taken(turn ledger.Turn) []ledger.Record {
	t.Helper()
	got, err := t.Take(t.Context(), turn)
	if err != nil {
		t.Fatalf("Take: %v", err)
	}
	return got
}

// takenOne is the one order of a turn.
func (t *trial) takenOne(turn ledger.Turn) ledger.Record {
	t.Helper()
	got := t.taken(turn)
	if len(got) != 1 {
		t.Fatalf("Take hands out %d orders in %v, want one", len(got), turn.State)
	}
	return got[0]
}

// everyState calls f with a turn of each state, in which whatever has a time is due.
func (t *trial) everyState(f func(turn ledger.Turn)) {
	t.Helper()
	for _, s := range order.States() {
		f(ledger.Turn{State: s, Now: Epoch().AddDate(100, 0, 0), Until: Epoch().AddDate(101, 0, 0), Limit: 100})
	}
}

// handed is an order as a turn hands it out.
func handed(r ledger.Record, until time.Time) ledger.Record {
	r.Due = until
	r.Fence++
	return r
}

// due is when the nth order is due, in an order that is not that of the claims.
func due(n int) time.Time { return Epoch().Add(time.Duration(n*7%11) * time.Minute) }

func longestDueFirst(t *trial) {
	var all []ledger.Record
	for i := range 11 {
		all = append(all, t.claimed(with(Record(i), func(r *ledger.Record) {
			r.Due, r.Tenant = due(i), []string{ledger.Default, "another"}[i%2]
		})))
	}
	slices.SortFunc(all, func(a, b ledger.Record) int { return a.Due.Compare(b.Due) })
	until := Epoch().AddDate(1, 0, 0)
	turn := ledger.Turn{State: order.Sending, Now: Epoch().Add(-time.Microsecond), Until: until, Limit: 3}
	t.same("before the first is due", []ledger.Record(nil), t.taken(turn))
	for i, want := range []struct {
		minutes, limit int
		orders         []ledger.Record
	}{
		{0, 3, all[:1]}, {4, 3, all[1:4]}, {4, 3, all[4:5]}, {4, 3, nil}, {5, 1, all[5:6]}, {100, 100, all[6:]}, {100, 100, nil},
	} {
		turn.Now, turn.Limit = Epoch().Add(time.Duration(want.minutes)*time.Minute), want.limit
		for j, r := range want.orders {
			want.orders[j] = handed(r, until)
		}
		got := t.taken(turn)
		t.same(fmt.Sprintf("turn %d", i), want.orders, got)
		for _, r := range got {
			t.same("the order at rest", r, t.found(r))
		}
	}
}

func notAgainBeforeItsTime(t *trial) {
	r := t.claimed(Record(1))
	other := t.claimed(with(Record(2), func(r *ledger.Record) { r.Due = Epoch().AddDate(1, 0, 0) }))
	now := r.Due
	for i := range 5 {
		until := now.Add(time.Duration(i+1) * time.Minute).Add(999 * time.Nanosecond)
		turn := ledger.Turn{State: order.Sending, Now: now, Until: until, Limit: 10}
		r = handed(r, until.Truncate(time.Microsecond))
		t.same("the orders that are due", []ledger.Record{r}, t.taken(turn))
		turn.Now = r.Due.Add(-time.Microsecond)
		t.same("before the order is due again", []ledger.Record(nil), t.taken(turn))
		now = r.Due
		if i == 2 {
			t.reopen()
		}
	}
	if r.Fence != 5 {
		t.Errorf("the fence is %d after five turns", r.Fence)
	}
	t.same("the order that was never due", other, t.found(other))
}

func otherStatesAreNot(t *trial) {
	var all []ledger.Record
	for i, s := range order.States() {
		all = append(all, t.inState(i, s))
	}
	i := 0
	t.everyState(func(turn ledger.Turn) {
		t.same("the orders in "+turn.State.String(), []ledger.Record{handed(all[i], turn.Until)}, t.taken(turn))
		i++
	})
	// What changed its state since is handed out as what it is now.
	moved := t.advanced(all[3].OrderID, Move(order.Refused, order.ByAnswer, Epoch()))
	again := ledger.Turn{State: order.InDoubt, Now: moved.Due, Until: moved.Due.Add(time.Hour), Limit: 10}
	t.same("the orders in doubt", []ledger.Record(nil), t.taken(again))
	again.State = order.Refused
	if got := t.taken(again); len(got) != 2 {
		t.Errorf("%d orders were handed out as refused, want 2", len(got))
	}
}

func neverDue(t *trial) {
	t.claimed(with(Record(1), func(r *ledger.Record) { r.Due = time.Time{} }))
	r := t.claimed(Record(2))
	t.advanced(r.OrderID, alter(func(r *ledger.Record) { r.Due = time.Time{} }))
	t.everyState(func(turn ledger.Turn) { t.same("what is due", []ledger.Record(nil), t.taken(turn)) })
	want := t.advanced(r.OrderID, alter(func(r *ledger.Record) { r.Due = Epoch() }))
	until := Epoch().Add(time.Hour)
	t.same("what is due", []ledger.Record{handed(want, until)},
		t.taken(ledger.Turn{State: order.Sending, Now: Epoch(), Until: until, Limit: 10}))
}

func handedOutSilently(t *trial) {
	r := t.claimed(t.fresh())
	before := t.told(r)
	until := r.Due.Add(time.Hour)
	t.same("the order that is handed out", []ledger.Record{handed(r, until)},
		t.taken(ledger.Turn{State: order.Sending, Now: r.Due, Until: until, Limit: 10}))
	t.same("the order", handed(r, until), t.found(r))
	t.same("the events", before, t.told(r))
	t.held(r, true, "after a turn")
}

func fenceTells(t *trial) {
	r := t.claimed(Record(1))
	turn := ledger.Turn{State: order.Sending, Now: r.Due, Until: r.Due.Add(time.Minute), Limit: 1}
	first := t.takenOne(turn)
	turn.Now, turn.Until = turn.Until, turn.Until.Add(time.Minute)
	second := t.takenOne(turn)
	by := func(taker ledger.Record) ledger.Step {
		return ledger.Step{By: order.ByLease, Now: turn.Now, Change: func(r *ledger.Record) (ledger.Entry, error) {
			if r.Fence != taker.Fence {
				return ledger.Entry{}, ledger.ErrMoved
			}
			r.State = order.InDoubt
			return Entry("its sender is gone"), nil
		}}
	}
	if _, err := t.Advance(t.Context(), r.OrderID, by(first)); !errors.Is(err, ledger.ErrMoved) {
		t.Errorf("Advance by a taker whose turn is over: %v, want ErrMoved", err)
	}
	if got := t.advanced(r.OrderID, by(second)); got.Fence != second.Fence {
		t.Errorf("a step made the fence %d of %d", got.Fence, second.Fence)
	}
}

func oneTakerEach(t *trial) {
	const orders, takers = 60, 12
	stores := t.stores(3)
	var all []ledger.Record
	for i := range orders {
		all = append(all, t.claimed(with(Record(i), func(r *ledger.Record) { r.Due = due(i) })))
	}
	until := Epoch().AddDate(1, 0, 0)
	got, errs := make([][]ledger.Record, takers), make([]error, takers)
	var count atomic.Int64
	together(takers, func(i int) {
		// Those that another taker has in hand are passed over, so nothing is no end; but there is an end of turns.
		for turn := 0; turn < 10*orders && count.Load() < orders; turn++ {
			page, err := stores[i%len(stores)].Take(t.Context(), ledger.Turn{State: order.Sending, Now: Epoch().Add(time.Hour), Until: until, Limit: 1 + i%4})
			if err != nil {
				errs[i] = err
				return
			}
			if len(page) > 1+i%4 {
				errs[i] = fmt.Errorf("%d orders were handed out for a limit of %d", len(page), 1+i%4)
			}
			got[i] = append(got[i], page...)
			count.Add(int64(len(page)))
		}
	})
	if text := joined(errs); text != "" {
		t.Fatalf("errors:%s", text)
	}
	byID := func(a, b ledger.Record) int { return newer(b, a) }
	handedOut := slices.Concat(got...)
	slices.SortFunc(handedOut, byID)
	for i, r := range all {
		all[i] = handed(r, until)
	}
	slices.SortFunc(all, byID)
	t.same("what all takers got together", all, handedOut)
}

// changingIsPassedOver needs a second store: in one of an exclusive ledger, changes wait for each other in any case.
func changingIsPassedOver(t *trial) {
	stores := t.stores(2)
	if len(stores) < 2 {
		return
	}
	changing, other := t.claimed(Record(1)), t.claimed(Record(2))
	until := other.Due.Add(time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	// The step waits here in the place of a transaction that takes long.
	begun, finish, done := make(chan struct{}, 100), make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := stores[1].Advance(ctx, changing.OrderID, alter(func(r *ledger.Record) {
			begun <- struct{}{}
			<-finish
			r.PortDate = "another day"
		}))
		done <- err
	}()
	select {
	case <-begun:
	case err := <-done:
		t.Fatalf("Advance: %v", err)
	}
	got, err := stores[0].Take(ctx, ledger.Turn{State: order.Sending, Now: other.Due, Until: until, Limit: 10})
	close(finish)
	if err != nil {
		t.Errorf("Take: %v", err)
	}
	t.same("what is handed out while an order is being changed", []ledger.Record{handed(other, until)}, got)
	if err := <-done; err != nil {
		t.Errorf("Advance: %v", err)
	}
	rest := t.takenOne(ledger.Turn{State: order.Sending, Now: other.Due, Until: until, Limit: 10})
	if rest.OrderID != changing.OrderID || rest.PortDate != "another day" {
		t.Errorf("what is handed out afterwards is not the order that was being changed: %v", rest)
	}
}
