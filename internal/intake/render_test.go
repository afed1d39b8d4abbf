package intake_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/order"
)

// TestAnEventIsRenderedWhole renders an event that has something in every field: one that is added to the contract and left
// empty fails by its name.
func TestAnEventIsRenderedWhole(t *testing.T) {
	t.Parallel()
	r := ledgertest.Full(1)
	r.State, r.Status, r.Closed = order.Accepted, order.StatusRejected, time.Time{}
	e := ledger.Claimed(r, ledger.Entry{
		Actor: ledger.Actor{Kind: ledger.ByOperator, Name: "an operator"}, Note: "a note", Ticket: "another ticket", Unverified: true,
	})
	e.Sequence = 7
	got := intake.RenderEvent(e)
	want := &portinv1.PortInOrderEvent{
		OrderId: r.OrderID, Sequence: 7, EventTime: timestamppb.New(r.Claimed), ActorKind: byOperator, Actor: "an operator", Type: eventClaimed,
		Attempt: 1, State: stateAccepted, CarrierStatus: portinv1.CarrierStatus_CARRIER_STATUS_REJECTED, CarrierStatusWord: "REJECTED",
		CarrierStatusValidated: true, Disputing: true, TicketId: "another ticket", Unverified: true, PortDate: r.PortDate,
		Category: portinv1.Category_CATEGORY_OPEN,
		AttentionCodes: []portinv1.AttentionCode{
			portinv1.AttentionCode_ATTENTION_CODE_NO_TICKET, portinv1.AttentionCode_ATTENTION_CODE_LATE_ANSWER,
		},
		CorrectsOrderId: r.Predecessor, CorrectedByOrderId: r.Successor, Note: "a note",
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("the event (-want +got):\n%s", diff)
	}
	message := got.ProtoReflect()
	for fields, i := message.Descriptor().Fields(), 0; i < fields.Len(); i++ {
		if fd := fields.Get(i); !message.Has(fd) {
			t.Errorf("%s is empty", fd.FullName())
		}
	}
}
