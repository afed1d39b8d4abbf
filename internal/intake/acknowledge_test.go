package intake_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/identity"
	"github.com/portin/portin/internal/ledger"
)

// acknowledge is an operator's word that a reason for attention was looked into.
func acknowledge(id string, code portinv1.AttentionCode) *portinv1.AcknowledgeAttentionRequest {
	return &portinv1.AcknowledgeAttentionRequest{OrderId: id, Code: &code, Reason: "one of the two was cancelled"}
}

// troubled is an order that needs attention for these reasons.
func troubled(t *testing.T, d *desk, why ...ledger.AttentionCode) *portinv1.PortInOrder {
	t.Helper()
	o := placed(t, d, keyA)
	step(t, d, o.GetOrderId(), 0, func(r *ledger.Record) {
		for _, code := range why {
			r.Attend(code, "look at it", time.Now())
		}
	})
	return stands(t, d, o.GetOrderId())
}

func TestAttentionIsAcknowledged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		was := troubled(t, d, ledger.AttentionLateAnswer, ledger.AttentionNumbersHeldTwice)
		pass(time.Second)
		ctx := identity.With(t.Context(), identity.Caller{Name: "night-shift", Tenant: tenant})
		once, err := d.Acknowledge(ctx, acknowledge(was.GetOrderId(), portinv1.AttentionCode_ATTENTION_CODE_LATE_ANSWER))
		if err != nil {
			t.Fatal(err)
		}
		want := stands(t, d, was.GetOrderId())
		if diff := cmp.Diff(want, once, protocmp.Transform()); diff != "" {
			t.Errorf("answered (-as it is +got):\n%s", diff)
		}
		rest := protocmp.IgnoreFields(&portinv1.PortInOrder{}, "update_time", "attentions")
		if diff := cmp.Diff(was, once, protocmp.Transform(), rest); diff != "" {
			t.Errorf("something else has changed (-was +is):\n%s", diff)
		}
		if diff := cmp.Diff(was.GetAttentions()[1:], once.GetAttentions(), protocmp.Transform()); diff != "" || !once.GetNeedsAttention() {
			t.Errorf("reasons (-want +got):\n%s", diff)
		}
		events, err := d.Events(t.Context(), &portinv1.ListPortInOrderEventsRequest{OrderId: was.GetOrderId()})
		if err != nil {
			t.Fatal(err)
		}
		told := events.GetEvents()[len(events.GetEvents())-1]
		if told.GetType() != portinv1.PortInOrderEventType_PORT_IN_ORDER_EVENT_TYPE_ATTENTION_CHANGED || told.GetNote() != "one of the two was cancelled" ||
			told.GetActor() != "night-shift" || told.GetActorKind() != portinv1.ActorKind_ACTOR_KIND_OPERATOR {
			t.Errorf("the event is %v", told)
		}

		// Once more is the same, and writes nothing.
		pass(time.Second)
		again, err := d.Acknowledge(ctx, acknowledge(was.GetOrderId(), portinv1.AttentionCode_ATTENTION_CODE_LATE_ANSWER))
		if diff := cmp.Diff(once, again, protocmp.Transform()); diff != "" || err != nil {
			t.Errorf("once more: %v (-once +again):\n%s", err, diff)
		}
		last, err := d.Acknowledge(ctx, acknowledge(was.GetOrderId(), portinv1.AttentionCode_ATTENTION_CODE_NUMBERS_HELD_TWICE))
		if err != nil || last.GetNeedsAttention() || len(last.GetAttentions()) != 0 {
			t.Errorf("after both: %v, %v", last.GetAttentions(), err)
		}
	})
}

