package product

import portinv1 "github.com/portin/portin/gen/go/portin/v1"

// wireTollFreePermanentCallForward is the carrier's NumberPortTollFreeOrderPermanentCallForwardV2.
type wireTollFreePermanentCallForward struct {
	Forwards []wireForward    `json:"Forwards"`
	PortForm wireTollFreeForm `json:"PortForm"`
}

// tollFreePermanentCallForward ports toll-free numbers in, each forwarded for good. Its product type is that of
// permanentCallForward: the numbers decide which of the two operations it is.
func tollFreePermanentCallForward() Spec {
	s := forwarding(Spec{
		Arm:         "toll_free_permanent_call_forward",
		Operation:   "TollFree/PermanentCallForwards",
		Path:        "/v2/NumberPorts/Inbound/TollFree/PermanentCallForwards",
		TollFree:    true,
		ProductType: 5,
	}, readTollFreePermanentCallForwards)
	s.body = func(o *portinv1.PortInOrder, e *encoder) any {
		return wireTollFreePermanentCallForward{
			Forwards: e.wireForwards("order.toll_free_permanent_call_forward.forwards", readTollFreePermanentCallForwards(o)),
			PortForm: e.tollFreeForm(o.GetForm()),
		}
	}
	return s
}

// readTollFreePermanentCallForwards gives the shape that both targets of forwards share.
func readTollFreePermanentCallForwards(o *portinv1.PortInOrder) []callForward {
	list := o.GetTollFreePermanentCallForward().GetForwards()
	return shapes(list, func(f *portinv1.TollFreePermanentCallForward_Forward) callForward {
		return callForward{
			number: &f.Number, account: f.Account, planID: f.GetPlanId(), to: &f.CallForwardingNumber, enabled: f.Enabled,
			instructions: f.GetProvisioningInstructions(), label: f.Label, additionalLabel: f.AdditionalLabel,
		}
	})
}
