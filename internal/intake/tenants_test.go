package intake_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/identity"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// as is a context of another tenant's caller.
func as(t *testing.T, tenant string) context.Context {
	t.Helper()
	return identity.With(t.Context(), identity.Everybody(tenant))
}

// TestATicketMayBeThatOfAnotherTenantsOrder: an order of the same number, of whoever, that the carrier refused may have left a
// ticket that becomes visible late.
func TestATicketMayBeThatOfAnotherTenantsOrder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		// gap is how long before the order in doubt the other tenant's was refused.
		gap  time.Duration
		want portinv1.OrderState
	}{
		"of today":      {0, stateInDoubt},
		"of days ago":   {72 * time.Hour, stateAccepted},
		"of last night": {23 * time.Hour, stateInDoubt},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t, often(time.Minute))
			d.carrier.submit = func(context.Context, carrier.Call) carrier.Outcome { return outcomes["refused"] }
			if _, err := d.PortIn(as(t, "another"), request(t, keyA)); reasonOf(err) != fault.ReasonCarrierRefused {
				t.Fatal(err)
			}
			pass(c.gap)
			d.carrier.submit = lost
			o := placed(t, d, keyA)
			d.carrier.byNumber = always(exact("T-7"), nil)
			running(t, d.Intake)
			pass(3 * time.Hour)
			got := stands(t, d, o.GetOrderId())
			if got.GetState() != c.want {
				t.Errorf("%s: the order is %v, with ticket %q", name, got.GetState(), got.GetTicketId())
			}
		})
	}
}

// TestATicketMayBeThatOfAnotherTenantsOrderInDoubt follows what another tenant's order may turn out to be.
func TestATicketMayBeThatOfAnotherTenantsOrderInDoubt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status carrier.Status
		want   fault.Reason
	}{
		"closed, with its numbers":       {status("E-1", "COMPLETED", firstNumber, secondNumber), fault.ReasonTicketUnverified},
		"its numbers in another order":   {status("E-1", "COMPLETED", secondNumber, firstNumber), fault.ReasonTicketUnverified},
		"closed, with some of them":      {status("E-1", "COMPLETED", firstNumber), ""},
		"closed, with another number":    {status("E-1", "COMPLETED", 4165550999), ""},
		"without numbers":                {carrier.Status{Ticket: "E-1", Word: "PENDING"}, fault.ReasonTicketUnverified},
		"open, with another number":      {status("E-1", "PENDING", 4165550999), ""},
		"open, so that they are held":    {exact("E-1"), fault.ReasonTicketUnverified},
		"open, with one of them, so too": {status("E-1", "PENDING", secondNumber), fault.ReasonNumberInOpenOrder},
	} {
		d := newDesk(t)
		d.carrier.submit = lost
		theirs, err := d.PortIn(as(t, "another"), request(t, keyA))
		if err != nil {
			t.Fatal(err)
		}
		id := theirs.GetOrder().GetOrderId()
		says(d, c.status)
		o, err := d.Follow(t.Context(), byTicket("E-1"))
		f := fault.From(err)
		if (f == nil) != (c.want == "") || f != nil && f.Reason != c.want {
			t.Fatalf("%s: %v, %v", name, o, err)
		}
		if f != nil && (f.Metadata["order_id"] != "" || strings.Contains(f.Message, id)) {
			t.Errorf("%s: the caller is told whose it is: %v", name, f)
		}
		if c.want != fault.ReasonTicketUnverified {
			continue
		}
		if _, err := d.Ledger.Advance(t.Context(), id, ledger.Step{By: order.ByAnswer, Now: time.Now(), Change: func(r *ledger.Record) (ledger.Entry, error) {
			r.State = order.Refused
			return ledger.Entry{}, nil
		}}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Follow(t.Context(), byTicket("E-1")); err != nil {
			t.Errorf("%s: once the other order is over: %v", name, err)
		}
	}
}

// TestATicketThatIsHereIsNoMatterOfDoubt: what is followed already is answered whatever another tenant's order is.
func TestATicketThatIsHereIsNoMatterOfDoubt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	says(d, carrier.Status{Ticket: "E-1", Word: "PENDING"})
	known, err := d.Follow(t.Context(), byTicket("E-1"))
	if err != nil {
		t.Fatal(err)
	}
	d.carrier.submit = lost
	if _, err := d.PortIn(as(t, "another"), request(t, keyA)); err != nil {
		t.Fatal(err)
	}
	again, err := d.Follow(t.Context(), byTicket("E-1"))
	if err != nil || again.GetOrderId() != known.GetOrderId() {
		t.Errorf("%v, %v", again, err)
	}
}
