package intake_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/identity"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

const withdrawn = "the porting team has withdrawn it"

// closing is an operator's word that a port-in is over.
func closing(id string, unverified bool) *portinv1.ClosePortInOrderRequest {
	return &portinv1.ClosePortInOrderRequest{OrderId: id, Reason: withdrawn, Unverified: unverified}
}

// forgotten has the carrier know of no port-in.
func forgotten(d *desk) { says(d); d.carrier.byNumber = nothing }

// An order of which the carrier has nothing more to say would hold its numbers for ever.
func TestAnOrderThatTheCarrierForgotIsClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		was := placed(t, d, keyA)
		step(t, d, was.GetOrderId(), 0, func(r *ledger.Record) {
			for _, code := range ledger.AttentionCodes() {
				r.Attend(code, "look at it", time.Now())
			}
		})
		was = stands(t, d, was.GetOrderId())
		forgotten(d)
		pass(time.Second)

		_, err := d.Close(t.Context(), closing(was.GetOrderId(), false))
		want := map[string]string{"order_id": was.GetOrderId()}
		if f := fault.From(err); !fault.Is(err, fault.ReasonClosingUnverified) || !cmp.Equal(f.Metadata, want) {
			t.Fatalf("nobody's word is enough: %v, %v", err, f.Metadata)
		}
		sameOrder(t, was, stands(t, d, was.GetOrderId()))
		if _, err := d.PortIn(t.Context(), request(t, keyB)); !fault.Is(err, fault.ReasonNumberInOpenOrder) {
			t.Fatalf("its numbers are free: %v", err)
		}

		ctx := identity.With(t.Context(), identity.Caller{Name: "night-shift", Tenant: tenant})
		closed, err := d.Close(ctx, closing(was.GetOrderId(), true))
		if err != nil {
			t.Fatal(err)
		}
		is := was
		is.Category, is.CloseTime, is.UpdateTime = portinv1.Category_CATEGORY_CLOSED, timestamppb.Now(), timestamppb.Now()
		is.Attentions = nil
		for _, code := range []portinv1.AttentionCode{portinv1.AttentionCode_ATTENTION_CODE_LATE_ANSWER, portinv1.AttentionCode_ATTENTION_CODE_NUMBERS_HELD_TWICE} {
			is.Attentions = append(is.Attentions, &portinv1.Attention{Code: code, Description: "look at it", StartTime: was.GetCreateTime()})
		}
		sameOrder(t, is, closed)
		sameOrder(t, is, stands(t, d, was.GetOrderId()))
		told := timeline(t, d, was.GetOrderId())
		told = told[len(told)-2:]
		wantEvent := &portinv1.PortInOrderEvent{
			OrderId: was.GetOrderId(), Sequence: told[0].GetSequence(), EventTime: timestamppb.Now(), ActorKind: portinv1.ActorKind_ACTOR_KIND_OPERATOR,
			Actor: "night-shift", Type: portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_CLOSED, Attempt: 1, State: stateAccepted,
			TicketId: "T-1", Unverified: true, Category: portinv1.Category_CATEGORY_CLOSED, Note: withdrawn,
			AttentionCodes: []portinv1.AttentionCode{is.GetAttentions()[0].GetCode(), is.GetAttentions()[1].GetCode()},
		}
		if diff := cmp.Diff(wantEvent, told[0], protocmp.Transform()); diff != "" {
			t.Errorf("the event (-want +got):\n%s", diff)
		}
		if told[1].GetType() != portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_ATTENTION_CHANGED || told[1].GetUnverified() {
			t.Errorf("the event after it is %v", told[1])
		}
		if r, err := d.ledger.Find(t.Context(), intakeTenant, was.GetOrderId()); err != nil || !r.Due.IsZero() {
			t.Errorf("it is due %v, %v", r.Due, err)
		}

		// Once more is the same, asks nobody and writes nothing.
		pass(time.Second)
		d.carrier.byTicket = func(context.Context, string) (carrier.Status, error) {
			t.Error("the carrier is asked about an order that is closed")
			return carrier.Status{}, errNone
		}
		again, err := d.Close(t.Context(), closing(was.GetOrderId(), false))
		if err != nil {
			t.Fatal(err)
		}
		sameOrder(t, is, again)
		// Its key answers it, and its numbers are another's.
		if replay, err := d.PortIn(t.Context(), request(t, keyA)); err != nil || !replay.GetReplayed() || replay.GetOrder().GetOrderId() != was.GetOrderId() {
			t.Errorf("its key answers %v, %v", replay, err)
		}
		if next := placed(t, d, keyB); next.GetState() != stateAccepted || next.GetTicketId() == "T-1" {
			t.Errorf("the next order is %v", next)
		}
	})
}

