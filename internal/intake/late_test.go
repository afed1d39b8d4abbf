package intake_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// slowCarrier is one whose POSTs are answered when a test says so, in the order in which they came.
type slowCarrier []chan carrier.Outcome

// slowly has a desk's first n POSTs wait; any more are accepted.
func slowly(d *desk, n int) slowCarrier {
	answers := make(slowCarrier, n)
	for i := range answers {
		answers[i] = make(chan carrier.Outcome)
	}
	d.carrier.submit = func(context.Context, carrier.Call) carrier.Outcome {
		posts, _ := d.carrier.count()
		if posts > n {
			return accepted(posts)
		}
		return <-answers[posts-1]
	}
	return answers
}

// answers has the nth POST, from 1, meet something.
func (s slowCarrier) answers(n int, o carrier.Outcome) {
	s[n-1] <- o
	synctest.Wait()
}

// outcomes are what a POST may meet, late or not.
var outcomes = map[string]carrier.Outcome{
	"accepted":          {Settlement: carrier.Accepted, Reply: carrier.ReplyAccepted, Ticket: "T-1", Evidence: "HTTP 200"},
	"accepted as it is": {Settlement: carrier.Accepted, Reply: carrier.ReplyAccepted, Ticket: "T-9", Evidence: "HTTP 200"},
	"deferred":          {Settlement: carrier.Accepted, Reply: carrier.ReplyDeferred, Evidence: "HTTP 200"},
	"refused": {
		Settlement: carrier.Refused, Reply: carrier.ReplyRejected, Message: "no such pilot", Evidence: "HTTP 200",
		Fault: fault.New(fault.ReasonCarrierRefused, "the carrier refused the order"),
	},
	"not sent": {Settlement: carrier.NotSent, Evidence: "nothing was written", Fault: fault.New(fault.ReasonCarrierUnreachable, "refused")},
	"in doubt": {Settlement: carrier.InDoubt, Evidence: "reset"},
}

// passages bring an order, whose first attempt is being sent, to where a late answer finds it. The ticket T-9 is what was
// found out meanwhile.
var passages = map[string]func(t *testing.T, d *desk, id string){
	"1 SENDING":  func(*testing.T, *desk, string) {},
	"1 IN_DOUBT": func(t *testing.T, d *desk, id string) { moved(t, d, id, order.ByLease, order.InDoubt, "") },
	"1 NOT_SENT": func(t *testing.T, d *desk, id string) {
		moved(t, d, id, order.ByLease, order.InDoubt, "")
		moved(t, d, id, order.ByOperator, order.NotSent, "")
	},
	"1 REFUSED": func(t *testing.T, d *desk, id string) { moved(t, d, id, order.ByAnswer, order.Refused, "") },
	"1 ACCEPTED": func(t *testing.T, d *desk, id string) {
		moved(t, d, id, order.ByLease, order.InDoubt, "")
		moved(t, d, id, order.ByEvidence, order.Accepted, "T-9 "+id)
	},
	"2 SENDING": secondAttempt,
	"2 IN_DOUBT": func(t *testing.T, d *desk, id string) {
		secondAttempt(t, d, id)
		moved(t, d, id, order.ByAnswer, order.InDoubt, "")
	},
	"2 NOT_SENT": func(t *testing.T, d *desk, id string) {
		secondAttempt(t, d, id)
		moved(t, d, id, order.ByAnswer, order.NotSent, "")
	},
	"2 REFUSED": func(t *testing.T, d *desk, id string) {
		secondAttempt(t, d, id)
		moved(t, d, id, order.ByAnswer, order.Refused, "")
	},
	"2 ACCEPTED": func(t *testing.T, d *desk, id string) {
		secondAttempt(t, d, id)
		moved(t, d, id, order.ByAnswer, order.Accepted, "T-9 "+id)
	},
}

