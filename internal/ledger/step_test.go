package ledger_test

import (
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/order"
)

// later is the time of the steps here.
func later() time.Time { return ledgertest.Epoch().Add(time.Hour) }

// entry is what the steps here have written down.
func entry() ledger.Entry {
	return ledger.Entry{Actor: ledger.Actor{Kind: ledger.ByCarrier, Name: "somebody"}, Note: "a note", Ticket: "seen", Unverified: true}
}

// step is a step by the order's own answer.
func step(change func(r *ledger.Record)) ledger.Step {
	return ledger.Step{By: order.ByAnswer, Now: later(), Change: func(r *ledger.Record) (ledger.Entry, error) {
		change(r)
		return entry(), nil
	}}
}

// event is the event of a step here about an order that was as one record and is as another.
func event(was, r ledger.Record, t ledger.EventType) ledger.Event {
	var attention []ledger.AttentionCode
	for _, a := range r.Attention {
		attention = append(attention, a.Code)
	}
	return ledger.Event{
		OrderID: r.OrderID, Tenant: r.Tenant, Time: later(), Actor: entry().Actor, Type: t, Attempt: r.Attempt, State: r.State, Status: r.Status,
		Validated: r.Validated, Disputing: r.Disputing, Ticket: "seen", PortDate: r.PortDate, Attention: attention,
		Predecessor: r.Predecessor, Successor: r.Successor, Was: was.Standing(), Is: r.Standing(), Unverified: true, Note: "a note",
	}
}

func TestApplyTellsOfEachChange(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(r *ledger.Record)
		want   []ledger.EventType
	}{
		"nothing":              {func(*ledger.Record) {}, nil},
		"what is quiet":        {func(r *ledger.Record) { r.Doubt.Asked++; r.Due, r.Message = later(), "m" }, nil},
		"the state":            {func(r *ledger.Record) { r.State = order.InDoubt }, []ledger.EventType{ledger.EventStateChanged}},
		"the attempt":          {func(r *ledger.Record) { r.Attempt++ }, []ledger.EventType{ledger.EventStateChanged}},
		"the status":           {func(r *ledger.Record) { r.Status = order.StatusHold }, []ledger.EventType{ledger.EventStatusChanged}},
		"whether it disputes":  {func(r *ledger.Record) { r.Disputing = true }, []ledger.EventType{ledger.EventStatusChanged}},
		"the day":              {func(r *ledger.Record) { r.PortDate = "2026-05-01" }, []ledger.EventType{ledger.EventDateChanged}},
		"whether it is valid":  {func(r *ledger.Record) { r.Validated = true }, []ledger.EventType{ledger.EventStatusChanged}},
		"the rejects":          {func(r *ledger.Record) { r.Rejects = []byte("r") }, []ledger.EventType{ledger.EventRejectsChanged}},
		"no rejects":           {func(r *ledger.Record) { r.Rejects = []byte{} }, nil},
		"when it was checked":  {func(r *ledger.Record) { r.Checked, r.Progressed = later(), later() }, nil},
		"the ticket":           {func(r *ledger.Record) { r.Ticket = "T" }, nil},
		"all that has a name":  {everything, append([]ledger.EventType{ledger.EventStateChanged}, rest()...)},
		"a word for attention": {func(r *ledger.Record) { r.Attention[0].Description = "other words" }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := ledgertest.Record(1)
			r.Attend(ledger.AttentionNoTicket, "none", r.Created)
			want := r.Clone()
			c.change(&want)
			var events []ledger.Event
			for _, kind := range c.want {
				events = append(events, event(r, want, kind))
				want.Updated = later()
			}
			next, told, err := step(c.change).Apply(r)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, next); diff != "" {
				t.Errorf("the order (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(events, told); diff != "" {
				t.Errorf("the events (-want +got):\n%s", diff)
			}
		})
	}
}

