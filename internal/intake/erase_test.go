package intake_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// eraseOf is an operator's wish to have an order erased.
func eraseOf(id string) *portinv1.ErasePortInOrderRequest {
	return &portinv1.ErasePortInOrderRequest{OrderId: id, Reason: "the customer asked for it"}
}

// completed is an order whose port-in is over.
func completed(t *testing.T, d *desk, key string, numbers ...string) *portinv1.PortInOrder {
	t.Helper()
	o := placed(t, d, key, numbers...)
	_, err := d.ledger.Advance(t.Context(), o.GetOrderId(), ledger.Step{Now: time.Now(), Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.Status, r.Message, r.Due = order.StatusCompleted, "thank you, John", time.Time{}
		return ledger.Entry{Actor: ledger.Actor{Kind: ledger.ByCarrier}, Note: "John has moved"}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return got(t, d, o.GetOrderId())
}

// got is an order as it is answered.
func got(t *testing.T, d *desk, id string) *portinv1.PortInOrder {
	t.Helper()
	o, err := d.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// leftOf is what is answered of an order once it is erased: only output, and of that nothing personal.
func leftOf(was *portinv1.PortInOrder, at time.Time) *portinv1.PortInOrder {
	return &portinv1.PortInOrder{
		OrderId: was.GetOrderId(), RequestId: was.GetRequestId(), State: was.GetState(), Attempt: was.GetAttempt(), TicketId: was.GetTicketId(),
		CarrierReply: was.GetCarrierReply(), CarrierStatus: was.GetCarrierStatus(), CarrierStatusWord: was.GetCarrierStatusWord(),
		Category: was.GetCategory(), HistoryId: was.GetHistoryId(), CreateTime: was.GetCreateTime(), ClaimTime: was.GetClaimTime(),
		SettleTime: was.GetSettleTime(), UpdateTime: timestamppb.New(at), EraseTime: timestamppb.New(at),
	}
}

func TestAnOrderIsErased(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		was := completed(t, d, keyA)
		if was.GetNumbers() == nil || was.GetForm() == nil || was.GetCarrierMessage() == "" {
			t.Fatalf("the order has nothing to erase: %v", was)
		}
		_, err := d.Erase(t.Context(), eraseOf(was.GetOrderId()))
		f := fault.From(err)
		from := was.GetUpdateTime().AsTime().Add(30 * 24 * time.Hour).Truncate(time.Second).Add(time.Second)
		if f.Reason != fault.ReasonOrderNotErasable || f.Metadata["order_id"] != was.GetOrderId() || f.Metadata["erasable_time"] != from.Format(time.RFC3339) {
			t.Errorf("an order that was completed just now: %v, %v; it is erasable from %v", err, f.Metadata, from)
		}
		pass(time.Until(from))
		at := time.Now()
		o, err := d.Erase(t.Context(), eraseOf(strings.ToUpper(was.GetOrderId())))
		want := leftOf(was, at.Truncate(time.Microsecond))
		if diff := cmp.Diff(want, o, protocmp.Transform()); diff != "" || err != nil {
			t.Errorf("the order that is answered: %v (-want +got):\n%s", err, diff)
		}
		if diff := cmp.Diff(want, got(t, d, was.GetOrderId()), protocmp.Transform()); diff != "" {
			t.Errorf("the order (-want +got):\n%s", diff)
		}
		pass(time.Hour)
		again, err := d.Erase(t.Context(), eraseOf(was.GetOrderId()))
		if diff := cmp.Diff(want, again, protocmp.Transform()); diff != "" || err != nil {
			t.Errorf("once more: %v (-want +got):\n%s", err, diff)
		}
		if n := d.Erased(); n != 1 {
			t.Errorf("%d orders were erased, want 1", n)
		}
		told, err := d.Events(t.Context(), &portinv1.ListPortInOrderEventsRequest{OrderId: was.GetOrderId()})
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range told.GetEvents() {
			last := i == len(told.GetEvents())-1
			if wanted := map[bool]string{true: "the customer asked for it"}[last]; e.GetNote() != wanted {
				t.Errorf("event %d, %v, says %q, want %q", i, e.GetType(), e.GetNote(), wanted)
			}
			if erased := e.GetType() == portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_ERASED; erased != last {
				t.Errorf("event %d is %v", i, e.GetType())
			}
		}
	})
}

func TestWhatIsNotErased(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		open := placed(t, d, keyA)
		d.carrier.submit = lost
		doubtful := placed(t, d, keyB, "416-555-0777")
		d.carrier.submit = func(context.Context, carrier.Call) carrier.Outcome { return outcomes["not sent"] }
		_, err := d.PortIn(t.Context(), request(t, "0193e3a0-0000-4000-8000-00000000000c", "416-555-0888"))
		guard := fault.From(err).Metadata["order_id"]
		_, err = d.ledger.Advance(t.Context(), guard, ledger.Step{Now: time.Now(), Change: func(r *ledger.Record) (ledger.Entry, error) {
			r.Guards = true
			return ledger.Entry{}, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		pass(100 * 24 * time.Hour)
		for id, wanted := range map[string]fault.Reason{
			open.GetOrderId(): fault.ReasonOrderNotErasable, doubtful.GetOrderId(): fault.ReasonOrderNotErasable, guard: fault.ReasonOrderNotErasable,
			"01900000-0000-7000-8000-00000000ffff": fault.ReasonOrderNotFound,
		} {
			_, err := d.Erase(t.Context(), eraseOf(id))
			if f := fault.From(err); f.Reason != wanted || f.Metadata["erasable_time"] != "" {
				t.Errorf("order %s: %v, %v; want %s", id, err, f.Metadata, wanted)
			}
		}
	})
}

// A key outlives the contents of its order: nothing is ever sent for it again.
func TestTheKeyOfAnErasedOrder(t *testing.T) {
	t.Parallel()
	for name, submit := range map[string]func(context.Context, carrier.Call) carrier.Outcome{
		"completed": nil,
		"refused":   func(context.Context, carrier.Call) carrier.Outcome { return outcomes["refused"] },
		"not sent":  func(context.Context, carrier.Call) carrier.Outcome { return outcomes["not sent"] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				var id string
				if d.carrier.submit = submit; submit == nil {
					id = completed(t, d, keyA).GetOrderId()
				} else {
					_, err := d.PortIn(t.Context(), request(t, keyA))
					id = fault.From(err).Metadata["order_id"]
				}
				pass(31 * 24 * time.Hour)
				if _, err := d.Erase(t.Context(), eraseOf(id)); err != nil {
					t.Fatal(err)
				}
				d.carrier.submit = nil
				before, looks := d.carrier.count()
				for what, req := range map[string]*portinv1.PortInRequest{
					"the same content": request(t, keyA), "other content": request(t, keyA, "416-555-0999"),
				} {
					_, err := d.PortIn(t.Context(), req)
					f := fault.From(err)
					if f.Reason != fault.ReasonRequestIDReused || f.Metadata["order_id"] != id || !strings.Contains(f.Message, "contents were removed") {
						t.Errorf("its key with %s: %v, %v", what, err, f.Metadata)
					}
				}
				for what, req := range map[string]*portinv1.ResubmitPortInRequest{
					"corrected": {OrderId: id, RequestId: keyB}, "corrected for a try": {OrderId: id, ValidateOnly: true},
				} {
					_, err := d.Resubmit(t.Context(), req)
					f := fault.From(err)
					if f.Reason != fault.ReasonNotCorrectable || f.Metadata["order_id"] != id || !strings.Contains(f.Message, "contents were removed") {
						t.Errorf("%s: %v, %v", what, err, f.Metadata)
					}
				}
				if after, again := d.carrier.count(); after != before || again != looks {
					t.Errorf("the carrier got %d orders and %d questions for an erased one", after-before, again-looks)
				}
				// Its numbers are free for another order, and its own key is not in the way of that.
				if o := placed(t, d, keyB); o.GetState() != stateAccepted {
					t.Errorf("another order of its numbers: %v", o)
				}
			})
		})
	}
}

