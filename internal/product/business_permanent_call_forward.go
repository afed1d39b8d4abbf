package product

import portinv1 "github.com/portin/portin/gen/go/portin/v1"

// wireBusinessPermanentCallForward is the carrier's NumberPortOrderBusinessPermanentCallForward.
type wireBusinessPermanentCallForward struct {
	BusinessGroupSubscriptionID string                 `json:"BusinessGroupSubscriptionID"`
	ForwardingInstructions      []wireForwardingDetail `json:"ForwardingInstructions"`
	OfferingID                  string                 `json:"OfferingID"`
	PortForm                    wireRegularForm        `json:"PortForm"`
}

// wireForwardingDetail is the carrier's ForwardingDetail: TN receives the call, ForwardingTN is where it goes on to.
type wireForwardingDetail struct {
	ForwardingTN int64 `json:"ForwardingTN"`
	TN           int64 `json:"TN"`
}

// forwardingInstructions is the list that violations name.
const forwardingInstructions = "order.business_permanent_call_forward.forwarding_instructions"

// businessPermanentCallForward ports regular numbers in as forwards of a business group. Unlike the other forwards it
// orders an offering and has no plan.
func businessPermanentCallForward() Spec {
	s := Spec{
		Arm:         "business_permanent_call_forward",
		Operation:   "BusinessPermanentCallForwards",
		Path:        "/NumberPorts/Inbound/BusinessPermanentCallForwards",
		ProductType: 6,
	}
	s.phones = func(o *portinv1.PortInOrder) []phone {
		var phones []phone
		for i, f := range entries(o.GetBusinessPermanentCallForward().GetForwardingInstructions()) {
			phones = append(phones,
				phone{at: entry(forwardingInstructions, i, "number"), value: &f.Number, role: ported},
				phone{
					at:    entry(forwardingInstructions, i, "forwarding_number"),
					value: &f.ForwardingNumber, role: forwarded, from: &f.Number,
				})
		}
		return phones
	}
	s.body = func(o *portinv1.PortInOrder, e *encoder) any {
		t := o.GetBusinessPermanentCallForward()
		wire := wireBusinessPermanentCallForward{
			BusinessGroupSubscriptionID: t.GetBusinessGroupSubscriptionId(),
			OfferingID:                  t.GetOfferingId(),
			PortForm:                    e.regularForm(o.GetForm()),
		}
		for i, f := range entries(t.GetForwardingInstructions()) {
			wire.ForwardingInstructions = append(wire.ForwardingInstructions, wireForwardingDetail{
				ForwardingTN: e.number(entry(forwardingInstructions, i, "forwarding_number"), f.GetForwardingNumber()),
				TN:           e.number(entry(forwardingInstructions, i, "number"), f.GetNumber()),
			})
		}
		return wire
	}
	// Whether the group's subscription can be looked up is not known; the directory turns a miss into a warning.
	s.references = func(o *portinv1.PortInOrder) []Reference {
		t := o.GetBusinessPermanentCallForward()
		return []Reference{s.offering(t.GetOfferingId()), {
			Field: "order.business_permanent_call_forward.business_group_subscription_id",
			Kind:  BusinessGroupSubscription,
			Value: t.GetBusinessGroupSubscriptionId(),
		}}
	}
	return s
}
