package portstatus_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/portstatus"
	"github.com/portin/portin/internal/reject"
)

var (
	before = time.Date(2026, 11, 20, 15, 0, 0, 0, time.UTC)
	noon   = time.Date(2026, 11, 24, 17, 0, 0, 0, time.UTC)
	later  = noon.Add(time.Hour)
)

// followed is an accepted order of which the carrier has not said anything yet.
func followed() ledger.Record {
	return ledger.Record{
		OrderID: "0193e3a0-0000-7000-8000-000000000001", State: order.Accepted, Ticket: "T-1", Numbers: []string{first},
		Settled: before, Progressed: before, Due: before,
	}
}

// codes are the reasons to look at an order.
func codes(r ledger.Record) []ledger.AttentionCode {
	var all []ledger.AttentionCode
	for _, a := range r.Attention {
		all = append(all, a.Code)
	}
	return all
}

func TestObserveEveryWord(t *testing.T) {
	t.Parallel()
	const status, date = ledger.AttentionCarrierStatus, ledger.AttentionDateChanged
	type outcome struct {
		Category  order.Category
		Attention []ledger.AttentionCode
		Due       time.Time
		// Settles tells that a reply that was deferred or conditional is out of date.
		Settles bool
	}
	words := map[order.Status]outcome{
		"PENDING":              {Category: order.CategoryOpen, Due: before},
		"SUBMITTED":            {Category: order.CategoryOpen, Due: before},
		"CONFIRMED":            {Category: order.CategoryScheduled, Due: before, Settles: true},
		"CONFIRMEDwDATECHANGE": {Category: order.CategoryScheduled, Due: before, Settles: true, Attention: []ledger.AttentionCode{date}},
		"CONFIRMEDwEXCEPTION":  {Category: order.CategoryAttention, Due: before, Attention: []ledger.AttentionCode{status}},
		"COMPLETED":            {Category: order.CategoryClosed, Settles: true},
		"REJECTED":             {Category: order.CategoryAttention, Due: before, Attention: []ledger.AttentionCode{status}},
		"HOLD":                 {Category: order.CategoryAttention, Due: before, Attention: []ledger.AttentionCode{status}},
		"RESCHEDULED":          {Category: order.CategoryScheduled, Due: before, Settles: true},
		"CANCELLATIONPENDING":  {Category: order.CategoryOpen, Due: before},
		"CANCELLED":            {Category: order.CategoryClosed, Settles: true},
		"PARTIALCANCELLATION":  {Category: order.CategoryOpen, Due: before},
		"FULLCANCELLATION":     {Category: order.CategoryClosed, Settles: true},
		"EXPIRED":              {Category: order.CategoryClosed, Settles: true},
		"TELEPORTED":           {Category: order.CategoryAttention, Due: before, Attention: []ledger.AttentionCode{status}},
	}
	for word, want := range words {
		r := followed()
		for _, code := range []ledger.AttentionCode{ledger.AttentionReplyDeferred, ledger.AttentionReplyConditional} {
			r.Attend(code, "before", before)
		}
		portstatus.Observe(&r, carrier.Status{Word: string(word), Validated: true, PortDate: "20261201"}, noon)
		got := outcome{Category: r.Category(), Attention: codes(r), Due: r.Due, Settles: true}
		if len(r.Attention) > 1 && r.Attention[0].Code == ledger.AttentionReplyDeferred && r.Attention[1].Code == ledger.AttentionReplyConditional {
			got.Settles, got.Attention = false, got.Attention[2:]
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", word, diff)
		}
		r.Attention, r.Due = nil, time.Time{}
		kept := followed()
		kept.Status, kept.Validated, kept.PortDate, kept.Checked, kept.Progressed, kept.Due = word, true, "2026-12-01", noon, noon, time.Time{}
		if diff := cmp.Diff(kept, r); diff != "" {
			t.Errorf("%s is kept as (-want +got):\n%s", word, diff)
		}
	}
	for _, word := range order.Statuses() {
		if _, ok := words[word]; !ok {
			t.Errorf("%s is not tested", word)
		}
	}
}

func TestAStatusWithoutCertaintyKeepsADispute(t *testing.T) {
	t.Parallel()
	r := followed()
	for i, step := range []struct {
		disputing *bool
		category  order.Category
		codes     []ledger.AttentionCode
		told      bool
	}{
		{new(true), order.CategoryOpen, nil, true},
		{new(true), order.CategoryOpen, nil, false},
		{nil, order.CategoryAttention, []ledger.AttentionCode{ledger.AttentionCarrierStatus}, true},
		{new(false), order.CategoryAttention, []ledger.AttentionCode{ledger.AttentionCarrierStatus}, false},
		{new(true), order.CategoryOpen, nil, true},
	} {
		now, was := noon.Add(time.Duration(i)*time.Hour), r.Progressed
		portstatus.Observe(&r, carrier.Status{Word: "REJECTED", Disputing: step.disputing}, now)
		if r.Category() != step.category || !slices.Equal(codes(r), step.codes) {
			t.Errorf("step %d: category %d, attention %v", i, r.Category(), codes(r))
		}
		if step.told {
			was = now
		}
		if !r.Progressed.Equal(was) || !r.Checked.Equal(now) {
			t.Errorf("step %d: progressed %v, checked %v", i, r.Progressed, r.Checked)
		}
	}
}

