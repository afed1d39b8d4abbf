package product

import portinv1 "github.com/portin/portin/gen/go/portin/v1"

// wireGeneralProduct is the carrier's NumberPortOrderGeneralProduct. It has no list of its own: the numbers stand in the
// form alone.
type wireGeneralProduct struct {
	OfferingID string          `json:"OfferingID"`
	PortForm   wireRegularForm `json:"PortForm"`
}

// generalProduct ports regular numbers in, each as a product of its own.
func generalProduct() Spec {
	s := Spec{
		Arm:         "general_product",
		Operation:   "GeneralProducts",
		Path:        "/NumberPorts/Inbound/GeneralProducts",
		ProductType: 1,
	}
	s.phones = func(o *portinv1.PortInOrder) []phone {
		return portedList("order.general_product.numbers", o.GetGeneralProduct().GetNumbers())
	}
	s.body = func(o *portinv1.PortInOrder, e *encoder) any {
		return wireGeneralProduct{
			OfferingID: o.GetGeneralProduct().GetOfferingId(),
			PortForm:   e.regularForm(o.GetForm()),
		}
	}
	s.references = func(o *portinv1.PortInOrder) []Reference {
		return []Reference{s.offering(o.GetGeneralProduct().GetOfferingId())}
	}
	return s
}