// An order that was corrected says so, also when it is erased; and the correction goes on without it.
func TestACorrectionOfAnErasedOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.carrier.submit = func(context.Context, carrier.Call) carrier.Outcome { return outcomes["refused"] }
		_, err := d.PortIn(t.Context(), request(t, keyA))
		first := fault.From(err).Metadata["order_id"]
		_, err = d.Resubmit(t.Context(), correction(first, keyB))
		second := fault.From(err).Metadata["order_id"]
		if second == "" || second == first {
			t.Fatalf("the correction: %v", err)
		}
		pass(31 * 24 * time.Hour)
		if _, err := d.Erase(t.Context(), eraseOf(first)); err != nil {
			t.Fatal(err)
		}
		d.carrier.submit = nil
		_, err = d.Resubmit(t.Context(), correction(first, keyOf(5)))
		if f := fault.From(err); f.Reason != fault.ReasonNotCorrectable || f.Metadata["corrected_by_order_id"] != second {
			t.Errorf("the erased order is corrected once more: %v, %v", err, f.Metadata)
		}
		// The walk through what an order corrects comes by the erased one.
		again := correction(second, "0193e3a0-0000-4000-8000-00000000000c")
		again.DroppedDocuments = nil // the invoices were given up before
		third, err := d.Resubmit(t.Context(), again)
		if err != nil || third.GetOrder().GetState() != stateAccepted || third.GetOrder().GetHistoryId() != first {
			t.Errorf("the correction is corrected: %v, %v", third, err)
		}
		page, err := d.List(t.Context(), &portinv1.ListPortInOrdersRequest{HistoryId: &first})
		if err != nil || len(page.GetOrders()) != 3 {
			t.Errorf("the history: %v, %v; want 3 orders", page, err)
		}
	})
}