func TestRejectsStayWhenTheStatusGoesOn(t *testing.T) {
	t.Parallel()
	one, other := []carrier.Reject{{Code: "1A", Field: "AN"}}, []carrier.Reject{{Code: "1A", Field: "AN"}, {Code: "2B"}}
	r := followed()
	for i, step := range []struct {
		s    carrier.Status
		want []carrier.Reject
	}{
		{carrier.Status{Word: "PENDING"}, nil},
		{carrier.Status{Word: "REJECTED", Rejects: one}, one},
		{carrier.Status{Word: "REJECTED"}, one},
		{carrier.Status{Word: "REJECTED", Rejects: other}, other},
		{carrier.Status{Word: "SUBMITTED"}, other},
		{carrier.Status{Word: "REJECTED", Rejects: one}, one},
		{carrier.Status{Word: "COMPLETED", Rejects: []carrier.Reject{}}, one},
	} {
		portstatus.Observe(&r, step.s, noon)
		got, err := reject.Unpack(r.Rejects)
		if diff := cmp.Diff(step.want, got); diff != "" || err != nil {
			t.Errorf("step %d: %v (-want +got):\n%s", i, err, diff)
		}
	}
}

func TestOnlyAChangeIsProgress(t *testing.T) {
	t.Parallel()
	s := carrier.Status{
		Ticket: "T-1", Word: "CONFIRMED", PortDate: "20261201", Numbers: []int64{digits}, Rejects: []carrier.Reject{{Code: "1A"}, {Code: "2B"}},
	}
	for name, c := range map[string]struct {
		change func(s *carrier.Status)
		want   bool
	}{
		"nothing":                     {func(*carrier.Status) {}, false},
		"the word":                    {func(s *carrier.Status) { s.Word = "RESCHEDULED" }, true},
		"validated":                   {func(s *carrier.Status) { s.Validated = true }, true},
		"a dispute":                   {func(s *carrier.Status) { s.Disputing = new(true) }, true},
		"no dispute, and says so":     {func(s *carrier.Status) { s.Disputing = new(false) }, false},
		"the day":                     {func(s *carrier.Status) { s.PortDate = "20261202" }, true},
		"no day any more":             {func(s *carrier.Status) { s.PortDate = "" }, true},
		"a reject":                    {func(s *carrier.Status) { s.Rejects = []carrier.Reject{{Code: "1A", Remarks: "call"}} }, true},
		"rejects in another order":    {func(s *carrier.Status) { s.Rejects = []carrier.Reject{{Code: "2B"}, {Code: "1A"}} }, false},
		"rejects are not said again":  {func(s *carrier.Status) { s.Rejects = nil }, false},
		"what no order keeps of them": {func(s *carrier.Status) { s.EndUserName, s.RejectSummary, s.Numbers = "A", "B", nil }, false},
	} {
		r := followed()
		portstatus.Observe(&r, s, noon)
		r.Attend(ledger.AttentionNoProgress, "quiet", noon)
		next := s
		c.change(&next)
		rejects := r.Rejects
		portstatus.Observe(&r, next, later)
		if !c.want && !bytes.Equal(rejects, r.Rejects) { // which the ledger would tell as a change
			t.Errorf("%s: the order has other rejects", name)
		}
		if got := r.Progressed.Equal(later); got != c.want || !r.Checked.Equal(later) || r.Attends(ledger.AttentionNoProgress) == c.want {
			t.Errorf("%s: progressed %v, checked %v, attention %v", name, r.Progressed, r.Checked, codes(r))
		}
	}
}

