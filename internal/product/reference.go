package product

import (
	"strconv"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
)

// Reference is something in the carrier's lists that an order refers to.
type Reference struct {
	// Field is the path relative to the request of the first field that refers to it.
	Field string
	// Kind says which list it is in, and which of the fields below are set.
	Kind ReferenceKind
	// Value is the ID as the carrier writes it: ten digits for a trunk, a decimal number for a provider.
	Value string
	// Arm is the target that an offering must fit.
	Arm string
	// ProductType is the type that an offering must have.
	ProductType int
	// Offering is the ID of the offering that lists a parent subscription among its candidates.
	Offering string
	// Plan is the list that a plan is in.
	Plan carrier.PlanKind
	// Account is the account code that a plan must belong to.
	Account int64
}

// ReferenceKind says which of the carrier's lists a reference is in.
type ReferenceKind uint8

// The kinds of reference.
const (
	// Trunk: the pilot number of a SIP trunk.
	Trunk ReferenceKind = iota + 1
	// Offering: an offering that fits the order's target.
	Offering
	// ParentSubscription: a candidate of the offering for the parent of a child product.
	ParentSubscription
	// Plan: a plan of lines or call forwards, of an account.
	Plan
	// BusinessGroup: a business group.
	BusinessGroup
	// BusinessGroupSubscription: the subscription of a business group. Whether it is the group's ID is not known, so it
	// is never more than a warning.
	BusinessGroupSubscription
	// Provider: the losing carrier.
	Provider
)

// References lists what a normalised order refers to in the carrier's lists: each thing once, in the order of the
// contract. What is empty, which Validate refuses, is left out.
func References(o *portinv1.PortInOrder) []Reference {
	var all []Reference
	if id := o.GetForm().GetCurrentProviderId(); o.GetForm() != nil && o.GetForm().CurrentProviderId != nil {
		all = append(all, Reference{
			Field: "order.form.current_provider_id", Kind: Provider, Value: strconv.FormatInt(int64(id), 10),
		})
	}
	spec, ok := Of(o)
	if !ok {
		return all
	}
	// A thousand lines usually have one plan between them.
	seen := map[Reference]bool{}
	for _, ref := range spec.references(o) {
		what := ref
		what.Field = ""
		if ref.Value != "" && !seen[what] {
			seen[what] = true
			all = append(all, ref)
		}
	}
	return all
}

// offering is the reference of a target that orders an offering.
func (s Spec) offering(id string) Reference {
	return Reference{
		Field: s.field() + ".offering_id", Kind: Offering, Value: id, Arm: string(s.Arm), ProductType: s.ProductType,
	}
}
