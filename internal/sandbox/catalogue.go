package sandbox

import "slices"

// catalogue is what an order may refer to. Its types have the carrier's member
// names, so that the lists are answered as they stand; a test holds every answer
// against the specification. catalogue_data.go has the data.
type catalogue struct {
	account          int64
	trunks           []trunk
	offerings        []offering
	providers        []provider
	groups           []businessGroup
	residentialPlans []plan
	businessPlans    []plan
	forwardPlans     []plan
	prefixes         []int64 // NPA-NXX that can be ported in
	rateCentres      []rateCentre
}

type trunk struct {
	Label  string
	Number int64
}

type localized struct{ En, Fr string }

type subscription struct {
	Name           string
	ProductName    localized
	SubscriptionID string
}

type offering struct {
	OfferingID                   string
	PotentialParentSubscriptions []subscription `json:",omitempty"`
	ProductName                  localized
	Type                         int
}

// The values of offering.Type, in the carrier's numbers.
const (
	typeGeneral                      = 1
	typeGeneralChild                 = 2
	typeResidentialLine              = 3
	typeBusinessLine                 = 4
	typePermanentCallForward         = 5
	typeBusinessPermanentCallForward = 6
	typeVirtualFax                   = 7
)

type provider struct {
	ID   int32
	Name string
}

type businessGroup struct {
	ID   string
	Name string
	// subscription is what BusinessGroupSubscriptionID means under
	// BusinessGroupOther. No operation of the carrier answers it.
	subscription string
}

type plan struct {
	Account      int64
	Enabled      bool
	ID           string
	MonthlyPrice float64
	Name         string
}

type rateCentre struct {
	Country     string
	LNP         bool
	Local       bool
	Name        string
	NetworkType string
	OnNet       bool
}

// The questions that the rules ask of it.

func (k *catalogue) hasTrunk(pilot int64) bool {
	return slices.ContainsFunc(k.trunks, func(t trunk) bool { return t.Number == pilot })
}

func (k *catalogue) hasProvider(id int64) bool {
	return slices.ContainsFunc(k.providers, func(p provider) bool { return int64(p.ID) == id })
}

func (k *catalogue) hasGroup(id string) bool {
	return slices.ContainsFunc(k.groups, func(g businessGroup) bool { return g.ID == id })
}

func (k *catalogue) hasGroupSubscription(id string) bool {
	return slices.ContainsFunc(k.groups, func(g businessGroup) bool { return g.subscription == id })
}

func (k *catalogue) hasRateCentre(name string) bool {
	return slices.ContainsFunc(k.rateCentres, func(r rateCentre) bool { return r.Name == name })
}

func (k *catalogue) offering(id string) (offering, bool) {
	i := slices.IndexFunc(k.offerings, func(o offering) bool { return o.OfferingID == id })
	if i < 0 {
		return offering{}, false
	}
	return k.offerings[i], true
}

// plansFor lists the plans of a line or forward by its offering type.
func (k *catalogue) plansFor(offeringType int) []plan {
	switch offeringType {
	case typeResidentialLine:
		return k.residentialPlans
	case typeBusinessLine:
		return k.businessPlans
	case typePermanentCallForward:
		return k.forwardPlans
	}
	return nil
}

// portable reports whether a prefix of six to ten digits can be ported in.
func (k *catalogue) portable(digits int64) bool {
	for digits > 999_999 {
		digits /= 10
	}
	return slices.Contains(k.prefixes, digits)
}