func everything(r *ledger.Record) {
	r.State, r.Status, r.PortDate, r.Rejects = order.Accepted, order.StatusConfirmed, "2026-05-01", []byte("rejects")
}

// rest are the events of everything but that of the state.
func rest() []ledger.EventType {
	return []ledger.EventType{ledger.EventStatusChanged, ledger.EventDateChanged, ledger.EventRejectsChanged}
}

func TestApplyTellsOfAttention(t *testing.T) {
	t.Parallel()
	r := ledgertest.Record(1)
	r.Ticket = "the order's"
	attention := func(r ledger.Record, note string) []ledger.Event {
		e := event(r, r, ledger.EventAttentionChanged)
		e.Ticket, e.Unverified, e.Note = "the order's", false, note
		return []ledger.Event{e}
	}
	for _, c := range []struct {
		change func(r *ledger.Record)
		note   string
	}{
		{func(r *ledger.Record) { r.Attend(ledger.AttentionNoTicket, "none", later()) }, "NO_TICKET: none"},
		{func(r *ledger.Record) { r.Attend(ledger.AttentionNoProgress, "slow", later()) }, "NO_TICKET: none\nNO_PROGRESS: slow"},
		{func(r *ledger.Record) { slices.Reverse(r.Attention) }, "NO_PROGRESS: slow\nNO_TICKET: none"},
		{func(r *ledger.Record) { r.Unattend(ledger.AttentionNoProgress) }, "NO_TICKET: none"},
		{func(r *ledger.Record) { r.Attention = nil }, "the order no longer needs attention"},
	} {
		next, told, err := step(c.change).Apply(r)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(attention(next, c.note), told); diff != "" {
			t.Errorf("the events (-want +got):\n%s", diff)
		}
		r = next
	}
}

// A person who takes a reason away says why; that is the event, and there is none beside it that lists what is left.
func TestAttentionIsTakenAwayWithANote(t *testing.T) {
	t.Parallel()
	r := ledgertest.Record(1)
	r.Attend(ledger.AttentionNoTicket, "none", r.Created)
	r.Attend(ledger.AttentionLateAnswer, "late", r.Created)
	next, told, err := ledger.Step{Now: later(), Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.Unattend(ledger.AttentionLateAnswer)
		e := entry()
		e.Type = ledger.EventAttentionChanged
		return e, nil
	}}.Apply(r)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]ledger.Event{event(r, next, ledger.EventAttentionChanged)}, told); diff != "" {
		t.Errorf("the events (-want +got):\n%s", diff)
	}
	if len(next.Attention) != 1 || next.Attention[0].Code != ledger.AttentionNoTicket {
		t.Errorf("what is left is %v", next.Attention)
	}
}

func TestAnEntryWithATypeIsAnEvent(t *testing.T) {
	t.Parallel()
	for _, kind := range []ledger.EventType{ledger.EventEvidence, ledger.EventResolved} {
		typed := func(change func(r *ledger.Record)) ledger.Step {
			return ledger.Step{By: order.ByAnswer, Now: later(), Change: func(r *ledger.Record) (ledger.Entry, error) {
				change(r)
				e := entry()
				e.Type = kind
				return e, nil
			}}
		}
		for name, c := range map[string]struct {
			change func(r *ledger.Record)
			want   []ledger.EventType
		}{
			"alone":               {func(*ledger.Record) {}, []ledger.EventType{kind}},
			"instead of the move": {func(r *ledger.Record) { r.State = order.InDoubt }, []ledger.EventType{kind}},
			"beside the rest":     {everything, append([]ledger.EventType{kind}, rest()...)},
		} {
			next, told, err := typed(c.change).Apply(ledgertest.Record(1))
			if err != nil {
				t.Fatal(err)
			}
			var want []ledger.Event
			for _, k := range c.want {
				want = append(want, event(ledgertest.Record(1), next, k))
			}
			if diff := cmp.Diff(want, told); diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", kind, name, diff)
			}
			if !next.Updated.Equal(later()) {
				t.Errorf("%s %s: updated at %v", kind, name, next.Updated)
			}
		}
	}
}

