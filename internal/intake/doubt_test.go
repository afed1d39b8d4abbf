package intake_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/intake"
)

// The words that the tests of orders in doubt compare.
const (
	stateNotSent  = portinv1.OrderState_ORDER_STATE_NOT_SENT
	stateInDoubt  = portinv1.OrderState_ORDER_STATE_IN_DOUBT
	stateAccepted = portinv1.OrderState_ORDER_STATE_ACCEPTED
	stateSending  = portinv1.OrderState_ORDER_STATE_SENDING
	stateRefused  = portinv1.OrderState_ORDER_STATE_REFUSED

	eventClaimed   = portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_CLAIMED
	eventState     = portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_STATE_CHANGED
	eventEvidence  = portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_EVIDENCE
	eventResolved  = portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_RESOLVED
	eventStatus    = portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_STATUS_CHANGED
	eventAttention = portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_ATTENTION_CHANGED
	eventDate      = portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_DATE_CHANGED

	byCaller   = portinv1.ActorKind_ACTOR_KIND_CALLER
	byService  = portinv1.ActorKind_ACTOR_KIND_SERVICE
	byCarrier  = portinv1.ActorKind_ACTOR_KIND_CARRIER
	byOperator = portinv1.ActorKind_ACTOR_KIND_OPERATOR

	unresolved = "IN_DOUBT_UNRESOLVED: whether the carrier has the order could not be found out; look its numbers up at the carrier and resolve it"
)

// The numbers of the usual order as the carrier writes them.
const firstNumber, secondNumber = 4165550123, 4165550124

// pass lets time pass in a bubble, and waits until nothing more happens.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// enquiry is one question about a number.
type enquiry struct {
	At     time.Time
	Number int64
}

// enquiries are what a carrier says about numbers; it may be told to say something else, and notes what it was asked.
type enquiries struct {
	mu     sync.Mutex
	answer func(ctx context.Context, number int64) (carrier.Status, error)
	asked  []enquiry
}

// enquiring has a desk's carrier answer so from now on.
func enquiring(d *desk, answer func(context.Context, int64) (carrier.Status, error)) *enquiries {
	e := &enquiries{answer: answer}
	d.carrier.byNumber = e.byNumber
	return e
}

func (e *enquiries) byNumber(ctx context.Context, number int64) (carrier.Status, error) {
	e.mu.Lock()
	e.asked = append(e.asked, enquiry{time.Now(), number})
	answer := e.answer
	e.mu.Unlock()
	return answer(ctx, number)
}

func (e *enquiries) says(answer func(context.Context, int64) (carrier.Status, error)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answer = answer
}

// about returns when the carrier was asked about a number.
func (e *enquiries) about(number int64) []time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []time.Time
	for _, a := range e.asked {
		if a.Number == number {
			all = append(all, a.At)
		}
	}
	return all
}

// always answers the same.
func always(s carrier.Status, err error) func(context.Context, int64) (carrier.Status, error) {
	return func(context.Context, int64) (carrier.Status, error) { return s, err }
}

// nothing is the answer of a carrier that knows no port-in.
func nothing(context.Context, int64) (carrier.Status, error) { return carrier.Status{}, errNone }

// lost is what a POST comes to whose answer got lost.
func lost(context.Context, carrier.Call) carrier.Outcome {
	return carrier.Outcome{Settlement: carrier.InDoubt, Evidence: "HTTP 502, 12 bytes of text/html"}
}

// running has an intake look after its orders until the test ends.
func running(t *testing.T, in *intake.Intake) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { in.Run(ctx) })
	t.Cleanup(func() {
		stop()
		wg.Wait()
	})
}

// placed places an order, which is answered without an error.
func placed(t *testing.T, d *desk, key string, numbers ...string) *portinv1.PortInOrder {
	t.Helper()
	resp, err := d.PortIn(t.Context(), request(t, key, numbers...))
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetOrder()
}

