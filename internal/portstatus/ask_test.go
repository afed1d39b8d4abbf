package portstatus_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/portstatus"
)

var (
	errDown = fault.New(fault.ReasonCarrierUnreachable, "the carrier does not answer")
	errNone = fault.New(fault.ReasonPortInNotFound, "none")
)

// said is what a carrier answers.
type said struct {
	status carrier.Status
	err    error
}

// scripted is a carrier that answers by ticket and by number, and remembers what it was asked.
type scripted struct {
	byTicket map[string]said
	byNumber map[int64]said
	asked    []string
}

func (s *scripted) StatusByTicket(_ context.Context, ticket string) (carrier.Status, error) {
	s.asked = append(s.asked, ticket)
	if a, ok := s.byTicket[ticket]; ok {
		return a.status, a.err
	}
	return carrier.Status{}, errNone
}

func (s *scripted) StatusByNumber(_ context.Context, number int64) (carrier.Status, error) {
	s.asked = append(s.asked, fmt.Sprint(number))
	if a, ok := s.byNumber[number]; ok {
		return a.status, a.err
	}
	return carrier.Status{}, errNone
}

func TestAsk(t *testing.T) {
	t.Parallel()
	own := carrier.Status{Ticket: "T-1", Word: "CONFIRMED", Numbers: []int64{digits, digits + 1}}
	part := carrier.Status{Ticket: "T-1", Word: "PARTIALCANCELLATION", Numbers: []int64{digits + 1}}
	foreign := carrier.Status{Ticket: "T-2", Word: "COMPLETED", Numbers: []int64{digits, digits + 5}}
	silent := carrier.Status{Word: "PENDING"}
	closed := carrier.Status{Ticket: "T-1", Word: "CANCELLED", Numbers: own.Numbers}
	refused := fault.Fields([]fault.Violation{{Field: "ticket_id", Description: "is not a ticket of the carrier"}})
	numbers := []string{first, second}
	ticketed, ticketless := ledger.Record{Ticket: "T-1", Numbers: numbers}, ledger.Record{Numbers: numbers}
	const byTicket, byNumber = "T-1", "4165550123"
	byFirst := func(s carrier.Status) map[int64]said {
		return map[int64]said{digits: {status: s}, digits + 1: {status: own}}
	}
	for name, c := range map[string]struct {
		record   ledger.Record
		byTicket said
		byNumber map[int64]said
		crowded  bool
		want     portstatus.Answer
		err      error
		asked    []string
		// unasked tells that nobody is asked whether the order is alone.
		unasked bool
	}{
		"the ticket is known": {
			record: ticketed, byTicket: said{status: own}, byNumber: byFirst(foreign),
			want: portstatus.Answer{Said: true, Status: own}, asked: []string{byTicket}, unasked: true,
		},
		"the ticket has a part of the numbers": {
			record: ticketed, byTicket: said{status: part}, byNumber: byFirst(own),
			want: portstatus.Answer{Said: true, Status: part}, asked: []string{byTicket}, unasked: true,
		},
		"the ticket names no numbers": {
			record: ticketed, byTicket: said{status: silent}, byNumber: byFirst(own),
			want: portstatus.Answer{Said: true, Status: silent}, asked: []string{byTicket}, unasked: true,
		},
		"the ticket is over": {
			record: ticketed, byTicket: said{status: closed}, want: portstatus.Answer{Said: true, Status: closed},
			asked: []string{byTicket}, unasked: true,
		},
		"the ticket is another order's": {
			record: ticketed, byTicket: said{status: foreign}, byNumber: byFirst(own), asked: []string{byTicket}, unasked: true,
		},
		"the order's numbers are not known": {
			record: ledger.Record{Ticket: "T-1"}, byTicket: said{status: foreign}, want: portstatus.Answer{Said: true, Status: foreign},
			asked: []string{byTicket}, unasked: true,
		},
		"no answer by ticket": {
			record: ticketed, byTicket: said{err: errDown}, byNumber: byFirst(own), err: errDown, asked: []string{byTicket}, unasked: true,
		},
		"looks do not matter to a ticket": {
			record:   ledger.Record{Ticket: "T-1", Numbers: numbers, LookFailed: true, Looks: []string{"T-1"}},
			byTicket: said{status: own}, want: portstatus.Answer{Said: true, Status: own}, asked: []string{byTicket}, unasked: true,
		},
		"the ticket is unknown, the number is known": {
			record: ticketed, byTicket: said{err: errNone}, byNumber: byFirst(own),
			want: portstatus.Answer{Said: true, ByNumber: true, Status: own}, asked: []string{byTicket, byNumber},
		},
		"the ticket is unknown, another order may be meant": {
			record: ticketed, byTicket: said{err: errNone}, byNumber: byFirst(own), crowded: true, asked: []string{byTicket, byNumber},
		},
		"the ticket can be none at this carrier": {
			record: ticketed, byTicket: said{err: refused}, byNumber: byFirst(own),
			want: portstatus.Answer{Said: true, ByNumber: true, Status: own}, asked: []string{byTicket, byNumber},
		},
		"both are unknown": {
			record: ticketed, byTicket: said{err: errNone}, asked: []string{byTicket, byNumber}, unasked: true,
		},
		"the ticket is unknown, no answer by number": {
			record: ticketed, byTicket: said{err: errNone}, byNumber: map[int64]said{digits: {err: errDown}}, err: errDown,
			asked: []string{byTicket, byNumber}, unasked: true,
		},
		"unknown, and no numbers": {
			record: ledger.Record{Ticket: "T-1"}, byTicket: said{err: errNone}, asked: []string{byTicket}, unasked: true,
		},
		"by number": {
			record: ticketless, byNumber: byFirst(own), want: portstatus.Answer{Said: true, ByNumber: true, Status: own},
			asked: []string{byNumber},
		},
		"by number, not alone": {record: ticketless, byNumber: byFirst(own), crowded: true, asked: []string{byNumber}},
		"by number, a look saw a ticket": {
			record:   ledger.Record{Numbers: numbers, Looks: []string{"T-0"}},
			byNumber: byFirst(own), asked: []string{byNumber}, unasked: true,
		},
		"by number, a look failed": {
			record: ledger.Record{Numbers: numbers, LookFailed: true}, byNumber: byFirst(own), asked: []string{byNumber}, unasked: true,
		},
		"by number, closed":           {record: ticketless, byNumber: byFirst(closed), asked: []string{byNumber}, unasked: true},
		"by number, of other numbers": {record: ticketless, byNumber: byFirst(foreign), asked: []string{byNumber}, unasked: true},
		"by number, a part":           {record: ticketless, byNumber: byFirst(part), asked: []string{byNumber}, unasked: true},
		"by number, no numbers":       {record: ticketless, byNumber: byFirst(silent), asked: []string{byNumber}, unasked: true},
		"by number, unknown":          {record: ticketless, asked: []string{byNumber}, unasked: true},
		"by number, can be none": {
			record: ticketless, byNumber: map[int64]said{digits: {err: refused}}, asked: []string{byNumber}, unasked: true,
		},
		"by number, no answer": {
			record: ticketless, byNumber: map[int64]said{digits: {err: errDown}}, err: errDown, asked: []string{byNumber}, unasked: true,
		},
		"neither ticket nor number": {record: ledger.Record{}, unasked: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &scripted{byTicket: map[string]said{"T-1": c.byTicket}, byNumber: c.byNumber}
			asked := 0
			got, err := portstatus.Ask(t.Context(), s, c.record, func() bool {
				asked++
				return !c.crowded
			})
			if diff := cmp.Diff(c.want, got); diff != "" || !errors.Is(err, c.err) {
				t.Errorf("error %v, answer (-want +got):\n%s", err, diff)
			}
			if diff := cmp.Diff(c.asked, s.asked); diff != "" {
				t.Errorf("what was asked (-want +got):\n%s", diff)
			}
			if (asked == 0) != c.unasked || asked > 1 {
				t.Errorf("it was asked %d times whether the order is alone", asked)
			}
		})
	}
}

