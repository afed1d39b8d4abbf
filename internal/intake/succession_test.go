package intake_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

func refusing(context.Context, carrier.Call) carrier.Outcome {
	return carrier.Outcome{Settlement: carrier.Refused, Reply: carrier.ReplyRejected, Message: "no", Fault: fault.New(fault.ReasonCarrierRefused, "no")}
}

func unsent(context.Context, carrier.Call) carrier.Outcome { return unreachable() }

// undisputed is a status of the usual numbers whose rejection nobody disputes.
func undisputed(ticket, word string) carrier.Status {
	s := status(ticket, word, firstNumber, secondNumber)
	s.Disputing = new(false)
	return s
}

// recorrection corrects a correction.
func recorrection(id, key string) *portinv1.ResubmitPortInRequest {
	return &portinv1.ResubmitPortInRequest{OrderId: id, RequestId: key, Order: &portinv1.PortInOrder{
		Form: &portinv1.PortForm{CustomerAccountNumber: "BC-9", LettersOfAuthorization: authorized()},
	}}
}

// earlier are the codes of those of an order's warnings that tell of earlier ones.
func earlier(o *portinv1.PortInOrder) (codes []string) {
	for _, w := range o.GetWarnings() {
		if code := strings.TrimPrefix(w.GetCode().String(), "WARNING_CODE_"); strings.HasPrefix(code, "EARLIER_") {
			codes = append(codes, code)
		}
	}
	return codes
}

// corrections are an order that the losing carrier rejected and its correction, of which the POST met something.
func corrections(t *testing.T, d *desk, met func(context.Context, carrier.Call) carrier.Outcome) (first *portinv1.PortInOrder, second ledger.Record) {
	t.Helper()
	first = placed(t, d, keyA)
	says(d, undisputed("T-1", "REJECTED"))
	d.carrier.submit = met
	_, _ = d.Resubmit(t.Context(), correction(first.GetOrderId(), keyB))
	d.carrier.submit = nil
	second, err := d.ledger.FindKey(t.Context(), intakeTenant, keyB)
	if err != nil {
		t.Fatal(err)
	}
	return first, second
}

// TestAPortInThatStandsIsNotPlacedAgain has a correction end without the carrier having it, and somebody want the numbers while
// the order that it was to correct fares somehow.
func TestAPortInThatStandsIsNotPlacedAgain(t *testing.T) {
	t.Parallel()
	const correctAgain, sendAgain, placePlain = "correct the correction", "send the correction again", "place a plain order"
	silent := status("T-1", "REJECTED", firstNumber, secondNumber)
	held, not := fault.ReasonNumberInOpenOrder, fault.ReasonNotCorrectable
	for met, meets := range map[string]func(context.Context, carrier.Call) carrier.Outcome{"refused": refusing, "not sent": unsent} {
		for name, c := range map[string]struct {
			now         carrier.Status
			err         error
			plain, want fault.Reason
			warned      bool
		}{
			"revived":                  {now: undisputed("T-1", "CONFIRMED"), plain: held, want: not},
			"disputed":                 {now: word("REJECTED", true), plain: held, want: not},
			"nobody says if disputed":  {now: silent, plain: held, want: not},
			"another one's":            {now: status("T-1", "REJECTED", 4165550999), plain: held, want: not},
			"unknown, as no one knows": {err: fault.New(fault.ReasonCarrierUnreachable, "down"), plain: held, want: fault.ReasonCarrierUnreachable},
			"rejected still":           {now: undisputed("T-1", "REJECTED"), plain: held, warned: true},
			"expired":                  {now: undisputed("T-1", "EXPIRED")},
			"ported":                   {now: undisputed("T-1", "COMPLETED")},
		} {
			for _, act := range []string{correctAgain, sendAgain, placePlain} {
				if met == "refused" && act == sendAgain { // its error is answered again
					continue
				}
				t.Run(met+", "+name+", "+act, func(t *testing.T) {
					t.Parallel()
					d := newDesk(t)
					first, second := corrections(t, d, meets)
					d.carrier.byTicket = func(context.Context, string) (carrier.Status, error) { return c.now, c.err }
					d.carrier.byNumber = func(context.Context, int64) (carrier.Status, error) { return c.now, c.err }
					d.carrier.posts = nil
					var o *portinv1.PortInOrder
					var err error
					want, blamed := c.want, first.GetOrderId()
					switch act {
					case correctAgain:
						var resp *portinv1.ResubmitPortInResponse
						resp, err = d.Resubmit(t.Context(), recorrection(second.OrderID, keyOf(5)))
						o = resp.GetOrder()
					case sendAgain:
						var resp *portinv1.ResubmitPortInResponse
						resp, err = d.Resubmit(t.Context(), correction(first.GetOrderId(), keyB))
						o = resp.GetOrder()
					case placePlain:
						var resp *portinv1.PortInResponse
						resp, err = d.PortIn(t.Context(), request(t, keyOf(5)))
						o, want, blamed = resp.GetOrder(), c.plain, second.OrderID
					}
					posts, _ := d.carrier.count()
					if reasonOf(err) != want || (posts == 1) != (want == "") {
						t.Fatalf("%d POSTs, %v; want %q", posts, err, want)
					}
					if err != nil {
						if got := fault.From(err).Metadata["order_id"]; got != blamed && want != fault.ReasonCarrierUnreachable {
							t.Errorf("order %s is in the way, want %s: %v", got, blamed, err)
						}
						if now, err := d.ledger.Find(t.Context(), intakeTenant, second.OrderID); err != nil || now.State != second.State || now.Successor != "" || !now.Guards {
							t.Errorf("the correction is %+v, %v", now, err)
						}
						return
					}
					wantCodes := []string(nil)
					if c.warned {
						wantCodes = []string{"EARLIER_ORDER_STANDS"}
					}
					if diff := cmp.Diff(wantCodes, earlier(o)); diff != "" {
						t.Errorf("warnings (-want +got):\n%s", diff)
					}
					if r, err := d.ledger.Find(t.Context(), intakeTenant, o.GetOrderId()); err != nil || r.Guards != c.warned {
						t.Errorf("the new order is %+v, %v", r, err)
					}
				})
			}
		}
	}
}