// stands is an order as it now is.
func stands(t *testing.T, d *desk, id string) *portinv1.PortInOrder {
	t.Helper()
	o, err := d.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// timeline is everything that happened to an order. Sequences are checked here, and left out.
func timeline(t *testing.T, d *desk, id string) []*portinv1.PortInOrderEvent {
	t.Helper()
	resp, err := d.Events(t.Context(), &portinv1.ListPortInOrderEventsRequest{OrderId: id, PageSize: 1000})
	if err != nil || resp.GetNextPageToken() != "" {
		t.Fatalf("%v, %v", resp.GetNextPageToken(), err)
	}
	var last int64
	for _, e := range resp.GetEvents() {
		if e.GetSequence() <= last {
			t.Errorf("the sequence %d comes after %d", e.GetSequence(), last)
		}
		last, e.Sequence = e.GetSequence(), 0
	}
	return resp.GetEvents()
}

// happened compares an order's timeline with what it should be. An event without an order is one of the order.
func happened(t *testing.T, d *desk, id string, want []*portinv1.PortInOrderEvent) {
	t.Helper()
	for _, e := range want {
		e.OrderId = id
	}
	if diff := cmp.Diff(want, timeline(t, d, id), protocmp.Transform()); diff != "" {
		t.Errorf("the timeline (-want +got):\n%s", diff)
	}
}

// at is a time as the ledger keeps it.
func at(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t.Truncate(time.Microsecond)) }

// attentions are the reasons for a person to look at an order, without their prefix.
func attentions(o *portinv1.PortInOrder) []string {
	var codes []string
	for _, a := range o.GetAttentions() {
		codes = append(codes, a.GetCode().String()[len("ATTENTION_CODE_"):])
	}
	return codes
}

// TestFault01_AnOrderInDoubtIsFoundThroughItsFirstNumber has the answer of a POST that arrived get lost.
func TestFault01_AnOrderInDoubtIsFoundThroughItsFirstNumber(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		d := newDesk(t, withSubmit(lost))
		asked := enquiring(d, nothing)
		o := placed(t, d, keyA)
		if o.GetState() != stateInDoubt || o.GetNeedsAttention() || o.GetSettleTime() != nil {
			t.Errorf("the caller is answered %v; want IN_DOUBT", o)
		}
		gauge := func(want int) {
			if n, err := d.ledger.Count(t.Context()); err != nil || n.InDoubt != want || n.NeedsAttention != 0 {
				t.Errorf("the gauges are %+v, %v; want %d in doubt", n, err, want)
			}
		}
		gauge(1)
		found := status("T-7", "PENDING", secondNumber, firstNumber)
		found.PortDate = "20000301"
		asked.says(func(_ context.Context, number int64) (carrier.Status, error) {
			if number != firstNumber {
				return carrier.Status{}, errNone
			}
			return found, nil
		})
		running(t, d.Intake)
		pass(24 * time.Second) // 15 s and a fifth, and a round of 5 s and a fifth
		times := asked.about(firstNumber)
		if len(times) != 2 || times[1].Sub(begin) < 15*time.Second {
			t.Fatalf("the first number was asked about at %v; want before the order, and once 15 s later", times)
		}
		got := stands(t, d, o.GetOrderId())
		if got.GetState() != stateAccepted || got.GetTicketId() != "T-7" || got.GetNeedsAttention() || got.GetCarrierStatusWord() != "PENDING" ||
			got.GetCategory() != portinv1.Category_CATEGORY_OPEN || !got.GetSettleTime().AsTime().Equal(at(times[1]).AsTime()) {
			t.Errorf("the order is %v; want ACCEPTED under T-7", got)
		}
		gauge(0)
		pass(3 * time.Hour)
		if posts, looks := d.carrier.count(); posts != 1 || looks != 2 {
			t.Errorf("%d POSTs and %d looks; want 1 and 2", posts, looks)
		}
		pending := portinv1.CarrierStatus_CARRIER_STATUS_PENDING
		happened(t, d, o.GetOrderId(), []*portinv1.PortInOrderEvent{
			{
				EventTime: at(begin), ActorKind: byCaller, Type: eventClaimed, Attempt: 1, State: stateSending,
				Note: "the carrier knew no port-in of the first number before the order was sent",
			},
			{EventTime: at(begin), ActorKind: byService, Type: eventState, Attempt: 1, State: stateInDoubt, Note: "HTTP 502, 12 bytes of text/html"},
			{
				EventTime: at(times[1]), ActorKind: byService, Type: eventState, Attempt: 1, State: stateAccepted, TicketId: "T-7",
				CarrierStatus: pending, CarrierStatusWord: "PENDING", PortDate: "2000-03-01", Note: "the carrier has the order",
			},
			{
				EventTime: at(times[1]), ActorKind: byService, Type: eventStatus, Attempt: 1, State: stateAccepted, TicketId: "T-7",
				CarrierStatus: pending, CarrierStatusWord: "PENDING", PortDate: "2000-03-01", Note: "the carrier has the order",
			},
			{
				EventTime: at(times[1]), ActorKind: byService, Type: eventDate, Attempt: 1, State: stateAccepted, TicketId: "T-7",
				CarrierStatus: pending, CarrierStatusWord: "PENDING", PortDate: "2000-03-01", Note: "the carrier has the order",
			},
		})
	})
}

