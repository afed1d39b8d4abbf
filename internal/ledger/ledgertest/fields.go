package ledgertest

import (
	"slices"
	"strings"
	"time"

	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// recordCases are what comes back of a record and of an event.
func recordCases() []aCase {
	return []aCase{
		{"every field of a record is kept by a claim", keptByClaim},
		{"every field of a record is kept by a step", keptByStep},
		{"every field of a record may become zero again", keptWhenZero},
		{"every field of an event is kept", eventIsKept},
		{"times come back in UTC, cut to microseconds", timesAreCut},
		{"text is kept whatever it says", textIsKept},
		{"text that is no text comes back with a replacement character", textIsMended},
		{"a long text and large contents are kept", sizeIsKept},
		{"a record that comes back is the caller's own", recordIsTheCallers},
	}
}

// everywhere compares an order with what each method that reads one makes of it.
func (t *trial) everywhere(when string, want ledger.Record) {
	t.Helper()
	t.same(when+": Find", want, t.found(want))
	byKey, err := t.FindKey(t.Context(), want.Tenant, want.RequestID)
	if err != nil {
		t.Errorf("%s: FindKey: %v", when, err)
	}
	t.same(when+": FindKey", want, byKey)
	page, more, err := t.List(t.Context(), ledger.Query{Tenant: want.Tenant, Limit: 10, MaxBytes: 1 << 30})
	page = slices.DeleteFunc(page, func(r ledger.Record) bool { return r.OrderID == want.Predecessor })
	if err != nil || more {
		t.Errorf("%s: List: more %v, error %v", when, more, err)
	}
	t.same(when+": List", []ledger.Record{want}, page)
}

func keptByClaim(t *trial) {
	whole := with(Full(1), func(r *ledger.Record) { r.Erased = r.Updated })
	if names := blanks(whole); len(names) > 0 {
		t.Fatalf("Full leaves %s zero: fill it, and every engine needs a place for it", strings.Join(names, ", "))
	}
	want := t.fresh()
	t.same("the order that Claim returns", want, t.claimed(want))
	t.everywhere("after the claim", want)

	t.advanced(want.OrderID, Move(order.NotSent, order.ByAnswer, want.Updated))
	again := fixed(Full(2), want)
	again.Attempt, again.Fence, again.Successor, again.Kept = 2, 0, "", nil
	t.same("the order that a second Claim returns", again, t.claimed(again))
	t.everywhere("after the second claim", again)
}

func keptByStep(t *trial) {
	first := t.claimed(Record(1))
	want := fixed(Full(2), first)
	want.State = order.InDoubt
	t.same("the order that Advance returns", want, t.advanced(first.OrderID, become(want, order.ByAnswer)))
	t.everywhere("after the step", want)
}

func keptWhenZero(t *trial) {
	first := t.claimed(t.fresh())
	t.advanced(first.OrderID, alter(func(r *ledger.Record) { r.Successor, r.Kept = Full(1).Successor, Full(1).Kept }))
	later := first.Updated.Add(time.Second)
	want := fixed(ledger.Record{State: order.NotSent, Attempt: 1, Updated: later}, first)
	t.same("the order that Advance returns", want, t.advanced(first.OrderID, become(want, order.ByAnswer)))
	t.everywhere("after the step", want)

	t.advanced(first.OrderID, become(with(Full(2), func(r *ledger.Record) {
		r.State, r.Attempt, r.Fence, r.Successor, r.Kept = order.NotSent, 1, 0, "", nil
	}), 0))
	want.State, want.Attempt, want.Claimed = order.Sending, 2, later
	t.same("the order that a second Claim returns", want, t.claimed(want))
	t.everywhere("after the second claim", want)
}

func eventIsKept(t *trial) {
	first := t.fresh()
	r := t.claimed(first)
	step := become(with(Full(2), func(r *ledger.Record) { r.State = order.InDoubt }), order.ByAnswer)
	change := step.Change
	step.Change = func(r *ledger.Record) (ledger.Entry, error) {
		_, err := change(r)
		return ledger.Entry{
			Type: ledger.EventResolved, Actor: ledger.Actor{Kind: ledger.ByOperator, Name: "an operator"},
			Note: "a note", Ticket: "another ticket", Unverified: true,
		}, err
	}
	_, want, err := step.Apply(r)
	if err != nil {
		t.Fatal(err)
	}
	want[0].Sequence = 1
	if names := blanks(want[0]); len(names) > 0 {
		t.Fatalf("the event leaves %s zero: fill it, and every engine needs a place for it", strings.Join(names, ", "))
	}
	t.advanced(r.OrderID, step)
	want = append([]ledger.Event{ledger.Claimed(first, Entry("claimed"))}, want...)
	t.same("the events", unnumbered(want), unnumbered(t.told(r)))
	changes := t.changed(0)
	t.same("the changes", unnumbered(want), unnumbered(changes[len(changes)-len(want):]))
}

func timesAreCut(t *trial) {
	zone := time.FixedZone("somewhere", -12345)
	// One nanosecond below the next microsecond: cutting and rounding differ.
	in := Epoch().Add(999 * time.Nanosecond).In(zone)
	all := func(r *ledger.Record, at time.Time) {
		r.Due, r.Doubt.Since, r.Doubt.Counted, r.Attention[0].Since = at, at, at, at
		r.Updated, r.Claimed, r.Settled, r.Checked, r.Progressed, r.Closed = at, at, at, at, at, at
	}
	claim := with(t.fresh(), func(r *ledger.Record) {
		all(r, in)
		r.Created, r.Attention = in, r.Attention[:1]
	})
	want := with(claim, func(r *ledger.Record) {
		all(r, Epoch())
		r.Created = Epoch()
	})
	t.same("the order that Claim returns", want, t.claimed(claim))
	t.everywhere("after the claim", want)

	// Far away, as a mistake in a configuration would have it.
	far := time.Date(2261, time.December, 31, 23, 59, 59, 999_999_999, zone)
	want = with(want, func(r *ledger.Record) {
		all(r, far.Truncate(time.Microsecond).UTC())
		r.State = order.InDoubt
	})
	step := become(with(want, func(r *ledger.Record) { all(r, far) }), order.ByAnswer)
	t.same("the order that Advance returns", want, t.advanced(claim.OrderID, step))
	t.everywhere("after the step", want)
	for i, e := range t.told(claim) {
		t.same("the time of an event", []time.Time{Epoch(), want.Updated}[min(i, 1)], e.Time)
	}
}

// awkward are texts that some encodings, some query languages and some collations stumble over.
func awkward() []string {
	return []string{
		"", " ", "  leading and trailing  ", "NULL", "null", "\\", `\0`, `\u0000`, `"`, "'", "''); DROP TABLE orders; --", "$1 ? %s :x @x",
		"a,b;{c}\t[d]\r\ne", "{}", "[]", "e\u0301 is not \u00e9", "\u200f\u202eright to left\u2066", "\U0001F4DE\U0001F1E8\U0001F1E6",
		"\ufeff\u2028\u2029\uFFFD\uFFFE\U0010FFFF\x01\x7f\u0085", "İıſK", "Straße STRASSE", strings.Repeat("ö", 3000),
	}
}

// scribble puts a text into every text of a record but its identifiers and numbers.
func scribble(r *ledger.Record, text string) {
	r.CarrierAccount, r.Target, r.CustomerReference, r.Owner = text, text, text, text
	r.Looks = []string{text, "x", text}
	r.Reply, r.Ticket, r.Message, r.ErrorID = text, text, text, text
	r.Reason, r.Problem, r.Doubt.Finding = fault.Reason(text), text, text
	r.Attention = []ledger.Attention{{Code: ledger.AttentionCode(text), Description: text, Since: r.Created}}
	r.Status, r.PortDate = order.Status(text), text
}

func textIsKept(t *trial) {
	for i, text := range awkward() {
		want := with(Record(i), func(r *ledger.Record) {
			scribble(r, text)
			r.Tenant, r.RequestID = "tenant "+text, "key "+text
		})
		entry := ledger.Entry{Actor: ledger.Actor{Kind: ledger.ActorKind(text), Name: text}, Note: text, Ticket: text}
		if _, err := t.Claim(t.Context(), want, entry); err != nil {
			t.Errorf("Claim of an order that says %q: %v", text, err)
			continue
		}
		t.everywhere("said "+text, want)
		t.same("the events of an order that says "+text, []ledger.Event{ledger.Claimed(want, entry)}, unnumbered(t.told(want)))
	}
}

func textIsMended(t *trial) {
	for i, bad := range []string{"a\x00b", "a\xffb", "\x00", "\xed\xa0\x80"} {
		good := map[string]string{"a\x00b": "a\uFFFDb", "a\xffb": "a\uFFFDb", "\x00": "\uFFFD"}[bad]
		// Tickets are unique in an account, and two of these may be mended alike.
		mend := func(text string) func(*ledger.Record) {
			return func(r *ledger.Record) {
				scribble(r, text)
				r.CarrierAccount = Ticket(i)
			}
		}
		in := with(Record(2*i), mend(bad))
		entry := ledger.Entry{Actor: ledger.Actor{Kind: ledger.ByCaller, Name: bad}, Note: bad, Ticket: bad}
		got, err := t.Claim(t.Context(), in, entry)
		if err != nil {
			t.Errorf("Claim of an order that says %q: %v", bad, err)
			continue
		}
		if good == "" { // A surrogate half is three bytes: one place or three.
			good = got.CustomerReference
			if strings.Trim(good, "\uFFFD") != "" || good == "" {
				t.Errorf("%q came back as %q", bad, good)
			}
		}
		want := with(in, mend(good))
		t.same("the order that Claim returns", want, got)
		t.same("the order at rest", want, t.found(in))
		told := t.told(in)
		t.same("who did it and what was seen", []string{good, good}, []string{told[0].Actor.Name, told[0].Ticket})

		moved := t.claimed(Record(2*i + 1))
		t.advanced(moved.OrderID, ledger.Step{By: order.ByAnswer, Now: moved.Claimed, Change: func(r *ledger.Record) (ledger.Entry, error) {
			r.State, r.Message, r.Problem = order.NotSent, bad, bad
			r.Attend(ledger.AttentionCode(bad), bad, r.Claimed)
			return entry, nil
		}})
		moved = t.found(moved)
		t.same("what a step said", []string{good, good}, []string{moved.Message, moved.Problem})
		t.same("why it needs attention", []ledger.AttentionCode{ledger.AttentionCode(good)}, t.told(moved)[1].Attention)
	}
	// What cannot be kept as it is cannot be found as it is either; asking is no mistake.
	for _, bad := range []string{"\x00", "a\xff\xff\xffb"} {
		_, err := t.FindKey(t.Context(), bad, bad)
		_, again := t.Find(t.Context(), bad, bad)
		_, _, list := t.List(t.Context(), ledger.Query{Tenant: bad, Number: bad, CustomerReference: bad, RequestID: bad, Limit: 1, MaxBytes: 1})
		_, ofNumber := t.OfNumber(t.Context(), ledger.NumberQuery{Number: bad, But: bad, Limit: 1})
		t.same("asked for what is no text", []string{ledger.ErrNotFound.Error(), ledger.ErrNotFound.Error(), "", ""},
			[]string{said(err), said(again), said(list), said(ofNumber)})
	}
}

func sizeIsKept(t *trial) {
	want := with(t.fresh(), func(r *ledger.Record) {
		r.Content, r.Warnings, r.Rejects = make([]byte, 3<<20), make([]byte, 1<<20), make([]byte, 1<<20)
		for i := range r.Content {
			r.Content[i] = byte(i * 7)
		}
		r.Message = strings.Repeat("漢", 100_000)
		r.Looks, r.Attention = nil, nil
		for i := range 1000 {
			r.Looks = append(r.Looks, Ticket(i))
			r.Attention = append(r.Attention, ledger.Attention{Code: ledger.AttentionCode(Ticket(i)), Description: "why", Since: r.Created})
		}
	})
	t.same("the order that Claim returns", want, t.claimed(want))
	t.everywhere("after the claim", want)
	// A note is the one text that is cut.
	r := t.claimed(Record(2))
	entry := Entry(strings.Repeat("é", ledger.MaxNote) + "\x00\xff")
	t.advanced(r.OrderID, ledger.Step{By: order.ByAnswer, Now: r.Claimed, Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.State = order.InDoubt
		return entry, nil
	}})
	t.same("the length of a note", ledger.MaxNote, len(t.told(r)[1].Note))
}

