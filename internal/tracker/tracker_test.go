package tracker_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/portstatus"
	"github.com/portin/portin/internal/tracker"
)

// knows is a carrier that knows one port-in, by ticket "T-1" and by number 4165550123.
type knows carrier.Status

func (k knows) StatusByTicket(_ context.Context, ticket string) (carrier.Status, error) {
	if ticket != "T-1" {
		return carrier.Status{}, fault.New(fault.ReasonPortInNotFound, "none")
	}
	return carrier.Status(k), nil
}

func (k knows) StatusByNumber(_ context.Context, number int64) (carrier.Status, error) {
	if number != 4165550123 {
		return carrier.Status{}, fault.New(fault.ReasonPortInNotFound, "none")
	}
	return carrier.Status(k), nil
}

func TestAStatusIsAnswered(t *testing.T) {
	t.Parallel()
	tr := tracker.New(tracker.Params{Ledger: newShelf(), Accounts: oneAccount{}, Carrier: always(knows{Ticket: "T-1", Word: "CONFIRMED", PortDate: "20261215", Numbers: []int64{4165550123}})})
	want := &portinv1.PortInStatus{
		TicketId: "T-1", Status: portinv1.CarrierStatus_CARRIER_STATUS_CONFIRMED, StatusWord: "CONFIRMED",
		Category: portinv1.Category_CATEGORY_SCHEDULED, Numbers: []string{"+14165550123"}, PortDate: "2026-12-15",
	}
	byTicket, err := tr.StatusOfTicket(t.Context(), "mine", "T-1")
	if diff := cmp.Diff(want, byTicket, protocmp.Transform()); diff != "" || err != nil {
		t.Errorf("by ticket: %v (-want +got):\n%s", err, diff)
	}
	for _, written := range []string{"(416) 555-0123", "+14165550123", "416.555.0123"} {
		byNumber, err := tr.StatusOfNumber(t.Context(), "mine", written)
		if diff := cmp.Diff(want, byNumber, protocmp.Transform()); diff != "" || err != nil {
			t.Errorf("by number: %v (-want +got):\n%s", err, diff)
		}
	}
}

func TestNoneIsNotFound(t *testing.T) {
	t.Parallel()
	tr := tracker.New(tracker.Params{Ledger: newShelf(), Accounts: oneAccount{}, Carrier: always(knows{})})
	if s, err := tr.StatusOfTicket(t.Context(), "mine", "T-2"); s != nil || !fault.Is(err, fault.ReasonPortInNotFound) {
		t.Errorf("an unknown ticket answers %v, %v", s, err)
	}
	if s, err := tr.StatusOfNumber(t.Context(), "mine", "+14165550199"); s != nil || !fault.Is(err, fault.ReasonPortInNotFound) {
		t.Errorf("an unknown number answers %v, %v", s, err)
	}
	for _, written := range []string{"", "416-555-012", "911", "+4930123456", "416-911-0123", "4165550123 x1"} {
		s, err := tr.StatusOfNumber(t.Context(), "mine", written)
		f := fault.From(err)
		if s != nil || f == nil || f.Reason != fault.ReasonInvalidFields || len(f.Violations) != 1 || f.Violations[0].Field != "number" {
			t.Errorf("the number %q answers %v, %v, want a violation of number", written, s, err)
		}
	}
}

// What another tenant's order has is not there for a tenant, also when only the carrier's answer says whose it is; what several
// have is, and what nobody has.
func TestAStatusOfAnotherTenantIsNotFound(t *testing.T) {
	t.Parallel()
	one := func(id, tenant, ticket string, numbers ...string) ledger.Record {
		return ledger.Record{OrderID: id, Tenant: tenant, CarrierAccount: ledger.Default, Ticket: ticket, Numbers: numbers, State: order.Accepted}
	}
	for name, c := range map[string]struct {
		kept  []ledger.Record
		there bool
	}{
		"nobody's":                  {nil, true},
		"mine":                      {[]ledger.Record{one("1", "mine", "T-1", "+14165550123")}, true},
		"another's":                 {[]ledger.Record{one("1", "theirs", "T-1", "+14165550123")}, false},
		"another's by ticket alone": {[]ledger.Record{one("1", "theirs", "T-1")}, false},
		"another's without ticket":  {[]ledger.Record{one("1", "theirs", "", "+14165550123", "+14165550124")}, false}, // as one in doubt is
		"everybody's":               {[]ledger.Record{one("1", "theirs", "T-1", "+14165550123"), one("2", "mine", "T-1", "+14165550123")}, true},
	} {
		tr := tracker.New(tracker.Params{Ledger: newShelf(c.kept...), Accounts: oneAccount{}, Carrier: always(knows{Ticket: "T-1", Word: "CONFIRMED", Numbers: []int64{4165550123}})})
		_, byTicket := tr.StatusOfTicket(t.Context(), "mine", "T-1")
		_, byNumber := tr.StatusOfNumber(t.Context(), "mine", "416-555-0123")
		for how, err := range map[string]error{"ticket": byTicket, "number": byNumber} {
			if there := err == nil; there != c.there || (err != nil && !fault.Is(err, fault.ReasonPortInNotFound)) {
				t.Errorf("%s, by %s: %v", name, how, err)
			}
		}
	}
}