// What the carrier says decides, where it says that the port-in is over; else it is kept.
func TestWhatTheCarrierSaysBeforeAnOrderIsClosed(t *testing.T) {
	t.Parallel()
	down := fault.New(fault.ReasonCarrierUnreachable, "down")
	for name, c := range map[string]struct {
		ticket, number       carrier.Status
		ticketErr, numberErr error
		word                 string // that the order has then
		over                 bool
		metadata             string // carrier_status
	}{
		"it is over":                   {ticket: status("T-1", "CANCELLED", firstNumber, secondNumber), word: "CANCELLED", over: true},
		"it goes on":                   {ticket: status("T-1", "SUBMITTED", firstNumber, secondNumber), word: "SUBMITTED", metadata: "SUBMITTED"},
		"a new word":                   {ticket: status("T-1", "ODD"), word: "ODD", metadata: "ODD"},
		"of other numbers":             {ticket: status("T-1", "CANCELLED", 4165550999)},
		"nothing":                      {ticketErr: errNone, numberErr: errNone},
		"down":                         {ticketErr: down, numberErr: down},
		"another ticket of its number": {ticketErr: errNone, number: status("T-9", "PENDING", firstNumber, secondNumber), word: "PENDING", metadata: "PENDING"},
	} {
		for _, unverified := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				d := newDesk(t)
				was := placed(t, d, keyA)
				d.carrier.byTicket = func(context.Context, string) (carrier.Status, error) { return c.ticket, c.ticketErr }
				d.carrier.byNumber = func(context.Context, int64) (carrier.Status, error) { return c.number, c.numberErr }
				_, err := d.Close(t.Context(), closing(was.GetOrderId(), unverified))
				now := stands(t, d, was.GetOrderId())
				wantReason, wantMetadata := fault.Reason(""), map[string]string(nil)
				if !c.over && !unverified {
					wantReason, wantMetadata = fault.ReasonClosingUnverified, map[string]string{"order_id": was.GetOrderId()}
					if c.metadata != "" {
						wantMetadata["carrier_status"] = c.metadata
					}
				}
				if reasonOf(err) != wantReason || err != nil && !cmp.Equal(fault.From(err).Metadata, wantMetadata) {
					t.Errorf("answered %v", err)
				}
				closed := now.GetCategory() == portinv1.Category_CATEGORY_CLOSED
				if now.GetCarrierStatusWord() != c.word || closed != (c.over || unverified) || (now.GetCloseTime() != nil) != (unverified && !c.over) {
					t.Errorf("the order is %v", now)
				}
				for _, e := range timeline(t, d, was.GetOrderId())[2:] { // claimed, accepted
					byOperator := e.GetActorKind() == portinv1.ActorKind_ACTOR_KIND_OPERATOR
					if isClosing := e.GetType() == portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_CLOSED; isClosing != e.GetUnverified() || isClosing && !byOperator {
						t.Errorf("an event is %v", e)
					}
				}
				_, err = d.PortIn(t.Context(), request(t, keyB))
				if free := err == nil; free != closed {
					t.Errorf("its numbers are free: %v", err)
				}
			})
		}
	}
}

func TestWhichOrderIsClosed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	was := placed(t, d, keyA)
	forgotten(d)
	for name, c := range map[string]struct {
		ctx context.Context
		id  string
	}{
		"another tenant's": {as(t, "globex"), was.GetOrderId()},
		"nobody's":         {t.Context(), "0193e3a0-0000-7000-8000-00000000ffff"},
	} {
		if _, err := d.Close(c.ctx, closing(c.id, true)); !fault.Is(err, fault.ReasonOrderNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	sameOrder(t, was, stands(t, d, was.GetOrderId()))

	for name, meets := range map[string]func(context.Context, carrier.Call) carrier.Outcome{"in doubt": lost, "refused": refusing, "not sent": unsent} {
		d := newDesk(t, withSubmit(meets))
		_, _ = d.PortIn(t.Context(), request(t, keyA))
		r, err := d.ledger.FindKey(t.Context(), intakeTenant, keyA)
		if err != nil {
			t.Fatal(err)
		}
		before := stands(t, d, r.OrderID)
		if _, err := d.Close(t.Context(), closing(r.OrderID, true)); !fault.Is(err, fault.ReasonOrderNotAccepted) || fault.From(err).Metadata["order_id"] != r.OrderID {
			t.Errorf("%s: %v", name, err)
		}
		sameOrder(t, before, stands(t, d, r.OrderID))
	}
}

// A port-in from elsewhere of which the carrier names no ticket is found by its number alone, or never again.
func TestAPortInFromElsewhereIsClosed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.carrier.byNumber = always(status("", "PENDING", firstNumber), nil)
	o, err := d.Follow(t.Context(), byNumber("416-555-0123"))
	if err != nil || o.GetTicketId() != "" {
		t.Fatalf("%v, %v", o, err)
	}
	d.carrier.byNumber = nil
	closed, err := d.Close(t.Context(), closing(o.GetOrderId(), true))
	if err != nil || closed.GetCategory() != portinv1.Category_CATEGORY_CLOSED || closed.GetNeedsAttention() || closed.GetCarrierStatusWord() != "PENDING" {
		t.Fatalf("%v, %v", closed, err)
	}
	placed(t, d, keyA)
}

