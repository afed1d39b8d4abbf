package directory

import "time"

// Observer is told how the carrier's lists are had, for the metrics. Its methods are called by many at once and must not
// block.
type Observer interface {
	// Read is told that somebody wanted a list, and where it came from.
	Read(list List, from Had)
	// Renewed is told that a list was read from the carrier, which began to be asked at that time.
	Renewed(list List, at time.Time)
}

// List names one of the carrier's lists.
type List string

// The lists. Each kind of plan has a list of its own.
const (
	ListTrunks           List = "sip_trunks"
	ListOfferings        List = "telephone_offerings"
	ListProviders        List = "providers"
	ListBusinessGroups   List = "business_groups"
	ListResidentialPlans List = "residential_plans"
	ListBusinessPlans    List = "business_plans"
	ListForwardPlans     List = "call_forward_plans"
	ListHolidays         List = "holidays"
	ListRateCenters      List = "rate_centers"
)

// AllLists are all of them.
func AllLists() []List {
	return []List{
		ListTrunks, ListOfferings, ListProviders, ListBusinessGroups, ListResidentialPlans, ListBusinessPlans, ListForwardPlans,
		ListHolidays, ListRateCenters,
	}
}

// Had is where a list came from.
type Had string

const (
	// Kept is from memory.
	Kept Had = "kept"
	// Asked is from the carrier, which has to be asked or is being asked already.
	Asked Had = "asked"
	// Failed is from nowhere: the carrier could not be asked a moment ago, and is left alone.
	Failed Had = "failed"
)

// AllHad are all of them.
func AllHad() []Had { return []Had{Kept, Asked, Failed} }

// hadFrom is where a list comes from of which memory knows something, or nothing.
func hadFrom(known bool, err error) Had {
	switch {
	case !known:
		return Asked
	case err != nil:
		return Failed
	}
	return Kept
}

// nobody is an observer that looks away.
type nobody struct{}

// Read does nothing.
func (nobody) Read(List, Had) {}

// Renewed does nothing.
func (nobody) Renewed(List, time.Time) {}
