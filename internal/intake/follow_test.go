package intake_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

func byTicket(ticket string) *portinv1.FollowPortInRequest {
	return &portinv1.FollowPortInRequest{PortIn: &portinv1.FollowedPortIn{
		Key: &portinv1.FollowedPortIn_TicketId{TicketId: ticket}, CustomerReference: new("west office"),
	}}
}

func byNumber(number string) *portinv1.FollowPortInRequest {
	return &portinv1.FollowPortInRequest{PortIn: &portinv1.FollowedPortIn{Key: &portinv1.FollowedPortIn_Number{Number: number}}}
}

func TestAPortInThatWasPlacedElsewhereIsFollowed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	s := status("E-1", "CONFIRMED", firstNumber, secondNumber)
	s.PortDate, s.Validated = "20261215", true
	says(d, s)
	d.carrier.byNumber = always(s, nil)
	o, err := d.Follow(t.Context(), byTicket("E-1"))
	if err != nil {
		t.Fatal(err)
	}
	want := &portinv1.PortInOrder{
		Form: &portinv1.PortForm{CustomerReference: new("west office")}, OrderId: o.GetOrderId(), State: stateAccepted, TicketId: "E-1",
		CarrierStatus: portinv1.CarrierStatus_CARRIER_STATUS_CONFIRMED, CarrierStatusWord: "CONFIRMED", CarrierStatusValidated: true,
		Category: portinv1.Category_CATEGORY_SCHEDULED, PortDate: "2026-12-15", Numbers: []string{"+14165550123", "+14165550124"},
		PlacedElsewhere: true, HistoryId: o.GetOrderId(),
		CreateTime: o.GetCreateTime(), UpdateTime: o.GetCreateTime(), SettleTime: o.GetCreateTime(), CheckTime: o.GetCreateTime(),
	}
	sameOrder(t, want, o)
	sameOrder(t, want, stands(t, d, o.GetOrderId()))
	if told := timeline(t, d, o.GetOrderId()); len(told) != 1 || told[0].GetType() != portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_FOLLOWED {
		t.Errorf("its events are %v", told)
	}
	for name, req := range map[string]*portinv1.FollowPortInRequest{"the ticket": byTicket("E-1"), "a number": byNumber("(416) 555-0124")} {
		again, err := d.Follow(t.Context(), req)
		if err != nil || again.GetOrderId() != o.GetOrderId() {
			t.Errorf("followed again by %s: %v, %v", name, again.GetOrderId(), err)
		}
	}
	_, err = d.PortIn(t.Context(), request(t, keyA))
	if f := fault.From(err); f == nil || f.Reason != fault.ReasonNumberInOpenOrder || f.Metadata["order_id"] != o.GetOrderId() {
		t.Errorf("an order with its numbers is told %v", err)
	}
	if r, err := d.ledger.Find(t.Context(), intakeTenant, o.GetOrderId()); err != nil || r.Due.IsZero() {
		t.Errorf("it is due %v, %v", r.Due, err)
	}
}

func TestFollowingWhatIsOver(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	says(d, status("E-1", "COMPLETED", firstNumber, secondNumber))
	o, err := d.Follow(t.Context(), byTicket("E-1"))
	if err != nil || o.GetCategory() != portinv1.Category_CATEGORY_CLOSED {
		t.Fatalf("%v, %v", o, err)
	}
	if r, err := d.ledger.Find(t.Context(), intakeTenant, o.GetOrderId()); err != nil || !r.Due.IsZero() {
		t.Errorf("it is due %v, %v", r.Due, err)
	}
	placed(t, d, keyA) // its numbers are free
}

