package intake_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// unreachableOnce is a carrier that cannot be reached the first time.
func unreachableOnce() func(*desk, *intake.Params) {
	return func(d *desk, _ *intake.Params) {
		d.carrier.submit = func(context.Context, carrier.Call) carrier.Outcome {
			if posts, _ := d.carrier.count(); posts > 1 {
				return accepted(posts)
			}
			return carrier.Outcome{
				Settlement: carrier.NotSent,
				Fault:      fault.New(fault.ReasonCarrierUnreachable, "refused").WithRetryAfter(time.Second),
			}
		}
	}
}

func status(ticket, word string, numbers ...int64) carrier.Status {
	return carrier.Status{Ticket: ticket, Word: word, Numbers: numbers}
}

func TestFault03_AnOrderThatWasNotSentIsSentByTheSameKey(t *testing.T) {
	t.Parallel()
	d := newDesk(t, unreachableOnce())
	_, err := d.PortIn(t.Context(), request(t, keyA))
	if reasonOf(err) != fault.ReasonCarrierUnreachable || fault.From(err).RetryAfter != time.Second {
		t.Fatalf("the first answer is %v", err)
	}
	resp, err := d.PortIn(t.Context(), request(t, keyA))
	if err != nil || resp.GetOrder().GetState() != portinv1.OrderState_ORDER_STATE_ACCEPTED || resp.GetOrder().GetAttempt() != 2 || resp.GetReplayed() {
		t.Errorf("the second answer is %v, %v", resp, err)
	}
	if id := fault.From(err); id == nil && resp.GetOrder().GetErrorReason() != portinv1.ErrorReason_ERROR_REASON_UNSPECIFIED {
		t.Errorf("the first attempt's reason %v is left", resp.GetOrder().GetErrorReason())
	}
	if posts, looks := d.carrier.count(); posts != 2 || looks != 2 {
		t.Errorf("%d POSTs and %d looks, want two each", posts, looks)
	}
}

func TestALookBeforeAResendFindsTheOrder(t *testing.T) {
	t.Parallel()
	numbers := []int64{4165550124, 4165550123}
	for _, c := range []struct {
		name          string
		first, second carrier.Status
		firstErr      error
		posts         int
		ticket        string
	}{
		{"its own ticket", carrier.Status{}, status("T-9", "PENDING", numbers...), errNone, 1, "T-9"},
		{"a ticket that stood there before", status("T-9", "COMPLETED", numbers...), status("T-9", "PENDING", numbers...), nil, 2, "T-2"},
		{"a ticket of other numbers", carrier.Status{}, status("T-9", "PENDING", 4165550123), errNone, 2, "T-2"},
		{"a ticket of more numbers", carrier.Status{}, status("T-9", "PENDING", 4165550123, 4165550124, 4165550125), errNone, 2, "T-2"},
		{"a closed ticket", carrier.Status{}, status("T-9", "CANCELLED", numbers...), errNone, 2, "T-2"},
		{"a ticket without numbers", carrier.Status{}, status("T-9", "PENDING"), errNone, 2, "T-2"},
		{"a status without ticket", carrier.Status{}, status("", "PENDING", numbers...), errNone, 2, "T-2"},
		{"a ticket after a look that failed", carrier.Status{}, status("T-9", "PENDING", numbers...), errors.New("down"), 2, "T-2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, unreachableOnce(), func(d *desk, _ *intake.Params) {
				d.carrier.byNumber = func(context.Context, int64) (carrier.Status, error) {
					if _, looks := d.carrier.count(); looks == 1 {
						return c.first, c.firstErr
					}
					return c.second, nil
				}
			})
			if _, err := d.PortIn(t.Context(), request(t, keyA)); reasonOf(err) != fault.ReasonCarrierUnreachable {
				t.Fatal(err)
			}
			resp, err := d.PortIn(t.Context(), request(t, keyA))
			if err != nil || resp.GetOrder().GetTicketId() != c.ticket || resp.GetOrder().GetState() != portinv1.OrderState_ORDER_STATE_ACCEPTED {
				t.Errorf("%v, %v; want ticket %s", resp, err, c.ticket)
			}
			if o := resp.GetOrder(); o.GetErrorReason() != 0 || o.GetErrorMessage() != "" {
				t.Errorf("the accepted order still has %v: %s", o.GetErrorReason(), o.GetErrorMessage())
			}
			if posts, _ := d.carrier.count(); posts != c.posts {
				t.Errorf("%d POSTs, want %d", posts, c.posts)
			}
		})
	}
}

