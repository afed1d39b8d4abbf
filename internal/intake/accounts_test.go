package intake_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/intake"
)

// accounts are those of tenants, which a test changes as it goes.
type accounts map[string]string

func (a accounts) Of(tenant string) string { return a[tenant] }

func (a accounts) Names() []string { return []string{"first", "second"} }

// withAccounts gives a desk a carrier for each account; those beside the first one answer nothing.
func withAccounts(a accounts) func(*desk, *intake.Params) {
	return func(d *desk, p *intake.Params) {
		p.Accounts = a
		others := &stubCarrier{submit: func(context.Context, carrier.Call) carrier.Outcome {
			return carrier.Outcome{Settlement: carrier.NotSent, Fault: fault.New(fault.ReasonCarrierCredentials, "another account")}
		}}
		p.Carrier = func(account string) intake.Carrier {
			if account == "first" {
				return d.carrier
			}
			return others
		}
		p.Directory = func(account string) intake.Directory {
			if account == "first" {
				return d.directory
			}
			return &stubDirectory{violations: []fault.Violation{{Field: "order.trunk_did.pilot_number", Description: "is another account's"}}}
		}
	}
}

// A tenant without an account is told so before anything is claimed or asked.
func TestATenantWithoutAnAccount(t *testing.T) {
	t.Parallel()
	d := newDesk(t, withAccounts(accounts{}))
	check := request(t, keyA)
	check.RequestId, check.ValidateOnly = "", true
	for name, call := range map[string]func() error{
		"an order": func() error { _, err := d.PortIn(t.Context(), request(t, keyA)); return err },
		"a check":  func() error { _, err := d.PortIn(t.Context(), check); return err },
		"a port-in from elsewhere": func() error {
			_, err := d.Follow(t.Context(), &portinv1.FollowPortInRequest{PortIn: &portinv1.FollowedPortIn{Key: &portinv1.FollowedPortIn_TicketId{TicketId: "T-1"}}})
			return err
		},
	} {
		if err := call(); reasonOf(err) != fault.ReasonCarrierCredentials {
			t.Errorf("%s: %v", name, err)
		}
	}
	list, err := d.List(t.Context(), &portinv1.ListPortInOrdersRequest{})
	if err != nil || len(list.GetOrders()) != 0 || len(d.carrier.posts)+len(d.carrier.looks) != 0 {
		t.Errorf("there are the orders %v, %v; the carrier got %d POSTs and was asked %d times", list, err, len(d.carrier.posts), len(d.carrier.looks))
	}
}

// An order that was not sent goes to the account that it was claimed for, and is held against that one's lists, also when its
// tenant has another one by now; a new order goes to the new one.
func TestAnOrderKeepsItsAccount(t *testing.T) {
	t.Parallel()
	of := accounts{"default": "first"}
	d := newDesk(t, withAccounts(of))
	d.carrier.submit = func(context.Context, carrier.Call) carrier.Outcome { return outcomes["not sent"] }
	if _, err := d.PortIn(t.Context(), request(t, keyA)); err == nil {
		t.Fatal("it was sent")
	}
	of["default"] = "second"
	d.carrier.submit = nil
	if got := placed(t, d, keyA); got.GetState() != stateAccepted {
		t.Errorf("sent again, the order is %v", got)
	}
	_, err := d.PortIn(t.Context(), request(t, keyB, "416-555-0177"))
	want := []fault.Violation{{Field: "order.trunk_did.pilot_number", Description: "is another account's"}}
	if diff := cmp.Diff(want, fault.From(err).Violations); diff != "" || reasonOf(err) != fault.ReasonInvalidFields {
		t.Errorf("a new order: %v (-want +got):\n%s", err, diff)
	}
	if posts, looks := d.carrier.count(); posts != 2 || looks != 2 {
		t.Errorf("the first account got %d POSTs and was asked %d times", posts, looks)
	}
}

// movedTenant is a desk whose tenant has an order in the first account, of which the POST met something, and has the second account
// by now. What the carrier does with that one is the second's.
func movedTenant(t *testing.T, met func(context.Context, carrier.Call) carrier.Outcome) (d *desk, second *stubCarrier, before *portinv1.PortInOrder) {
	t.Helper()
	of, second := accounts{"default": "first"}, &stubCarrier{}
	d = newDesk(t, func(d *desk, p *intake.Params) {
		p.Accounts = of
		p.Carrier = func(account string) intake.Carrier {
			return map[string]intake.Carrier{"first": d.carrier, "second": second}[account]
		}
	})
	d.carrier.submit = met
	before = placed(t, d, keyA)
	of["default"] = "second"
	return d, second, before
}