// A port-in that was placed elsewhere is followed once, also when what is known of it was erased.
func TestAnErasedOrderIsNotFollowedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		ofTicket(d, carrier.Status{Ticket: "T-7", Word: "COMPLETED", Numbers: []int64{4165550123}}, nil)
		follow := &portinv1.FollowPortInRequest{PortIn: &portinv1.FollowedPortIn{
			Key: &portinv1.FollowedPortIn_TicketId{TicketId: "T-7"}, CustomerReference: new("John's"),
		}}
		o, err := d.Follow(t.Context(), follow)
		if err != nil {
			t.Fatal(err)
		}
		pass(31 * 24 * time.Hour)
		want, err := d.Erase(t.Context(), eraseOf(o.GetOrderId()))
		if err != nil || want.GetEraseTime() == nil || want.GetForm() != nil {
			t.Fatalf("Erase: %v, %v", want, err)
		}
		again, err := d.Follow(t.Context(), follow)
		if diff := cmp.Diff(want, again, protocmp.Transform()); diff != "" || err != nil {
			t.Errorf("followed again: %v (-want +got):\n%s", err, diff)
		}
	})
}

// keeping has a desk keep orders for so long, and look seldom at what this is not about.
func keeping(d time.Duration) func(*desk, *intake.Params) {
	return func(_ *desk, p *intake.Params) { p.Config.Keep, p.Config.Doubt.Every = d, 24*time.Hour }
}

// logging has a desk write its log into a text.
func logging(into *strings.Builder) func(*desk, *intake.Params) {
	return func(_ *desk, p *intake.Params) { p.Log = slog.New(slog.NewTextHandler(into, nil)) }
}

func TestOrdersAreErasedInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		d := newDesk(t, keeping(40*24*time.Hour), logging(&log))
		old := completed(t, d, keyA)
		running(t, d.Intake)
		pass(20 * 24 * time.Hour)
		young := completed(t, d, keyB)
		pass(20*24*time.Hour - time.Minute)
		if o := got(t, d, old.GetOrderId()); o.GetEraseTime() != nil {
			t.Errorf("it was erased after %v", o.GetEraseTime().AsTime().Sub(old.GetUpdateTime().AsTime()))
		}
		pass(3 * time.Hour)
		o := got(t, d, old.GetOrderId())
		if diff := cmp.Diff(leftOf(old, o.GetEraseTime().AsTime()), o, protocmp.Transform()); diff != "" {
			t.Errorf("the order (-want +got):\n%s", diff)
		}
		if o := got(t, d, young.GetOrderId()); o.GetEraseTime() != nil {
			t.Error("an order that is not old enough was erased")
		}
		if d.Erased() != 1 || strings.Count(log.String(), "orders=1") != 1 {
			t.Errorf("%d orders were erased; the log says:\n%s", d.Erased(), log.String())
		}
		told, err := d.Events(t.Context(), &portinv1.ListPortInOrderEventsRequest{OrderId: old.GetOrderId()})
		if err != nil {
			t.Fatal(err)
		}
		last := told.GetEvents()[len(told.GetEvents())-1]
		if last.GetActorKind() != portinv1.ActorKind_ACTOR_KIND_SERVICE || !strings.Contains(last.GetNote(), "960h0m0s") {
			t.Errorf("the event: %v", last)
		}
	})
}

