package intake_test

import (
	"context"
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
)

func TestAnOrderIsPostedOnceAndReplayed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, err := d.PortIn(t.Context(), request(t, keyA))
	if err != nil {
		t.Fatal(err)
	}
	if o := first.GetOrder(); first.GetReplayed() || o.GetState() != portinv1.OrderState_ORDER_STATE_ACCEPTED || o.GetTicketId() != "T-1" ||
		o.GetAttempt() != 1 || o.GetRequestId() != keyA || o.GetCarrierReply() != portinv1.CarrierReply_CARRIER_REPLY_ACCEPTED {
		t.Errorf("first answer: %v", first)
	}
	if diff := cmp.Diff([]string{"+14165550123", "+14165550124"}, first.GetOrder().GetNumbers()); diff != "" {
		t.Errorf("numbers (-want +got):\n%s", diff)
	}

	// The same order in another spelling, with the key in capitals.
	again, err := d.PortIn(t.Context(), request(t, strings.ToUpper(keyA), "+1 (416) 555.0123", "4165550124"))
	if err != nil {
		t.Fatal(err)
	}
	want := proto.CloneOf(first)
	want.Replayed = true
	if diff := cmp.Diff(want, again, protocmp.Transform()); diff != "" {
		t.Errorf("replay (-want +got):\n%s", diff)
	}
	got, err := d.Get(t.Context(), first.GetOrder().GetOrderId())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first.GetOrder(), got, protocmp.Transform()); diff != "" {
		t.Errorf("Get (-want +got):\n%s", diff)
	}
	if posts, looks := d.carrier.count(); posts != 1 || looks != 1 {
		t.Errorf("%d POSTs and %d looks, want one each", posts, looks)
	}
}

func TestEverySettlementHasItsStateAndItsAnswer(t *testing.T) {
	t.Parallel()
	refused := fault.New(fault.ReasonCarrierRefused, "the carrier refused the order: no such pilot")
	invalid := fault.New(fault.ReasonCarrierInvalid, "the carrier found the order wrong: PlanID")
	busy := fault.New(fault.ReasonCarrierBusy, "busy").WithRetryAfter(7 * time.Second)
	for _, c := range []struct {
		name      string
		outcome   carrier.Outcome
		state     portinv1.OrderState
		reason    fault.Reason
		metadata  map[string]string
		attention bool
		resends   bool
	}{
		{"accepted", accepted(1), portinv1.OrderState_ORDER_STATE_ACCEPTED, "", nil, false, false},
		{
			"deferred",
			carrier.Outcome{Settlement: carrier.Accepted, Reply: carrier.ReplyDeferred},
			portinv1.OrderState_ORDER_STATE_ACCEPTED, "", nil, true, false,
		},
		{"in doubt", carrier.Outcome{Settlement: carrier.InDoubt}, portinv1.OrderState_ORDER_STATE_IN_DOUBT, "", nil, false, false},
		{
			"refused",
			carrier.Outcome{Settlement: carrier.Refused, Reply: carrier.ReplyRejected, Message: "no such pilot", Fault: refused},
			portinv1.OrderState_ORDER_STATE_REFUSED, fault.ReasonCarrierRefused,
			map[string]string{},
			false, false,
		},
		{
			"invalid",
			carrier.Outcome{Settlement: carrier.Refused, ErrorID: "E-7", Fault: invalid},
			portinv1.OrderState_ORDER_STATE_REFUSED, fault.ReasonCarrierInvalid,
			map[string]string{"carrier_error_id": "E-7"},
			false, false,
		},
		{
			"not sent",
			carrier.Outcome{Settlement: carrier.NotSent, Fault: busy},
			portinv1.OrderState_ORDER_STATE_NOT_SENT, fault.ReasonCarrierBusy,
			map[string]string{},
			false, true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, withSubmit(func(context.Context, carrier.Call) carrier.Outcome { return c.outcome }))
			first, err := d.PortIn(t.Context(), request(t, keyA))
			again, errAgain := d.PortIn(t.Context(), request(t, keyA))
			if reasonOf(err) != c.reason || reasonOf(errAgain) != c.reason {
				t.Fatalf("errors %v and %v, want reason %q", err, errAgain, c.reason)
			}
			wantPosts := 1
			if c.resends {
				wantPosts = 2
			}
			if posts, looks := d.carrier.count(); posts != wantPosts || looks != wantPosts {
				t.Errorf("%d POSTs and %d looks, want %d each", posts, looks, wantPosts)
			}
			orderID := first.GetOrder().GetOrderId()
			if c.reason != "" {
				e, replayed := fault.From(err), fault.From(errAgain)
				orderID = e.Metadata["order_id"]
				c.metadata["order_id"] = orderID
				if diff := cmp.Diff(c.metadata, e.Metadata); diff != "" {
					t.Errorf("metadata (-want +got):\n%s", diff)
				}
				if e.Message != c.outcome.Fault.Message || e.RetryAfter != c.outcome.Fault.RetryAfter {
					t.Errorf("the error is %v (retry after %v), want that of the outcome", e, e.RetryAfter)
				}
				if e.Message != replayed.Message || e.RetryAfter != replayed.RetryAfter || !cmp.Equal(e.Metadata, replayed.Metadata) {
					t.Errorf("the replay answers %v, the first time was %v", replayed, e)
				}
			} else if !again.GetReplayed() {
				t.Error("the second answer is not called a replay")
			}
			o, err := d.Get(t.Context(), orderID)
			if err != nil {
				t.Fatal(err)
			}
			if o.GetState() != c.state || o.GetNeedsAttention() != c.attention {
				t.Errorf("the order is %v (attention %v), want %v (%v)", o.GetState(), o.GetNeedsAttention(), c.state, c.attention)
			}
			if settled := o.GetSettleTime() != nil; settled != (c.state != portinv1.OrderState_ORDER_STATE_IN_DOUBT) {
				t.Errorf("settle_time %v in %v", o.GetSettleTime(), o.GetState())
			}
		})
	}
}

func TestOtherContentUnderAUsedKeyIsRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if _, err := d.PortIn(t.Context(), request(t, keyA)); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*portinv1.PortInOrder){
		"a number":     func(o *portinv1.PortInOrder) { o.GetTrunkDid().GetDids()[1].Number = "416-555-0125" },
		"a label":      func(o *portinv1.PortInOrder) { o.GetTrunkDid().GetDids()[0].Label = new("") },
		"a document":   func(o *portinv1.PortInOrder) { o.GetForm().GetLastInvoices()[0].Content = []byte("%PDF-1.5") },
		"another name": func(o *portinv1.PortInOrder) { o.GetForm().CustomerName = "Birch Bark Books" },
	} {
		req := request(t, keyA)
		change(req.GetOrder())
		if _, err := d.PortIn(t.Context(), req); reasonOf(err) != fault.ReasonRequestIDReused {
			t.Errorf("%s changed: %v, want REQUEST_ID_REUSED", name, err)
		}
	}
	if posts, _ := d.carrier.count(); posts != 1 {
		t.Errorf("%d POSTs, want 1", posts)
	}
}

func TestOutputFieldsOfARequestAreIgnored(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, err := d.PortIn(t.Context(), request(t, keyA))
	if err != nil {
		t.Fatal(err)
	}
	req := request(t, keyA)
	req.Order.State, req.Order.TicketId = portinv1.OrderState_ORDER_STATE_REFUSED, "T-99"
	req.Order.Form.LastInvoices[0].SizeBytes = 4711
	again, err := d.PortIn(t.Context(), req)
	if err != nil || !again.GetReplayed() || again.GetOrder().GetTicketId() != first.GetOrder().GetTicketId() {
		t.Errorf("an order with output in it answers %v, %v; want the replay", again, err)
	}
}

func TestFault13_ManyCallersWithOneKeyAreOnePost(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var wg sync.WaitGroup
	replayed := make(chan bool, 200)
	for range cap(replayed) {
		wg.Go(func() {
			resp, err := d.PortIn(t.Context(), request(t, keyA))
			if err != nil || resp.GetOrder().GetTicketId() != "T-1" {
				t.Errorf("%v, %v", resp, err)
			}
			replayed <- resp.GetReplayed()
		})
	}
	wg.Wait()
	close(replayed)
	firsts := 0
	for r := range replayed {
		if !r {
			firsts++
		}
	}
	if posts, _ := d.carrier.count(); posts != 1 || firsts != 1 {
		t.Errorf("%d POSTs and %d answers that are no replay, want one each", posts, firsts)
	}
}