// moved moves an order on, as another process or an operator would.
func moved(t *testing.T, d *desk, id string, by order.Cause, to order.State, ticket string) {
	t.Helper()
	step(t, d, id, by, func(r *ledger.Record) {
		r.State, r.Ticket, r.Doubt, r.Due = to, ticket, ledger.Doubt{}, time.Time{}
		r.Unattend(ledger.AttentionInDoubtUnresolved)
		if to == order.InDoubt {
			r.Doubt, r.Due = ledger.Doubt{Since: time.Now(), Asked: 3}, time.Now().Add(time.Hour)
			r.Attend(ledger.AttentionInDoubtUnresolved, "why", time.Now())
		}
		if to == order.NotSent || to == order.Refused {
			r.Reason, r.Problem = fault.ReasonNotPlaced, "as if"
		}
	})
}

func secondAttempt(t *testing.T, d *desk, id string) {
	t.Helper()
	moved(t, d, id, order.ByLease, order.InDoubt, "")
	moved(t, d, id, order.ByOperator, order.NotSent, "")
	resending(t, d, id)
}

// resending has another process send an order again.
func resending(t *testing.T, d *desk, id string) {
	t.Helper()
	r, err := d.ledger.Find(t.Context(), tenant, id)
	if err != nil {
		t.Fatal(err)
	}
	r.Owner = "another process"
	reclaimed(t, d, r)
}

