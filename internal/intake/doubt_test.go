package intake_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/intake"
)

// The numbers of the usual order as the carrier writes them.
const firstNumber, secondNumber = 4165550123, 4165550124

// TestFault01_AnOrderInDoubtIsFoundThroughItsFirstNumber has the answer of a POST that arrived get lost.
func TestFault01_AnOrderInDoubtIsFoundThroughItsFirstNumber(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		d := newDesk(t, withSubmit(lost), often(15*time.Second))
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
		pass(36 * time.Second) // 15 s and a fifth, and a round of as much
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
	// refused tells that the carrier refused another order of the first number just before, late that the order's own ticket
	// is found when it shows up.
	refused, late bool
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
		before: nothing, after: always(status("T-7", "PENDING", firstNumber, 4165550199), nil), ticket: "T-7", claim: sawNothing,
		note: otherNumbers, late: true,
	},
	"fewer numbers": {
		before: nothing, after: always(status("T-7", "PENDING", firstNumber), nil), ticket: "T-7", claim: sawNothing,
		note: otherNumbers, late: true,
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
	"another order of the first number was refused": {
		before: nothing, after: always(exact("T-7"), nil), ticket: "T-7", claim: sawNothing, refused: true,
		note: "the carrier knows a port-in of the order's numbers, but another order of the first number was placed within a day, so that can be the other one's",
	},
	"another order's ticket": {
		before: nothing, after: always(exact("T-1"), nil), ticket: "T-1", claim: sawNothing, late: true,
		note: "the ticket that the carrier has for the first number belongs to another order",
	},
}

const (
	sawNothing   = "the carrier knew no port-in of the first number before the order was sent"
	otherNumbers = "the carrier knows a port-in of the first number, with other numbers than the order's"
	unresolved   = "IN_DOUBT_UNRESOLVED: whether the carrier has the order could not be found out; look its numbers up at the carrier and resolve it"
)

// exact is the status of an open port-in of exactly the usual order's numbers.
func exact(ticket string) carrier.Status { return status(ticket, "PENDING", firstNumber, secondNumber) }

// TestFault23_WhatIsNotSurelyTheOrdersLeavesItInDoubt goes through the rules, an order each, with numbers of its own.
func TestFault23_WhatIsNotSurelyTheOrdersLeavesItInDoubt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const apart = 10_000 // between the numbers of one case and the next
		names := slices.Sorted(maps.Keys(rules))
		d := newDesk(t, often(time.Minute))
		placed(t, d, keyB, "416-555-0190") // its ticket is T-1
		var sent atomic.Bool
		asked := enquiring(d, func(ctx context.Context, number int64) (carrier.Status, error) {
			nth := (number - firstNumber) / apart
			answer := rules[names[nth]].before
			if sent.Load() {
				answer = rules[names[nth]].after
			}
			s, err := answer(ctx, number-nth*apart)
			return moveUp(s, nth*apart), err
		})
		begin := time.Now()
		ids := make([]string, len(names))
		for i, name := range names {
			one, two := fmt.Sprint(firstNumber+i*apart), fmt.Sprint(secondNumber+i*apart)
			if rules[name].refused {
				refuses(t, d, one)
			}
			d.carrier.submit = lost
			ids[i] = placed(t, d, fmt.Sprintf("0193e3a0-0000-4000-8000-%012d", i), one, two).GetOrderId()
		}
		posts, _ := d.carrier.count()
		sent.Store(true)
		running(t, d.Intake)
		pass(6 * time.Hour)
		for i, name := range names {
			times := asked.about(firstNumber + int64(i*apart))[1:]
			if rules[name].refused {
				times = times[1:]
			}
			told, resting := toldOf(times, begin, rules[name].note, rules[name].ticket)
			happened(t, d, ids[i], append(doubtful(begin, rules[name].claim, rules[name].look), told...))
			o := stands(t, d, ids[i])
			if o.GetState() != stateInDoubt || !cmp.Equal(attentions(o), []string{"IN_DOUBT_UNRESOLVED"}) || o.GetTicketId() != "" {
				t.Errorf("the order is %v; want IN_DOUBT, and nothing else", o)
			}
			paced(t, begin, times, resting)
			if t.Failed() {
				t.Fatal(name)
			}
		}
		asked.says(func(_ context.Context, number int64) (carrier.Status, error) {
			nth := (number - firstNumber) / apart
			return moveUp(exact(fmt.Sprintf("T-9 %d", nth)), nth*apart), nil
		})
		pass(2 * time.Hour)
		for i, name := range names {
			o := stands(t, d, ids[i])
			found := o.GetState() == stateAccepted && o.GetTicketId() == fmt.Sprintf("T-9 %d", i) && !o.GetNeedsAttention()
			if found != rules[name].late || !found && (o.GetState() != stateInDoubt || !o.GetNeedsAttention()) {
				t.Errorf("%s: when a ticket shows up at last, the order is %v, %v", name, o.GetState(), attentions(o))
			}
		}
		if now, _ := d.carrier.count(); now != posts {
			t.Errorf("%d POSTs of orders in doubt", now-posts)
		}
	})
}

