package intake

import (
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/order"
)

var (
	states = map[order.State]portinv1.OrderState{
		order.Sending:  portinv1.OrderState_ORDER_STATE_SENDING,
		order.NotSent:  portinv1.OrderState_ORDER_STATE_NOT_SENT,
		order.Refused:  portinv1.OrderState_ORDER_STATE_REFUSED,
		order.InDoubt:  portinv1.OrderState_ORDER_STATE_IN_DOUBT,
		order.Accepted: portinv1.OrderState_ORDER_STATE_ACCEPTED,
	}
	replies = map[carrier.Reply]portinv1.CarrierReply{
		carrier.ReplyNone:        portinv1.CarrierReply_CARRIER_REPLY_UNSPECIFIED,
		carrier.ReplyRejected:    portinv1.CarrierReply_CARRIER_REPLY_REJECTED,
		carrier.ReplyAccepted:    portinv1.CarrierReply_CARRIER_REPLY_ACCEPTED,
		carrier.ReplyDeferred:    portinv1.CarrierReply_CARRIER_REPLY_DEFERRED,
		carrier.ReplyConditional: portinv1.CarrierReply_CARRIER_REPLY_CONDITIONAL,
		carrier.ReplyError:       portinv1.CarrierReply_CARRIER_REPLY_ERROR,
	}
)

// render is an order as callers see it.
func render(r Record) *portinv1.PortInOrder {
	o := preview(r.Content, r.Numbers, r.Warnings)
	o.OrderId = r.OrderID
	o.RequestId = r.RequestID
	o.State = states[r.State]
	o.Attempt = int32(r.Attempt)
	o.NeedsAttention = len(r.Attention) > 0
	for _, a := range r.Attention {
		o.Attentions = append(o.Attentions, &portinv1.Attention{Code: a.Code, Description: a.Description, StartTime: stamp(a.Since)})
	}
	o.TicketId = r.Ticket
	o.CarrierReply = replies[r.Reply]
	o.CarrierMessage = r.Message
	o.CarrierErrorId = r.ErrorID
	o.ErrorReason = reason(r.Reason)
	o.ErrorMessage = r.Problem
	if r.State == order.Accepted {
		o.Category = portinv1.Category_CATEGORY_OPEN // its status is not asked for yet
	}
	o.CreateTime = stamp(r.Created)
	o.UpdateTime = stamp(r.Updated)
	o.ClaimTime = stamp(r.Claimed)
	o.SettleTime = stamp(r.Settled)
	return o
}

// preview is an order that was only validated: what was understood, and the warnings.
func preview(content *portinv1.PortInOrder, numbers []string, warnings []*portinv1.Warning) *portinv1.PortInOrder {
	o := proto.CloneOf(content)
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
