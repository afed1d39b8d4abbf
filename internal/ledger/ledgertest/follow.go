package ledgertest

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// followCases are orders that were placed elsewhere.
func followCases() []aCase {
	return []aCase{
		{"an order that was placed elsewhere is there and is told of", followed},
		{"every field of an order that was placed elsewhere is kept", followedWholly},
		{"a ticket that an order has is not followed again", followedOnce},
		{"a number that is held refuses an order that was placed elsewhere", followedHeld},
		{"an order without numbers is followed", followedWithoutNumbers},
		{"an order that is over holds nothing when it is followed", followedWhenOver},
		{"an order that is followed is handed out when it is due", followedIsHandedOut},
		{"of many that follow a ticket one does", oneFollows},
	}
}

// follows has an order followed, which must succeed.
func (t *trial) follows(r ledger.Record) ledger.Record {
	t.Helper()
	got, err := t.Follow(t.Context(), r, Entry("followed"))
	if err != nil {
		t.Fatalf("Follow of order %s: %v", r.OrderID, err)
	}
	return got
}

// gone fails the test if the ledger has an order by its id.
func (t *trial) gone(r ledger.Record) {
	t.Helper()
	if _, err := t.Find(t.Context(), r.Tenant, r.OrderID); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("Find of order %s, which was not followed: %v, want ErrNotFound", r.OrderID, err)
	}
}

func followed(t *trial) {
	r := Elsewhere(1)
	t.same("the order that Follow returns", r, t.follows(r))
	t.same("the order and what is told of it", []sight{{r, []ledger.Event{ledger.Followed(r, Entry("followed"))}}},
		[]sight{{t.found(r), unnumbered(t.told(r))}})
	for _, set := range []func(q *ledger.Query){
		func(*ledger.Query) {}, func(q *ledger.Query) { q.Ticket = r.Ticket }, func(q *ledger.Query) { q.Number = r.Numbers[1] },
		func(q *ledger.Query) { q.History = r.History }, func(q *ledger.Query) { q.States = []order.State{order.Accepted} },
	} {
		q := whole()
		set(&q)
		page, _ := t.listed(q)
		t.same("a list", []ledger.Record{r}, page)
	}
	t.held(r, true, "followed")
	other := t.claimed(Record(2))
	t.ticketTaken(other, Accept(r.Ticket, other.Claimed))
	now := t.advanced(r.OrderID, Fare(order.StatusCompleted, r.Created.Add(time.Hour)))
	t.held(r, false, "followed until it was over")
	t.reopen()
	t.same("the order, opened again", now, t.found(r))
	t.claimed(Correct(now, 3))
}

func followedWholly(t *trial) {
	r := with(Full(1), func(r *ledger.Record) {
		r.RequestID, r.State, r.Attempt, r.Fence, r.Successor, r.Predecessor = r.OrderID, order.Accepted, 0, 0, "", ""
		r.Kept, r.Guards = nil, false
	})
	t.same("the order that Follow returns", r, t.follows(r))
	t.same("the order at rest", r, t.found(r))
	page, _ := t.listed(whole())
	t.same("the list", []ledger.Record{r}, page)
	bad := with(Elsewhere(2), func(r *ledger.Record) {
		r.Ticket, r.CustomerReference, r.Created = "a\x00b\xff", "a\xffb", r.Created.Add(999*time.Nanosecond).Local()
	})
	good := with(bad, func(r *ledger.Record) {
		r.Ticket, r.CustomerReference, r.Created = "a\uFFFDb\uFFFD", "a\uFFFDb", Record(2).Created
	})
	t.same("the order that said what is no text", good, t.follows(bad))
	t.same("the order that said what is no text, at rest", good, t.found(bad))
}

func followedOnce(t *trial) {
	var all []ledger.Record
	for i, s := range []order.State{order.NotSent, order.Refused, order.InDoubt, order.Accepted} {
		r := t.inState(i, s)
		all = append(all, t.advanced(r.OrderID, alter(func(r *ledger.Record) { r.Ticket = Ticket(i) })))
	}
	all = append(all, t.follows(Elsewhere(4)), t.fared(5, order.StatusCompleted))
	before := t.seen(all...)
	for i, r := range all {
		for n, tenant := range []string{r.Tenant, "another"} {
			// The numbers of the very order, and of another one: the ticket is looked at first.
			for m, numbers := range [][]string{r.Numbers, {Number(500)}, all[3].Numbers} {
				other := with(Elsewhere(100+10*i+3*n+m), func(r *ledger.Record) { r.Tenant, r.Numbers, r.Ticket = tenant, numbers, all[i].Ticket })
				got, err := t.Follow(t.Context(), other, Entry("followed"))
				if !errors.Is(err, ledger.ErrTicketTaken) {
					t.Fatalf("Follow of a ticket that an order in %v has: %v, want ErrTicketTaken", r.State, err)
				}
				t.same("the order that has the ticket", r, got)
				t.gone(other)
			}
		}
	}
	t.same("the orders", before, t.seen(all...))
	if id := t.holder(Number(500)); id != "" {
		t.Errorf("an order that was not followed holds a number: %s", id)
	}
	t.follows(with(Elsewhere(200), func(r *ledger.Record) { r.Ticket, r.CarrierAccount = all[3].Ticket, "another" }))
}