// late says what becomes of every order when the answer of its first attempt comes: the state, the ticket, the reasons for
// attention, and the events that are written. Nothing but REFUSED and ACCEPTED is final, only an acceptance moves an order
// of another attempt, and what says otherwise than the order needs attention.
var late = map[string]map[string]string{
	"1 SENDING": {
		"accepted":          "ACCEPTED T-1 [] STATE_CHANGED",
		"accepted as it is": "ACCEPTED T-9 [] STATE_CHANGED",
		"deferred":          "ACCEPTED  [REPLY_DEFERRED NO_TICKET] STATE_CHANGED ATTENTION_CHANGED",
		"refused":           "REFUSED  [] STATE_CHANGED",
		"not sent":          "NOT_SENT  [] STATE_CHANGED",
		"in doubt":          "IN_DOUBT  [] STATE_CHANGED",
	},
	"1 IN_DOUBT": {
		"accepted":          "ACCEPTED T-1 [] STATE_CHANGED ATTENTION_CHANGED",
		"accepted as it is": "ACCEPTED T-9 [] STATE_CHANGED ATTENTION_CHANGED",
		"deferred":          "ACCEPTED  [REPLY_DEFERRED NO_TICKET] STATE_CHANGED ATTENTION_CHANGED",
		"refused":           "REFUSED  [] STATE_CHANGED ATTENTION_CHANGED",
		"not sent":          "NOT_SENT  [] STATE_CHANGED ATTENTION_CHANGED",
		"in doubt":          "IN_DOUBT  [IN_DOUBT_UNRESOLVED]",
	},
	"1 NOT_SENT": {
		"accepted":          "ACCEPTED T-1 [] STATE_CHANGED",
		"accepted as it is": "ACCEPTED T-9 [] STATE_CHANGED",
		"deferred":          "ACCEPTED  [REPLY_DEFERRED NO_TICKET] STATE_CHANGED ATTENTION_CHANGED",
		"refused":           "NOT_SENT  [LATE_ANSWER] EVIDENCE ATTENTION_CHANGED",
		"not sent":          "NOT_SENT  []",
		"in doubt":          "NOT_SENT  [] EVIDENCE",
	},
	"1 REFUSED": {
		"accepted":          "REFUSED  [LATE_ANSWER] EVIDENCE ATTENTION_CHANGED",
		"accepted as it is": "REFUSED  [LATE_ANSWER] EVIDENCE ATTENTION_CHANGED",
		"deferred":          "REFUSED  [LATE_ANSWER] EVIDENCE ATTENTION_CHANGED",
		"refused":           "REFUSED  []",
		"not sent":          "REFUSED  [LATE_ANSWER] EVIDENCE ATTENTION_CHANGED",
		"in doubt":          "REFUSED  [] EVIDENCE",
	},
	"1 ACCEPTED": {
		"accepted":          "ACCEPTED T-9 [LATE_ANSWER] EVIDENCE ATTENTION_CHANGED",
		"accepted as it is": "ACCEPTED T-9 []",
		"deferred":          "ACCEPTED T-9 []",
		"refused":           "ACCEPTED T-9 [LATE_ANSWER] EVIDENCE ATTENTION_CHANGED",
		"not sent":          "ACCEPTED T-9 [LATE_ANSWER] EVIDENCE ATTENTION_CHANGED",
		"in doubt":          "ACCEPTED T-9 [] EVIDENCE",
	},
	"2 SENDING": {
		"accepted":          "ACCEPTED T-1 [LATE_ANSWER] STATE_CHANGED ATTENTION_CHANGED",
		"accepted as it is": "ACCEPTED T-9 [LATE_ANSWER] STATE_CHANGED ATTENTION_CHANGED",
		"deferred":          "ACCEPTED  [REPLY_DEFERRED NO_TICKET LATE_ANSWER] STATE_CHANGED ATTENTION_CHANGED",
		"refused":           "SENDING  [LATE_ANSWER] EVIDENCE ATTENTION_CHANGED",
		"not sent":          "SENDING  []",
		"in doubt":          "SENDING  [] EVIDENCE",
	},
	"2 IN_DOUBT": {
		"accepted":          "ACCEPTED T-1 [LATE_ANSWER] STATE_CHANGED ATTENTION_CHANGED",
		"accepted as it is": "ACCEPTED T-9 [LATE_ANSWER] STATE_CHANGED ATTENTION_CHANGED",
		"deferred":          "ACCEPTED  [REPLY_DEFERRED NO_TICKET LATE_ANSWER] STATE_CHANGED ATTENTION_CHANGED",
		"refused":           "IN_DOUBT  [IN_DOUBT_UNRESOLVED LATE_ANSWER] EVIDENCE ATTENTION_CHANGED",
		"not sent":          "IN_DOUBT  [IN_DOUBT_UNRESOLVED]",
		"in doubt":          "IN_DOUBT  [IN_DOUBT_UNRESOLVED] EVIDENCE",
	},
	"2 NOT_SENT": {
		"accepted":          "ACCEPTED T-1 [LATE_ANSWER] STATE_CHANGED ATTENTION_CHANGED",
		"accepted as it is": "ACCEPTED T-9 [LATE_ANSWER] STATE_CHANGED ATTENTION_CHANGED",
		"deferred":          "ACCEPTED  [REPLY_DEFERRED NO_TICKET LATE_ANSWER] STATE_CHANGED ATTENTION_CHANGED",
		"refused":           "NOT_SENT  [LATE_ANSWER] EVIDENCE ATTENTION_CHANGED",
		"not sent":          "NOT_SENT  []",
		"in doubt":          "NOT_SENT  [] EVIDENCE",
	},
	"2 REFUSED": {
		"accepted":          "REFUSED  [LATE_ANSWER] EVIDENCE ATTENTION_CHANGED",
		"accepted as it is": "REFUSED  [LATE_ANSWER] EVIDENCE ATTENTION_CHANGED",
		"deferred":          "REFUSED  [LATE_ANSWER] EVIDENCE ATTENTION_CHANGED",
		"refused":           "REFUSED  [LATE_ANSWER] EVIDENCE ATTENTION_CHANGED",
		"not sent":          "REFUSED  []",
		"in doubt":          "REFUSED  [] EVIDENCE",
	},
	"2 ACCEPTED": {
		"accepted":          "ACCEPTED T-9 [LATE_ANSWER] EVIDENCE ATTENTION_CHANGED",
		"accepted as it is": "ACCEPTED T-9 [LATE_ANSWER] EVIDENCE ATTENTION_CHANGED",
		"deferred":          "ACCEPTED T-9 [LATE_ANSWER] EVIDENCE ATTENTION_CHANGED",
		"refused":           "ACCEPTED T-9 [LATE_ANSWER] EVIDENCE ATTENTION_CHANGED",
		"not sent":          "ACCEPTED T-9 []",
		"in doubt":          "ACCEPTED T-9 [] EVIDENCE",
	},
}

