package postgres

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/ledger/postgres/pgtest"
	"github.com/portin/portin/internal/order"
)

func TestALedgerOfVersion1IsBroughtForward(t *testing.T) {
	t.Parallel()
	v := newVersion1(t)
	sending := atRest(ledgertest.Record(1))
	accepted, confirmed := inState(2, order.Accepted, ""), inState(3, order.Accepted, order.StatusConfirmed)
	closed, refused := inState(4, order.Accepted, order.StatusCompleted), inState(5, order.Refused, "")
	unsettled := inState(6, order.Accepted, order.StatusRejected)
	unsettled.Settled = time.Time{}
	due := inState(7, order.Accepted, "")
	due.Due = due.Updated.Add(time.Hour)
	all := []ledger.Record{sending, accepted, confirmed, closed, refused, unsettled, due}
	for _, r := range all {
		v.insert(r)
	}
	// A migration that was cut off begins anew.
	v.exec(`ALTER TABLE orders ADD COLUMN elsewhere boolean NOT NULL DEFAULT false`)

	s := testStore(t, v.url)
	all[1].Due, all[2].Due, all[5].Due = accepted.Settled, confirmed.Settled, unsettled.Updated
	for _, want := range all {
		got, err := s.Find(t.Context(), want.Tenant, want.OrderID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" || got.History != got.OrderID {
			t.Errorf("order %s, whose history is %s (-want +got):\n%s", want.OrderID, got.History, diff)
		}
		page, more, err := s.List(t.Context(), ledger.Query{Tenant: want.Tenant, History: want.OrderID, Limit: 1, MaxBytes: 1})
		if diff := cmp.Diff([]ledger.Record{want}, page); diff != "" || more || err != nil {
			t.Errorf("the history of order %s: more %v, error %v (-want +got):\n%s", want.OrderID, more, err, diff)
		}
	}
	counts, err := s.Count(t.Context())
	first := slices.MinFunc([]time.Time{all[1].Due, all[2].Due, all[5].Due, due.Due}, time.Time.Compare)
	want := ledger.Counts{Sending: 1, Open: 2, Scheduled: 1, Attention: 1, AcceptedDue: first}
	if diff := cmp.Diff(want, counts); diff != "" || err != nil {
		t.Errorf("error %v; counts (-want +got):\n%s", err, diff)
	}
	correction := ledgertest.Correct(refused, 8)
	if _, err := s.Claim(t.Context(), correction, ledgertest.Entry("")); err != nil {
		t.Fatal(err)
	}
	page, _, err := s.List(t.Context(), ledger.Query{Tenant: refused.Tenant, History: refused.OrderID, Limit: 5, MaxBytes: 1 << 20})
	if err != nil || len(page) != 2 || page[0].OrderID != correction.OrderID || page[1].Successor != correction.OrderID {
		t.Errorf("the history of an order of version 1 that was corrected: %+v, error %v", page, err)
	}
}