// The carrier says that the port-in is over, or somebody else hears so, just when an operator does.
func TestAnOrderThatIsOverMeanwhileIsNotClosed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	was := placed(t, d, keyA)
	d.carrier.byTicket = func(ctx context.Context, _ string) (carrier.Status, error) {
		_, err := d.ledger.Store.Advance(ctx, was.GetOrderId(), ledger.Step{Now: time.Now(), Change: func(r *ledger.Record) (ledger.Entry, error) {
			r.Status = order.StatusCompleted
			return ledger.Entry{Actor: ledger.Actor{Kind: ledger.ByCarrier}}, nil
		}})
		if err != nil {
			t.Error(err)
		}
		return carrier.Status{}, errNone
	}
	d.carrier.byNumber = nothing
	closed, err := d.Close(t.Context(), closing(was.GetOrderId(), true))
	if err != nil || closed.GetCloseTime() != nil || closed.GetCarrierStatusWord() != "COMPLETED" {
		t.Errorf("%v, %v", closed, err)
	}
}

// Whatever somebody hears of it afterwards, it stays closed: its numbers are another's by then.
func TestAnOrderThatWasClosedStaysSo(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, second := corrections(t, d, refusing)
	if _, err := d.Close(t.Context(), closing(first.GetOrderId(), true)); err != nil {
		t.Fatal(err)
	}
	// What its correction held for it is free, without a word of the carrier's.
	d.carrier.byTicket = func(context.Context, string) (carrier.Status, error) {
		return status("T-1", "CONFIRMED", firstNumber, secondNumber), nil
	}
	next := placed(t, d, keyOf(5))
	closed := stands(t, d, first.GetOrderId())
	if closed.GetCategory() != portinv1.Category_CATEGORY_CLOSED || closed.GetCorrectedByOrderId() != second.OrderID {
		t.Errorf("the order is %v", closed)
	}
	if _, err := d.Close(t.Context(), closing(next.GetOrderId(), false)); !fault.Is(err, fault.ReasonClosingUnverified) {
		t.Errorf("the next one: %v", err)
	}
}

func TestALedgerThatDoesNotClose(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	was := placed(t, d, keyA)
	forgotten(d)
	d.ledger.fails(nil, noAdvance)
	if _, err := d.Close(t.Context(), closing(was.GetOrderId(), true)); !fault.Is(err, fault.ReasonLedgerUnavailable) {
		t.Errorf("with nothing to keep: %v", err)
	}
	says(d, status("T-1", "SUBMITTED", firstNumber, secondNumber))
	if _, err := d.Close(t.Context(), closing(was.GetOrderId(), true)); !fault.Is(err, fault.ReasonLedgerUnavailable) || strings.Contains(err.Error(), "request_id") {
		t.Errorf("with something to keep: %v", err) // a call that has no key
	}
	d.ledger.fails(nil, nil)
	ctx, cancel := context.WithCancel(t.Context())
	d.carrier.byTicket = func(context.Context, string) (carrier.Status, error) { cancel(); return carrier.Status{}, errNone }
	if _, err := d.Close(ctx, closing(was.GetOrderId(), true)); !fault.Is(err, fault.ReasonCancelled) {
		t.Errorf("a caller who leaves: %v", err)
	}
	sameOrder(t, was, stands(t, d, was.GetOrderId()))
}

// leaving is the context of a caller who leaves a few glances after the carrier has answered.
type leaving struct {
	context.Context

	mu       sync.Mutex // the ledger glances too
	answered bool
	glances  int
}

func (l *leaving) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.answered {
		return l.Context.Err()
	}
	l.glances--
	if l.glances >= 0 {
		return nil
	}
	return context.Canceled
}