func TestAttentionIsForWhatIsNow(t *testing.T) {
	t.Parallel()
	const (
		held      = "the carrier holds the order; ask its porting team what it waits for"
		rejected  = "the losing carrier rejected the order; see its rejects, correct it and resubmit it, then ask the carrier's porting team to drop this one"
		exception = "the carrier confirmed the order with an exception; ask its porting team which"
		unknown   = `the carrier's status is "TELEPORTED", which this version does not know; ask its porting team`
		dated     = "the carrier confirmed another date than the one that was asked for"
	)
	status := func(d string, since time.Time) []ledger.Attention {
		return []ledger.Attention{{Code: ledger.AttentionCarrierStatus, Description: d, Since: since}}
	}
	date := func(d string, since time.Time) []ledger.Attention {
		return []ledger.Attention{{Code: ledger.AttentionDateChanged, Description: d, Since: since}}
	}
	at := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
	r := followed()
	for i, step := range []struct {
		s    carrier.Status
		want []ledger.Attention
	}{
		{carrier.Status{Word: "HOLD"}, status(held, at(0))},
		{carrier.Status{Word: "HOLD", Validated: true}, status(held, at(0))},
		{carrier.Status{Word: "REJECTED"}, status(rejected, at(2))},
		{carrier.Status{Word: "TELEPORTED"}, status(unknown, at(3))},
		{carrier.Status{Word: "CONFIRMEDwEXCEPTION"}, status(exception, at(4))},
		{carrier.Status{Word: "CONFIRMEDwDATECHANGE", PortDate: "20261201"}, date(dated+": 2026-12-01", at(5))},
		{carrier.Status{Word: "CONFIRMEDwDATECHANGE", PortDate: "20261201"}, date(dated+": 2026-12-01", at(5))},
		{carrier.Status{Word: "CONFIRMEDwDATECHANGE", PortDate: "20261203"}, date(dated+": 2026-12-03", at(7))},
		{carrier.Status{Word: "CONFIRMEDwDATECHANGE"}, date(dated+", and does not say which; ask its porting team", at(8))},
		{carrier.Status{Word: "CONFIRMED", PortDate: "20261203"}, nil},
	} {
		portstatus.Observe(&r, step.s, at(i))
		if diff := cmp.Diff(step.want, r.Attention, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("step %d (-want +got):\n%s", i, diff)
		}
	}
}

// A reason that a person has looked into is told again once the carrier says something new, and not before.
func TestWhatWasLookedIntoIsToldOnce(t *testing.T) {
	t.Parallel()
	dated := func(day string) carrier.Status { return carrier.Status{Word: "CONFIRMEDwDATECHANGE", PortDate: day} }
	rejected := func(codes ...string) carrier.Status {
		s := carrier.Status{Word: "REJECTED"}
		for _, c := range codes {
			s.Rejects = append(s.Rejects, carrier.Reject{Code: c})
		}
		return s
	}
	for name, c := range map[string]struct {
		first, next carrier.Status
		again       bool
	}{
		"the same hold":         {carrier.Status{Word: "HOLD"}, carrier.Status{Word: "HOLD"}, false},
		"a hold of another day": {carrier.Status{Word: "HOLD"}, carrier.Status{Word: "HOLD", PortDate: "20261201"}, true},
		"a hold, rejected":      {carrier.Status{Word: "HOLD"}, rejected(), true},
		"the same rejects":      {rejected("1A"), rejected("1A"), false},
		"no rejects this time":  {rejected("1A"), rejected(), false},
		"other rejects":         {rejected("1A"), rejected("2B"), true},
		"an unknown word":       {carrier.Status{Word: "TELEPORTED"}, carrier.Status{Word: "TELEPORTED"}, false},
		"the same day":          {dated("20261201"), dated("20261201"), false},
		"another day":           {dated("20261201"), dated("20261203"), true},
		"no day any more":       {dated("20261201"), dated(""), true},
	} {
		r := followed()
		portstatus.Observe(&r, c.first, noon)
		if len(r.Attention) != 1 {
			t.Fatalf("%s: %v", name, codes(r))
		}
		r.Unattend(r.Attention[0].Code)
		for range 2 {
			portstatus.Observe(&r, c.next, later)
			if (len(r.Attention) == 1 && r.Attention[0].Since.Equal(later)) != c.again {
				t.Errorf("%s: %v", name, r.Attention)
			}
		}
		portstatus.Observe(&r, carrier.Status{Word: "PENDING"}, later)
		portstatus.Observe(&r, c.first, later.Add(time.Hour))
		if len(r.Attention) != 1 {
			t.Errorf("%s, gone and come back: %v", name, codes(r))
		}
	}
}