// belated places the nth order of a desk, brings it somewhere, has its first POST meet something, and says what came of
// that.
func belated(t *testing.T, d *desk, answers slowCarrier, n int, passage, outcome, trouble string) string {
	t.Helper()
	key := fmt.Sprintf("0193e3a0-0000-4000-8000-%012d", n)
	answered := make(chan error, 1)
	go func() {
		_, err := d.PortIn(t.Context(), request(t, key, fmt.Sprintf("416-556-%04d", n)))
		answered <- err
	}()
	synctest.Wait()
	r, err := d.ledger.FindKey(t.Context(), tenant, key)
	if err != nil {
		t.Fatal(err)
	}
	passages[passage](t, d, r.OrderID)
	if r, err = d.ledger.Find(t.Context(), tenant, r.OrderID); err != nil {
		t.Fatal(err)
	}
	before := timeline(t, d, r.OrderID)
	pass(time.Second)
	if trouble != "" {
		d.ledger.fails(nil, func(ctx context.Context, id string, s ledger.Step) (ledger.Record, error) {
			d.ledger.fails(nil, nil)
			if trouble == "taken, and failed" {
				_, _ = d.ledger.Store.Advance(ctx, id, s)
			}
			return ledger.Record{}, errDisk
		})
	}
	o := outcomes[outcome]
	if o.Ticket != "" {
		o.Ticket += " " + r.OrderID // a ledger has every ticket once
	}
	answers.answers(n, o)
	pass(time.Second)
	got := stands(t, d, r.OrderID)
	var told []string
	for _, e := range timeline(t, d, r.OrderID)[len(before):] {
		told = append(told, strings.TrimPrefix(e.GetType().String(), "PORT_IN_ORDER_EVENT_TYPE_"))
	}
	to := order.States()[got.GetState()-1]
	if now, err := d.ledger.Find(t.Context(), tenant, r.OrderID); err != nil || to != order.Accepted && (to == order.InDoubt) == now.Due.IsZero() ||
		(to == order.InDoubt) != (now.Doubt != ledger.Doubt{}) {
		t.Errorf("the order is %v, due %v, with %v", to, now.Due, now.Doubt)
	}
	if to != r.State && !order.CanMove(r.State, to, order.ByAnswer) {
		t.Errorf("no answer moves an order from %v to %v", r.State, to)
	}
	if posts, _ := d.carrier.count(); posts != n || len(answered) != 1 {
		t.Fatalf("%d POSTs, %d answers; want %d and one", posts, len(answered), n)
	}
	// The caller who waited is told what became of the order, whoever decided that.
	refused := to == order.NotSent || to == order.Refused
	if err := <-answered; refused != (err != nil) {
		t.Errorf("the order is %v, and the caller is answered %v", to, err)
	}
	ticket := strings.TrimSuffix(got.GetTicketId(), " "+r.OrderID)
	return strings.TrimSpace(fmt.Sprintf("%v %s %v %s", to, ticket, attentions(got), strings.Join(told, " ")))
}

