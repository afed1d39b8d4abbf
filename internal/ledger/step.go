package ledger

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/portin/portin/internal/order"
)

// Step is a change of an order.
type Step struct {
	// By is what moves the order, when its state changes.
	By order.Cause
	// Now is the time of the change.
	Now time.Time
	// OfErased has it change an order that was erased too. It is for a person who takes a reason for attention away: of such an
	// order nothing else is left to change, and it is counted until somebody does.
	OfErased bool
	// Change alters the record that it is handed and says what to write down about it. An error leaves everything as it
	// is. It may be called several times and under a lock: it neither blocks nor remembers.
	Change func(r *Record) (Entry, error)
}

var errFixed = errors.New("a step changed what the first claim has fixed")

// Apply is the step on a record: the record as it will be, and the events that tell of it, without their sequence. A
// change of state, of the status, of the port's day, of the rejects and of the reasons for attention is an event each; an
// entry with a type is an event in any case, and then a change of state, or of the reasons for an ATTENTION_CHANGED, has none
// beside it. ErrMoved when the state may not move so, or the order was erased and the step is not OfErased. Neither result shares
// anything with now but bytes that nobody writes to.
func (s Step) Apply(now Record) (next Record, events []Event, err error) {
	if !now.Erased.IsZero() && !s.OfErased {
		return Record{}, nil, ErrMoved
	}
	next = now.Clone()
	entry, err := s.Change(&next)
	if err != nil {
		return Record{}, nil, err
	}
	if !sameFixed(now, next) {
		return Record{}, nil, errFixed
	}
	if next.State != now.State && !order.CanMove(now.State, next.State, s.By) {
		return Record{}, nil, ErrMoved
	}
	events = tell(now, next, entry, s.Now)
	if len(events) > 0 {
		next.Updated = s.Now
	}
	return next, events, nil
}

// Claimed is the event of a claim. An order that is sent again was NOT_SENT before.
func Claimed(r Record, e Entry) Event {
	var was Standing
	if r.Attempt > 1 {
		was = standing(order.NotSent, 0)
	}
	return event(was, r, EventClaimed, e, r.Claimed)
}

// Followed is the event of an order that was placed elsewhere.
func Followed(r Record, e Entry) Event {
	return event(0, r, EventFollowed, e, r.Created)
}

// Succeed hands an order's place to the one that corrects it, which a Record that is Correctable allows, with the numbers
// that this one has too.
func Succeed(r, by Record, actor Actor, now time.Time) (Record, []Event) {
	next := r.Clone()
	next.Successor, next.Kept = by.OrderID, without(r.Numbers, by.Numbers)
	note := "order " + by.OrderID + " corrects this one and has its numbers"
	if len(next.Kept) > 0 {
		note += ", but for " + strconv.Itoa(len(next.Kept)) + " that it does without"
	}
	events := tell(r, next, Entry{Type: EventResubmitted, Actor: actor, Note: note}, now)
	next.Updated = now
	return next, events
}

// Shift is which numbers an order has come to hold by a change, and which it has let go, in the order of the record.
func Shift(before, after Record) (gained, lost []string) {
	was, is := before.Held(), after.Held()
	if slices.Equal(was, is) { // nearly always
		return nil, nil
	}
	return without(is, was), without(was, is)
}

// without are numbers but for others.
func without(numbers, others []string) []string {
	if len(others) == 0 {
		return slices.Clone(numbers)
	}
	out := make(map[string]bool, len(others))
	for _, n := range others {
		out[n] = true
	}
	var rest []string
	for _, n := range numbers {
		if !out[n] {
			rest = append(rest, n)
		}
	}
	return rest
}

// Collide marks an order that has come to hold a number together with another one. Which one that is, is told to its own tenant alone.
func Collide(r, other Record, now time.Time) (Record, []Event) {
	next, name := r.Clone(), "another order"
	if other.Tenant == r.Tenant {
		name = "order " + other.OrderID
	}
	next.Attend(AttentionNumbersHeldTwice, name+" holds a number of this order too; the carrier may have two orders for it", now)
	events := tell(r, next, Entry{Actor: Actor{Kind: ByService}}, now)
	if len(events) > 0 {
		next.Updated = now
	}
	return next, events
}

// tell says what changed between two records.
func tell(before, after Record, e Entry, now time.Time) []Event {
	var events []Event
	was := before.Standing()
	stateChanged := before.State != after.State || before.Attempt != after.Attempt
	switch {
	case e.Type != "":
		events = append(events, event(was, after, e.Type, e, now))
	case stateChanged:
		events = append(events, event(was, after, EventStateChanged, e, now))
	}
	if before.Status != after.Status || before.Disputing != after.Disputing || before.Validated != after.Validated {
		events = append(events, event(was, after, EventStatusChanged, e, now))
	}
	if before.PortDate != after.PortDate {
		events = append(events, event(was, after, EventDateChanged, e, now))
	}
	if !bytes.Equal(before.Rejects, after.Rejects) {
		events = append(events, event(was, after, EventRejectsChanged, e, now))
	}
	if e.Type != EventAttentionChanged && !slices.Equal(codes(before.Attention), codes(after.Attention)) {
		e.Note, e.Ticket, e.Unverified = attention(after), "", false
		events = append(events, event(was, after, EventAttentionChanged, e, now))
	}
	return events
}

// event is one event about a record as it is after it, which stood elsewhere before.
func event(was Standing, r Record, t EventType, e Entry, now time.Time) Event {
	ticket := e.Ticket
	if ticket == "" {
		ticket = r.Ticket
	}
	return Event{
		OrderID: r.OrderID, Tenant: r.Tenant, Time: now, Actor: e.Actor, Type: t, Attempt: r.Attempt, State: r.State, Status: r.Status,
		Validated: r.Validated, Disputing: r.Disputing, Ticket: ticket, PortDate: r.PortDate, Attention: codes(r.Attention),
		Predecessor: r.Predecessor, Successor: r.Successor, Was: was, Is: r.Standing(), Unverified: e.Unverified, Note: bounded(e.Note),
	}
}

// codes are the codes of some reasons for attention; nil when there are none.
func codes(reasons []Attention) (all []AttentionCode) {
	for _, a := range reasons {
		all = append(all, a.Code)
	}
	return all
}

// attention is the note of a change of the reasons for attention.
func attention(r Record) string {
	if len(r.Attention) == 0 {
		return "the order no longer needs attention"
	}
	var why []string
	for _, a := range r.Attention {
		why = append(why, string(a.Code)+": "+a.Description)
	}
	return strings.Join(why, "\n")
}

// bounded cuts a note at a whole character and makes it text that every engine takes: UTF-8 without NUL.
func bounded(note string) string {
	note = strings.ReplaceAll(strings.ToValidUTF8(note, "\uFFFD"), "\x00", "\uFFFD")
	if len(note) <= MaxNote {
		return note
	}
	end := MaxNote
	for !utf8.RuneStart(note[end]) {
		end--
	}
	return note[:end]
}

// sameFixed reports whether two records agree in what the first claim has fixed and only an Erasure changes.
func sameFixed(a, b Record) bool {
	return a.OrderID == b.OrderID && a.Tenant == b.Tenant && a.RequestID == b.RequestID && a.CarrierAccount == b.CarrierAccount &&
		a.Target == b.Target && a.CustomerReference == b.CustomerReference && bytes.Equal(a.Content, b.Content) &&
		slices.Equal(a.Numbers, b.Numbers) && a.Elsewhere == b.Elsewhere && a.History == b.History && a.Predecessor == b.Predecessor &&
		a.Created.Equal(b.Created) && a.Erased.Equal(b.Erased)
}