// refuses has the carrier refuse an order of a number.
func refuses(t *testing.T, d *desk, number string) {
	t.Helper()
	d.carrier.submit = func(context.Context, carrier.Call) carrier.Outcome { return outcomes["refused"] }
	if _, err := d.PortIn(t.Context(), request(t, "0193e3a0-0000-4000-8000-00000000000c", number)); reasonOf(err) != fault.ReasonCarrierRefused {
		t.Fatal(err)
	}
}

// often sets how often the ledger is asked what is due; hours pass quicker in rounds of a minute.
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
	var codes []portinv1.AttentionCode
	agreed, resting := 0, len(times)
	event := func(when time.Time, what portinv1.PortInOrderEventType, ticket, note string) {
		told = append(told, &portinv1.PortInOrderEvent{
			EventTime: at(when), ActorKind: byService, Type: what, Attempt: 1, State: stateInDoubt, TicketId: ticket, Note: note, AttentionCodes: codes,
		})
	}
	for i, when := range times {
		counts := note != "" && (agreed == 0 || (agreed < 3 && when.Sub(counted) >= 10*time.Minute))
		if counts {
			agreed, counted = agreed+1, when
		}
		waited := when.Sub(since)
		rests := resting == len(times) && (waited >= time.Hour || (agreed == 3 && waited >= 30*time.Minute))
		if rests {
			resting, codes = i, []portinv1.AttentionCode{portinv1.AttentionCode_ATTENTION_CODE_IN_DOUBT_UNRESOLVED}
		}
		if counts {
			event(when, eventEvidence, ticket, note)
		}
		if rests {
			event(when, eventAttention, "", unresolved)
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
	const round = 100 * time.Second // a minute and a fifth, and what the other orders of a round take: two a second
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

// TestFindingsThatDisagreeWaitForTwiceTheWindow has every look-up find something else than the one before.
func TestFindingsThatDisagreeWaitForTwiceTheWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, withSubmit(lost), often(time.Minute))
		asked := enquiring(d, nothing)
		begin := time.Now()
		id := placed(t, d, keyA).GetOrderId()
		asked.says(func(ctx context.Context, number int64) (carrier.Status, error) {
			if len(asked.about(firstNumber))%2 == 0 {
				return nothing(ctx, number)
			}
			return status("T-7", "PENDING", firstNumber), nil
		})
		running(t, d.Intake)
		pass(3 * time.Hour)
		times := asked.about(firstNumber)[1:]
		first := times[slices.IndexFunc(times, func(when time.Time) bool { return when.Sub(begin) >= time.Hour })]
		if o := stands(t, d, id); len(o.GetAttentions()) != 1 || !proto.Equal(o.GetAttentions()[0].GetStartTime(), at(first)) {
			t.Errorf("attention %v; want it from %v on, the first look-up after an hour", o.GetAttentions(), first)
		}
	})
}

// TestAgreementBeginsAgainWithEveryOtherFinding has the carrier change its mind once, after 25 minutes.
func TestAgreementBeginsAgainWithEveryOtherFinding(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, withSubmit(lost), often(time.Minute))
		asked := enquiring(d, nothing)
		begin := time.Now()
		id := placed(t, d, keyA).GetOrderId()
		running(t, d.Intake)
		pass(25 * time.Minute)
		before := len(asked.about(firstNumber)) - 1
		asked.says(always(status("T-7", "PENDING", firstNumber), nil))
		pass(2 * time.Hour)
		times := asked.about(firstNumber)[1:]
		want := doubtful(begin, sawNothing, "")
		early, _ := toldOf(times[:before], begin, "the carrier knows no port-in of the order's numbers", "")
		late, _ := toldOf(times[before:], begin, otherNumbers, "T-7")
		happened(t, d, id, slices.Concat(want, early, late))
	})
}

// TestOfManyNumbersAFewAreAskedAbout has a carrier that knows nothing of an order of five numbers.
func TestOfManyNumbersAFewAreAskedAbout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, withSubmit(lost))
		asked := enquiring(d, nothing)
		placed(t, d, keyA, "416-555-0101", "416-555-0102", "416-555-0103", "416-555-0104", "416-555-0105")
		running(t, d.Intake)
		pass(24 * time.Second)
		var numbers []int64
		for _, a := range asked.asked {
			numbers = append(numbers, a.Number)
		}
		if diff := cmp.Diff([]int64{4165550101, 4165550101, 4165550103, 4165550105}, numbers); diff != "" {
			t.Errorf("the numbers that were asked about (-want +got):\n%s", diff)
		}
	})
}
