package directory

import (
	"slices"
	"strconv"
	"strings"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/product"
)

// What a list says of a reference, one function for each kind. Descriptions never quote the value.

// absent is a reference that a list lacks.
func absent(description string) finding {
	return finding{wrong: description, missing: true}
}

// doubt is a reference that is there, but perhaps not as the order means it.
func doubt(description string) finding {
	return finding{doubtful: description, code: portinv1.WarningCode_WARNING_CODE_REFERENCE_UNKNOWN}
}

func trunk(trunks []carrier.Trunk, ref product.Reference) finding {
	for _, t := range trunks {
		if strconv.FormatInt(t.Pilot, 10) == ref.Value {
			return finding{}
		}
	}
	return absent("is not the pilot number of a SIP trunk of the account; ListSipTrunks lists them")
}

func fittingOffering(offerings []carrier.Offering, ref product.Reference) finding {
	o := offeringOf(offerings, ref.Value)
	if o == nil {
		return absent("is not an offering of the carrier; ListTelephoneOfferings lists them")
	}
	arms := product.ForProductType(o.Type)
	switch {
	case slices.Contains(arms, ref.Arm):
		return finding{}
	case len(arms) == 0:
		return finding{wrong: "is an offering of a type that this version of the service cannot order"}
	}
	return finding{wrong: "is an offering for the target " + strings.Join(arms, " or ") + "; use that target or another offering"}
}

// parent leaves the offering itself to fittingOffering.
func parent(offerings []carrier.Offering, ref product.Reference) finding {
	o := offeringOf(offerings, ref.Offering)
	if o == nil || slices.ContainsFunc(o.Parents, func(s carrier.Subscription) bool { return s.ID == ref.Value }) {
		return finding{}
	}
	return absent("is not a subscription that the offering can be a child of; ListTelephoneOfferings lists them with the offering")
}

func offeringOf(offerings []carrier.Offering, id string) *carrier.Offering {
	for i := range offerings {
		if offerings[i].ID == id {
			return &offerings[i]
		}
	}
	return nil
}

// plan takes a plan that several accounts have for the one of the order's account, if it is among them.
func plan(plans []carrier.Plan, ref product.Reference) finding {
	var found *carrier.Plan
	for i := range plans {
		if plans[i].ID == ref.Value && (found == nil || plans[i].Account == ref.Account) {
			found = &plans[i]
		}
	}
	switch {
	case found == nil:
		return absent("is not a plan of the carrier for this kind of line; ListLinePlans lists them")
	case found.Account != ref.Account:
		return doubt("is a plan of another account than the one beside it")
	case !found.Enabled:
		return doubt("is a plan that the carrier has disabled")
	}
	return finding{}
}

func businessGroup(groups []carrier.BusinessGroup, ref product.Reference) finding {
	if hasGroup(groups, ref.Value) {
		return finding{}
	}
	return absent("is not a business group of the account; ListBusinessGroups lists them")
}

// businessGroupSubscription never refuses an order: nobody knows whether the carrier means the ID of the group.
func businessGroupSubscription(groups []carrier.BusinessGroup, ref product.Reference) finding {
	if hasGroup(groups, ref.Value) {
		return finding{}
	}
	found := doubt("is not the ID of a business group of the account; it may still be right, if the carrier numbers the subscriptions of groups otherwise")
	found.missing = true
	return found
}

func hasGroup(groups []carrier.BusinessGroup, id string) bool {
	return slices.ContainsFunc(groups, func(g carrier.BusinessGroup) bool { return g.ID == id })
}

func provider(providers []carrier.Provider, ref product.Reference) finding {
	for _, p := range providers {
		if strconv.FormatInt(int64(p.ID), 10) == ref.Value {
			return finding{}
		}
	}
	return absent("is not a carrier that numbers can be ported from; ListProviders lists them")
}
