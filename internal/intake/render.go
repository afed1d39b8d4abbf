package intake

import (
	"errors"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/contract"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/reject"
)

// Render is an order as callers see it. Rejects that cannot be read are left out: while replicas are replaced one after the
// other a newer one may have written them, and nobody should be kept from the order by them.
func Render(r ledger.Record) (*portinv1.PortInOrder, error) {
	o, unread, _ := render(r)
	if unread != nil {
		return nil, fault.Internal(unread)
	}
	return o, nil
}

// render is an order with all of it that can be read, and why there is no more: of what the caller gave, and of its rejects.
func render(r ledger.Record) (o *portinv1.PortInOrder, unread, unreadRejects error) {
	content, err := contentIn(r)
	if err != nil {
		content, unread = &portinv1.PortInOrder{}, err // what was read up to there is no order
	}
	warnings, err := unpack(r.Warnings)
	if err != nil {
		unread = errors.Join(unread, err)
	}
	rejects, unreadRejects := reject.Unpack(r.Rejects)
	o = preview(content, r.Numbers, warnings.GetWarnings())
	o.OrderId = r.OrderID
	if !r.Elsewhere { // then it is nobody's key
		o.RequestId = r.RequestID
	}
	o.State = contract.State(r.State)
	o.Attempt = int32(r.Attempt)
	o.NeedsAttention = len(r.Attention) > 0
	for _, a := range r.Attention {
		o.Attentions = append(o.Attentions, &portinv1.Attention{Code: attentionCode(a.Code), Description: a.Description, StartTime: stamp(a.Since)})
	}
	o.TicketId = r.Ticket
	o.CarrierReply = portinv1.CarrierReply(portinv1.CarrierReply_value["CARRIER_REPLY_"+r.Reply])
	o.CarrierMessage = r.Message
	o.CarrierErrorId = r.ErrorID
	o.ErrorReason = reason(r.Reason)
	o.ErrorMessage = r.Problem
	o.CarrierStatus = contract.Status(r.Status)
	o.CarrierStatusWord = string(r.Status)
	o.Category = contract.Category(r.Category())
	o.CarrierStatusValidated, o.Disputing, o.PortDate = r.Validated, r.Disputing, r.PortDate
	o.Rejects = reject.Explain(rejects)
	o.PlacedElsewhere, o.HistoryId, o.CorrectsOrderId, o.CorrectedByOrderId = r.Elsewhere, r.History, r.Predecessor, r.Successor
	o.CheckTime = stamp(r.Checked)
	o.CreateTime = stamp(r.Created)
	o.UpdateTime = stamp(r.Updated)
	o.ClaimTime = stamp(r.Claimed)
	o.SettleTime = stamp(r.Settled)
	o.CloseTime = stamp(r.Closed)
	o.EraseTime = stamp(r.Erased)
	return o, unread, unreadRejects
}

// RenderEvent is an event as callers see it.
func RenderEvent(e ledger.Event) *portinv1.PortInOrderEvent {
	out := &portinv1.PortInOrderEvent{
		OrderId: e.OrderID, Sequence: e.Sequence, EventTime: stamp(e.Time),
		ActorKind: portinv1.ActorKind(portinv1.ActorKind_value["ACTOR_KIND_"+string(e.Actor.Kind)]), Actor: e.Actor.Name,
		Type:    portinv1.PortInOrderEventType(portinv1.PortInOrderEventType_value["PORT_IN_ORDER_EVENT_TYPE_"+string(e.Type)]),
		Attempt: int32(e.Attempt), State: contract.State(e.State), CarrierStatus: contract.Status(e.Status),
		CarrierStatusWord: string(e.Status), CarrierStatusValidated: e.Validated, Disputing: e.Disputing, TicketId: e.Ticket,
		Unverified: e.Unverified, PortDate: e.PortDate, Category: contract.Category(e.Is.Category()),
		CorrectsOrderId: e.Predecessor, CorrectedByOrderId: e.Successor, Note: e.Note,
	}
	for _, code := range e.Attention {
		out.AttentionCodes = append(out.AttentionCodes, attentionCode(code))
	}
	return out
}

// preview is an order that was only validated: what was understood, and the warnings. The content is the caller's own.
func preview(o *portinv1.PortInOrder, numbers []string, warnings []*portinv1.Warning) *portinv1.PortInOrder {
	o.Numbers = numbers
	o.Warnings = warnings
	return o
}

// reason is the contract's value for a fault's reason; rpc's tests hold the two lists together.
func reason(r fault.Reason) portinv1.ErrorReason {
	return portinv1.ErrorReason(portinv1.ErrorReason_value["ERROR_REASON_"+string(r)])
}

// stamp is a time as callers see it; one that has not come yet is absent.
func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