// Whose a port-in is has to be known before anything is told of it.
func TestAStatusNeedsTheLedger(t *testing.T) {
	t.Parallel()
	shelf := newShelf()
	shelf.fail = errors.New("down")
	tr := tracker.New(tracker.Params{Ledger: shelf, Accounts: oneAccount{}, Carrier: always(knows{Ticket: "T-1", Word: "CONFIRMED"})})
	if s, err := tr.StatusOfTicket(t.Context(), "mine", "T-1"); s != nil || !fault.Is(err, fault.ReasonLedgerUnavailable) {
		t.Errorf("without a ledger: %v, %v", s, err)
	}
}

// byTenant are accounts that have the names of their tenants.
type byTenant struct{ oneAccount }

func (byTenant) Of(tenant string) string { return tenant }

// The carrier is asked with the account of the tenant's own order, and about what is nobody's here with that of its new ones.
func TestAStatusIsAskedForWithTheOrdersAccount(t *testing.T) {
	t.Parallel()
	var asked []string
	tr := tracker.New(tracker.Params{
		Ledger: newShelf(
			ledger.Record{OrderID: "1", Tenant: "mine", CarrierAccount: "old", Ticket: "T-1", Numbers: []string{"+14165550123"}, State: order.Accepted},
			ledger.Record{OrderID: "2", Tenant: "theirs", CarrierAccount: "old", Ticket: "T-9", State: order.Accepted},
			// The carrier has nothing of these two; what is asked for was placed elsewhere.
			ledger.Record{OrderID: "3", Tenant: "mine", CarrierAccount: "old", Numbers: []string{"+14165550124"}, State: order.NotSent},
			ledger.Record{OrderID: "4", Tenant: "mine", CarrierAccount: "old", Numbers: []string{"+14165550125"}, State: order.Refused},
			ledger.Record{OrderID: "5", Tenant: "mine", CarrierAccount: "old", Numbers: []string{"+14165550126"}, State: order.Sending},
			ledger.Record{OrderID: "6", Tenant: "mine", CarrierAccount: "old", Numbers: []string{"+14165550127"}, State: order.InDoubt},
		),
		Accounts: byTenant{},
		Carrier: func(account string) portstatus.Carrier {
			asked = append(asked, account)
			return knows{Ticket: "T-1", Word: "CONFIRMED", Numbers: []int64{4165550123}}
		},
	})
	for _, ticket := range []string{"T-1", "T-2", "T-9"} { // with mine, the ticket of another account is another one
		_, _ = tr.StatusOfTicket(t.Context(), "mine", ticket)
	}
	for _, number := range []string{"416-555-0123", "416-555-0199", "416-555-0124", "416-555-0125", "416-555-0126", "416-555-0127"} {
		_, _ = tr.StatusOfNumber(t.Context(), "mine", number)
	}
	if diff := cmp.Diff([]string{"old", "mine", "mine", "old", "mine", "mine", "mine", "old", "old"}, asked); diff != "" {
		t.Errorf("the accounts (-want +got):\n%s", diff)
	}
}

// A ticket of one account is another one than that of the same text in another: neither hides the other.
func TestATicketOfAnotherAccountHidesNothing(t *testing.T) {
	t.Parallel()
	tr := tracker.New(tracker.Params{
		Ledger: newShelf(
			ledger.Record{OrderID: "1", Tenant: "mine", CarrierAccount: "old", Ticket: "T-1", Numbers: []string{"+14165550123"}, State: order.Accepted},
			ledger.Record{OrderID: "2", Tenant: "theirs", CarrierAccount: "mine", Ticket: "T-1", State: order.Accepted},
		),
		Accounts: byTenant{}, Carrier: always(knows{Ticket: "T-1", Word: "CONFIRMED"}),
	})
	if _, err := tr.StatusOfTicket(t.Context(), "mine", "T-1"); err != nil {
		t.Errorf("by ticket: %v", err)
	}
	if _, err := tr.StatusOfNumber(t.Context(), "mine", "416-555-0123"); err != nil {
		t.Errorf("by number: %v", err)
	}
	if s, err := tr.StatusOfTicket(t.Context(), "others", "T-1"); err != nil {
		t.Errorf("to a tenant with an account of its own: %v, %v", s, err)
	}
}

// An order is followed, and its patience counted, with its own account, whatever its tenant has by now.
func TestAnOrderIsFollowedWithItsAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := accepted(1, "T-1")
		r.CarrierAccount = "old"
		var mu sync.Mutex
		asked := map[string]bool{}
		note := func(what string) {
			mu.Lock()
			defer mu.Unlock()
			asked[what] = true
		}
		l := newLine()
		l.says(carrier.Status{Ticket: "T-1", Word: "SUBMITTED"})
		s := opened(t, newShelf(r), l, func(p *tracker.Params) {
			p.Accounts = byTenant{}
			p.Carrier = func(account string) portstatus.Carrier {
				note("carrier of " + account)
				return l
			}
			p.Closed = func(_ context.Context, account string, _ time.Time) bool {
				note("holidays of " + account)
				return false
			}
		})
		pass(time.Minute)
		s.stop()
		if diff := cmp.Diff(map[string]bool{"carrier of old": true, "holidays of old": true}, asked); diff != "" {
			t.Errorf("what was asked (-want +got):\n%s", diff)
		}
	})
}
