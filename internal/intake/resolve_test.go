package intake_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// pass lets time pass in a bubble, and waits until nothing more happens.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// enquiries are what a carrier says about numbers; it may be told to say something else, and notes what it was asked.
type enquiries struct {
	mu     sync.Mutex
	answer func(ctx context.Context, number int64) (carrier.Status, error)
	asked  []enquiry
}

// enquiry is one question about a number.
type enquiry struct {
	At     time.Time
	Number int64
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

// wasPlaced and wasNotPlaced are an operator's decisions about an order's first attempt.
func wasPlaced(id, ticket string, unverified bool) *portinv1.ResolveInDoubtRequest {
	return &portinv1.ResolveInDoubtRequest{OrderId: id, Resolution: &portinv1.InDoubtResolution{
		Outcome: &portinv1.InDoubtResolution_Placed_{Placed: &portinv1.InDoubtResolution_Placed{TicketId: ticket, Unverified: unverified}},
		Reason:  "the carrier said so on the telephone", Attempt: new(int32(1)),
	}}
}

func wasNotPlaced(id string) *portinv1.ResolveInDoubtRequest {
	return &portinv1.ResolveInDoubtRequest{OrderId: id, Resolution: &portinv1.InDoubtResolution{
		Outcome: &portinv1.InDoubtResolution_NotPlaced_{NotPlaced: &portinv1.InDoubtResolution_NotPlaced{}},
		Reason:  "the carrier knows nothing of it", Attempt: new(int32(1)),
	}}
}

// ofTicket has a desk's carrier answer about tickets.
func ofTicket(d *desk, s carrier.Status, err error) {
	d.carrier.byTicket = func(context.Context, string) (carrier.Status, error) { return s, err }
}

// TestFault23_AnOperatorSaysThatAnOrderWasPlaced goes through what the look-up of the ticket may say.
func TestFault23_AnOperatorSaysThatAnOrderWasPlaced(t *testing.T) {
	t.Parallel()
	down := fault.New(fault.ReasonCarrierUnreachable, "down")
	for name, c := range map[string]struct {
		status     carrier.Status
		err        error
		unverified bool
		// refusal is why the decision is not taken; otherwise word is what the order's status is then, and doubtful whether the
		// event says that the ticket is the operator's word alone.
		refusal  fault.Reason
		word     string
		doubtful bool
	}{
		"the order's numbers":             {status: exact("T-7"), word: "PENDING"},
		"the order's numbers, trusted":    {status: exact("T-7"), unverified: true, word: "PENDING"},
		"under another name":              {status: exact("S-7"), word: "PENDING"},
		"closed":                          {status: status("T-7", "CANCELLED", secondNumber, firstNumber), word: "CANCELLED"},
		"fewer numbers":                   {status: status("T-7", "PENDING", firstNumber), refusal: fault.ReasonTicketMismatch},
		"other numbers":                   {status: status("T-7", "PENDING", firstNumber, 4165550199), refusal: fault.ReasonTicketMismatch},
		"other numbers, trusted":          {status: status("T-7", "PENDING", firstNumber, 4165550199), unverified: true, refusal: fault.ReasonTicketMismatch},
		"no numbers":                      {status: status("T-7", "HOLD"), refusal: fault.ReasonTicketUnverified},
		"no numbers, trusted":             {status: status("T-7", "HOLD"), unverified: true, word: "HOLD", doubtful: true},
		"the carrier is down":             {err: down, refusal: fault.ReasonTicketUnverified},
		"the carrier is down, trusted":    {err: down, unverified: true, doubtful: true},
		"there is no such thing":          {err: errNone, refusal: fault.ReasonTicketUnverified},
		"there is no such thing, trusted": {err: errNone, unverified: true, doubtful: true},
		"no ticket": {
			err: fault.Fields([]fault.Violation{{Field: "ticket_id", Description: "is not a ticket"}}), unverified: true, refusal: fault.ReasonInvalidFields,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, withSubmit(lost))
				begin := time.Now()
				id := placed(t, d, keyA).GetOrderId()
				was := stands(t, d, id)
				step(t, d, id, order.ByEvidence, func(r *ledger.Record) { r.Attend(ledger.AttentionInDoubtUnresolved, "why", begin) })
				events := timeline(t, d, id)
				ofTicket(d, c.status, c.err)
				pass(time.Minute)
				o, err := d.Resolve(t.Context(), wasPlaced(strings.ToUpper(id), "T-7", c.unverified))
				if c.refusal != "" {
					refused(t, err, c.refusal, id)
					happened(t, d, id, events)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				want := proto.CloneOf(was)
				want.State, want.TicketId, want.CarrierStatusWord = stateAccepted, "T-7", c.word
				want.CarrierStatus, want.Category = o.GetCarrierStatus(), o.GetCategory() // by the word; the contract's tests have them
				want.UpdateTime, want.SettleTime = at(begin.Add(time.Minute)), at(begin.Add(time.Minute))
				note := "the order no longer needs attention"
				if c.word != "" {
					want.CheckTime = at(begin.Add(time.Minute))
				}
				if c.word == "HOLD" {
					why := "the carrier holds the order; ask its porting team what it waits for"
					note, want.NeedsAttention = "CARRIER_STATUS: "+why, true
					want.Attentions = []*portinv1.Attention{{
						Code: portinv1.AttentionCode_ATTENTION_CODE_CARRIER_STATUS, Description: why, StartTime: want.GetUpdateTime(),
					}}
				}
				if diff := cmp.Diff(want, o, protocmp.Transform()); diff != "" {
					t.Errorf("the order (-want +got):\n%s", diff)
				}
				now := &portinv1.PortInOrderEvent{
					EventTime: at(begin.Add(time.Minute)), ActorKind: byOperator, Attempt: 1, State: stateAccepted, TicketId: "T-7",
					CarrierStatus: o.GetCarrierStatus(), CarrierStatusWord: c.word, Note: "the carrier said so on the telephone",
					Category: o.GetCategory(),
				}
				for _, a := range want.GetAttentions() {
					now.AttentionCodes = append(now.AttentionCodes, a.GetCode())
				}
				for _, what := range []portinv1.PortInOrderEventType{eventResolved, eventStatus, eventAttention} {
					e := proto.CloneOf(now)
					switch e.Type = what; {
					case what == eventStatus && c.word == "":
						continue
					case what == eventAttention:
						e.Note = note
					default:
						e.Unverified = c.doubtful
					}
					events = append(events, e)
				}
				happened(t, d, id, events)
				again, err := d.Resolve(t.Context(), wasPlaced(id, "T-7", false))
				if err != nil || !proto.Equal(o, again) {
					t.Errorf("the same decision again is answered %v, %v", again, err)
				}
				happened(t, d, id, events)
				_, err = d.PortIn(t.Context(), request(t, keyB))
				if held := reasonOf(err) == fault.ReasonNumberInOpenOrder; held != (c.word != "CANCELLED") {
					t.Errorf("another order with the numbers is answered %v", err)
				}
				_, err = d.Resolve(t.Context(), wasPlaced(id, "T-8", true))
				refused(t, err, fault.ReasonOrderNotInDoubt, id)
			})
		})
	}
}

