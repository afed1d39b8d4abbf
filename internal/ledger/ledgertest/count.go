package ledgertest

import (
	"slices"
	"strings"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// countCases are what is known of all orders together.
func countCases() []aCase {
	return []aCase{
		{"counts follow every change of every tenant", countsFollow},
		{"what is due the longest is known", longestDueIsKnown},
		{"whoever is sending is known", sendingIsKnown},
	}
}

// counted compares the counts, but for when something is due.
func (t *trial) counted(when string, want ledger.Counts) {
	t.Helper()
	got, err := t.Count(t.Context())
	if err != nil {
		t.Fatalf("%s: Count: %v", when, err)
	}
	got.AcceptedDue, got.InDoubtDue, got.DeliveryDue = time.Time{}, time.Time{}, time.Time{}
	t.same(when+": the counts", want, got)
}

// due compares when something is due the longest, in minutes after the epoch; 0 is never.
func (t *trial) due(when string, accepted, inDoubt, delivery int) {
	t.Helper()
	got, err := t.Count(t.Context())
	if err != nil {
		t.Fatalf("%s: Count: %v", when, err)
	}
	at := func(minutes int) time.Time {
		if minutes == 0 {
			return time.Time{}
		}
		return Epoch().Add(time.Duration(minutes) * time.Minute)
	}
	t.same(when+": what is due", []time.Time{at(accepted), at(inDoubt), at(delivery)}, []time.Time{got.AcceptedDue, got.InDoubtDue, got.DeliveryDue})
}

// eachReason counts so many orders for each of the reasons, and none for the others.
func eachReason(orders int, codes ...ledger.AttentionCode) map[ledger.AttentionCode]int {
	all := make(map[ledger.AttentionCode]int)
	for _, code := range codes {
		all[code] = orders
	}
	return all
}

// leases are who is sending what, by order id.
func (t *trial) leases() []ledger.Lease {
	t.Helper()
	got, err := t.Sending(t.Context())
	if err != nil {
		t.Fatalf("Sending: %v", err)
	}
	slices.SortFunc(got, byOrder)
	return got
}

// byOrder orders leases, of which the contract leaves the order open.
func byOrder(a, b ledger.Lease) int { return strings.Compare(a.OrderID, b.OrderID) }

func countsFollow(t *trial) {
	attend := alter(func(r *ledger.Record) {
		r.Attend(ledger.AttentionNoProgress, "slow", Epoch())
		r.Attend(ledger.AttentionNoTicket, "none", Epoch())
	})
	why := func(noProgress, noTicket int) map[ledger.AttentionCode]int {
		all := eachReason(noProgress, ledger.AttentionNoProgress)
		all[ledger.AttentionNoTicket] = noTicket
		return all
	}
	a := t.claimed(Record(1))
	t.counted("one order", ledger.Counts{Sending: 1})
	b := t.claimed(with(Record(2), func(r *ledger.Record) { r.Tenant = "another" }))
	t.counted("two orders", ledger.Counts{Sending: 2})
	t.advanced(a.OrderID, Move(order.InDoubt, order.ByAnswer, Epoch()))
	t.counted("one in doubt", ledger.Counts{Sending: 1, InDoubt: 1})
	t.advanced(a.OrderID, attend)
	t.advanced(a.OrderID, attend)
	t.counted("one in doubt that needs attention for two reasons", ledger.Counts{Sending: 1, InDoubt: 1, NeedsAttention: 1, ByAttention: why(1, 1)})
	t.advanced(b.OrderID, Move(order.InDoubt, order.ByLease, Epoch()))
	t.counted("two in doubt", ledger.Counts{InDoubt: 2, NeedsAttention: 1, ByAttention: why(1, 1)})
	t.advanced(b.OrderID, Move(order.Refused, order.ByAnswer, Epoch()))
	t.advanced(b.OrderID, attend)
	t.counted("one refused", ledger.Counts{InDoubt: 1, NeedsAttention: 2, ByAttention: why(2, 2)})
	t.advanced(a.OrderID, Accept("T", Epoch()))
	t.counted("one accepted", ledger.Counts{NeedsAttention: 2, Open: 1, ByAttention: why(2, 2)})
	t.advanced(a.OrderID, Fare(order.StatusConfirmed, Epoch()))
	t.counted("one has a date", ledger.Counts{NeedsAttention: 2, Scheduled: 1, ByAttention: why(2, 2)})
	t.advanced(a.OrderID, Fare(order.StatusRejected, Epoch()))
	t.counted("one is rejected", ledger.Counts{NeedsAttention: 2, Attention: 1, ByAttention: why(2, 2)})
	t.advanced(a.OrderID, alter(func(r *ledger.Record) { r.Disputing = true }))
	t.counted("one is disputed", ledger.Counts{NeedsAttention: 2, Open: 1, ByAttention: why(2, 2)})
	t.advanced(a.OrderID, Fare(order.StatusCompleted, Epoch()))
	t.counted("all over", ledger.Counts{NeedsAttention: 2, ByAttention: why(2, 2)})
	t.advanced(a.OrderID, alter(func(r *ledger.Record) { r.Unattend(ledger.AttentionNoTicket) }))
	t.counted("one reason of two is gone", ledger.Counts{NeedsAttention: 2, ByAttention: why(2, 1)})
	t.advanced(a.OrderID, alter(func(r *ledger.Record) { r.Attention = nil }))
	t.counted("one needs no attention any more", ledger.Counts{NeedsAttention: 1, ByAttention: why(1, 1)})
	r := t.notSent(3)
	t.counted("one was not sent", ledger.Counts{NeedsAttention: 1, ByAttention: why(1, 1)})
	t.claimed(Resend(r))
	t.reopen()
	t.counted("one is sent again", ledger.Counts{Sending: 1, NeedsAttention: 1, ByAttention: why(1, 1)})
	t.claimed(with(Record(4), func(r *ledger.Record) {
		twice := ledger.Attention{Code: ledger.AttentionNoTicket, Since: Epoch()}
		r.Attention = []ledger.Attention{twice, twice}
	}))
	t.counted("one has a reason twice", ledger.Counts{Sending: 2, NeedsAttention: 2, ByAttention: why(1, 2)})
}

func longestDueIsKnown(t *trial) {
	t.due("at first", 0, 0, 0)
	of := func(n, minutes int, to order.State) ledger.Record {
		r := t.claimed(with(Record(n), func(r *ledger.Record) { r.Tenant = Ticket(n) }))
		return t.advanced(r.OrderID, ledger.Step{By: order.ByAnswer, Now: Epoch(), Change: func(r *ledger.Record) (ledger.Entry, error) {
			r.State, r.Due = to, Epoch().Add(time.Duration(minutes)*time.Minute)
			return ledger.Entry{}, nil
		}})
	}
	of(1, 10, order.NotSent)
	of(2, 30, order.Accepted)
	first := of(3, 20, order.Accepted)
	of(4, 40, order.Accepted)
	of(5, 60, order.InDoubt)
	of(6, 50, order.InDoubt)
	t.due("some orders", 20, 50, 0)
	if _, err := t.Take(t.Context(), ledger.Turn{State: order.Accepted, Now: first.Due, Until: first.Due.AddDate(0, 0, 1), Limit: 1}); err != nil {
		t.Fatal(err)
	}
	t.due("the first was taken", 30, 50, 0)
	t.advanced(Record(2).OrderID, alter(func(r *ledger.Record) { r.Due = time.Time{} }))
	t.reopen()
	t.due("the second has no time any more", 40, 50, 0)

	a, b := Record(1).OrderID, Record(2).OrderID
	shut := t.stocked(1, []ledger.Delivery{Delivery(a, 1, 60)})
	e := t.stocked(2, []ledger.Delivery{Delivery(a, 1, 180), Delivery(a, 2, 60), Delivery(b, 3, 240)})
	t.due("deliveries of two endpoints", 40, 50, 1)
	t.put(next(shut))
	t.due("one endpoint is disabled, and one delivery waits behind another", 40, 50, 3)
	d := t.handedOut("the first", e, Epoch().Add(3*time.Minute), 10, 1)[0]
	t.due("the first is under way", 40, 50, 4)
	t.settledAs(d, ledger.DeliveryDelivered)
	t.due("what waited behind it is due", 40, 50, 1)
}

func sendingIsKnown(t *trial) {
	var want []ledger.Lease
	for i := range 4 {
		r := t.claimed(with(Record(i), func(r *ledger.Record) {
			r.Tenant, r.Lease = Ticket(i), time.Duration(i)*time.Second+time.Microsecond
		}))
		want = append(want, ledger.Lease{OrderID: r.OrderID, Attempt: 1, Owner: r.Owner, Term: r.Lease})
	}
	t.same("who is sending", want, t.leases())
	t.reopen()
	t.same("who is sending, once the ledger was opened again", want, t.leases())
	for i, to := range []order.State{order.Accepted, order.NotSent, order.InDoubt, order.Refused} {
		t.advanced(want[i].OrderID, Move(to, order.ByAnswer, Epoch()))
	}
	t.same("who is sending when all is settled", []ledger.Lease(nil), t.leases())
	r := t.claimed(with(Resend(Record(1)), func(r *ledger.Record) { r.Owner, r.Tenant, r.Lease = "another process", Ticket(1), time.Hour }))
	t.same("who is sending again", []ledger.Lease{{OrderID: r.OrderID, Attempt: 2, Owner: "another process", Term: time.Hour}}, t.leases())
}
