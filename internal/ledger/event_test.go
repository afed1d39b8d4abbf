package ledger_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/order"
)

// fullsAttention is why ledgertest.Full needs attention, and what else is given.
func fullsAttention(more ...ledger.AttentionCode) []ledger.AttentionCode {
	return append([]ledger.AttentionCode{ledger.AttentionNoTicket, ledger.AttentionLateAnswer}, more...)
}

func TestClaimed(t *testing.T) {
	t.Parallel()
	r := ledgertest.Full(1)
	e := entry()
	e.Type = ledger.EventEvidence // A claim is a claim whatever the entry says.
	want := ledger.Event{
		OrderID: r.OrderID, Tenant: r.Tenant, Time: r.Claimed, Actor: e.Actor, Type: ledger.EventClaimed, Attempt: r.Attempt, State: r.State,
		Status: r.Status, Validated: true, Disputing: true, Ticket: "seen", PortDate: r.PortDate, Attention: fullsAttention(),
		Predecessor: r.Predecessor, Successor: r.Successor, Is: r.Standing(), Unverified: true, Note: "a note",
	}
	if diff := cmp.Diff(want, ledger.Claimed(r, e)); diff != "" {
		t.Errorf("Claimed (-want +got):\n%s", diff)
	}
	e.Ticket, want.Ticket = "", r.Ticket
	if diff := cmp.Diff(want, ledger.Claimed(r, e)); diff != "" {
		t.Errorf("Claimed without a ticket of its own (-want +got):\n%s", diff)
	}
	r.Attempt = 2
	want.Attempt, want.Was = 2, ledger.Record{State: order.NotSent}.Standing()
	if diff := cmp.Diff(want, ledger.Claimed(r, e)); diff != "" {
		t.Errorf("Claimed of an order that is sent again (-want +got):\n%s", diff)
	}
}

func TestFollowed(t *testing.T) {
	t.Parallel()
	r := ledgertest.Elsewhere(1)
	r.Status, r.PortDate = order.StatusConfirmed, "2026-05-01"
	want := ledger.Event{
		OrderID: r.OrderID, Tenant: r.Tenant, Time: r.Created, Actor: entry().Actor, Type: ledger.EventFollowed, State: order.Accepted,
		Status: r.Status, Ticket: "seen", PortDate: r.PortDate, Is: r.Standing(), Unverified: true, Note: "a note",
	}
	if diff := cmp.Diff(want, ledger.Followed(r, entry())); diff != "" {
		t.Errorf("Followed (-want +got):\n%s", diff)
	}
	if want.Is.Category() != order.CategoryScheduled {
		t.Errorf("an order that is followed and confirmed has category %d", want.Is.Category())
	}
}

func TestSucceed(t *testing.T) {
	t.Parallel()
	r := ledgertest.Full(1)
	r.Successor, r.Kept, r.State = "", nil, order.Refused
	before := r.Clone()
	by := ledger.Record{OrderID: "another", Numbers: []string{ledgertest.Number(7), r.Numbers[1]}}
	next, told := ledger.Succeed(r, by, entry().Actor, later())
	want := r.Clone()
	want.Successor, want.Kept, want.Updated = "another", r.Numbers[:1], later()
	if diff := cmp.Diff(want, next); diff != "" {
		t.Errorf("the order (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]ledger.Event{{
		OrderID: r.OrderID, Tenant: r.Tenant, Time: later(), Actor: entry().Actor, Type: ledger.EventResubmitted, Attempt: r.Attempt, State: r.State,
		Status: r.Status, Validated: true, Disputing: true, Ticket: r.Ticket, PortDate: r.PortDate, Attention: fullsAttention(),
		Predecessor: r.Predecessor, Successor: "another", Was: r.Standing(), Is: r.Standing(),
		Note: "order another corrects this one and has its numbers, but for 1 that it does without",
	}}, told); diff != "" {
		t.Errorf("the events (-want +got):\n%s", diff)
	}
	if next.Holds() || next.Correctable() {
		t.Errorf("an order that was corrected holds its numbers: %v, and may be corrected: %v", next.Holds(), next.Correctable())
	}
	by.Numbers = r.Numbers
	whole, told := ledger.Succeed(r, by, entry().Actor, later())
	if len(whole.Kept) > 0 || told[0].Note != "order another corrects this one and has its numbers" {
		t.Errorf("an order that handed on all its numbers kept %v: %s", whole.Kept, told[0].Note)
	}
	spoil(next)
	if diff := cmp.Diff(before, r); diff != "" {
		t.Errorf("Succeed shares something with what it was handed (-before +after):\n%s", diff)
	}
}