// refused checks an error about an order.
func refused(t *testing.T, err error, want fault.Reason, id string) {
	t.Helper()
	if reasonOf(err) != want {
		t.Errorf("the decision is answered %v; want %s", err, want)
		return
	}
	f := fault.From(err)
	if want == fault.ReasonInvalidFields {
		if len(f.Violations) != 1 || f.Violations[0].Field != "resolution.placed.ticket_id" {
			t.Errorf("the violations are %v", f.Violations)
		}
		return
	}
	if f.Metadata["order_id"] != id {
		t.Errorf("the error names order %q; want %q", f.Metadata["order_id"], id)
	}
}

// TestFault23_AnOperatorSaysThatAnOrderWasNotPlaced frees the numbers, and lets the caller send it again.
func TestFault23_AnOperatorSaysThatAnOrderWasNotPlaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, withSubmit(lost))
		begin := time.Now()
		id := placed(t, d, keyA).GetOrderId()
		pass(time.Minute)
		o, err := d.Resolve(t.Context(), wasNotPlaced(id))
		if err != nil || o.GetState() != stateNotSent || o.GetErrorReason() != portinv1.ErrorReason_ERROR_REASON_NOT_PLACED ||
			!proto.Equal(o.GetSettleTime(), at(begin.Add(time.Minute))) || o.GetNeedsAttention() {
			t.Errorf("the order is %v, %v", o, err)
		}
		want := append(doubtful(begin, sawNothing, ""), &portinv1.PortInOrderEvent{
			EventTime: at(begin.Add(time.Minute)), ActorKind: byOperator, Type: eventResolved, Attempt: 1, State: stateNotSent, Note: "the carrier knows nothing of it",
		})
		happened(t, d, id, want)
		if again, err := d.Resolve(t.Context(), wasNotPlaced(id)); err != nil || !proto.Equal(o, again) {
			t.Errorf("the same decision again is answered %v, %v", again, err)
		}
		_, err = d.Resolve(t.Context(), wasPlaced(id, "T-7", true))
		refused(t, err, fault.ReasonOrderNotInDoubt, id)
		happened(t, d, id, want)
		running(t, d.Intake)
		pass(2 * time.Hour)
		if posts, looks := d.carrier.count(); posts != 1 || looks != 1 {
			t.Errorf("%d POSTs and %d looks for an order that is decided; want one each", posts, looks)
		}
		d.carrier.submit = nil
		if sent := placed(t, d, keyA); sent.GetState() != stateAccepted || sent.GetAttempt() != 2 || sent.GetErrorReason() != 0 || sent.GetErrorMessage() != "" {
			t.Errorf("sent again, the order is %v", sent)
		}
		_, err = d.Resolve(t.Context(), wasNotPlaced(id))
		refused(t, err, fault.ReasonOrderAttemptChanged, id)
		if posts, looks := d.carrier.count(); posts != 2 || looks != 2 {
			t.Errorf("%d POSTs and %d looks; want two each", posts, looks)
		}
	})
}

