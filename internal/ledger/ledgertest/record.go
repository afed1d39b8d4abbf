package ledgertest

import (
	"fmt"
	"slices"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// Record is a complete record of a new order that is about to be sent. Records of different n share no identifier, key,
// number or time, and none corrects another; one of a higher n is newer. n is at least 0 and below 5,000,000.
func Record(n int) ledger.Record {
	now := Epoch().Add(time.Duration(n) * time.Second)
	return ledger.Record{
		OrderID: orderID(n), History: orderID(n), Tenant: ledger.Default,
		RequestID: fmt.Sprintf("5ca1ab1e-0000-4000-8000-%012x", n), CarrierAccount: ledger.Default,
		Target: "trunk_did", CustomerReference: fmt.Sprintf("reference %d", n),
		Content: fmt.Appendf(nil, "\x00\xff content %d", n), Warnings: fmt.Appendf(nil, "\xfe\x00 warnings %d", n),
		Numbers: []string{Number(2*n + 1), Number(2 * n)},
		State:   order.Sending, Attempt: 1, Owner: fmt.Sprintf("process %d", n), Lease: 90 * time.Second,
		Due: now.Add(90 * time.Second), Looks: []string{fmt.Sprintf("SEEN-%d", n)},
		Created: now, Updated: now, Claimed: now,
	}
}

// orderID is the nth order's.
func orderID(n int) string { return fmt.Sprintf("01900000-0000-7000-8000-%012x", n) }

// Epoch is when the suite's time begins; no case looks at a clock.
func Epoch() time.Time { return time.Date(2026, time.March, 29, 0, 59, 59, 123_456_000, time.UTC) }

// Number is the nth telephone number, in E.164. n is at least 0 and below 10,000,000.
func Number(n int) string { return fmt.Sprintf("+1416%07d", n) }

// Ticket is the nth ticket of a carrier.
func Ticket(n int) string { return fmt.Sprintf("TICKET-%d", n) }

// Entry is what the suite has written down about a change.
func Entry(note string) ledger.Entry {
	return ledger.Entry{Actor: ledger.Actor{Kind: ledger.ByCaller, Name: "somebody"}, Note: note}
}

// Move is a step that takes an order to another state.
func Move(to order.State, by order.Cause, now time.Time) ledger.Step {
	return ledger.Step{By: by, Now: now, Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.State = to
		return ledger.Entry{Actor: ledger.Actor{Kind: ledger.ByCarrier}, Note: "moved to " + to.String()}, nil
	}}
}

// Accept is the step by which the carrier's answer to the POST accepts an order and names its ticket.
func Accept(ticket string, now time.Time) ledger.Step {
	return ledger.Step{By: order.ByAnswer, Now: now, Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.State, r.Ticket, r.Reply, r.Settled = order.Accepted, ticket, "ACCEPTED", now
		return ledger.Entry{Actor: ledger.Actor{Kind: ledger.ByCarrier}, Note: "accepted"}, nil
	}}
}

// Fare is the step by which the carrier's word for how the port fares becomes another one.
func Fare(word order.Status, now time.Time) ledger.Step {
	return ledger.Step{Now: now, Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.Status = word
		return ledger.Entry{Actor: ledger.Actor{Kind: ledger.ByCarrier}, Note: "fares " + string(word)}, nil
	}}
}

// Elsewhere is a complete record of an order that was placed elsewhere, is Record(n) otherwise, and has the nth ticket.
func Elsewhere(n int) ledger.Record {
	r := Record(n)
	r.Elsewhere, r.RequestID, r.State, r.Attempt, r.Ticket = true, r.OrderID, order.Accepted, 0, Ticket(n)
	r.Owner, r.Lease, r.Looks, r.Claimed = "", 0, nil, time.Time{}
	return r
}

// Correct is the record of a new order, Record(n) otherwise, that corrects another one and asks for its numbers.
func Correct(was ledger.Record, n int) ledger.Record {
	r := Record(n)
	r.Tenant, r.CarrierAccount, r.Numbers = was.Tenant, was.CarrierAccount, slices.Clone(was.Numbers)
	r.History, r.Predecessor = was.History, was.OrderID
	return r
}

// Resend is the record by which the order of r is sent again: the attempt after r's, claimed a minute after it.
func Resend(r ledger.Record) ledger.Record {
	r = r.Clone()
	r.State, r.Attempt = order.Sending, r.Attempt+1
	r.Claimed = r.Claimed.Add(time.Minute)
	r.Updated = r.Claimed
	return r
}
