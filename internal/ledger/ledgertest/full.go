package ledgertest

import (
	"fmt"
	"reflect"
	"time"

	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// Full is Record(n) with something in every field, whether an order of that state would have it or not, but for Erased: nothing
// becomes of an order any more that has it. But for its
// state, its attempt, its tenant, its account and its flags, no field has the value of another n. n is below 1,000,000.
func Full(n int) ledger.Record {
	r := Record(n)
	at := func(minutes int) time.Time {
		return r.Created.Add(time.Duration(minutes)*time.Minute + time.Microsecond)
	}
	word := func(what string) string { return fmt.Sprintf("%s %d", what, n) }
	r.Elsewhere, r.History, r.Predecessor, r.Successor = true, orderID(2_000_000+n), orderID(3_000_000+n), orderID(3_500_000+n)
	r.Kept, r.Guards = []string{Number(9_000_000 + n)}, true
	r.Target = word("target")
	r.Lease += time.Duration(n) * time.Microsecond
	r.Fence = int64(n) + 1<<40
	r.Looks = []string{word("first look"), word("second look")}
	r.LookFailed = true
	r.Reply, r.Ticket, r.Message, r.ErrorID = word("reply"), word("ticket"), word("message"), word("error")
	r.Reason, r.Problem, r.RetryAfter = fault.Reason(word("reason")), word("problem"), time.Duration(n+1)*time.Second
	r.Doubt = ledger.Doubt{Since: at(1), Asked: 100 + n, Finding: word("finding"), Agreed: 200 + n, Counted: at(2)}
	r.Attention = []ledger.Attention{
		{Code: ledger.AttentionNoTicket, Description: word("no ticket"), Since: at(3)},
		{Code: ledger.AttentionLateAnswer, Description: word("late"), Since: at(4)},
	}
	r.Status, r.Disputing, r.PortDate = order.Status(word("STATUS")), true, fmt.Sprintf("2026-04-%02d", n%30+1)
	r.Validated, r.Rejects = true, fmt.Appendf(nil, "\x00\xff rejects %d", n)
	r.Updated, r.Claimed, r.Settled, r.Checked, r.Progressed, r.Closed = at(5), at(6), at(7), at(8), at(9), at(10)
	return r
}

// fixed is a record with what the first claim of another one has fixed, and as little erased as that.
func fixed(r, first ledger.Record) ledger.Record {
	r = r.Clone()
	r.OrderID, r.Tenant, r.RequestID, r.CarrierAccount = first.OrderID, first.Tenant, first.RequestID, first.CarrierAccount
	r.Target, r.CustomerReference, r.Content = first.Target, first.CustomerReference, first.Content
	r.Numbers, r.Created = first.Numbers, first.Created
	r.Elsewhere, r.History, r.Predecessor, r.Erased = first.Elsewhere, first.History, first.Predecessor, first.Erased
	return r
}

// become is a step that makes an order the one that r describes, but for what is fixed and the time of the change.
func become(r ledger.Record, by order.Cause) ledger.Step {
	return ledger.Step{By: by, Now: r.Updated, Change: func(now *ledger.Record) (ledger.Entry, error) {
		*now = fixed(r, *now)
		return Entry("became another"), nil
	}}
}

// blanks names the fields of a value, and of the structs and lists in it, that are zero. A case that sends a value through
// a ledger asks this first, so that a field that somebody adds and forgets here fails by its name.
func blanks(v any) []string { return blanksOf(reflect.TypeOf(v).Name(), reflect.ValueOf(v)) }

func blanksOf(name string, v reflect.Value) []string {
	var names []string
	switch {
	case v.IsZero(), v.Kind() == reflect.Slice && v.Len() == 0:
		return []string{name}
	case v.Type() == reflect.TypeFor[time.Time]():
	case v.Kind() == reflect.Struct:
		for f, value := range v.Fields() {
			names = append(names, blanksOf(name+"."+f.Name, value)...)
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		for i := range v.Len() {
			names = append(names, blanksOf(fmt.Sprintf("%s[%d]", name, i), v.Index(i))...)
		}
	}
	return names
}

// fresh is Full(1) as it is claimed first: nobody has taken or corrected it yet, and it corrects an order that is there.
func (t *trial) fresh() ledger.Record {
	t.Helper()
	r := Full(1)
	r.Elsewhere, r.Fence, r.Successor, r.Kept = false, 0, "", nil
	t.inState(3_000_001, order.Refused)
	return r
}
