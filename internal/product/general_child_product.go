package product

import portinv1 "github.com/portin/portin/gen/go/portin/v1"

// wireGeneralChildProduct is the carrier's NumberPortOrderGeneralChildProduct. It has no list of its own: the numbers
// stand in the form alone.
type wireGeneralChildProduct struct {
	OfferingID           string          `json:"OfferingID"`
	ParentSubscriptionID string          `json:"ParentSubscriptionID"`
	PortForm             wireRegularForm `json:"PortForm"`
}

// generalChildProduct ports regular numbers in, each as a product below a subscription.
func generalChildProduct() Spec {
	s := Spec{
		Arm:         "general_child_product",
		Operation:   "GeneralChildProducts",
		Path:        "/NumberPorts/Inbound/GeneralChildProducts",
		ProductType: 2,
	}
	s.phones = func(o *portinv1.PortInOrder) []phone {
		return portedList("order.general_child_product.numbers", o.GetGeneralChildProduct().GetNumbers())
	}
	s.body = func(o *portinv1.PortInOrder, e *encoder) any {
		t := o.GetGeneralChildProduct()
		return wireGeneralChildProduct{
			OfferingID:           t.GetOfferingId(),
			ParentSubscriptionID: t.GetParentSubscriptionId(),
			PortForm:             e.regularForm(o.GetForm()),
		}
	}
	// The candidates for a parent are part of the offering, so the two are looked up together.
	s.references = func(o *portinv1.PortInOrder) []Reference {
		t := o.GetGeneralChildProduct()
		return []Reference{s.offering(t.GetOfferingId()), {
			Field:    "order.general_child_product.parent_subscription_id",
			Kind:     ParentSubscription,
			Value:    t.GetParentSubscriptionId(),
			Offering: t.GetOfferingId(),
		}}
	}
	return s
}
