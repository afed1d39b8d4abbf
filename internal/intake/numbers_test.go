package intake_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
)

func TestANumberIsInOneOpenOrder(t *testing.T) {
	t.Parallel()
	open := status(ticket(1), "CONFIRMED")
	for _, c := range []struct {
		name     string
		outcome  carrier.Outcome
		byTicket func(context.Context, string) (carrier.Status, error)
		held     bool
	}{
		{"accepted", accepted(1), func(context.Context, string) (carrier.Status, error) { return open, nil }, true},
		{"accepted and rejected since", accepted(1), func(context.Context, string) (carrier.Status, error) { return status(ticket(1), "REJECTED"), nil }, true},
		{"accepted and closed since", accepted(1), func(context.Context, string) (carrier.Status, error) { return status(ticket(1), "COMPLETED"), nil }, false},
		{"accepted and the carrier is down", accepted(1), func(context.Context, string) (carrier.Status, error) {
			return status(ticket(1), "COMPLETED"), fault.New(fault.ReasonCarrierUnreadable, "down")
		}, true},
		{"accepted without a ticket", carrier.Outcome{Settlement: carrier.Accepted}, func(context.Context, string) (carrier.Status, error) { return status("", "COMPLETED"), nil }, true},
		{"in doubt", carrier.Outcome{Settlement: carrier.InDoubt}, func(context.Context, string) (carrier.Status, error) { return status("", "COMPLETED"), nil }, true},
		{"refused", carrier.Outcome{Settlement: carrier.Refused, Fault: fault.New(fault.ReasonCarrierRefused, "no")}, nil, false},
		{"not sent", carrier.Outcome{Settlement: carrier.NotSent, Fault: fault.New(fault.ReasonCarrierBusy, "busy")}, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.carrier.submit = func(context.Context, carrier.Call) carrier.Outcome {
				if posts, _ := d.carrier.count(); posts > 1 {
					return accepted(posts)
				}
				return c.outcome
			}
			d.carrier.byTicket = c.byTicket
			first, err := d.PortIn(t.Context(), request(t, keyA))
			holder := first.GetOrder().GetOrderId()
			if err != nil {
				holder = fault.From(err).Metadata["order_id"]
			}
			_, err = d.PortIn(t.Context(), request(t, keyB, "416-555-0124", "416-555-0130"))
			if !c.held {
				if err != nil {
					t.Errorf("the number is not free: %v", err)
				}
				return
			}
			want := map[string]string{"order_id": holder, "number": "+14165550124"}
			if f := fault.From(err); f == nil || f.Reason != fault.ReasonNumberInOpenOrder || !cmp.Equal(want, f.Metadata) {
				t.Errorf("the second order answers %v; want NUMBER_IN_OPEN_ORDER with %v", err, want)
			}
			if posts, _ := d.carrier.count(); posts != 1 {
				t.Errorf("%d POSTs, want 1", posts)
			}
		})
	}
}

// What the carrier says under a ticket that the holder no longer has by the time it is written down frees none of its numbers.
func TestTheWordAboutATicketOfBeforeFreesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	holder := placed(t, d, keyA)
	d.carrier.byTicket = func(_ context.Context, asked string) (carrier.Status, error) {
		step(t, d, holder.GetOrderId(), 0, func(r *ledger.Record) { r.Ticket = "T-9" }) //nolint:contextcheck // found by its number meanwhile, by somebody else
		return status(asked, "COMPLETED"), nil
	}
	if _, err := d.PortIn(t.Context(), request(t, keyB)); reasonOf(err) != fault.ReasonNumberInOpenOrder {
		t.Errorf("another order is answered %v", err)
	}
	if got := stands(t, d, holder.GetOrderId()); got.GetTicketId() != "T-9" || got.GetCarrierStatusWord() != "" {
		t.Errorf("the holder is %v", got)
	}
}

func TestARefusedClaimUsesNoKey(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if _, err := d.PortIn(t.Context(), request(t, keyA)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.PortIn(t.Context(), request(t, keyB)); reasonOf(err) != fault.ReasonNumberInOpenOrder {
		t.Fatal(err)
	}
	if _, err := d.PortIn(t.Context(), request(t, keyB, "416-555-0140")); err != nil {
		t.Errorf("the key of an order that was never claimed is used up: %v", err)
	}
}

func TestTwoOrdersDoNotShareATicket(t *testing.T) {
	t.Parallel()
	d := newDesk(t, withSubmit(func(context.Context, carrier.Call) carrier.Outcome { return accepted(1) }))
	if _, err := d.PortIn(t.Context(), request(t, keyA)); err != nil {
		t.Fatal(err)
	}
	resp, err := d.PortIn(t.Context(), request(t, keyB, "416-555-0140"))
	if err != nil || resp.GetOrder().GetTicketId() != "" || !resp.GetOrder().GetNeedsAttention() {
		t.Errorf("an order with another one's ticket answers %v, %v; want it accepted without one and noticed", resp, err)
	}
	all := timeline(t, d, resp.GetOrder().GetOrderId())
	if !slices.ContainsFunc(all, func(e *portinv1.PortInOrderEvent) bool {
		return strings.Contains(e.GetNote(), "it named ticket "+ticket(1))
	}) {
		t.Errorf("the order's events do not say which ticket the carrier named: %v", all)
	}
}

func TestAttentionsSayWhyAPersonShouldLook(t *testing.T) {
	t.Parallel()
	const (
		deferred    = portinv1.AttentionCode_ATTENTION_CODE_REPLY_DEFERRED
		conditional = portinv1.AttentionCode_ATTENTION_CODE_REPLY_CONDITIONAL
		noTicket    = portinv1.AttentionCode_ATTENTION_CODE_NO_TICKET
	)
	for _, c := range []struct {
		outcome carrier.Outcome
		want    []portinv1.AttentionCode
	}{
		{carrier.Outcome{Settlement: carrier.Accepted, Reply: carrier.ReplyAccepted, Ticket: "T-1"}, nil},
		{carrier.Outcome{Settlement: carrier.Accepted, Reply: carrier.ReplyAccepted}, []portinv1.AttentionCode{noTicket}},
		{carrier.Outcome{Settlement: carrier.Accepted, Reply: carrier.ReplyDeferred, Ticket: "T-1"}, []portinv1.AttentionCode{deferred}},
		{carrier.Outcome{Settlement: carrier.Accepted, Reply: carrier.ReplyDeferred}, []portinv1.AttentionCode{deferred, noTicket}},
		{carrier.Outcome{Settlement: carrier.Accepted, Reply: carrier.ReplyConditional, Ticket: "T-1"}, []portinv1.AttentionCode{conditional}},
		{carrier.Outcome{Settlement: carrier.InDoubt, Reply: carrier.ReplyDeferred}, nil},
	} {
		d := newDesk(t, withSubmit(func(context.Context, carrier.Call) carrier.Outcome { return c.outcome }))
		resp, err := d.PortIn(t.Context(), request(t, keyA))
		if err != nil {
			t.Fatal(err)
		}
		var got []portinv1.AttentionCode
		for _, a := range resp.GetOrder().GetAttentions() {
			if a.GetDescription() == "" || a.GetStartTime() == nil {
				t.Errorf("%v says nothing", a)
			}
			got = append(got, a.GetCode())
		}
		if diff := cmp.Diff(c.want, got); diff != "" || resp.GetOrder().GetNeedsAttention() != (c.want != nil) {
			t.Errorf("%+v (-want +got):\n%s", c.outcome, diff)
		}
	}
}
