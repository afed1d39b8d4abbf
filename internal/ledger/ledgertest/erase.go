package ledgertest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// eraseCases are what becomes of an order whose personal data is removed.
func eraseCases() []aCase {
	return []aCase{
		{"what is left of an order that is erased is kept", erasedIsKept},
		{"the events of an order that is erased lose what is personal", pastIsErased},
		{"an order that is erased is found by nothing personal", erasedIsNotFound},
		{"only an order that is over is erased", onlyWhatIsOver},
		{"only an order that was not changed for long is erased", onlyWhatIsOld},
		{"an order that is erased never changes again", erasedForGood},
		{"but for its reasons for attention, which a person takes away", erasedIsLookedInto},
		{"the longest unchanged of the orders that are over is erasable first", longestUnchangedFirst},
		{"of many that erase an order one does", erasedByOne},
	}
}

// later is when the suite erases: long after everything else.
func later() time.Time { return Epoch().AddDate(1, 0, 0) }

// Erasure is one of an order that is over, whenever that was.
func Erasure() ledger.Erasure {
	return ledger.Erasure{
		Before: later(), Now: later(),
		Entry: ledger.Entry{Actor: ledger.Actor{Kind: ledger.ByOperator, Name: "an operator"}, Note: "asked for"},
	}
}

// erased erases an order, which must succeed.
func (t *trial) erased(orderID string, e ledger.Erasure) ledger.Record {
	t.Helper()
	got, err := t.Erase(t.Context(), orderID, e)
	if err != nil {
		t.Fatalf("Erase of order %s: %v", orderID, err)
	}
	return got
}

// unerased wants an order not to be erased, and to stay what it is.
func (t *trial) unerased(what string, r ledger.Record, e ledger.Erasure) {
	t.Helper()
	before := t.seen(r)
	got, err := t.Erase(t.Context(), r.OrderID, e)
	if !errors.Is(err, ledger.ErrMoved) {
		t.Errorf("%s: Erase: %v, want ErrMoved", what, err)
	}
	t.same(what+": the order that Erase returns", before[0].Record, got)
	t.same(what+": the order", before, t.seen(r))
}

// full is an order with something in every field, which is over.
func (t *trial) full() ledger.Record {
	t.Helper()
	was := with(fixed(Full(2), t.claimed(t.fresh())), func(r *ledger.Record) {
		r.State, r.Guards, r.Disputing = order.Accepted, false, false
		r.Status = order.StatusCompleted
		r.Looks, r.ErrorID, r.Ticket = []string{"SEEN-1", "a look at somebody"}, "error-2", "TICKET-2"
	})
	return t.advanced(was.OrderID, become(was, order.ByAnswer))
}

// leftOf is what the contract leaves of an order that has a text in each place.
func leftOf(was ledger.Record, at time.Time) ledger.Record {
	return with(was, func(r *ledger.Record) {
		r.CustomerReference, r.Content, r.Warnings, r.Numbers, r.Kept, r.Rejects = "", nil, nil, nil, nil, nil
		r.Message, r.Problem, r.Doubt.Finding = "", "", ""
		r.Attention[0].Description, r.Attention[1].Description = "", ""
		r.Looks = r.Looks[:1]
		r.Due, r.Erased, r.Updated = time.Time{}, at, at
	})
}

func erasedIsKept(t *trial) {
	was := t.full()
	e := Erasure()
	e.Now = e.Now.Add(999 * time.Nanosecond).In(time.FixedZone("somewhere", 3600))
	want := leftOf(was, later())
	t.same("the order that Erase returns", want, t.erased(was.OrderID, e))
	t.everywhere("after it", want)
	records, err := t.Records(t.Context(), []string{was.OrderID})
	t.same("the record", []ledger.Record{want}, records)
	t.same("no error", "", said(err))
	t.reopen()
	t.everywhere("opened again", want)

	// What the carrier wrote in the place of an identifier or a day can be anything.
	other := t.claimed(Record(9))
	t.advanced(other.OrderID, ledger.Step{By: order.ByAnswer, Now: other.Claimed, Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.State, r.Reason, r.ErrorID, r.PortDate, r.Looks = order.Refused, fault.ReasonCarrierRefused, "said by John", "when John is in", []string{"x y"}
		return Entry("refused"), nil
	}})
	got := t.erased(other.OrderID, Erasure())
	t.same("what the carrier said", []string{"", "", string(fault.ReasonCarrierRefused)}, []string{got.ErrorID, got.PortDate, string(got.Reason)})
	t.same("the looks", []string(nil), got.Looks)
}