// rules are the rules of docs/states.md by which a ticket is not this order's, one by one. The look before the order
// sees before, the look-ups after it see after; an open ticket with exactly the order's numbers that shows up at last
// settles the order only when the look has seen nothing.
var rules = map[string]struct {
	before, after func(context.Context, int64) (carrier.Status, error)
	// claim is the note of the claim, note that of what is found, under ticket.
	claim, note, ticket string
	// look is the ticket that the look saw.
	look string
	// late tells that the order's own ticket is found when it shows up.
	late bool
}{
	"none": {
		before: nothing, after: nothing, claim: sawNothing, late: true,
		note: "the carrier knows no port-in of the order's numbers",
	},
	"the look saw another ticket": {
		before: always(status("T-3", "COMPLETED", firstNumber), nil), after: always(exact("T-7"), nil), ticket: "T-7", look: "T-3",
		claim: "the carrier knew a closed port-in of the first number before the order was sent",
		note:  "the carrier knows a port-in of the first number; another one stood there before the order was sent, so that can be an older one too",
	},
	"the look saw this ticket": {
		before: always(exact("T-7"), nil), after: always(exact("T-7"), nil), ticket: "T-7", look: "T-7",
		claim: "the carrier knew an open port-in of the first number before the order was sent",
		note:  "the carrier knows the port-in of the first number that stood there before the order was sent",
	},
	"the look failed": {
		before: always(carrier.Status{}, errDisk), after: always(exact("T-7"), nil), ticket: "T-7",
		claim: "the carrier could not be asked about the first number before the order was sent",
		note:  "the carrier knows a port-in of the first number; it could not be asked before the order was sent, so that can be an older one",
	},
	"the look saw a port-in without its ticket": {
		before: always(exact(""), nil), after: always(exact("T-7"), nil), ticket: "T-7",
		claim: "the carrier knew a port-in of the first number before the order was sent, and did not name its ticket",
		note:  "the carrier knows a port-in of the first number; it could not be asked before the order was sent, so that can be an older one",
	},
	"other numbers": {
		before: nothing, after: always(status("T-7", "PENDING", firstNumber, 4165550199), nil), ticket: "T-7", claim: sawNothing, note: otherNumbers, late: true,
	},
	"fewer numbers": {
		before: nothing, after: always(status("T-7", "PENDING", firstNumber), nil), ticket: "T-7", claim: sawNothing, note: otherNumbers, late: true,
	},
	"more numbers": {
		before: nothing, after: always(status("T-7", "PENDING", firstNumber, secondNumber, 4165550199), nil), ticket: "T-7", claim: sawNothing,
		note: otherNumbers, late: true,
	},
	"one number twice": {
		before: nothing, after: always(status("T-7", "PENDING", firstNumber, firstNumber), nil), ticket: "T-7", claim: sawNothing, note: otherNumbers, late: true,
	},
	"closed": {
		before: nothing, after: always(status("T-7", "CANCELLED", firstNumber, secondNumber), nil), ticket: "T-7", claim: sawNothing, late: true,
		note: "the carrier knows a closed port-in of the first number",
	},
	"no numbers": {
		before: nothing, after: always(status("T-7", "PENDING"), nil), ticket: "T-7", claim: sawNothing, late: true,
		note: "the carrier knows a port-in of the first number, and does not list its numbers",
	},
	"no ticket": {
		before: nothing, after: always(exact(""), nil), claim: sawNothing, late: true,
		note: "the carrier knows a port-in of the first number, and does not name its ticket",
	},
	"another number's ticket": {
		before: nothing, ticket: "T-7", claim: sawNothing, late: true,
		after: func(ctx context.Context, number int64) (carrier.Status, error) {
			if number == firstNumber {
				return nothing(ctx, number)
			}
			return exact("T-7"), nil
		},
		note: "the carrier knows no port-in of the first number, but one of another number of the order",
	},
	"another order's ticket": {
		before: nothing, after: always(exact("T-1"), nil), ticket: "T-1", claim: sawNothing, late: true,
		note: "the ticket that the carrier has for the first number belongs to another order",
	},
}

const (
	sawNothing   = "the carrier knew no port-in of the first number before the order was sent"
	otherNumbers = "the carrier knows a port-in of the first number, with other numbers than the order's"
)

// exact is the status of an open port-in of exactly the usual order's numbers.
func exact(ticket string) carrier.Status { return status(ticket, "PENDING", firstNumber, secondNumber) }