// A caller who leaves just then, or a look whose time is over, has heard nothing: neither that an order is closed nor that none stands.
func TestACallerWhoLeavesAtTheAnswerIsToldNothing(t *testing.T) {
	t.Parallel()
	for glances := range 4 {
		d := newDesk(t)
		was := placed(t, d, keyA)
		ctx := &leaving{Context: through(t.Context()), glances: glances}
		goesOn := func(context.Context, string) (carrier.Status, error) {
			ctx.mu.Lock()
			defer ctx.mu.Unlock()
			ctx.answered = true
			return undisputed("T-1", "CONFIRMED"), nil
		}
		d.carrier.byTicket = goesOn
		if o, err := d.Close(ctx, closing(was.GetOrderId(), false)); err == nil {
			t.Errorf("after %d glances, to be closed: %v", glances, o)
		}
		ctx = &leaving{Context: through(t.Context()), glances: glances}
		req := correction(was.GetOrderId(), keyB)
		req.ValidateOnly = true
		if resp, err := d.Resubmit(ctx, req); err == nil {
			t.Errorf("after %d glances, to be corrected: %v", glances, resp)
		}
	}
}

// Whether the carrier has an order that is in doubt is not known, and no error says that it has not.
func TestAnOrderInDoubtIsNotSaidToBeNone(t *testing.T) {
	t.Parallel()
	for _, s := range []order.State{order.InDoubt, order.Sending} {
		d := newDesk(t, withSubmit(lost))
		_, _ = d.PortIn(t.Context(), request(t, keyA))
		r, err := d.ledger.FindKey(t.Context(), intakeTenant, keyA)
		if err != nil {
			t.Fatal(err)
		}
		if s == order.Sending {
			r = step(t, d, r.OrderID, order.ByOperator, func(r *ledger.Record) { r.State, r.Due, r.Doubt = order.NotSent, time.Time{}, ledger.Doubt{} })
			r.Owner = "another"
			reclaimed(t, d, r)
		}
		_, err = d.Close(t.Context(), closing(r.OrderID, true))
		if f := fault.From(err); !fault.Is(err, fault.ReasonOrderNotAccepted) || !strings.Contains(f.Message, "is "+s.String()+", so it is not known whether the carrier has it; ") {
			t.Errorf("%v: %v", s, err)
		}
	}
}

// What stands there by number under another order's ticket says nothing of this one: it is neither closed by that nor corrected.
func TestAnotherOrdersTicketSaysNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	was := placed(t, d, keyA)
	other := placed(t, d, keyB, "4165550777")
	d.carrier.byTicket = func(context.Context, string) (carrier.Status, error) { return carrier.Status{}, errNone }
	d.carrier.byNumber = func(context.Context, int64) (carrier.Status, error) {
		return undisputed(other.GetTicketId(), "REJECTED"), nil
	}
	_, err := d.Close(t.Context(), closing(was.GetOrderId(), false))
	if f := fault.From(err); !fault.Is(err, fault.ReasonClosingUnverified) || !cmp.Equal(f.Metadata, map[string]string{"order_id": was.GetOrderId()}) {
		t.Errorf("to be closed: %v, %v", err, f.Metadata)
	}
	if _, err := d.Resubmit(t.Context(), correction(was.GetOrderId(), keyOf(5))); !fault.Is(err, fault.ReasonNotCorrectable) {
		t.Errorf("to be corrected: %v", err)
	}
	sameOrder(t, was, stands(t, d, was.GetOrderId()))
	if closed, err := d.Close(t.Context(), closing(was.GetOrderId(), true)); err != nil || closed.GetTicketId() != was.GetTicketId() {
		t.Errorf("closed all the same: %v, %v", closed, err)
	}
}

// A correction that is closed holds its numbers for the order that it corrects, until that one is closed too.
func TestAClosedCorrectionHoldsItsNumbers(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first, second := corrections(t, d, nil)
	if second.State != order.Accepted || !second.Guards {
		t.Fatalf("the correction is %+v", second)
	}
	if closed, err := d.Close(t.Context(), closing(second.OrderID, true)); err != nil || closed.GetCategory() != portinv1.Category_CATEGORY_CLOSED {
		t.Fatalf("%v, %v", closed, err)
	}
	if _, err := d.PortIn(t.Context(), request(t, keyOf(5))); !fault.Is(err, fault.ReasonNumberInOpenOrder) {
		t.Fatalf("while the first one stands: %v", err)
	}
	if _, err := d.Close(t.Context(), closing(first.GetOrderId(), true)); err != nil {
		t.Fatal(err)
	}
	placed(t, d, keyOf(6))
}