// TestADecisionIsAboutAnOrderInDoubt in the attempt that it names.
func TestADecisionIsAboutAnOrderInDoubt(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[string]fault.Reason{
		"accepted": fault.ReasonOrderNotInDoubt, "refused": fault.ReasonOrderNotInDoubt, "in doubt": fault.ReasonOrderAttemptChanged,
	} {
		d := newDesk(t, withSubmit(func(context.Context, carrier.Call) carrier.Outcome { return outcomes[outcome] }))
		ofTicket(d, exact("T-7"), nil)
		_, _ = d.PortIn(t.Context(), request(t, keyA))
		r, err := d.ledger.FindKey(t.Context(), tenant, keyA)
		if err != nil {
			t.Fatal(err)
		}
		before := timeline(t, d, r.OrderID)
		for _, req := range []*portinv1.ResolveInDoubtRequest{wasNotPlaced(r.OrderID), wasPlaced(r.OrderID, "T-7", true)} {
			if outcome == "in doubt" {
				req.Resolution.Attempt = new(int32(2))
			}
			_, err = d.Resolve(t.Context(), req)
			refused(t, err, want, r.OrderID)
		}
		happened(t, d, r.OrderID, before)
	}
	d := newDesk(t)
	if _, err := d.Resolve(t.Context(), wasNotPlaced(keyA)); reasonOf(err) != fault.ReasonOrderNotFound {
		t.Errorf("a decision about no order is answered %v", err)
	}
}

// TestATicketIsOneOrders: an operator cannot give an order the ticket of another.
func TestATicketIsOneOrders(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	placed(t, d, keyB, "416-555-0190") // T-1
	d.carrier.submit = lost
	id := placed(t, d, keyA).GetOrderId()
	for _, s := range []carrier.Status{exact("T-1"), {}} {
		ofTicket(d, s, nil)
		_, err := d.Resolve(t.Context(), wasPlaced(id, "T-1", true))
		refused(t, err, fault.ReasonTicketMismatch, id)
	}
	if got := state(t, d, id); got != stateInDoubt {
		t.Errorf("the order is %v", got)
	}
}

// TestADecisionMeetsWhatHappensMeanwhile has the order move on while the operator's ticket is looked up.
func TestADecisionMeetsWhatHappensMeanwhile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		meanwhile func(t *testing.T, d *desk, id string)
		refusal   fault.Reason
	}{
		"found under the same ticket": {meanwhile: func(t *testing.T, d *desk, id string) { moved(t, d, id, order.ByEvidence, order.Accepted, "T-7") }},
		"found under another ticket": {
			func(t *testing.T, d *desk, id string) { moved(t, d, id, order.ByEvidence, order.Accepted, "T-8") }, fault.ReasonOrderNotInDoubt,
		},
		"not sent": {func(t *testing.T, d *desk, id string) { moved(t, d, id, order.ByAnswer, order.NotSent, "") }, fault.ReasonOrderNotInDoubt},
		"sent again": {
			func(t *testing.T, d *desk, id string) {
				moved(t, d, id, order.ByAnswer, order.NotSent, "")
				resending(t, d, id)
				moved(t, d, id, order.ByLease, order.InDoubt, "")
			}, fault.ReasonOrderAttemptChanged,
		},
		"the ledger fails": {func(_ *testing.T, d *desk, _ string) { d.ledger.fails(nil, noAdvance) }, fault.ReasonLedgerUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, withSubmit(lost))
			id := placed(t, d, keyA).GetOrderId()
			d.carrier.byTicket = func(context.Context, string) (carrier.Status, error) {
				c.meanwhile(t, d, id)
				return exact("T-7"), nil
			}
			o, err := d.Resolve(t.Context(), wasPlaced(id, "T-7", false))
			if reasonOf(err) != c.refusal || err == nil && (o.GetState() != stateAccepted || o.GetTicketId() != "T-7") {
				t.Errorf("the decision is answered %v, %v; want %q", o, err, c.refusal)
			}
			if slices.ContainsFunc(timeline(t, d, id), func(e *portinv1.PortInOrderEvent) bool { return e.GetType() == eventResolved }) {
				t.Error("the decision was taken")
			}
		})
	}
}

