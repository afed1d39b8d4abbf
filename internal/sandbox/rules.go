package sandbox

import (
	"slices"
	"time"
)

// rule is a rule between members: what the schema of a single one cannot say.
type rule func(*order) error

// formRules hold for every order, in the order in which they are looked at.
// upstream/README.md has their source.
var formRules = []rule{
	documentsDecode,
	telephoneNumbers,
	numbersToPort,
	numbersStandOnce,
	numberOrRateCentre,
	numbersMatchTheProduct,
	losingCarrier,
	country,
	portDate,
	pilotChange,
	priCircuit,
}

// numbersToPort: at least one, and all of the operation's kind. Regular and
// toll-free numbers never share an order.
func numbersToPort(o *order) error {
	const at = "PortForm.NumbersToPort"
	numbers := o.numbers()
	if len(numbers) == 0 {
		return violate(at, "no number to port")
	}
	for i, n := range numbers {
		switch {
		case o.tollFree && !tollFree(n):
			return violate(index(at, i), "a regular number on a toll-free operation")
		case !o.tollFree && tollFree(n):
			return violate(index(at, i), "a toll-free number on an operation for regular numbers")
		}
	}
	return nil
}

// numbersStandOnce: no number twice in a list, nor in two of the three.
func numbersStandOnce(o *order) error {
	seen := map[int64]string{}
	for _, name := range []string{"NumbersToPort", "NumbersToRemain", "NumbersToDisconnect"} {
		for i, n := range o.form.integers(name) {
			at := index(member("PortForm", name), i)
			if first, ok := seen[n]; ok {
				return violate(at, "the number stands at %s already", first)
			}
			seen[n] = at
		}
	}
	return nil
}

// numbersMatchTheProduct: where the product lists the numbers itself, its list
// and the form's have the same numbers, in any order. A line with a rate centre's
// name instead of a number takes no part.
func numbersMatchTheProduct(o *order) error {
	toPort := map[int64]bool{}
	for _, n := range o.numbers() {
		toPort[n] = true
	}
	listed := map[int64]bool{}
	for i, entry := range o.entries() {
		n, ok := o.entryNumber(entry)
		at := index(o.list, i)
		switch {
		case !ok:
			continue
		case listed[n]:
			return violate(at, "the number stands twice in %s", o.list)
		case !toPort[n]:
			return violate(at, "the number is not in PortForm.NumbersToPort")
		}
		listed[n] = true
	}
	if o.list != "" && len(listed) != len(toPort) {
		return violate("PortForm.NumbersToPort", "has a number that %s has not", o.list)
	}
	return nil
}

// losingCarrier: a regular order names a provider or a reseller, or says that it
// need not; a toll-free one names at most one of them.
func losingCarrier(o *order) error {
	hasProvider, hasReseller := o.form.has("CurrentProvider"), o.form.has("CurrentReseller")
	named := hasProvider || o.form.text("CurrentReseller") != ""
	switch {
	case hasProvider && !o.catalogue.hasProvider(o.form.integer("CurrentProvider")):
		return violate("PortForm.CurrentProvider", "not an ID of GET /NumberPorts/Providers")
	case o.tollFree && hasProvider && hasReseller:
		return violate("PortForm.CurrentReseller", "excludes CurrentProvider on a toll-free order")
	case !o.tollFree && !named && !o.form.flag("CurrentProviderNotMandatory"):
		return violate("PortForm.CurrentProvider", "required unless there is a CurrentReseller or CurrentProviderNotMandatory is true")
	}
	return nil
}

// country: the carrier ports for customers in two.
func country(o *order) error {
	if !slices.Contains([]string{"CA", "US"}, o.form.text("CustomerCountry")) {
		return violate("PortForm.CustomerCountry", "want CA or US")
	}
	return nil
}

// portDate: YYYY-MM-DD and HH:MM, and no time without a date.
func portDate(o *order) error {
	if o.form.has("RequestedPortDate") {
		if _, err := time.Parse(time.DateOnly, o.form.text("RequestedPortDate")); err != nil {
			return violate("PortForm.RequestedPortDate", "want a date as YYYY-MM-DD")
		}
	}
	if !o.form.has("RequestedPortTime") {
		return nil
	}
	// time.Parse takes 9:30 for 09:30; the length does not.
	clock := o.form.text("RequestedPortTime")
	if _, err := time.Parse("15:04", clock); err != nil || len(clock) != len("15:04") {
		return violate("PortForm.RequestedPortTime", "want a time as HH:MM, 00:00 to 23:59")
	}
	if !o.form.has("RequestedPortDate") {
		return violate("PortForm.RequestedPortTime", "only with RequestedPortDate")
	}
	return nil
}

// pilotChange: a new pilot only when the pilot changes, and one that remains.
func pilotChange(o *order) error {
	if !o.form.has("NewPilotNumber") {
		return nil
	}
	if !o.form.flag("ChangePilotNumber") {
		return violate("PortForm.NewPilotNumber", "only when ChangePilotNumber is true")
	}
	if !slices.Contains(o.form.integers("NumbersToRemain"), o.form.integer("NewPilotNumber")) {
		return violate("PortForm.NewPilotNumber", "not one of NumbersToRemain")
	}
	return nil
}

// priCircuit: the circuit's members only when there is a circuit.
func priCircuit(o *order) error {
	for _, name := range []string{"PRIMegalinkCircuit", "PRIMegalinkRemainActive"} {
		if o.form.has(name) && !o.form.flag("IsPRIMegaLink") {
			return violate(member("PortForm", name), "only when IsPRIMegaLink is true")
		}
	}
	return nil
}