// TestACancelledCorrectionGuardsWhatItCorrected has the carrier go on with an order, and somebody cancel its correction for that.
func TestACancelledCorrectionGuardsWhatItCorrected(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, second := corrections(t, d, nil)
	says(d, undisputed("T-1", "CONFIRMED"))
	fare := func(r *ledger.Record) { r.Status = order.StatusCancelled }
	step(t, d, second.OrderID, 0, fare)
	_, err := d.PortIn(t.Context(), request(t, keyOf(5)))
	if f := fault.From(err); f == nil || f.Reason != fault.ReasonNumberInOpenOrder || f.Metadata["order_id"] != second.OrderID {
		t.Errorf("a plain order is told %v", err)
	}
	_, err = d.Resubmit(t.Context(), recorrection(second.OrderID, keyOf(6)))
	if f := fault.From(err); f == nil || f.Reason != fault.ReasonNotCorrectable || f.Metadata["order_id"] != first.GetOrderId() {
		t.Errorf("another correction is told %v", err)
	}
	says(d, undisputed("T-1", "CANCELLED"))
	if _, err := d.PortIn(t.Context(), request(t, keyOf(5))); err != nil {
		t.Errorf("a plain order after all are over: %v", err)
	}
	told := timeline(t, d, second.OrderID)
	last := told[len(told)-1]
	if last.GetType() != portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_EVIDENCE || !strings.Contains(last.GetNote(), "no order that this one was to correct") {
		t.Errorf("its last event is %v", last)
	}
}

// TestEveryOrderOfARowIsAskedAbout corrects a rejected correction.
func TestEveryOrderOfARowIsAskedAbout(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, second := corrections(t, d, nil)
	says(d, undisputed("T-1", "CONFIRMED"), undisputed("T-2", "REJECTED"))
	_, err := d.Resubmit(t.Context(), recorrection(second.OrderID, keyOf(5)))
	if f := fault.From(err); f == nil || f.Reason != fault.ReasonNotCorrectable || f.Metadata["order_id"] != first.GetOrderId() {
		t.Errorf("the first one goes on, and its grandchild is told %v", err)
	}
	says(d, undisputed("T-1", "REJECTED"), undisputed("T-2", "REJECTED"))
	d.carrier.byNumber = func(context.Context, int64) (carrier.Status, error) { return undisputed("T-1", "REJECTED"), nil }
	resp, err := d.Resubmit(t.Context(), recorrection(second.OrderID, keyOf(5)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"EARLIER_ORDER_STANDS", "EARLIER_ORDER_STANDS"}, earlier(resp.GetOrder())); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	if posts, _ := d.carrier.count(); posts != 3 {
		t.Errorf("%d POSTs; want 3", posts)
	}
}