// notSentAndFound is a desk with an order, under keyA, that was thought not to be sent, and that stands at the carrier under a ticket in every
// look but the first few.
func notSentAndFound(t *testing.T, few int, ticket *string) *desk {
	t.Helper()
	d := newDesk(t, unreachableOnce(), func(d *desk, _ *intake.Params) {
		d.carrier.byNumber = func(context.Context, int64) (carrier.Status, error) {
			if _, looks := d.carrier.count(); looks > few {
				return status(*ticket, "PENDING", 4165550123, 4165550124), nil
			}
			return carrier.Status{}, errNone
		}
	})
	if _, err := d.PortIn(t.Context(), request(t, keyA)); reasonOf(err) != fault.ReasonCarrierUnreachable {
		t.Fatal(err)
	}
	return d
}

// TestALookFindsAnOrderWhoseNumberAnotherOneHoldsByNow has an order that was thought not to be sent stand at the carrier after all, when
// another order has one of its numbers: a person has to know of both, for the caller may never ask again.
func TestALookFindsAnOrderWhoseNumberAnotherOneHoldsByNow(t *testing.T) {
	t.Parallel()
	d := notSentAndFound(t, 2, new("T-9"))
	other := placed(t, d, keyB, "416-555-0124")
	r, err := d.ledger.FindKey(t.Context(), tenant, keyA)
	if err != nil {
		t.Fatal(err)
	}
	var events int
	for range 2 {
		_, err := d.PortIn(t.Context(), request(t, keyA))
		if reasonOf(err) != fault.ReasonNumberInOpenOrder || fault.From(err).Metadata["order_id"] != other.GetOrderId() {
			t.Errorf("while another order holds a number the answer is %v", err)
		}
		for _, id := range []string{r.OrderID, other.GetOrderId()} {
			if diff := cmp.Diff([]string{"NUMBERS_HELD_TWICE"}, attentions(stands(t, d, id))); diff != "" {
				t.Errorf("why order %s needs attention (-want +got):\n%s", id, diff)
			}
		}
		told := timeline(t, d, r.OrderID)
		if events == 0 {
			events = len(told)
		}
		if last := told[len(told)-2]; len(told) != events || last.GetTicketId() != "T-9" || last.GetState() != portinv1.OrderState_ORDER_STATE_NOT_SENT {
			t.Errorf("the order's events are %v", told)
		}
	}
	step(t, d, other.GetOrderId(), 0, func(r *ledger.Record) { r.Status = order.StatusCancelled })
	found := placed(t, d, keyA)
	if found.GetState() != portinv1.OrderState_ORDER_STATE_ACCEPTED || found.GetTicketId() != "T-9" || found.GetNeedsAttention() {
		t.Errorf("once the other one is over the order is %v", found)
	}
	if posts, _ := d.carrier.count(); posts != 2 {
		t.Errorf("%d POSTs, want two", posts)
	}
}

// TestALookFindsAnOrderWhoseNumberAnotherOneHeld has the carrier close the port-in of the other order, which nobody here has heard yet: it is
// asked, as for any order that wants a held number, and no person has to look.
func TestALookFindsAnOrderWhoseNumberAnotherOneHeld(t *testing.T) {
	t.Parallel()
	d := notSentAndFound(t, 2, new("T-9"))
	other := placed(t, d, keyB, "416-555-0124")
	asked := 0
	d.carrier.byTicket = func(_ context.Context, ticket string) (carrier.Status, error) {
		asked++
		if ticket != other.GetTicketId() {
			t.Errorf("the carrier is asked about ticket %s", ticket)
		}
		return status(ticket, "CANCELLED", 4165550124), nil
	}
	found := placed(t, d, keyA)
	if found.GetState() != stateAccepted || found.GetTicketId() != "T-9" || found.GetNeedsAttention() || asked != 1 {
		t.Errorf("the carrier was asked %d times about the other order, and the order is %v", asked, found)
	}
	if is := stands(t, d, other.GetOrderId()); is.GetNeedsAttention() || is.GetCategory() != portinv1.Category_CATEGORY_CLOSED {
		t.Errorf("the other order is %v", is)
	}
}