func pastIsErased(t *trial) {
	was, other := t.full(), t.claimed(Record(8))
	t.advanced(was.OrderID, redate(3))
	t.advanced(was.OrderID, ledger.Step{Now: Epoch(), Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.Status, r.PortDate = "HELD, ask John", "2026-12-01" // nothing else in its event goes
		return ledger.Entry{}, nil
	}})
	t.advanced(was.OrderID, Fare(order.StatusCompleted, Epoch()))
	was = t.advanced(was.OrderID, ledger.Step{Now: Epoch(), Change: func(*ledger.Record) (ledger.Entry, error) {
		return ledger.Entry{Type: ledger.EventEvidence, Actor: ledger.Actor{Kind: ledger.ByCarrier}, Note: "about John", Ticket: "John's ticket"}, nil
	}})
	before, others, head := t.told(was), t.told(other), t.head()
	e := Erasure()
	left := t.erased(was.OrderID, e)
	want := slices.Clone(before)
	for i, past := range want {
		want[i] = past.Erase()
	}
	want = append(want, ledger.Event{
		OrderID: was.OrderID, Tenant: was.Tenant, Sequence: head + 1, Time: later(), Actor: e.Entry.Actor, Type: ledger.EventErased,
		Attempt: was.Attempt, State: was.State, Status: was.Status, Validated: was.Validated, Ticket: was.Ticket, PortDate: left.PortDate, Attention: codesIn(left),
		Predecessor: was.Predecessor, Successor: was.Successor, Was: was.Standing(), Is: was.Standing(), Note: "asked for",
	})
	t.same("the events", want, t.told(was))
	t.same("those of another order", others, t.told(other))
	changes := t.changed(0)
	t.same("the latest change", want[len(want)-1], changes[len(changes)-1])
	for _, change := range changes[:len(changes)-1] {
		if change.OrderID == was.OrderID && (change.Note != "" || change.Ticket == "John's ticket" || change.Status == "HELD, ask John" || change.PortDate == "day 3") {
			t.Errorf("a change says %q, %q, %q, %q", change.Note, change.Ticket, change.PortDate, change.Status)
		}
	}
}

// codesIn are the codes of a record's reasons for attention.
func codesIn(r ledger.Record) (codes []ledger.AttentionCode) {
	for _, a := range r.Attention {
		codes = append(codes, a.Code)
	}
	return codes
}

func erasedIsNotFound(t *trial) {
	was, other := t.full(), t.claimed(Record(8))
	left := t.erased(was.OrderID, Erasure())
	for what, c := range map[string]struct {
		set  func(q *ledger.Query)
		want []ledger.Record
	}{
		"its first number":     {func(q *ledger.Query) { q.Number = was.Numbers[0] }, nil},
		"its other number":     {func(q *ledger.Query) { q.Number = was.Numbers[1] }, nil},
		"its reference":        {func(q *ledger.Query) { q.CustomerReference = was.CustomerReference }, nil},
		"its ticket":           {func(q *ledger.Query) { q.Ticket = was.Ticket }, []ledger.Record{left}},
		"its key":              {func(q *ledger.Query) { q.RequestID = was.RequestID }, []ledger.Record{left}},
		"its state":            {func(q *ledger.Query) { q.States = []order.State{order.Accepted} }, []ledger.Record{left}},
		"why it was looked at": {func(q *ledger.Query) { q.Attention = codesIn(was)[:1] }, []ledger.Record{left}},
		"when it changed last": {func(q *ledger.Query) { q.FromUpdated = later() }, []ledger.Record{left}},
		"when it changed":      {func(q *ledger.Query) { q.BeforeUpdated = was.Updated.Add(time.Second); q.FromUpdated = was.Updated }, nil},
		"another's number":     {func(q *ledger.Query) { q.Number = other.Numbers[0] }, []ledger.Record{other}},
		"another's reference":  {func(q *ledger.Query) { q.CustomerReference = other.CustomerReference }, []ledger.Record{other}},
	} {
		q := whole()
		c.set(&q)
		got, _, err := t.List(t.Context(), q)
		t.same("asked for "+what, "", said(err))
		t.same("asked for "+what, c.want, got)
	}
	for _, number := range was.Numbers {
		t.ofNumber("its number", ledger.NumberQuery{Number: number, Limit: 10})
	}
	t.held(was, false, "once it is erased")
}