// What a version of before has said of a reason in other words is no news: since when it is there does not change by it.
func TestAReasonInOtherWordsIsNotAnew(t *testing.T) {
	t.Parallel()
	r, of := followed(), carrier.Status{Word: "REJECTED"}
	portstatus.Observe(&r, of, noon)
	want := slices.Clone(r.Attention)
	r.Attention[0].Description = "the losing carrier rejected the order"
	portstatus.Observe(&r, of, later)
	if diff := cmp.Diff(want, r.Attention); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

func TestAReasonKeepsItsPlace(t *testing.T) {
	t.Parallel()
	r := followed()
	portstatus.Observe(&r, carrier.Status{Word: "HOLD"}, noon)
	r.Attend(ledger.AttentionLateAnswer, "late", noon)
	portstatus.Observe(&r, carrier.Status{Word: "REJECTED"}, later)
	want := []ledger.AttentionCode{ledger.AttentionCarrierStatus, ledger.AttentionLateAnswer}
	if diff := cmp.Diff(want, codes(r)); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

func TestNoTicketEndsWithATicket(t *testing.T) {
	t.Parallel()
	for ticket, want := range map[string]bool{"": true, "T-1": false} {
		r := followed()
		r.Ticket = ticket
		r.Attend(ledger.AttentionNoTicket, "none", before)
		portstatus.Observe(&r, carrier.Status{Ticket: "T-9", Word: "PENDING"}, noon)
		if r.Attends(ledger.AttentionNoTicket) != want || r.Ticket != ticket {
			t.Errorf("with ticket %q: %v, %q", ticket, codes(r), r.Ticket)
		}
	}
}

func TestACorrectedOrderThatTheCarrierRevives(t *testing.T) {
	t.Parallel()
	successor := "0193e3a0-0000-7000-8000-000000000002"
	twice := []ledger.Attention{{
		Code: ledger.AttentionNumbersHeldTwice, Since: noon,
		Description: "order " + successor + " was to correct this one, and the carrier goes on with this one all the same; if it has both, have one of them cancelled",
	}}
	held := []ledger.Attention{{Code: ledger.AttentionCarrierStatus, Since: noon, Description: "the carrier holds the order; ask its porting team what it waits for"}}
	for word, want := range map[string][]ledger.Attention{
		"CONFIRMED": twice, "PENDING": twice, "HOLD": append(held, twice...), "CANCELLED": nil, "COMPLETED": twice, "EXPIRED": nil,
	} {
		r := followed()
		r.Successor, r.Status = successor, order.StatusRejected
		portstatus.Observe(&r, carrier.Status{Word: word}, noon)
		if diff := cmp.Diff(want, r.Attention, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", word, diff)
		}
	}
	for disputing, want := range map[bool]bool{true: true, false: false} {
		r := followed()
		r.Successor, r.Status = successor, order.StatusRejected
		portstatus.Observe(&r, carrier.Status{Word: "REJECTED", Disputing: &disputing}, noon)
		if r.Attends(ledger.AttentionNumbersHeldTwice) != want {
			t.Errorf("disputing %v: %v", disputing, codes(r))
		}
	}
	// What another cause has marked is not told to be this, and stays until one of the two orders is cancelled: then this is it.
	r := followed()
	r.Successor = successor
	r, _ = ledger.Collide(r, ledger.Record{OrderID: "other"}, before)
	marked := slices.Clone(r.Attention)
	for _, c := range []struct {
		word string
		want []ledger.Attention
	}{{"PENDING", marked}, {"COMPLETED", marked}, {"CANCELLED", nil}} {
		word := c.word
		portstatus.Observe(&r, carrier.Status{Word: word}, noon)
		if diff := cmp.Diff(c.want, r.Attention, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s after a collision (-want +got):\n%s", word, diff)
		}
	}
	// A person has looked into it, and nothing is new.
	for _, word := range []string{"PENDING", "CONFIRMED", "COMPLETED"} {
		r = followed()
		r.Successor, r.Status = successor, order.StatusPending
		portstatus.Observe(&r, carrier.Status{Word: word}, noon)
		if len(r.Attention) != 0 {
			t.Errorf("an order that was looked into, at %s: %v", word, codes(r))
		}
	}
	r = followed()
	portstatus.Observe(&r, carrier.Status{Word: "CONFIRMED"}, noon)
	if len(r.Attention) != 0 {
		t.Errorf("an order that nothing corrects: %v", codes(r))
	}
}

func TestNoReasonTellsOfAPerson(t *testing.T) {
	t.Parallel()
	for _, word := range append(order.Statuses(), "TELEPORTED") {
		r := followed()
		r.Successor = "0193e3a0-0000-7000-8000-000000000002"
		portstatus.Observe(&r, carrier.Status{
			Ticket: "T-1", Word: string(word), Disputing: new(true), Numbers: []int64{digits}, PortDate: "20261201",
			RejectReason: "Wong Mary", RejectSummary: "Wong Mary", EndUserName: "Wong Mary", AccountNumber: "Wong Mary", Reseller: "Wong Mary",
			Rejects: []carrier.Reject{{Remarks: "Wong Mary", RejectRemarks: "Wong Mary", Ported: "416-555-0123"}},
		}, noon)
		for _, a := range r.Attention {
			if strings.Contains(a.Description, "Wong") || strings.Contains(a.Description, "555") {
				t.Errorf("%s: %s", word, a.Description)
			}
		}
	}
}
