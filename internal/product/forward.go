package product

import (
	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
)

// callForward is one permanent call forward, of a regular or of a toll-free number: the contract has a message for each,
// the carrier one PermanentCallForwardOrderV2. The pointers lead into the order.
type callForward struct {
	number                 *string
	account                *int64
	planID                 string
	to                     *string
	enabled                *bool
	instructions           string
	label, additionalLabel *string
}

// wireForward is the carrier's PermanentCallForwardOrderV2.
type wireForward struct {
	Account                     int64      `json:"Account"`
	AdditionalLabel             *string    `json:"AdditionalLabel,omitempty"`
	CallForwardingNumber        int64      `json:"CallForwardingNumber"`
	Enabled                     bool       `json:"Enabled"`
	Label                       *string    `json:"Label,omitempty"`
	Number                      wireNumber `json:"Number"`
	PCFProvisioningInstructions string     `json:"PCFProvisioningInstructions"`
	PlanID                      string     `json:"PlanID"`
}

// forwarding gives a spec what both targets of permanent call forwards have. Neither orders an offering: the plan says it
// all.
func forwarding(s Spec, read func(*portinv1.PortInOrder) []callForward) Spec {
	list := s.field() + ".forwards"
	s.phones = func(o *portinv1.PortInOrder) []phone {
		var phones []phone
		for i, f := range read(o) {
			phones = append(phones,
				phone{at: entry(list, i, "number"), value: f.number, role: ported},
				phone{at: entry(list, i, "call_forwarding_number"), value: f.to, role: forwarded, from: f.number})
		}
		return phones
	}
	s.references = func(o *portinv1.PortInOrder) []Reference {
		var refs []Reference
		for i, f := range read(o) {
			// Without an account the plan cannot be looked up; that it is missing is a violation.
			if f.account != nil {
				refs = append(refs, Reference{
					Field: entry(list, i, "plan_id").String(), Kind: Plan, Value: f.planID,
					Plan: carrier.CallForwardPlan, Account: *f.account,
				})
			}
		}
		return refs
	}
	return s
}

// wireForwards writes the product's own list. Account and Enabled are required: 0 and false are sent, and never made up.
func (e *encoder) wireForwards(list string, forwards []callForward) []wireForward {
	wire := make([]wireForward, len(forwards))
	for i, f := range forwards {
		wire[i] = wireForward{
			Account:                     must(e, entry(list, i, "account"), f.account),
			AdditionalLabel:             f.additionalLabel,
			CallForwardingNumber:        e.number(entry(list, i, "call_forwarding_number"), *f.to),
			Enabled:                     must(e, entry(list, i, "enabled"), f.enabled),
			Label:                       f.label,
			Number:                      wireNumber{e.number(entry(list, i, "number"), *f.number)},
			PCFProvisioningInstructions: f.instructions,
			PlanID:                      f.planID,
		}
	}
	return wire
}