// Which order it is that another tenant has is not told.
func TestCollideWithAnotherTenants(t *testing.T) {
	t.Parallel()
	next, told := ledger.Collide(ledgertest.Full(1), ledger.Record{OrderID: "another", Tenant: "another tenant"}, later())
	const want = "another order holds a number of this order too; the carrier may have two orders for it"
	if got := next.Attention[len(next.Attention)-1].Description; got != want || len(told) != 1 || strings.Contains(told[0].Note, "order another") {
		t.Errorf("told: %q, %v", got, told)
	}
}

func TestCollide(t *testing.T) {
	t.Parallel()
	r := ledgertest.Full(1)
	before := r.Clone()
	next, told := ledger.Collide(r, ledger.Record{OrderID: "another", Tenant: r.Tenant}, later())
	want := r.Clone()
	want.Updated = later()
	want.Attention = append(want.Attention, ledger.Attention{
		Code: ledger.AttentionNumbersHeldTwice, Since: later(),
		Description: "order another holds a number of this order too; the carrier may have two orders for it",
	})
	if diff := cmp.Diff(want, next); diff != "" {
		t.Errorf("the order (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]ledger.Event{{
		OrderID: r.OrderID, Tenant: r.Tenant, Time: later(), Actor: ledger.Actor{Kind: ledger.ByService}, Type: ledger.EventAttentionChanged,
		Attempt: r.Attempt, State: r.State, Status: r.Status, Validated: true, Disputing: true, Ticket: r.Ticket, PortDate: r.PortDate,
		Attention:   fullsAttention(ledger.AttentionNumbersHeldTwice),
		Predecessor: r.Predecessor, Successor: r.Successor, Was: r.Standing(), Is: r.Standing(),
		Note: "NO_TICKET: no ticket 1\nLATE_ANSWER: late 1\nNUMBERS_HELD_TWICE: " + want.Attention[2].Description,
	}}, told); diff != "" {
		t.Errorf("the events (-want +got):\n%s", diff)
	}
	again, told := ledger.Collide(next, ledger.Record{OrderID: "a third", Tenant: r.Tenant}, later().AddDate(1, 0, 0))
	if diff := cmp.Diff(next, again); diff != "" || told != nil {
		t.Errorf("a second collision tells of %v and changes the order (-before +after):\n%s", told, diff)
	}
	spoil(again)
	spoil(next)
	if diff := cmp.Diff(before, r); diff != "" {
		t.Errorf("Collide shares something with what it was handed (-before +after):\n%s", diff)
	}
}

// noted is a note as an event keeps it.
func noted(note string) string {
	return ledger.Claimed(ledgertest.Record(1), ledger.Entry{Note: note}).Note
}

func TestNotesAreBounded(t *testing.T) {
	t.Parallel()
	full := strings.Repeat("x", ledger.MaxNote)
	for note, want := range map[string]string{
		"":                       "",
		"\n a note \t":           "\n a note \t",
		full:                     full,
		full + "y":               full,
		full[1:] + "é":           full[1:],
		full[2:] + "é":           full[2:] + "é",
		full[3:] + "\U0001F4DE":  full[3:],
		full[4:] + "\U0001F4DEx": full[4:] + "\U0001F4DE",
		"a\x00b\xffc\xfe\xfdd":   "a\uFFFDb\uFFFDc\uFFFDd",
		full[2:] + "\x00":        full[2:], // What takes a byte's place takes three.
		full[3:] + "\xff":        full[3:] + "\uFFFD",
	} {
		if diff := cmp.Diff(want, noted(note)); diff != "" {
			t.Errorf("a note of %d bytes (-want +got):\n%s", len(note), diff)
		}
	}
}

func TestEveryNoteIsText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "piece")
		times := rapid.IntRange(0, 2*ledger.MaxNote).Draw(t, "times")
		note := strings.Repeat(piece, min(times, 3*ledger.MaxNote/max(1, len(piece))))
		got := noted(note)
		whole := strings.ReplaceAll(strings.ToValidUTF8(note, "\uFFFD"), "\x00", "\uFFFD")
		switch {
		case len(got) > ledger.MaxNote, !utf8.ValidString(got), strings.ContainsRune(got, 0):
			t.Errorf("a note of %d bytes is no text: %q", len(got), got)
		case !strings.HasPrefix(whole, got):
			t.Errorf("a note is not how it begins: %q", got)
		case len(got) < len(whole) && len(got) <= ledger.MaxNote-utf8.UTFMax:
			t.Errorf("a note of %d bytes was cut to %d", len(whole), len(got))
		}
	})
}