func TestApplyMakesLegalMovesOnly(t *testing.T) {
	t.Parallel()
	for _, from := range order.States() {
		for _, to := range order.States() {
			for by := order.Cause(0); by <= order.ByResend; by++ {
				r := ledgertest.Record(1)
				r.State = from
				s := step(func(r *ledger.Record) { r.State = to })
				s.By = by
				_, _, err := s.Apply(r)
				if legal := from == to || order.CanMove(from, to, by); legal != (err == nil) || !legal && !errors.Is(err, ledger.ErrMoved) {
					t.Errorf("%v to %v by cause %d: %v", from, to, by, err)
				}
			}
		}
	}
}

func TestApplyRefusesWhatTheStepRefuses(t *testing.T) {
	t.Parallel()
	failing := ledger.Step{By: order.ByAnswer, Now: later(), Change: func(r *ledger.Record) (ledger.Entry, error) {
		everything(r)
		return entry(), io.ErrUnexpectedEOF
	}}
	next, told, err := failing.Apply(ledgertest.Record(1))
	if !errors.Is(err, io.ErrUnexpectedEOF) || told != nil || !reflect.ValueOf(next).IsZero() {
		t.Errorf("Apply = %v, %v, %v", next, told, err)
	}
}

// TestApplyKeepsWhatIsFixed changes every field in turn: a field that is added later has to be on one of the two sides.
func TestApplyKeepsWhatIsFixed(t *testing.T) {
	t.Parallel()
	fixed := strings.Fields(`OrderID Tenant RequestID CarrierAccount Target CustomerReference Content Numbers Elsewhere History Predecessor
		Created Erased`)
	free := strings.Fields(`Warnings State Attempt Owner Lease Due Fence Looks LookFailed Reply Ticket Message ErrorID Reason Problem
		RetryAfter Doubt Attention Successor Kept Guards Status Disputing Validated PortDate Rejects Updated Claimed Settled Checked Progressed Closed`)
	full := ledgertest.Full(2)
	full.Erased = later()
	other := reflect.ValueOf(full)
	for f := range reflect.TypeFor[ledger.Record]().Fields() {
		if slices.Contains(fixed, f.Name) == slices.Contains(free, f.Name) {
			t.Errorf("is %s fixed or not?", f.Name)
		}
		for _, value := range []reflect.Value{other.FieldByIndex(f.Index), reflect.Zero(f.Type)} {
			_, _, err := step(func(r *ledger.Record) {
				if f.Name != "State" {
					reflect.ValueOf(r).Elem().FieldByIndex(f.Index).Set(value)
				}
			}).Apply(ledgertest.Record(1))
			// Tenant and account are the same in every record of ledgertest but the zero one.
			same := f.Name != "Created" && reflect.DeepEqual(value.Interface(), reflect.ValueOf(ledgertest.Record(1)).FieldByIndex(f.Index).Interface())
			if refused := err != nil; refused != (slices.Contains(fixed, f.Name) && !same) {
				t.Errorf("a step makes %s %v: %v", f.Name, value, err)
			}
		}
	}
}

func TestApplySharesNothing(t *testing.T) {
	t.Parallel()
	r, want := ledgertest.Full(1), ledgertest.Full(1)
	var handed *ledger.Record
	next, _, err := step(func(r *ledger.Record) {
		handed = r
		r.Looks[0], r.Attention[0].Description = "changed", "changed"
		r.Unattend(ledger.AttentionNoTicket)
	}).Apply(r)
	if err != nil {
		t.Fatal(err)
	}
	spoil(next)
	spoil(*handed)
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("the record that a step began with (-want +got):\n%s", diff)
	}
}

// spoil writes into every list of a record but the bytes.
func spoil(r ledger.Record) {
	clear(r.Numbers)
	clear(r.Kept)
	clear(r.Looks)
	clear(r.Attention)
}