func TestKeep(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC)
	s := carrier.Status{Ticket: "T-2", Word: "CONFIRMED", PortDate: "20261201"}
	kept := func(r ledger.Record, ticket string) ledger.Record {
		r.Ticket, r.Status, r.PortDate, r.Checked, r.Progressed, r.Attention = ticket, "CONFIRMED", "2026-12-01", now, now, nil
		return r
	}
	ticketless := ledger.Record{
		State: order.Accepted, Attention: []ledger.Attention{{Code: ledger.AttentionNoTicket, Description: "none", Since: now}},
	}
	ticketed := ledger.Record{State: order.Accepted, Ticket: "MASK-1"}
	for name, c := range map[string]struct {
		answer     portstatus.Answer
		from, want ledger.Record
	}{
		"nothing certain": {portstatus.Answer{Status: s}, ticketless, ticketless},
		// Also when the carrier's two names of a ticket differ: the one that it answers to is kept.
		"by ticket":                       {portstatus.Answer{Said: true, Status: s}, ticketed, kept(ticketed, "MASK-1")},
		"by number":                       {portstatus.Answer{Said: true, ByNumber: true, Status: s}, ticketless, kept(ticketless, "T-2")},
		"by number, another than thought": {portstatus.Answer{Said: true, ByNumber: true, Status: s}, ticketed, kept(ticketed, "T-2")},
	} {
		got := c.from.Clone()
		c.answer.Keep(&got, now)
		if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestTenDigits(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]int64{
		first: digits, "+18005550123": 8005550123, "+14169110123": 4169110123, "": 0, "+4930123456": 0,
	} {
		if got := portstatus.TenDigits(written); got != want {
			t.Errorf("%q is %d, want %d", written, got, want)
		}
	}
}