// TestWhatIsFoundBesideAnotherOrderIsToldOnce has callers ask again and again for an order that stands at the carrier beside another
// one: what a person has looked into is told again once something is new, which asking is not.
func TestWhatIsFoundBesideAnotherOrderIsToldOnce(t *testing.T) {
	t.Parallel()
	ticket := "T-9"
	d := notSentAndFound(t, 2, &ticket)
	other := placed(t, d, keyB, "416-555-0124")
	r, err := d.ledger.FindKey(t.Context(), tenant, keyA)
	if err != nil {
		t.Fatal(err)
	}
	both := []string{r.OrderID, other.GetOrderId()}
	asked := func(when string, want ...string) {
		t.Helper()
		if _, err := d.PortIn(t.Context(), request(t, keyA)); reasonOf(err) != fault.ReasonNumberInOpenOrder {
			t.Errorf("%s the answer is %v", when, err)
		}
		for _, id := range both {
			if diff := cmp.Diff(want, attentions(stands(t, d, id))); diff != "" {
				t.Errorf("%s: why order %s needs attention (-want +got):\n%s", when, id, diff)
			}
		}
	}
	const twice = "NUMBERS_HELD_TWICE"
	d.ledger.fails(nil, func(ctx context.Context, id string, s ledger.Step) (ledger.Record, error) {
		if id == other.GetOrderId() {
			return ledger.Record{}, errDisk
		}
		return d.ledger.Store.Advance(ctx, id, s)
	})
	_, _ = d.PortIn(t.Context(), request(t, keyA))
	d.ledger.fails(nil, nil)
	if got := attentions(stands(t, d, r.OrderID)); !slices.Equal(got, []string{twice}) {
		t.Errorf("while nothing can be written down of the other one, the order needs attention for %v", got)
	}
	asked("as soon as it can", twice)
	for _, id := range both {
		if _, err := d.Acknowledge(t.Context(), acknowledge(id, portinv1.AttentionCode_ATTENTION_CODE_NUMBERS_HELD_TWICE)); err != nil {
			t.Fatal(err)
		}
	}
	events := len(timeline(t, d, r.OrderID))
	asked("after a person has looked into it")
	if more := len(timeline(t, d, r.OrderID)) - events; more != 0 {
		t.Errorf("%d events tell of it once more", more)
	}
	ticket = "T-10"
	asked("once it is another ticket", twice)
	step(t, d, other.GetOrderId(), 0, func(r *ledger.Record) { r.Status = order.StatusCancelled })
	if found := placed(t, d, keyA); found.GetTicketId() != ticket || found.GetNeedsAttention() {
		t.Errorf("once the other one is over the order is %v", found)
	}
}

// TestACorrectionThatIsFoundStillHoldsItsNumbersTwice has a correction that was thought not to be sent be found at the carrier. It holds its
// numbers all the while, so that nobody asks whether another one, which was accepted late, is over.
func TestACorrectionThatIsFoundStillHoldsItsNumbersTwice(t *testing.T) {
	t.Parallel()
	d := notSentAndFound(t, 1, new("T-9"))
	r, err := d.ledger.FindKey(t.Context(), tenant, keyA)
	if err != nil {
		t.Fatal(err)
	}
	step(t, d, r.OrderID, 0, func(r *ledger.Record) {
		r.Guards = true
		r.Attend(ledger.AttentionNumbersHeldTwice, "another order holds a number of this order too", time.Now())
	})
	found := placed(t, d, keyA)
	if diff := cmp.Diff([]string{"NUMBERS_HELD_TWICE"}, attentions(found)); diff != "" || found.GetTicketId() != "T-9" {
		t.Errorf("order %v; why it needs attention (-want +got):\n%s", found, diff)
	}
}

func TestARefusalLeavesAnOrderNotSent(t *testing.T) {
	t.Parallel()
	d := newDesk(t, unreachableOnce())
	_, err := d.PortIn(t.Context(), request(t, keyA))
	id := fault.From(err).Metadata["order_id"]
	d.directory.violations = []fault.Violation{{Field: "order.trunk_did.pilot_number", Description: "is no trunk any more"}}
	if _, err := d.PortIn(t.Context(), request(t, keyA)); reasonOf(err) != fault.ReasonInvalidFields {
		t.Errorf("a re-send that breaks a rule answers %v", err)
	}
	o, err := d.Get(t.Context(), id)
	if err != nil || o.GetState() != portinv1.OrderState_ORDER_STATE_NOT_SENT || o.GetAttempt() != 1 {
		t.Errorf("the order is %v, %v; want NOT_SENT as before", o, err)
	}
}

func TestAReplayIsNotRefusedByARuleThatHasChanged(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if _, err := d.PortIn(t.Context(), request(t, keyA)); err != nil {
		t.Fatal(err)
	}
	d.directory.violations = []fault.Violation{{Field: "order", Description: "nothing is allowed any more"}}
	if resp, err := d.PortIn(t.Context(), request(t, keyA)); err != nil || !resp.GetReplayed() {
		t.Errorf("the replay answers %v, %v", resp, err)
	}
}

func TestAResendShowsNothingOfTheAttemptBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.carrier.submit = func(context.Context, carrier.Call) carrier.Outcome {
			if posts, _ := d.carrier.count(); posts == 1 {
				return carrier.Outcome{
					Settlement: carrier.NotSent, ErrorID: "E-1", Message: "go away",
					Fault: fault.New(fault.ReasonCarrierCredentials, "refused"),
				}
			}
			<-time.After(30 * time.Second)
			return accepted(2)
		}
		_, err := d.PortIn(t.Context(), request(t, keyA))
		id := fault.From(err).Metadata["order_id"]
		if o, err := d.Get(t.Context(), id); err != nil || o.GetCarrierErrorId() != "E-1" || o.GetErrorMessage() != "refused" {
			t.Errorf("after the first attempt: %v, %v", o, err)
		}
		go func() { _, _ = d.PortIn(t.Context(), request(t, keyA)) }()
		synctest.Wait()
		o, err := d.Get(t.Context(), id)
		if err != nil || o.GetState() != portinv1.OrderState_ORDER_STATE_SENDING || o.GetAttempt() != 2 ||
			o.GetCarrierErrorId()+o.GetCarrierMessage()+o.GetErrorMessage() != "" || o.GetErrorReason() != 0 || o.GetSettleTime() != nil {
			t.Errorf("during the second attempt: %v, %v", o, err)
		}
		drained(t, d)
	})
}

// blind is a ledger that does not show a key once, as when two requests read it at the same time.
type blind struct {
	ledger.Store
	hide bool
}

func (j *blind) FindKey(ctx context.Context, tenant, requestID string) (ledger.Record, error) {
	if j.hide {
		j.hide = false
		return ledger.Record{}, ledger.ErrNotFound
	}
	return j.Store.FindKey(ctx, tenant, requestID)
}

func TestARequestThatLosesTheClaimAnswersLikeAReplay(t *testing.T) {
	t.Parallel()
	journal := &blind{Store: newLedger(t)}
	d := newDesk(t, func(_ *desk, p *intake.Params) { p.Ledger = journal })
	if _, err := d.PortIn(t.Context(), request(t, keyA)); err != nil {
		t.Fatal(err)
	}
	journal.hide = true
	if resp, err := d.PortIn(t.Context(), request(t, keyA)); err != nil || !resp.GetReplayed() || resp.GetOrder().GetTicketId() != "T-1" {
		t.Errorf("the same content: %v, %v", resp, err)
	}
	journal.hide = true
	if _, err := d.PortIn(t.Context(), request(t, keyA, "416-555-0140")); reasonOf(err) != fault.ReasonRequestIDReused {
		t.Errorf("other content: %v", err)
	}
	if posts, _ := d.carrier.count(); posts != 1 {
		t.Errorf("%d POSTs, want 1", posts)
	}
}

func TestATicketBesideARefusalIsNobodys(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.carrier.submit = func(context.Context, carrier.Call) carrier.Outcome {
		if posts, _ := d.carrier.count(); posts == 1 {
			return carrier.Outcome{Settlement: carrier.Refused, Ticket: "T-1", Fault: fault.New(fault.ReasonCarrierRefused, "no")}
		}
		return accepted(1)
	}
	if _, err := d.PortIn(t.Context(), request(t, keyA)); reasonOf(err) != fault.ReasonCarrierRefused {
		t.Fatal(err)
	}
	resp, err := d.PortIn(t.Context(), request(t, keyB))
	if err != nil || resp.GetOrder().GetTicketId() != "T-1" || resp.GetOrder().GetNeedsAttention() {
		t.Errorf("the order that the carrier took: %v, %v", resp, err)
	}
}

// gated is a ledger whose claims wait.
type gated struct {
	ledger.Store
	gate chan struct{}
}

func (j *gated) Claim(ctx context.Context, r ledger.Record, e ledger.Entry) (ledger.Record, error) {
	if r.Attempt > 1 {
		<-j.gate
	}
	return j.Store.Claim(ctx, r, e)
}

func TestWhoWaitsForAClaimIsNotToldAnything(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		journal := &gated{newLedger(t), make(chan struct{})}
		d := newDesk(t, unreachableOnce(), func(_ *desk, p *intake.Params) { p.Ledger = journal })
		if _, err := d.PortIn(t.Context(), request(t, keyA)); reasonOf(err) != fault.ReasonCarrierUnreachable {
			t.Fatal(err)
		}
		first := make(chan error)
		go func() {
			_, err := d.PortIn(t.Context(), request(t, keyA))
			first <- err
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		if resp, err := d.PortIn(ctx, request(t, keyA)); reasonOf(err) != fault.ReasonDeadlineExceeded {
			t.Errorf("beside a claim that hangs: %v, %v; want DEADLINE_EXCEEDED", resp, err)
		}
		close(journal.gate)
		if err := <-first; err != nil {
			t.Error(err)
		}
	})
}