func followedHeld(t *trial) {
	holders := []ledger.Record{t.claimed(Record(1)), t.inState(2, order.InDoubt), t.fared(3, order.StatusPending), t.follows(Elsewhere(4))}
	for i, holder := range holders {
		before := t.seen(holder)
		other := with(Elsewhere(100+i), func(r *ledger.Record) {
			r.Tenant, r.Numbers = []string{ledger.Default, "another"}[i%2], []string{Number(700 + i), holder.Numbers[0], holder.Numbers[1]}
		})
		_, err := t.Follow(t.Context(), other, Entry("followed"))
		t.holds(err, holder, holder.Numbers[0])
		t.gone(other)
		t.same("the order that holds the number", before, t.seen(holder))
		t.held(with(other, func(r *ledger.Record) { r.Numbers = r.Numbers[:1] }), false, "not followed")
		t.follows(with(other, func(r *ledger.Record) { r.Numbers = r.Numbers[:1] }))
	}
}

func followedWithoutNumbers(t *trial) {
	for i := range 3 {
		r := t.follows(with(Elsewhere(i), func(r *ledger.Record) { r.Numbers = nil }))
		now := t.advanced(r.OrderID, Fare(order.StatusRejected, r.Created))
		t.same("the order", now, t.found(r))
		t.advanced(r.OrderID, Fare(order.StatusCompleted, r.Created))
		t.advanced(r.OrderID, Fare(order.StatusPending, r.Created))
	}
	page, _ := t.listed(whole())
	if len(page) != 3 || len(slices.Concat(page[0].Numbers, page[1].Numbers, page[2].Numbers)) != 0 {
		t.Errorf("a list of three orders without numbers: %+v", page)
	}
	t.counted("three orders without numbers", ledger.Counts{Open: 3})
}

func followedWhenOver(t *trial) {
	holder := t.claimed(Record(1))
	r := with(Elsewhere(2), func(r *ledger.Record) {
		r.Status, r.Numbers = order.StatusCompleted, append(r.Numbers, holder.Numbers...)
	})
	t.same("the order that Follow returns", r, t.follows(r))
	t.held(holder, true, "an order that is over was followed")
	t.held(Record(2), false, "the numbers of an order that was over when it was followed")
	q := whole()
	q.Number = Record(2).Numbers[0]
	page, _ := t.listed(q)
	page = slices.DeleteFunc(page, func(r ledger.Record) bool { return strings.HasPrefix(r.Tenant, "prober") })
	t.same("the orders of a number", []ledger.Record{r}, page)
	// Open again, it meets the holder like any other.
	before := t.seen(r, holder)
	step := Fare(order.StatusPending, r.Created.Add(time.Hour))
	t.collided(before, step, t.advanced(r.OrderID, step))
}

func followedIsHandedOut(t *trial) {
	r := t.follows(Elsewhere(1))
	other := t.fared(2, order.StatusPending)
	t.claimed(with(Record(3), func(r *ledger.Record) { r.Due = Epoch() }))
	until := other.Due.Add(time.Hour)
	turn := ledger.Turn{State: order.Accepted, Now: other.Due, Until: until, Limit: 10}
	want := []ledger.Record{handed(r, until), handed(other, until)}
	t.same("the accepted orders that are due", want, t.taken(turn))
	t.same("the accepted orders that are due, once more", []ledger.Record(nil), t.taken(turn))
	t.same("the order at rest", want[0], t.found(r))
	turn.Now, turn.Until = until, until.Add(time.Hour)
	t.advanced(r.OrderID, alter(func(r *ledger.Record) { r.Due = time.Time{} }))
	if got := t.takenOne(turn); got.OrderID != other.OrderID || got.Fence != 2 {
		t.Errorf("handed out was %+v", got)
	}
}

func oneFollows(t *trial) {
	const callers = 40
	stores := t.stores(3)
	elsewhere := func(i int) ledger.Record {
		return with(Elsewhere(i), func(r *ledger.Record) {
			r.Ticket, r.Tenant = Ticket(0), []string{ledger.Default, "another"}[i%2]
		})
	}
	got, errs := make([]ledger.Record, callers), make([]error, callers)
	together(callers, func(i int) {
		got[i], errs[i] = stores[i%len(stores)].Follow(t.Context(), elsewhere(i), Entry("followed"))
	})
	won := slices.Index(errs, nil)
	if won < 0 {
		t.Fatalf("nobody follows the ticket:%s", joined(errs))
	}
	for i, err := range errs {
		if i != won && !errors.Is(err, ledger.ErrTicketTaken) {
			t.Errorf("caller %d: %v, want ErrTicketTaken", i, err)
		}
		t.same("the order that a caller got", elsewhere(won), got[i])
		if i != won {
			t.gone(elsewhere(i))
		}
	}
	t.held(elsewhere(won), true, "followed by one of many")
	t.counted("followed by one of many", ledger.Counts{Open: 1})
}