// TestFault23_WhatIsNotSurelyTheOrdersLeavesItInDoubt goes through the rules.
func TestFault23_WhatIsNotSurelyTheOrdersLeavesItInDoubt(t *testing.T) {
	t.Parallel()
	for name, c := range rules {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, often(30*time.Second))
				placed(t, d, keyB, "416-555-0190") // its ticket is T-1
				d.carrier.submit = lost
				asked := enquiring(d, c.before)
				begin := time.Now()
				id := placed(t, d, keyA).GetOrderId()
				asked.says(c.after)
				running(t, d.Intake)
				pass(6 * time.Hour)
				times := asked.about(firstNumber)[1:]
				want := doubtful(begin, c.claim, c.look)
				told, resting := toldOf(times, begin, c.note, c.ticket)
				happened(t, d, id, append(want, told...))
				o := stands(t, d, id)
				if o.GetState() != stateInDoubt || !cmp.Equal(attentions(o), []string{"IN_DOUBT_UNRESOLVED"}) || o.GetTicketId() != "" {
					t.Errorf("the order is %v; want IN_DOUBT, and nothing else", o)
				}
				paced(t, begin, times, resting)
				asked.says(always(exact("T-9"), nil))
				pass(2 * time.Hour)
				o = stands(t, d, id)
				switch {
				case c.late && (o.GetState() != stateAccepted || o.GetTicketId() != "T-9" || o.GetNeedsAttention()):
					t.Errorf("when the ticket shows up at last, the order is %v; want ACCEPTED", o)
				case !c.late && (o.GetState() != stateInDoubt || !o.GetNeedsAttention()):
					t.Errorf("when a ticket shows up at last, the order is %v; want IN_DOUBT still", o)
				}
				if posts, _ := d.carrier.count(); posts != 2 {
					t.Errorf("%d POSTs; want one for each order", posts)
				}
			})
		})
	}
}

// often sets how often the ledger is asked what is due; hours pass quicker in rounds of half a minute.
func often(every time.Duration) func(*desk, *intake.Params) {
	return func(_ *desk, p *intake.Params) { p.Config.Doubt.Every = every }
}

// doubtful is the timeline of an order whose POST got lost at once.
func doubtful(begin time.Time, claim, look string) []*portinv1.PortInOrderEvent {
	return []*portinv1.PortInOrderEvent{
		{EventTime: at(begin), ActorKind: byCaller, Type: eventClaimed, Attempt: 1, State: stateSending, TicketId: look, Note: claim},
		{EventTime: at(begin), ActorKind: byService, Type: eventState, Attempt: 1, State: stateInDoubt, Note: "HTTP 502, 12 bytes of text/html"},
	}
}

// toldOf is what an order's timeline says of look-ups at these times that all found the same, and which of them made it
// rest: three that lie ten minutes apart are told, and after them and half an hour, or after an hour, it needs attention.
func toldOf(times []time.Time, since time.Time, note, ticket string) (told []*portinv1.PortInOrderEvent, resting int) {
	var counted time.Time
	agreed, resting := 0, len(times)
	event := func(when time.Time, what portinv1.PortInOrderEventType, ticket, note string) {
		told = append(told, &portinv1.PortInOrderEvent{
			EventTime: at(when), ActorKind: byService, Type: what, Attempt: 1, State: stateInDoubt, TicketId: ticket, Note: note,
		})
	}
	for i, when := range times {
		if note != "" && (agreed == 0 || (agreed < 3 && when.Sub(counted) >= 10*time.Minute)) {
			agreed, counted = agreed+1, when
			event(when, eventEvidence, ticket, note)
		}
		waited := when.Sub(since)
		if resting == len(times) && (waited >= time.Hour || (agreed == 3 && waited >= 30*time.Minute)) {
			event(when, eventAttention, "", unresolved)
			resting = i
		}
	}
	return told, resting
}

// paced checks how far apart look-ups are: 15 s and then twice as long each time up to ten minutes, and an hour from the
// one on that made the order rest; each up to a fifth and a round later.
func paced(t *testing.T, since time.Time, times []time.Time, resting int) {
	t.Helper()
	if resting == len(times) {
		t.Error("the order never needed attention")
	}
	const round = 36*time.Second + 2*time.Second // 30 s and a fifth; two orders a second
	for i, when := range times {
		least := min(10*time.Minute, 15*time.Second<<i)
		if i > resting {
			least = time.Hour
		}
		if apart := when.Sub(since); apart < least-time.Microsecond || apart > least+least/5+round {
			t.Errorf("look-up %d comes %v after the one before; want %v and up to a fifth and a round", i+1, apart, least)
		}
		since = when
	}
	if len(times) < resting+3 {
		t.Errorf("only %d look-ups", len(times))
	}
}