func TestWithoutATimeNothingIsErased(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, keeping(0))
		o := completed(t, d, keyA)
		running(t, d.Intake)
		pass(400 * 24 * time.Hour)
		if o := got(t, d, o.GetOrderId()); o.GetEraseTime() != nil {
			t.Errorf("it was erased: %v", o)
		}
	})
}

// A wall clock that is wrong ends no order's time.
func TestAClockThatJumpsErasesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ahead time.Duration
		d := newDesk(t, func(_ *desk, p *intake.Params) { p.Now = func() time.Time { return time.Now().Add(ahead) } })
		o := completed(t, d, keyA)
		ahead = 100 * 24 * time.Hour
		if _, err := d.Erase(t.Context(), eraseOf(o.GetOrderId())); reasonOf(err) != fault.ReasonOrderNotErasable {
			t.Errorf("an order of today, with a clock that is wrong: %v", err)
		}
	})
}

// What one order meets does not keep the others waiting, and more of them than fit a batch are erased in one round.
func TestMoreOrdersThanOneBatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, keeping(ledger.KeyLife))
		const orders = 130
		var ids []string
		for i := range orders {
			ids = append(ids, completed(t, d, fmt.Sprintf("0193e3a0-0000-4000-8000-%012d", i), fmt.Sprintf("416-555-%04d", i)).GetOrderId())
		}
		d.ledger.erase = func(id string) error {
			if id == ids[0] {
				return errDisk
			}
			return nil
		}
		pass(31 * 24 * time.Hour)
		running(t, d.Intake)
		pass(90 * time.Minute)
		if n := d.Erased(); n != orders-1 {
			t.Errorf("%d orders were erased, want %d", n, orders-1)
		}
		if o := got(t, d, ids[0]); o.GetEraseTime() != nil {
			t.Error("an order that the ledger does not erase was erased")
		}
	})
}

func TestALedgerThatDoesNotErase(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		o := completed(t, d, keyA)
		pass(31 * 24 * time.Hour)
		d.ledger.erase = func(string) error { return errDisk }
		if _, err := d.Erase(t.Context(), eraseOf(o.GetOrderId())); reasonOf(err) != fault.ReasonLedgerUnavailable {
			t.Errorf("Erase: %v, want LEDGER_UNAVAILABLE", err)
		}
		d.ledger.erase = func(string) error { panic("broken") }
		if _, err := d.Erase(t.Context(), eraseOf(o.GetOrderId())); reasonOf(err) != fault.ReasonLedgerUnavailable {
			t.Errorf("Erase of a ledger that panics: %v, want LEDGER_UNAVAILABLE", err)
		}
	})
}

// Where another order of the number may have been erased, nobody knows whether a ticket is the one's or the other's.
func TestAnOldDoubtIsNotSettledByANumber(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		days int
		want portinv1.OrderState
	}{"two days before, since it is asked about once a day": {27, stateAccepted}, "a day before the first may be erased that was placed with it": {29, stateInDoubt}, "after thirty days": {30, stateInDoubt}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, keeping(0))
				d.carrier.submit = lost
				seen := enquiring(d, nothing)
				o := placed(t, d, keyA)
				running(t, d.Intake)
				pass(time.Duration(c.days) * 24 * time.Hour)
				seen.says(always(exact("T-1"), nil))
				pass(3 * 24 * time.Hour)
				if o := got(t, d, o.GetOrderId()); o.GetState() != c.want {
					t.Errorf("the order is %v, want %v", o.GetState(), c.want)
				}
			})
		})
	}
}