// TestADecisionThatTheLedgerTookAndDidNotConfirmIsTakenOnce has an operator ask again.
func TestADecisionThatTheLedgerTookAndDidNotConfirmIsTakenOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, withSubmit(lost))
	id := placed(t, d, keyA).GetOrderId()
	d.ledger.fails(nil, func(ctx context.Context, id string, s ledger.Step) (ledger.Record, error) {
		_, _ = d.ledger.Store.Advance(ctx, id, s)
		return ledger.Record{}, errDisk
	})
	if _, err := d.Resolve(t.Context(), wasNotPlaced(id)); reasonOf(err) != fault.ReasonLedgerUnavailable {
		t.Errorf("the decision is answered %v", err)
	}
	if o, err := d.Resolve(t.Context(), wasNotPlaced(id)); err != nil || o.GetState() != stateNotSent {
		t.Errorf("asked again, it is answered %v, %v", o, err)
	}
	if n := len(timeline(t, d, id)); n != 3 {
		t.Errorf("%d events; want three", n)
	}
}

// TestALookUpThatOutlastsTheOperatorDecidesNothing: nobody is told what was not said.
func TestALookUpThatOutlastsTheOperatorDecidesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t, withSubmit(lost))
	id := placed(t, d, keyA).GetOrderId()
	ctx, leave := context.WithCancel(t.Context())
	d.carrier.byTicket = func(context.Context, string) (carrier.Status, error) {
		leave()
		return exact("T-7"), nil
	}
	if _, err := d.Resolve(ctx, wasPlaced(id, "T-7", true)); reasonOf(err) != fault.ReasonCancelled {
		t.Errorf("the decision is answered %v", err)
	}
	if got := state(t, d, id); got != stateInDoubt {
		t.Errorf("the order is %v", got)
	}
}

// TestWhoStillWaitsIsToldWhatAnOperatorDecided has an order resolved as not placed while its POST is under way, as after the
// end of its lease. What the POST meets in the end counts, as far as it is certain.
func TestWhoStillWaitsIsToldWhatAnOperatorDecided(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[string]fault.Reason{
		"in doubt": fault.ReasonNotPlaced, "not sent": fault.ReasonNotPlaced, "accepted": "", "deferred": "",
	} {
		t.Run(outcome, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				answers := slowly(d, 1)
				answered := make(chan error, 1)
				go func() {
					_, err := d.PortIn(t.Context(), request(t, keyA))
					answered <- err
				}()
				synctest.Wait()
				beside := again(t, d)
				recovers(t, beside)
				r, err := d.ledger.FindKey(t.Context(), tenant, keyA)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := beside.Resolve(t.Context(), wasNotPlaced(r.OrderID)); err != nil {
					t.Fatal(err)
				}
				answers.answers(1, outcomes[outcome])
				err = <-answered
				if reasonOf(err) != want || err != nil && fault.From(err).Metadata["order_id"] != r.OrderID {
					t.Errorf("the caller is answered %v; want %q", err, want)
				}
			})
		})
	}
}

// TestATicketThatStoodThereBeforeIsNotTheOrders, unless an earlier attempt may have made it, which the operator has to say.
func TestATicketThatStoodThereBeforeIsNotTheOrders(t *testing.T) {
	t.Parallel()
	d := newDesk(t, withSubmit(lost))
	d.carrier.byNumber = always(exact("T-7"), nil)
	ofTicket(d, exact("T-7"), nil)
	id := placed(t, d, keyA).GetOrderId()
	for _, unverified := range []bool{false, true} {
		_, err := d.Resolve(t.Context(), wasPlaced(id, "T-7", unverified))
		refused(t, err, fault.ReasonTicketMismatch, id)
	}
	if _, err := d.Resolve(t.Context(), wasNotPlaced(id)); err != nil {
		t.Fatal(err)
	}
	placed(t, d, keyA)
	for i, want := range []fault.Reason{fault.ReasonTicketUnverified, ""} {
		req := wasPlaced(id, "T-7", i == 1)
		req.Resolution.Attempt = new(int32(2))
		if o, err := d.Resolve(t.Context(), req); reasonOf(err) != want || err == nil && o.GetTicketId() != "T-7" {
			t.Errorf("about the second attempt the operator is answered %v, %v; want %q", o.GetState(), err, want)
		}
	}
	events := timeline(t, d, id)
	if last := events[len(events)-2]; last.GetType() != eventResolved || !last.GetUnverified() {
		t.Errorf("the events end with %v; want the decision, unverified, and the status", events)
	}
}