func onlyWhatIsOver(t *trial) {
	for n, s := range order.States() {
		r := t.inState(n, s)
		if s == order.NotSent || s == order.Refused {
			t.erased(r.OrderID, Erasure())
			continue
		}
		t.unerased("in "+s.String(), r, Erasure())
	}
	for n, word := range []order.Status{order.StatusPending, order.StatusConfirmed, order.StatusRejected, order.StatusHold, "UNHEARD"} {
		t.unerased("fares "+string(word), t.fared(10+n, word), Erasure())
	}
	for n, word := range []order.Status{order.StatusCompleted, order.StatusCancelled, order.StatusExpired} {
		t.erased(t.fared(20+n, word).OrderID, Erasure())
	}
	for n, c := range []struct {
		state order.State
		word  order.Status
		over  bool
	}{{order.NotSent, "", false}, {order.Refused, "", false}, {order.Accepted, order.StatusCancelled, false}, {order.Accepted, order.StatusCompleted, true}} {
		r := t.guard(30 + n)
		r = t.advanced(r.OrderID, Move(c.state, order.ByAnswer, r.Claimed))
		r = t.advanced(r.OrderID, Fare(c.word, r.Claimed))
		if c.over {
			t.erased(r.OrderID, Erasure())
			continue
		}
		t.unerased(fmt.Sprintf("guarding in %v, %s", c.state, c.word), r, Erasure())
		t.same("what is erasable", false, slices.Contains(t.erasable(later(), 100), r.OrderID))
		freed := t.advanced(r.OrderID, alter(func(r *ledger.Record) { r.Guards = false }))
		t.erased(freed.OrderID, Erasure())
	}
	if _, err := t.Erase(t.Context(), Record(99).OrderID, Erasure()); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("Erase of an order that is not there: %v, want ErrNotFound", err)
	}
}

func onlyWhatIsOld(t *trial) {
	r := t.inState(1, order.Refused)
	e := Erasure()
	for _, before := range []time.Time{r.Updated.Add(-time.Hour), r.Updated} {
		e.Before = before
		t.unerased("changed since", r, e)
	}
	e.Before = r.Updated.Add(time.Microsecond)
	e.Entry.Note = "the first"
	t.erased(r.OrderID, e)
	e.Before, e.Now = later().AddDate(1, 0, 0), later().AddDate(1, 0, 0)
	t.unerased("erased before", r, e)
}

func erasedForGood(t *trial) {
	was := t.advanced(t.inState(1, order.NotSent).OrderID, alter(func(r *ledger.Record) { r.Ticket, r.Due = Ticket(1), Epoch() }))
	left := t.erased(was.OrderID, Erasure())
	unchanged := func(what string, want error, got ledger.Record, err error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
		t.same(what+": the order that comes back", left, got)
		t.same(what+": the order", left, t.found(was))
	}
	got, err := t.Advance(t.Context(), was.OrderID, Accept(Ticket(7), later()))
	unchanged("a late answer", ledger.ErrMoved, got, err)
	got, err = t.Claim(t.Context(), Resend(was), Entry("again"))
	unchanged("the next attempt", ledger.ErrMoved, got, err)
	got, err = t.Claim(t.Context(), with(Record(5), func(r *ledger.Record) { r.RequestID = was.RequestID }), Entry("its key"))
	unchanged("a new order with its key", ledger.ErrMoved, got, err)
	got, err = t.Follow(t.Context(), with(Elsewhere(6), func(r *ledger.Record) { r.Ticket = Ticket(1) }), Entry("its ticket"))
	unchanged("another order with its ticket", ledger.ErrTicketTaken, got, err)
	t.everyState(func(turn ledger.Turn) { t.same("what is due", []ledger.Record(nil), t.taken(turn)) })

	was = t.inState(2, order.Refused)
	left = t.erased(was.OrderID, Erasure())
	got, err = t.Claim(t.Context(), Correct(was, 7), Entry("its correction"))
	unchanged("a correction", ledger.ErrNotCorrectable, got, err)
}