// TestFault15_ALateAnswerMovesWhatItMayAndIsKeptOtherwise goes through every pair of where an order is and what its first
// attempt met, also when the ledger fails once, before or after it took the answer, so that it is offered again.
func TestFault15_ALateAnswerMovesWhatItMayAndIsKeptOtherwise(t *testing.T) {
	t.Parallel()
	troubles := []string{"", "failed", "taken, and failed"}
	for passage := range passages {
		t.Run(passage, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				answers := slowly(d, len(outcomes)*len(troubles))
				n := 0
				for outcome := range outcomes {
					for _, trouble := range troubles {
						n++
						if diff := cmp.Diff(late[passage][outcome], belated(t, d, answers, n, passage, outcome, trouble)); diff != "" {
							t.Errorf("%s; %s (-want +got):\n%s", outcome, trouble, diff)
						}
					}
				}
			})
		})
	}
}

// TestAnEarlierAttemptsAcceptanceDecidesTheNextOne has the carrier accept the first attempt while the second one is under
// way: whatever that meets, the carrier has the order.
func TestAnEarlierAttemptsAcceptanceDecidesTheNextOne(t *testing.T) {
	t.Parallel()
	for first, ticket := range map[string]string{"accepted": "T-1", "deferred": "", "under another order's ticket": ""} {
		for _, second := range []string{"not sent", "refused", "in doubt", "deferred", "accepted as it is"} {
			want := ticket
			if want == "" && second == "accepted as it is" {
				want = "T-9"
			}
			t.Run(first+", then "+second, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					d := newDesk(t)
					o := outcomes[first]
					if first == "under another order's ticket" {
						placed(t, d, keyB, "416-555-0190") // T-1
						d.carrier.posts = nil
						o = outcomes["accepted"]
					}
					answers := slowly(d, 2)
					go func() { _, _ = d.PortIn(t.Context(), request(t, keyA)) }()
					synctest.Wait()
					r, err := d.ledger.FindKey(t.Context(), tenant, keyA)
					if err != nil {
						t.Fatal(err)
					}
					moved(t, d, r.OrderID, order.ByLease, order.InDoubt, "")
					moved(t, d, r.OrderID, order.ByOperator, order.NotSent, "")
					beside := again(t, d)
					caller := sending(t, beside)
					answers.answers(1, o)
					if got := stands(t, d, r.OrderID); got.GetState() != stateAccepted || !slices.Contains(attentions(got), "LATE_ANSWER") {
						t.Errorf("while the second attempt is under way: %v, %v", got.GetState(), attentions(got))
					}
					answers.answers(2, outcomes[second])
					got := stands(t, d, r.OrderID)
					twice := slices.Contains(attentions(got), "NUMBERS_HELD_TWICE")
					if got.GetState() != stateAccepted || got.GetTicketId() != want || got.GetErrorMessage() != "" || !got.GetNeedsAttention() ||
						slices.Contains(attentions(got), "NO_TICKET") != (want == "") ||
						twice != (second == "accepted as it is") {
						t.Errorf("the order is %v %q, %v; want ACCEPTED under %q", got.GetState(), got.GetTicketId(), attentions(got), want)
					}
					if told := <-caller; !proto.Equal(told, got) {
						t.Errorf("the caller is told %v", told.GetState())
					}
					if again, err := beside.PortIn(t.Context(), request(t, keyA)); err != nil || !proto.Equal(again.GetOrder(), got) {
						t.Errorf("a replay is told %v, %v", again.GetOrder().GetState(), err)
					}
					if posts, _ := d.carrier.count(); posts != 2 {
						t.Errorf("%d POSTs; want the two that callers asked for", posts)
					}
				})
			})
		}
	}
}

// TestAResendKeepsThatAnAnswerCameLate has an order sent again of whose first attempt the carrier has said, late, something else than the
// operator: that is still to be looked into, whatever becomes of the next attempt.
func TestAResendKeepsThatAnAnswerCameLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		answers := slowly(d, 1)
		go func() { _, _ = d.PortIn(t.Context(), request(t, keyA)) }()
		synctest.Wait()
		r, err := d.ledger.FindKey(t.Context(), tenant, keyA)
		if err != nil {
			t.Fatal(err)
		}
		passages["1 NOT_SENT"](t, d, r.OrderID)
		answers.answers(1, outcomes["refused"])
		pass(time.Second)
		sent, err := d.PortIn(t.Context(), request(t, keyA))
		if err != nil || sent.GetOrder().GetState() != stateAccepted || sent.GetOrder().GetAttempt() != 2 {
			t.Fatalf("sent again the order is %v, %v", sent, err)
		}
		if diff := cmp.Diff([]string{"LATE_ANSWER"}, attentions(stands(t, d, r.OrderID))); diff != "" {
			t.Errorf("why the order needs attention (-want +got):\n%s", diff)
		}
	})
}