// TestFollowingWithoutATicketOrNumbers follows what the carrier says little about.
func TestFollowingWithoutATicketOrNumbers(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.carrier.byNumber = always(carrier.Status{Word: "PENDING"}, nil)
	o, err := d.Follow(t.Context(), byNumber("416-555-0123"))
	if err != nil || o.GetTicketId() != "" || !slices.Equal(o.GetNumbers(), []string{"+14165550123"}) || !slices.Contains(attentions(o), "NO_TICKET") {
		t.Fatalf("by number: %v, %v", o, err)
	}
	if again, err := d.Follow(t.Context(), byNumber("4165550123")); err != nil || again.GetOrderId() != o.GetOrderId() {
		t.Errorf("again: %v, %v", again.GetOrderId(), err)
	}
	d.carrier.byTicket = func(context.Context, string) (carrier.Status, error) { return carrier.Status{Word: "PENDING"}, nil }
	o, err = d.Follow(t.Context(), byTicket("E-9"))
	if err != nil || o.GetTicketId() != "E-9" || len(o.GetNumbers()) != 0 || o.GetNeedsAttention() {
		t.Fatalf("by ticket: %v, %v", o, err)
	}
}

// TestATicketMayBeThatOfAnOrderInDoubt follows tickets of which the carrier names no numbers while an order waits to be found.
func TestATicketMayBeThatOfAnOrderInDoubt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	says(d, carrier.Status{Ticket: "E-1", Word: "PENDING"}, carrier.Status{Ticket: "T-1", Word: "PENDING"}, status("E-2", "PENDING", 4165550999))
	known, err := d.Follow(t.Context(), byTicket("E-1"))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range []order.State{order.Sending, order.InDoubt} {
		d.carrier.submit = lost
		resp, err := d.PortIn(t.Context(), request(t, keyOf(i), fmt.Sprintf("416-555-010%d", i)))
		if err != nil {
			t.Fatal(err)
		}
		id := resp.GetOrder().GetOrderId()
		if s == order.Sending { // as another process leaves it
			step(t, d, id, order.ByOperator, func(r *ledger.Record) { r.State = order.NotSent })
			r, err := d.ledger.Find(t.Context(), intakeTenant, id)
			if err != nil {
				t.Fatal(err)
			}
			r.State, r.Attempt = order.Sending, r.Attempt+1
			if _, err := d.ledger.Store.Claim(t.Context(), r, ledger.Entry{}); err != nil {
				t.Fatal(err)
			}
		}
		_, err = d.Follow(t.Context(), byTicket("T-1"))
		if f := fault.From(err); f == nil || f.Reason != fault.ReasonTicketUnverified || f.Metadata["order_id"] != id {
			t.Errorf("%v: %v", s, err)
		}
		if again, err := d.Follow(t.Context(), byTicket("E-1")); err != nil || again.GetOrderId() != known.GetOrderId() {
			t.Errorf("%v: a ticket that is here already: %v", s, err)
		}
		if i == 0 {
			step(t, d, id, order.ByAnswer, func(r *ledger.Record) { r.State = order.Refused })
			continue
		}
		if _, err := d.Follow(t.Context(), byTicket("E-2")); err != nil {
			t.Errorf("%v: a ticket with numbers: %v", s, err)
		}
		// A port-in that is over holds no numbers, and may be the order's all the same.
		says(d, status("T-1", "COMPLETED", 4165550101))
		if _, err := d.Follow(t.Context(), byTicket("T-1")); reasonOf(err) != fault.ReasonTicketUnverified {
			t.Errorf("%v: a closed ticket of its numbers: %v", s, err)
		}
		says(d, status("E-3", "COMPLETED", 4165550101, 4165550102))
		if _, err := d.Follow(t.Context(), byTicket("E-3")); err != nil {
			t.Errorf("%v: a closed ticket of other numbers: %v", s, err)
		}
		says(d, carrier.Status{Ticket: "T-1", Word: "PENDING"})
		now, err := d.Resolve(t.Context(), wasPlaced(id, "T-1", true))
		if err != nil || now.GetTicketId() != "T-1" {
			t.Errorf("resolved as placed: %v, %v", now, err)
		}
	}
	if _, err := d.Follow(t.Context(), byTicket("T-1")); err != nil {
		t.Errorf("the order that it turned out to be: %v", err)
	}
}

func TestFollowIsRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	mine := placed(t, d, keyA)
	down := fault.New(fault.ReasonCarrierUnreachable, "down")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx    context.Context
		req    *portinv1.FollowPortInRequest
		ticket func(context.Context, string) (carrier.Status, error)
		number func(context.Context, int64) (carrier.Status, error)
		want   fault.Reason
		field  string
	}{
		"no number":                 {req: byNumber("911"), want: fault.ReasonInvalidFields, field: "port_in.number"},
		"no ticket":                 {req: byTicket(".."), ticket: func(context.Context, string) (carrier.Status, error) { return carrier.Status{}, fault.Fields(nil) }, want: fault.ReasonInvalidFields, field: "port_in.ticket_id"},
		"unknown":                   {req: byTicket("E-1"), want: fault.ReasonPortInNotFound},
		"unknown number":            {req: byNumber("416-555-0100"), want: fault.ReasonPortInNotFound},
		"the carrier is down":       {req: byNumber("416-555-0100"), number: always(carrier.Status{}, down), want: fault.ReasonCarrierUnreachable},
		"the caller left":           {ctx: ctx, req: byTicket("E-1"), want: fault.ReasonCancelled},
		"numbers of an order of us": {req: byTicket("E-2"), ticket: func(context.Context, string) (carrier.Status, error) { return exact("E-2"), nil }, want: fault.ReasonNumberInOpenOrder},
	} {
		d.carrier.byTicket, d.carrier.byNumber = c.ticket, c.number
		if c.ctx == nil {
			c.ctx = t.Context()
		}
		_, err := d.Follow(c.ctx, c.req)
		f := fault.From(err)
		if f == nil || f.Reason != c.want || (c.field != "" && (len(f.Violations) != 1 || f.Violations[0].Field != c.field)) {
			t.Errorf("%s: %v", name, err)
		}
		if c.want == fault.ReasonNumberInOpenOrder && f.Metadata["order_id"] != mine.GetOrderId() {
			t.Errorf("%s: the metadata is %v", name, f.Metadata)
		}
	}
	d.carrier.byTicket = func(context.Context, string) (carrier.Status, error) { return exact("T-1"), nil }
	if o, err := d.Follow(t.Context(), byTicket("T-1")); err != nil || o.GetOrderId() != mine.GetOrderId() || o.GetPlacedElsewhere() {
		t.Errorf("an order that was placed here: %v, %v", o, err)
	}
}

// TestAnotherTenantsPortInIsNotFound: who follows a ticket that somebody else has is told nothing of it.
func TestAnotherTenantsPortInIsNotFound(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	says(d, exact("E-1"))
	o, err := d.Follow(t.Context(), byTicket("E-1"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.ledger.Find(t.Context(), intakeTenant, o.GetOrderId())
	if err != nil {
		t.Fatal(err)
	}
	d.ledger.follow = func(context.Context, ledger.Record, ledger.Entry) (ledger.Record, error) {
		r.Tenant = "somebody else"
		return r, ledger.ErrTicketTaken
	}
	_, err = d.Follow(t.Context(), byTicket("E-1"))
	if f := fault.From(err); f == nil || f.Reason != fault.ReasonPortInNotFound || len(f.Metadata) != 0 || strings.Contains(f.Message, r.OrderID) {
		t.Errorf("the caller is told %v", err)
	}
	d.ledger.follow = func(context.Context, ledger.Record, ledger.Entry) (ledger.Record, error) {
		return ledger.Record{}, errDisk
	}
	if _, err := d.Follow(t.Context(), byTicket("E-2")); reasonOf(err) != fault.ReasonPortInNotFound {
		t.Errorf("%v", err)
	}
	if _, err := d.Follow(t.Context(), byTicket("E-1")); reasonOf(err) != fault.ReasonLedgerUnavailable {
		t.Errorf("with a full disk: %v", err)
	}
}

func sameOrder(t *testing.T, want, got *portinv1.PortInOrder) {
	t.Helper()
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("the order (-want +got):\n%s", diff)
	}
}