func TestFault20_ACallerWhoLeavesLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		posted, answer := make(chan struct{}), make(chan struct{})
		d := newDesk(t, withSubmit(func(ctx context.Context, _ carrier.Call) carrier.Outcome {
			close(posted)
			<-answer
			if ctx.Err() != nil {
				t.Error("the POST was cancelled with its caller")
			}
			return accepted(1)
		}))
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan error)
		go func() {
			_, err := d.PortIn(ctx, request(t, keyA))
			left <- err
		}()
		<-posted
		leave()
		if err := <-left; reasonOf(err) != fault.ReasonCancelled {
			t.Errorf("the caller that left got %v", err)
		}
		close(answer)
		resp, err := d.PortIn(t.Context(), request(t, keyA))
		if err != nil || resp.GetOrder().GetState() != portinv1.OrderState_ORDER_STATE_ACCEPTED || !resp.GetReplayed() {
			t.Errorf("afterwards the key answers %v, %v", resp, err)
		}
		if posts, _ := d.carrier.count(); posts != 1 {
			t.Errorf("%d POSTs, want 1", posts)
		}
	})
}

func TestFault21_ADeadlineTooNearSendsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, byNumber := range map[string]func(ctx context.Context, _ int64) (carrier.Status, error){
			"from the start": nil,
			"after the look": func(ctx context.Context, _ int64) (carrier.Status, error) {
				<-ctx.Done()
				return carrier.Status{}, fault.New(fault.ReasonCarrierUnreadable, "slow").WithCause(ctx.Err())
			},
		} {
			d := newDesk(t, func(d *desk, _ *intake.Params) {
				d.carrier.byNumber = byNumber
			})
			within := 4 * time.Second
			if byNumber != nil {
				within = 6 * time.Second
			}
			ctx, cancel := context.WithTimeout(t.Context(), within)
			resp, err := d.PortIn(ctx, request(t, keyA))
			cancel()
			posts, _ := d.carrier.count()
			if byNumber == nil && (reasonOf(err) != fault.ReasonDeadlineTooShort || posts != 0) {
				t.Errorf("%s: %v, %v with %d POSTs", name, resp, err, posts)
			}
			// A look may not use up what the order itself needs: it ends early enough for the order to be sent.
			if byNumber != nil && (err != nil || posts != 1) {
				t.Errorf("%s: %v, %v with %d POSTs", name, resp, err, posts)
			}
			drained(t, d)
		}
	})
}

func TestACallerGetsTheOrderBeforeItsDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, withSubmit(func(context.Context, carrier.Call) carrier.Outcome {
			<-time.After(30 * time.Second)
			return accepted(1)
		}))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		resp, err := d.PortIn(ctx, request(t, keyA))
		if err != nil || resp.GetOrder().GetState() != portinv1.OrderState_ORDER_STATE_SENDING {
			t.Fatalf("%v, %v; want SENDING", resp, err)
		}
		if took := time.Since(began); took != 9500*time.Millisecond {
			t.Errorf("the answer came after %v, want half a second before the deadline", took)
		}
		// A replay waits for the same flight.
		again, err := d.PortIn(t.Context(), request(t, keyA))
		if err != nil || again.GetOrder().GetState() != portinv1.OrderState_ORDER_STATE_ACCEPTED || !again.GetReplayed() {
			t.Errorf("the replay answers %v, %v", again, err)
		}
		if posts, _ := d.carrier.count(); posts != 1 {
			t.Errorf("%d POSTs, want 1", posts)
		}
	})
}

func TestAPanicOfTheClientLeavesTheOrderInDoubt(t *testing.T) {
	t.Parallel()
	d := newDesk(t, withSubmit(func(context.Context, carrier.Call) carrier.Outcome { panic("boom") }))
	resp, err := d.PortIn(t.Context(), request(t, keyA))
	if err != nil || resp.GetOrder().GetState() != portinv1.OrderState_ORDER_STATE_IN_DOUBT {
		t.Errorf("%v, %v; want IN_DOUBT", resp, err)
	}
}