func recordIsTheCallers(t *trial) {
	in := t.fresh()
	want := in.Clone()
	out := t.claimed(in)
	spoil := func(r ledger.Record) {
		r.Numbers[0], r.Looks[0], r.Attention[0].Description = "spoilt", "spoilt", "spoilt"
	}
	spoil(in)
	t.same("the order, once the record that was claimed is spoilt", want, t.found(want))
	spoil(out)
	t.same("the order, once the record that Claim returned is spoilt", want, t.found(want))
	spoil(t.found(want))
	t.same("the order, once a record that Find returned is spoilt", want, t.found(want))

	var handed *ledger.Record
	out = t.advanced(want.OrderID, ledger.Step{By: order.ByAnswer, Now: want.Claimed, Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.State, handed = order.InDoubt, r
		return Entry("in doubt"), nil
	}})
	want.State, want.Updated = order.InDoubt, want.Claimed
	spoil(*handed)
	t.same("the order, once the record that a step was handed is spoilt", want, t.found(want))
	spoil(out)
	t.same("the order, once the record that Advance returned is spoilt", want, t.found(want))
}

// with is a record with a change.
func with(r ledger.Record, change func(*ledger.Record)) ledger.Record {
	r = r.Clone()
	change(&r)
	return r
}

// said is what an error says; nothing for no error.
func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
