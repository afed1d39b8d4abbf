package product

import portinv1 "github.com/portin/portin/gen/go/portin/v1"

// wirePermanentCallForward is the carrier's NumberPortOrderPermanentCallForwardV2.
type wirePermanentCallForward struct {
	Forwards []wireForward   `json:"Forwards"`
	PortForm wireRegularForm `json:"PortForm"`
}

// permanentCallForward ports regular numbers in, each forwarded for good.
func permanentCallForward() Spec {
	s := forwarding(Spec{
		Arm:         "permanent_call_forward",
		Operation:   "PermanentCallForwards",
		Path:        "/v2/NumberPorts/Inbound/PermanentCallForwards",
		ProductType: 5,
	}, readPermanentCallForwards)
	s.body = func(o *portinv1.PortInOrder, e *encoder) any {
		return wirePermanentCallForward{
			Forwards: e.wireForwards("order.permanent_call_forward.forwards", readPermanentCallForwards(o)),
			PortForm: e.regularForm(o.GetForm()),
		}
	}
	return s
}

// readPermanentCallForwards gives the shape that both targets of forwards share.
func readPermanentCallForwards(o *portinv1.PortInOrder) []callForward {
	return shapes(o.GetPermanentCallForward().GetForwards(), func(f *portinv1.PermanentCallForward_Forward) callForward {
		return callForward{
			number: &f.Number, account: f.Account, planID: f.GetPlanId(), to: &f.CallForwardingNumber, enabled: f.Enabled,
			instructions: f.GetProvisioningInstructions(), label: f.Label, additionalLabel: f.AdditionalLabel,
		}
	})
}