// A ticket of one account is another one than that of the same text in another: which of the second account's tickets an order
// in doubt has is not known because the first account has one of that text.
func TestATicketOfAnotherAccountIsAnotherOne(t *testing.T) {
	t.Parallel()
	d, second, before := movedTenant(t, nil)
	second.submit = lost
	unsure := placed(t, d, keyB, "416-555-0177")
	if before.GetTicketId() != "T-1" || unsure.GetState() != stateInDoubt {
		t.Fatalf("the orders are %v and %v", before, unsure)
	}
	second.byTicket = func(context.Context, string) (carrier.Status, error) {
		return carrier.Status{Ticket: "T-1", Word: "PENDING"}, nil
	}
	_, err := d.Follow(t.Context(), byTicket("T-1"))
	if f := fault.From(err); f == nil || f.Reason != fault.ReasonTicketUnverified || f.Metadata["order_id"] != unsure.GetOrderId() {
		t.Errorf("a ticket that may be the doubtful order's: %v", err)
	}
}

// An order that is followed in one account is not what stands in another one under the same text, or under none.
func TestAPortInOfAnotherAccountIsAnotherOne(t *testing.T) {
	t.Parallel()
	of, elsewhere := accounts{"default": "first"}, &stubCarrier{}
	d := newDesk(t, withAccounts(of), func(_ *desk, p *intake.Params) {
		p.Carrier = func(string) intake.Carrier { return elsewhere }
	})
	elsewhere.byNumber = func(context.Context, int64) (carrier.Status, error) { return carrier.Status{Word: "PENDING"}, nil }
	first, err := d.Follow(t.Context(), byNumber("416-555-0199"))
	if err != nil {
		t.Fatal(err)
	}
	of["default"] = "second"
	_, err = d.Follow(t.Context(), byNumber("416-555-0199"))
	if f := fault.From(err); f == nil || f.Reason != fault.ReasonNumberInOpenOrder || f.Metadata["order_id"] != first.GetOrderId() {
		t.Errorf("followed in another account: %v", err)
	}
}

// A correction that goes to another account than the order that it corrects is warned of what stands there, also under the
// text of the corrected order's ticket.
func TestACorrectionInAnotherAccountIsWarned(t *testing.T) {
	t.Parallel()
	d, second, before := movedTenant(t, nil)
	says(d, word("REJECTED", false))
	second.byNumber = func(context.Context, int64) (carrier.Status, error) {
		return carrier.Status{Ticket: "T-1", Word: "PENDING"}, nil
	}
	resp, err := d.Resubmit(t.Context(), correction(before.GetOrderId(), keyB))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"EARLIER_ORDER_STANDS", "EARLIER_TICKET"}, earlier(resp.GetOrder())); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	if posts, looks := second.count(); posts != 1 || looks != 1 {
		t.Errorf("the second account got %d POSTs and was asked %d times", posts, looks)
	}
}

// Whether an order still holds its numbers is asked with its account.
func TestNumbersOfAnotherAccountAreReleased(t *testing.T) {
	t.Parallel()
	d, second, before := movedTenant(t, nil)
	second.byTicket = func(context.Context, string) (carrier.Status, error) {
		return status("T-1", "COMPLETED", 4165550123, 4165550124), nil // another port-in
	}
	says(d, status("T-1", "PENDING", 4165550123, 4165550124))
	_, err := d.PortIn(t.Context(), request(t, keyB))
	if f := fault.From(err); f == nil || f.Reason != fault.ReasonNumberInOpenOrder || f.Metadata["order_id"] != before.GetOrderId() {
		t.Errorf("numbers of an open order: %v", err)
	}
	says(d, status("T-1", "COMPLETED", 4165550123, 4165550124))
	if got := placed(t, d, keyB); got.GetState() != stateAccepted {
		t.Errorf("the new order is %v", got)
	}
	if posts, _ := second.count(); posts != 1 {
		t.Errorf("the second account got %d POSTs", posts)
	}
}

// An order in doubt is resolved by what stands in its account.
func TestAnOrderIsResolvedWithItsAccount(t *testing.T) {
	t.Parallel()
	d, second, before := movedTenant(t, lost)
	second.byTicket = func(context.Context, string) (carrier.Status, error) {
		return status("T-7", "PENDING", 4165550199), nil
	}
	says(d, status("T-7", "PENDING", 4165550123, 4165550124))
	o, err := d.Resolve(t.Context(), wasPlaced(before.GetOrderId(), "T-7", false))
	if err != nil || o.GetState() != stateAccepted || o.GetTicketId() != "T-7" {
		t.Errorf("resolved: %v, %v", o, err)
	}
}

// An order in doubt is asked about with its account.
func TestAnOrderInDoubtIsFoundWithItsAccount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, second, before := movedTenant(t, lost)
		d.carrier.byNumber = func(context.Context, int64) (carrier.Status, error) {
			return status("T-7", "PENDING", 4165550123, 4165550124), nil
		}
		running(t, d.Intake)
		pass(36 * time.Second)
		got := stands(t, d, before.GetOrderId())
		if _, looks := second.count(); got.GetState() != stateAccepted || got.GetTicketId() != "T-7" || looks != 0 {
			t.Errorf("the order is %v; the second account was asked %d times", got, looks)
		}
	})
}