// TestACorrectionWithFewerNumbers leaves the others where they are: in the rejected ticket.
func TestACorrectionWithFewerNumbers(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	old := placed(t, d, keyA)
	says(d, undisputed("T-1", "REJECTED"))
	req := correction(old.GetOrderId(), keyB)
	only := request(t, keyB).GetOrder().GetTrunkDid()
	only.Dids = only.Dids[:1]
	req.Order.Target = &portinv1.PortInOrder_TrunkDid{TrunkDid: only}
	resp, err := d.Resubmit(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	rest := func(key string) *portinv1.PortInRequest {
		plain := request(t, key)
		plain.Order.GetTrunkDid().Dids = plain.Order.GetTrunkDid().Dids[1:]
		return plain
	}
	all := func(key string) *portinv1.ResubmitPortInRequest {
		req := recorrection(resp.GetOrder().GetOrderId(), key)
		req.Order.Target = request(t, key).GetOrder().Target
		return req
	}
	s := status("T-2", "REJECTED", firstNumber)
	s.Disputing = new(false)
	says(d, undisputed("T-1", "REJECTED"), s)
	for name, err := range map[string]error{
		"a plain order":      errOf(d.PortIn(t.Context(), rest(keyOf(5)))),
		"another correction": errOf(d.Resubmit(t.Context(), all(keyOf(6)))),
	} {
		if f := fault.From(err); f == nil || f.Reason != fault.ReasonNumberInOpenOrder || f.Metadata["order_id"] != old.GetOrderId() {
			t.Errorf("%s for the number that was left is told %v", name, err)
		}
	}
	says(d, undisputed("T-1", "EXPIRED"), s)
	if _, err := d.PortIn(t.Context(), rest(keyOf(5))); err != nil {
		t.Errorf("once the old order is over: %v", err)
	}
}

// TestTwoCallsWithOneKeyCorrectOnce has a call overtaken by its twin after each has read the key.
func TestTwoCallsWithOneKeyCorrectOnce(t *testing.T) {
	t.Parallel()
	for _, other := range []bool{false, true} {
		var armed atomic.Bool
		var nested func()
		d := newDesk(t, func(_ *desk, p *intake.Params) {
			p.Reach = func(at intake.Point) {
				if at == intake.PointKeyRead && armed.CompareAndSwap(true, false) {
					nested()
				}
			}
		})
		old := placed(t, d, keyA)
		says(d, undisputed("T-1", "REJECTED"))
		req := correction(old.GetOrderId(), keyB)
		if other {
			req.Order.Form.CustomerAccountNumber = "BC-1"
		}
		var first *portinv1.ResubmitPortInResponse
		nested = func() {
			var err error
			if first, err = d.Resubmit(t.Context(), req); err != nil {
				t.Error(err)
			}
		}
		armed.Store(true)
		resp, err := d.Resubmit(t.Context(), correction(old.GetOrderId(), keyB))
		switch {
		case other && reasonOf(err) != fault.ReasonRequestIDReused:
			t.Errorf("its twin asked for something else: %v", err)
		case !other && (err != nil || !resp.GetReplayed() || resp.GetOrder().GetOrderId() != first.GetOrder().GetOrderId()):
			t.Errorf("replayed %v, %v", resp.GetReplayed(), err)
		}
		if posts, _ := d.carrier.count(); posts != 2 {
			t.Errorf("%d POSTs; want 2", posts)
		}
	}
}

// TestACorrectionThatWasNotSentIsCorrected gives up a correction that would be refused if it was sent again.
func TestACorrectionThatWasNotSentIsCorrected(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, second := corrections(t, d, unsent)
	resp, err := d.Resubmit(t.Context(), recorrection(second.OrderID, keyOf(5)))
	if err != nil || resp.GetOrder().GetCorrectsOrderId() != second.OrderID || resp.GetOrder().GetState() != stateAccepted {
		t.Fatalf("%v, %v", resp, err)
	}
	_, err = d.Resubmit(t.Context(), correction(first.GetOrderId(), keyB))
	if f := fault.From(err); f == nil || f.Reason != fault.ReasonNotCorrectable || f.Metadata["corrected_by_order_id"] != resp.GetOrder().GetOrderId() {
		t.Errorf("sent again: %v", err)
	}
	if posts, _ := d.carrier.count(); posts != 3 { // one of them was not sent
		t.Errorf("%d POSTs; want 3", posts)
	}
}

// TestTheCarrierHasACorrectionThatWasGivenUp has the answer to a POST come after an operator has decided that it was none, and
// somebody has corrected the order.
func TestTheCarrierHasACorrectionThatWasGivenUp(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first := placed(t, d, keyA)
	says(d, undisputed("T-1", "REJECTED"))
	begun, gate, answered := make(chan struct{}), make(chan struct{}), make(chan error)
	d.carrier.submit = func(context.Context, carrier.Call) carrier.Outcome {
		if posts, _ := d.carrier.count(); posts > 2 {
			return accepted(3)
		}
		close(begun)
		<-gate
		return accepted(2)
	}
	go func() { answered <- errOf(d.Resubmit(t.Context(), correction(first.GetOrderId(), keyB))) }()
	<-begun
	second, err := d.ledger.FindKey(t.Context(), intakeTenant, keyB)
	if err != nil {
		t.Fatal(err)
	}
	step(t, d, second.OrderID, order.ByLease, func(r *ledger.Record) { r.State = order.InDoubt })
	if _, err := d.Resolve(t.Context(), wasNotPlaced(second.OrderID)); err != nil {
		t.Fatal(err)
	}
	resp, err := d.Resubmit(t.Context(), recorrection(second.OrderID, keyOf(5)))
	if err != nil {
		t.Fatal(err)
	}
	close(gate)
	if err := <-answered; err != nil {
		t.Error(err)
	}
	now := stands(t, d, second.OrderID)
	if now.GetState() != stateAccepted || now.GetTicketId() != "T-2" || now.GetCorrectedByOrderId() != resp.GetOrder().GetOrderId() {
		t.Errorf("the order that was given up is %v", now)
	}
	if diff := cmp.Diff([]string{"NUMBERS_HELD_TWICE"}, attentions(now)); diff != "" {
		t.Errorf("why it needs attention (-want +got):\n%s", diff)
	}
}