func erasedIsLookedInto(t *trial) {
	was := t.full()
	left := t.erased(was.OrderID, Erasure())
	why, at := codesIn(left), later().Add(time.Hour)
	want := with(left, func(r *ledger.Record) { r.Attention, r.Updated = r.Attention[1:], at })
	t.same("the order that Advance returns", want, t.advanced(was.OrderID, ledger.Step{Now: at, OfErased: true, Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.Unattend(why[0])
		e := Entry("looked into")
		e.Type = ledger.EventAttentionChanged
		return e, nil
	}}))
	t.everywhere("after it", want)
	told := t.told(was)
	last := told[len(told)-1]
	t.same("the latest event", []string{string(ledger.EventAttentionChanged), "looked into"}, []string{string(last.Type), last.Note})
	t.same("what is erasable", false, slices.Contains(t.erasable(at.AddDate(1, 0, 0), 100), was.OrderID))
	t.unerased("erased before", want, ledger.Erasure{Before: at.AddDate(1, 0, 0), Now: at.AddDate(1, 0, 0), Entry: Entry("again")})
}

// erasable are the orders that may be erased.
func (t *trial) erasable(before time.Time, limit int) []string {
	t.Helper()
	got, err := t.Erasable(t.Context(), before, limit)
	if err != nil {
		t.Fatalf("Erasable: %v", err)
	}
	return got
}

func longestUnchangedFirst(t *trial) {
	t.same("of no orders", []string(nil), t.erasable(later(), 10))
	var want []string
	at := func(n int) time.Time { return Epoch().AddDate(0, 0, n*7%11) }
	ids := map[time.Time]string{}
	for n := range 11 {
		r := t.claimed(with(Record(n), func(r *ledger.Record) { r.Tenant = []string{ledger.Default, "another"}[n%2] }))
		switch n % 3 {
		case 0:
			t.advanced(r.OrderID, Move(order.NotSent, order.ByAnswer, at(n)))
		case 1:
			t.advanced(r.OrderID, Move(order.Refused, order.ByAnswer, at(n)))
		case 2:
			t.advanced(r.OrderID, Accept(Ticket(n), r.Claimed))
			t.advanced(r.OrderID, Fare(order.StatusCompleted, at(n)))
		}
		ids[at(n)] = r.OrderID
		for _, s := range []order.State{order.Sending, order.InDoubt, order.Accepted} { // of those that are not over, none
			t.inState(100+10*n+int(s), s)
		}
	}
	for day := range 11 {
		want = append(want, ids[Epoch().AddDate(0, 0, day)])
	}
	t.same("all", want, t.erasable(later(), 100))
	t.same("some", want[:4], t.erasable(later(), 4))
	t.same("those before a day", want[:3], t.erasable(Epoch().AddDate(0, 0, 3), 100))
	t.same("those before just after a day", want[:4], t.erasable(Epoch().AddDate(0, 0, 3).Add(time.Nanosecond), 100))
	t.same("none", []string(nil), t.erasable(later(), 0))
	t.erased(want[1], Erasure())
	t.same("but for one that is erased", slices.Delete(slices.Clone(want), 1, 2), t.erasable(later().AddDate(1, 0, 0), 100))
}

func erasedByOne(t *trial) {
	const erasers = 12
	stores := t.stores(3)
	r := t.inState(1, order.Refused)
	errs := make([]error, erasers)
	together(erasers, func(i int) {
		_, errs[i] = stores[i%len(stores)].Erase(t.Context(), r.OrderID, Erasure())
	})
	did := 0
	for _, err := range errs {
		switch {
		case err == nil:
			did++
		case !errors.Is(err, ledger.ErrMoved):
			t.Errorf("Erase: %v, want ErrMoved", err)
		}
	}
	told := t.told(r)
	if did != 1 || len(told) != 3 {
		t.Errorf("%d erased the order, which has %d events; want 1 and 3", did, len(told))
	}
}