// A replica of version 1 goes on for a while. What it accepts is looked at by the others, whether one of these has changed the
// order in between or not; and what the others accept is due when they say.
func TestWhatVersion1AcceptsMeanwhileBecomesDue(t *testing.T) {
	t.Parallel()
	v := newVersion1(t)
	s := testStore(t, v.url)
	whole := inState(1, order.Accepted, "")
	v.insert(whole)
	claimed, err := s.Claim(t.Context(), ledgertest.Record(2), ledgertest.Entry(""))
	if err != nil {
		t.Fatal(err)
	}
	later := inState(2, order.Accepted, "")
	later.Numbers = claimed.Numbers
	v.update(later)
	if _, err := s.Advance(t.Context(), later.OrderID, ledgertest.Fare(order.StatusHold, later.Updated)); err != nil {
		t.Fatal(err)
	}
	v.insert(inState(3, order.Accepted, order.StatusExpired))
	v.insert(inState(4, order.Refused, ""))
	ours := ledgertest.Record(5)
	if _, err := s.Claim(t.Context(), ours, ledgertest.Entry("")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Advance(t.Context(), ours.OrderID, ledger.Step{By: order.ByAnswer, Now: ours.Created, Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.State, r.Due = order.Accepted, time.Time{}
		return ledger.Entry{}, nil
	}}); err != nil {
		t.Fatal(err)
	}
	until := whole.Updated.AddDate(1, 0, 0)
	// Once, and then not before it is due again.
	for _, want := range [][]string{{whole.OrderID, later.OrderID}, nil} {
		taken, err := s.Take(t.Context(), ledger.Turn{State: order.Accepted, Now: whole.Updated.AddDate(0, 1, 0), Until: until, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range taken {
			got = append(got, r.OrderID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the orders that are due (-want +got):\n%s", diff)
		}
	}
}

// The tables are brought forward while replicas of version 1 write. None of their writes fails, and none is forgotten.
func TestVersion1WritesOnMeanwhile(t *testing.T) {
	t.Parallel()
	v := newVersion1(t)
	const writers, each = 4, 60
	var wg sync.WaitGroup
	begun := make(chan struct{}, writers)
	for i := range writers {
		w := version1{t, v.url, pgtest.Connect(t, v.url)}
		wg.Go(func() {
			for n := range each {
				w.insert(atRest(ledgertest.Record(i*each + n)))
				w.update(inState(i*each+n, order.Accepted, ""))
				if n == each/4 {
					begun <- struct{}{}
				}
			}
		})
	}
	for range writers {
		<-begun
	}
	s := testStore(t, v.url)
	wg.Wait()
	now := ledgertest.Epoch().AddDate(1, 0, 0)
	taken, err := s.Take(t.Context(), ledger.Turn{State: order.Accepted, Now: now, Until: now.AddDate(0, 0, 1), Limit: 2 * writers * each})
	if err != nil || len(taken) != writers*each {
		t.Errorf("%d orders are due, want %d; error %v", len(taken), writers*each, err)
	}
}

// Events of version 1 have neither a tenant nor where the order stood, which others know; and they lack why it needs attention.
func TestEventsOfVersion1AreWhole(t *testing.T) {
	t.Parallel()
	v := newVersion1(t)
	r := ledgertest.Record(1)
	r.Tenant = "a tenant"
	v.insert(atRest(r))
	at := func(minutes int) time.Time { return r.Created.Add(time.Duration(minutes) * time.Minute) }
	v.tell(r, ledger.EventClaimed, at(0))
	r.State = order.NotSent
	v.tell(r, ledger.EventStateChanged, at(1))
	s := testStore(t, v.url)
	r.State, r.Attempt = order.Sending, 2
	v.tell(r, ledger.EventClaimed, at(2))
	r.State, r.Status = order.Accepted, order.StatusConfirmed
	v.tell(r, ledger.EventStateChanged, at(3))
	v.tell(r, ledger.EventAttentionChanged, at(3))
	r.State = order.Sending
	v.update(atRest(r))
	if _, err := s.Advance(t.Context(), r.OrderID, ledgertest.Move(order.InDoubt, order.ByLease, at(4))); err != nil {
		t.Fatal(err)
	}
	r.State = order.Accepted
	v.tell(r, ledger.EventStateChanged, at(5))

	if _, err := s.Advance(t.Context(), r.OrderID, ledger.Step{Now: at(6), Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.Attend(ledger.AttentionLateAnswer, "late", at(6))
		return ledger.Entry{}, nil
	}}); err != nil {
		t.Fatal(err)
	}
	v.tell(r, ledger.EventAttentionChanged, at(7))

	type told struct {
		Tenant    string
		Was, Is   ledger.Standing
		Attention []ledger.AttentionCode
	}
	standing := func(s order.State, status order.Status) ledger.Standing {
		return ledger.Record{State: s, Status: status}.Standing()
	}
	sending, notSent, scheduled := standing(order.Sending, ""), standing(order.NotSent, ""), standing(order.Accepted, order.StatusConfirmed)
	inDoubt := standing(order.InDoubt, "")
	want := []told{
		{r.Tenant, 0, sending, nil},
		{r.Tenant, sending, notSent, nil},
		{r.Tenant, notSent, sending, nil},
		{r.Tenant, sending, scheduled, nil},
		{r.Tenant, sending, scheduled, nil},
		{r.Tenant, sending, inDoubt, nil},
		{r.Tenant, inDoubt, scheduled, nil},
		{r.Tenant, inDoubt, inDoubt, []ledger.AttentionCode{ledger.AttentionLateAnswer}},
		{r.Tenant, inDoubt, scheduled, nil},
	}
	changes, err := s.Changes(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	ofOne, err := s.Events(t.Context(), r.Tenant, r.OrderID, false, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	ofRow, err := s.Events(t.Context(), r.Tenant, r.OrderID, true, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for name, events := range map[string][]ledger.Event{"changes": changes, "events": ofOne, "events of the row": ofRow} {
		var got []told
		for _, e := range events {
			got = append(got, told{e.Tenant, e.Was, e.Is, e.Attention})
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