// That an order in doubt waits for a decision is over with the decision, and not before.
func TestWhichAttentionIsAcknowledged(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	was := troubled(t, d, ledger.AttentionCodes()...)
	for _, code := range ledger.AttentionCodes() {
		word := portinv1.AttentionCode(portinv1.AttentionCode_value["ATTENTION_CODE_"+string(code)])
		o, err := d.Acknowledge(t.Context(), acknowledge(was.GetOrderId(), word))
		if code == ledger.AttentionInDoubtUnresolved {
			if v := fault.From(err).Violations; !fault.Is(err, fault.ReasonInvalidFields) || len(v) != 1 || v[0].Field != "code" {
				t.Errorf("%s: %v", code, err)
			}
			continue
		}
		if err != nil || slices.ContainsFunc(o.GetAttentions(), func(a *portinv1.Attention) bool { return a.GetCode() == word }) {
			t.Errorf("%s: %v, %v", code, o.GetAttentions(), err)
		}
	}
	if left := stands(t, d, was.GetOrderId()).GetAttentions(); len(left) != 1 || left[0].GetCode() != portinv1.AttentionCode_ATTENTION_CODE_IN_DOUBT_UNRESOLVED {
		t.Errorf("what is left is %v", left)
	}
}

// Of an order that makes no progress it is told again after as long: what a person has looked into today is not forgotten for ever.
func TestNoProgressIsCountedAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		was := troubled(t, d, ledger.AttentionNoProgress, ledger.AttentionDateChanged)
		want := time.Now()
		pass(time.Hour)
		for _, code := range []portinv1.AttentionCode{
			portinv1.AttentionCode_ATTENTION_CODE_DATE_CHANGED, portinv1.AttentionCode_ATTENTION_CODE_NO_PROGRESS,
		} {
			if _, err := d.Acknowledge(t.Context(), acknowledge(was.GetOrderId(), code)); err != nil {
				t.Fatal(err)
			}
			if code == portinv1.AttentionCode_ATTENTION_CODE_NO_PROGRESS {
				want = time.Now()
			}
			if r := step(t, d, was.GetOrderId(), 0, func(*ledger.Record) {}); !r.Progressed.Equal(want) {
				t.Errorf("after %s the order progressed at %v, want %v", code, r.Progressed, want)
			}
		}
	})
}

func TestWhoseAttentionIsAcknowledged(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	was := troubled(t, d, ledger.AttentionLateAnswer)
	for name, c := range map[string]struct {
		ctx context.Context
		id  string
	}{
		"another tenant's": {as(t, "globex"), was.GetOrderId()},
		"nobody's":         {t.Context(), "0193e3a0-0000-7000-8000-00000000ffff"},
	} {
		if _, err := d.Acknowledge(c.ctx, acknowledge(c.id, portinv1.AttentionCode_ATTENTION_CODE_LATE_ANSWER)); !fault.Is(err, fault.ReasonOrderNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if now := stands(t, d, was.GetOrderId()); !now.GetNeedsAttention() {
		t.Error("a stranger has acknowledged it")
	}
}

// The reasons of an order whose personal data was removed go on being counted: somebody has to be able to end that.
func TestAttentionOfAnErasedOrderIsAcknowledged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		was := completed(t, d, keyA)
		step(t, d, was.GetOrderId(), 0, func(r *ledger.Record) { r.Attend(ledger.AttentionLateAnswer, "look at it", time.Now()) })
		pass(31 * 24 * time.Hour)
		erased, err := d.Erase(t.Context(), eraseOf(was.GetOrderId()))
		if err != nil || !erased.GetNeedsAttention() {
			t.Fatalf("erased, it needs attention: %v, %v", erased.GetNeedsAttention(), err)
		}
		pass(time.Hour)
		now, err := d.Acknowledge(t.Context(), acknowledge(was.GetOrderId(), portinv1.AttentionCode_ATTENTION_CODE_LATE_ANSWER))
		if err != nil || now.GetNeedsAttention() {
			t.Errorf("acknowledged, it needs attention: %v, %v", now.GetAttentions(), err)
		}
		rest := protocmp.IgnoreFields(&portinv1.PortInOrder{}, "update_time", "attentions", "needs_attention")
		if diff := cmp.Diff(erased, now, protocmp.Transform(), rest); diff != "" {
			t.Errorf("something else has changed (-was +is):\n%s", diff)
		}
		if counts, err := d.ledger.Count(t.Context()); err != nil || counts.NeedsAttention != 0 {
			t.Errorf("%d orders need attention, %v", counts.NeedsAttention, err)
		}
	})
}
