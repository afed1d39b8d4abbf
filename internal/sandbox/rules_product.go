package sandbox

import "slices"

// The rules of single products. A reference to something that the account does
// not have is refused like any other violation.

// pilotIsATrunk: numbers become DIDs of a trunk that is there already.
func pilotIsATrunk(o *order) error {
	if !o.catalogue.hasTrunk(o.body.integer("PilotNumber")) {
		return violate("PilotNumber", "not a pilot number of GET /SipTrunks")
	}
	return nil
}

// offeringFits: the offering exists, and its type is the one of the operation.
func offeringFits(o *order) error {
	offering, ok := o.catalogue.offering(o.body.text("OfferingID"))
	switch {
	case !ok:
		return violate("OfferingID", "not an OfferingID of GET /Products/TelephoneOfferings")
	case offering.Type != o.offering:
		return violate("OfferingID", "the offering is of type %d, this operation is for type %d", offering.Type, o.offering)
	}
	return nil
}

// parentIsACandidate: the offering itself lists the parents that it can have.
func parentIsACandidate(o *order) error {
	offering, _ := o.catalogue.offering(o.body.text("OfferingID"))
	parent := o.body.text("ParentSubscriptionID")
	isParent := func(s subscription) bool { return s.SubscriptionID == parent }
	if !slices.ContainsFunc(offering.PotentialParentSubscriptions, isParent) {
		return violate("ParentSubscriptionID", "not one of the offering's PotentialParentSubscriptions")
	}
	return nil
}

// numberOrRateCentre: a line or a forward has one of the two, not both. The
// entries of other products have a number alone.
func numberOrRateCentre(o *order) error {
	if len(o.number) < 2 {
		return nil
	}
	for i, entry := range o.entries() {
		number := entry.object("Number")
		at := member(index(o.list, i), "Number")
		switch {
		case number.has("Number") == number.has("RateCenterName"):
			return violate(at, "want either Number or RateCenterName")
		case number.has("RateCenterName") && !o.catalogue.hasRateCentre(number.text("RateCenterName")):
			return violate(member(at, "RateCenterName"), "not a name of GET /NumberPorts/LNP/RateCenters")
		}
	}
	return nil
}

// linesAgree: business lines of one order share account, plan and group.
func linesAgree(o *order) error {
	lines := o.entries()
	for i, line := range lines {
		for _, name := range []string{"Account", "BusinessGroupID", "PlanID"} {
			if line[name] != lines[0][name] {
				return violate(member(index(o.list, i), name), "must be equal in all Lines")
			}
		}
	}
	return nil
}

// plansExist: the account is ours, and the plan is one of its kind that can be
// ordered.
func plansExist(o *order) error {
	plans := o.catalogue.plansFor(o.offering)
	for i, entry := range o.entries() {
		at := index(o.list, i)
		if entry.integer("Account") != o.catalogue.account {
			return violate(member(at, "Account"), "not the account of GET /Users/Current/Account")
		}
		id := entry.text("PlanID")
		found := slices.IndexFunc(plans, func(p plan) bool { return p.ID == id })
		switch {
		case found < 0:
			return violate(member(at, "PlanID"), "not a plan of this kind")
		case !plans[found].Enabled:
			return violate(member(at, "PlanID"), "the plan is not enabled")
		}
	}
	return nil
}

// groupsExist: a business line joins a group of the list.
func groupsExist(o *order) error {
	for i, line := range o.entries() {
		if !o.catalogue.hasGroup(line.text("BusinessGroupID")) {
			return violate(member(index(o.list, i), "BusinessGroupID"), "not an ID of GET /BusinessGroups")
		}
	}
	return nil
}

// groupSubscriptionExists holds to the switch: whether the subscription id of a
// business group is its ID is not known.
func groupSubscriptionExists(o *order) error {
	const name = "BusinessGroupSubscriptionID"
	id := o.body.text(name)
	if o.unknowns.BusinessGroup == BusinessGroupOther {
		if !o.catalogue.hasGroupSubscription(id) {
			return violate(name, "not a subscription of a business group")
		}
		return nil
	}
	if !o.catalogue.hasGroup(id) {
		return violate(name, "not an ID of GET /BusinessGroups")
	}
	return nil
}