// TestFault15_NumbersThatTwoOrdersHoldAreSaidOfBoth has an order that was resolved as not placed turn out to be accepted,
// when another order has its numbers.
func TestFault15_NumbersThatTwoOrdersHoldAreSaidOfBoth(t *testing.T) {
	t.Parallel()
	const twice = "NUMBERS_HELD_TWICE"
	for name, c := range map[string]struct {
		other carrier.Outcome
		word  string
		want  []string
	}{
		"accepted": {other: carrier.Outcome{Settlement: carrier.Accepted, Reply: carrier.ReplyAccepted, Ticket: "T-2"}, want: []string{twice}},
		"in doubt": {other: outcomes["in doubt"], want: []string{twice}},
		"closed":   {other: carrier.Outcome{Settlement: carrier.Accepted, Reply: carrier.ReplyAccepted, Ticket: "T-2"}, word: "CANCELLED"},
		"not sent": {other: outcomes["not sent"]},
		"refused":  {other: outcomes["refused"]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				answers := slowly(d, 2)
				first := sending(t, d)
				r, err := d.ledger.FindKey(t.Context(), tenant, keyA)
				if err != nil {
					t.Fatal(err)
				}
				moved(t, d, r.OrderID, order.ByLease, order.InDoubt, "")
				moved(t, d, r.OrderID, order.ByOperator, order.NotSent, "")
				go func() { _, _ = d.PortIn(t.Context(), request(t, keyB, "416-555-0130", "416-555-0124")) }()
				synctest.Wait()
				answers.answers(2, c.other)
				other, err := d.ledger.FindKey(t.Context(), tenant, keyB)
				if err != nil {
					t.Fatal(err)
				}
				if c.word != "" {
					step(t, d, other.OrderID, 0, func(r *ledger.Record) { r.Status = order.Status(c.word) })
				}
				before := len(timeline(t, d, other.OrderID))
				answers.answers(1, outcomes["accepted"])
				one, two := <-first, stands(t, d, other.OrderID)
				if one.GetState() != stateAccepted || one.GetTicketId() != "T-1" || !slices.Equal(attentions(one), c.want) {
					t.Errorf("the late order is %v under %q, %v; want ACCEPTED and %v", one.GetState(), one.GetTicketId(), attentions(one), c.want)
				}
				if !slices.Equal(attentions(two), c.want) || len(timeline(t, d, other.OrderID))-before != len(c.want) {
					t.Errorf("the other order needs attention for %v; want %v", attentions(two), c.want)
				}
				for i, o := range []*portinv1.PortInOrder{one, two} {
					if whose := []*portinv1.PortInOrder{two, one}[i].GetOrderId(); c.want != nil && !strings.Contains(o.GetAttentions()[0].GetDescription(), whose) {
						t.Errorf("%v does not say whose the numbers are too: %s", o.GetAttentions(), whose)
					}
				}
			})
		})
	}
}

// numbersIn are the numbers of an order on its way to the carrier.
func numbersIn(t *testing.T, call carrier.Call) []int64 {
	t.Helper()
	var body struct {
		DIDs []struct{ Number int64 }
	}
	if err := json.Unmarshal(call.Body, &body); err != nil {
		t.Error(err)
	}
	var numbers []int64
	for _, d := range body.DIDs {
		numbers = append(numbers, d.Number)
	}
	return numbers
}
