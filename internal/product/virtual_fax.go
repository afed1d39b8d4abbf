package product

import portinv1 "github.com/portin/portin/gen/go/portin/v1"

// wireVirtualFax is the carrier's NumberPortOrderVirtualFax. It has no list of its own: the numbers stand in the form
// alone.
type wireVirtualFax struct {
	FaxEmail   string          `json:"FaxEmail"`
	OfferingID string          `json:"OfferingID"`
	PortForm   wireRegularForm `json:"PortForm"`
}

// virtualFax ports regular numbers in as fax numbers that deliver to a mailbox, one for the whole order.
func virtualFax() Spec {
	s := Spec{
		Arm:         "virtual_fax",
		Operation:   "VirtualFaxes",
		Path:        "/NumberPorts/Inbound/VirtualFaxes",
		ProductType: 7,
	}
	s.phones = func(o *portinv1.PortInOrder) []phone {
		return portedList("order.virtual_fax.numbers", o.GetVirtualFax().GetNumbers())
	}
	s.body = func(o *portinv1.PortInOrder, e *encoder) any {
		return wireVirtualFax{
			FaxEmail:   o.GetVirtualFax().GetFaxEmail(),
			OfferingID: o.GetVirtualFax().GetOfferingId(),
			PortForm:   e.regularForm(o.GetForm()),
		}
	}
	s.references = func(o *portinv1.PortInOrder) []Reference {
		return []Reference{s.offering(o.GetVirtualFax().GetOfferingId())}
	}
	return s
}
