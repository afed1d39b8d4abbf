package ledgertest

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/portin/portin/internal/ledger"
)

// flaws are the quirks that each case must catch, by the case's name.
var flaws = map[string][]quirk{
	"times come back in UTC, cut to microseconds":                      {"keeps nanoseconds", "rounds times", "keeps time zones"},
	"text is kept whatever it says":                                    {"trims text"},
	"text that is no text comes back with a replacement character":     {"takes any text"},
	"a long text and large contents are kept":                          {"cuts text"},
	"a record that comes back is the caller's own":                     {"hands out its own"},
	"nothing is found in an empty ledger":                              {"checks an order"},
	"a claim is told of":                                               {"claims silently", "counts from nothing"},
	"a key leads to one order":                                         {"knows no keys"},
	"a key stays taken whatever becomes of its order":                  {"frees keys"},
	"a key is a tenant's own":                                          {"has keys of all tenants"},
	"an order is its tenant's own":                                     {"knows no tenants", "tells all tenants"},
	"an order id cannot be claimed twice":                              {"overwrites orders"},
	"a number that is held refuses a claim":                            {"holds nothing", "holds within a tenant"},
	"the first number in the order of the record is named":             {"names any number"},
	"the key is looked at before the numbers":                          {"looks at numbers first"},
	"a claim that fails leaves nothing behind":                         {"leaves half a claim", "leaves a key"},
	"an order of a thousand numbers":                                   {"holds the last number"},
	"an order that was not sent is claimed again":                      {"claims silently", "takes no second attempt"},
	"only an order that was not sent is claimed again":                 {"claims from any state"},
	"only the next attempt is claimed":                                 {"takes any attempt"},
	"only the order of the key is claimed again":                       {"takes any order"},
	"an order that is not there is not claimed again":                  {"claims what is not there"},
	"a claim replaces neither the fence nor what is fixed":             {"forgets the fence", "fixes nothing"},
	"an order whose numbers went elsewhere is not claimed again":       {"claims again what others hold"},
	"numbers are held in some states and free in others":               {"holds until REFUSED", "frees what is in doubt", "holds in every state"},
	"numbers are held until a status closes the order":                 {"holds whatever the status"},
	"a number passes from order to order":                              {"holds whatever the status"},
	"a late answer beside another order marks both":                    {"never collides", "refuses to collide", "marks one", "marks silently"},
	"a port that is open again beside another order marks both":        {"never collides", "refuses to collide", "marks one"},
	"a number that two hold is free when both are over":                {"frees what two hold"},
	"an order that collides with several marks all":                    {"marks the first"},
	"an order that was marked is not told of twice":                    {"marks every time"},
	"orders that hold already do not collide again":                    {"collides with what held already"},
	"evidence about a number that another order holds changes nothing": {"believes any evidence"},
	"a ticket has one order of an account":                             {"shares tickets", "has tickets of all accounts"},
	"a ticket stays taken whatever becomes of its order":               {"frees tickets"},
	"tickets are told apart exactly":                                   {"reads tickets loosely", "trims text"},
	"a ticket that an order gives up is free":                          {"shares tickets"},
	"no ticket is nobody's":                                            {"gives nobody a ticket"},
	"only legal moves are made":                                        {"moves anywhere", "keeps the order to itself"},
	"an error of a step comes back as it is and changes nothing":       {"hides errors", "writes before it fails", "keeps the order to itself"},
	"a panic in a step ends in an error and nothing else":              {"carries out panics"},
	"a step changes nothing that is fixed":                             {"writes before it fails"},
	"a change without an event is kept and told to nobody":             {"tells of every step"},
	"a step of several changes has an event for each":                  {"tells one thing"},
	"a step sees the order as it is":                                   {"keeps the fence from steps"},
	"events are read from any place in any number":                     {"tells without end", "tells all tenants"},
	"sequences rise from change to change":                             {"numbers by order", "forgets its events"},
	"who has seen an event has seen all before it":                     {"tells late"},
	"the newest order comes first":                                     {"lists the oldest first", "lists by time alone", "has places by time alone"},
	"each filter lets through what it says":                            {"reads no states", "reads the first state", "includes what is before"},
	"a page ends before it is too large":                               {"measures no page", "has more when a page is full"},
	"an order that comes between pages moves no other":                 {"counts places"},
	"a list follows what becomes of an order":                          {"reads no states"},
	"every query finds what a plain reading of it finds":               {"reads the first state", "has more when a page is full", "has places by time alone"},
	"the longest due is handed out first":                              {"hands out by id", "hands out too early"},
	"an order is not handed out again before its time":                 {"hands out too early", "raises no fence", "rounds times"},
	"orders of other states are not handed out":                        {"hands out any state"},
	"an order that is never due is never handed out":                   {"hands out what is never due"},
	"being handed out is no event":                                     {"tells of turns"},
	"a taker tells by the fence that it is still the one":              {"raises no fence"},
	"each order goes to one taker":                                     {"hands out to several"},
	"an order that is being changed is passed over":                    {"takes what is being changed"},
	"counts follow every change of every tenant":                       {"counts one tenant"},
	"whoever is sending is known":                                      {"is always sending"},
	"a ledger keeps its identity":                                      {"changes its identity", "is always the same"},
	"a ledger refuses another carrier":                                 {"takes any carrier"},
	"a ledger that is not shared is opened once":                       {"opens twice", "shares without saying so"},
	"a shared ledger is one to all its stores":                         {"changes its identity", "knows no keys"},
	"everything is there when a ledger is opened again":                {"forgets its events", "loses the latest"},
	"a store outlives the context that it was opened with":             {"dies with its context"},
	"opening ends with its context":                                    {"opens for nobody"},
	"a store that is closed says so":                                   {"never closes"},
	"a store that is closed twice is closed":                           {"closes once"},
	"what was acknowledged before closing is there":                    {"loses the latest"},
	"a call whose context is over does nothing":                        {"works for nobody"},
	"a caller that leaves takes nobody with it":                        {"leaves together"},
	"of many that claim a key one gets it":                             {"claims in two steps"},
	"of many that claim an order again one gets it":                    {"claims in two steps"},
	"of many that claim a number one gets it":                          {"claims in two steps"},
	"of many that have a ticket one gets it":                           {"settles in two steps"},
	"steps of one order come one after another":                        {"loses steps"},
	"what fails takes nothing with it":                                 {"fails together"},
	"orders that collide from both sides are both marked":              {"runs into itself", "marks one"},
	"a number is never with nobody and never with two":                 {"claims in two steps"},
	"any calls in any order answer as the contract says": {
		"knows no keys", "frees keys", "has keys of all tenants", "names any number", "looks at numbers first", "leaves half a claim", "takes any attempt",
		"claims from any state", "takes any order", "forgets the fence", "fixes nothing", "claims again what others hold", "holds until REFUSED",
		"frees what is in doubt", "holds in every state", "holds whatever the status", "never collides", "refuses to collide", "marks one", "marks silently",
		"frees what two hold", "collides with what held already", "believes any evidence", "shares tickets", "has tickets of all accounts",
		"moves anywhere", "hides errors", "writes before it fails", "tells of every step", "tells one thing", "hands out any state", "hands out too early",
		"raises no fence", "tells of turns", "is always sending", "numbers by order",
	},
}

// onlyShared are the flaws that a ledger of one store cannot have.
var onlyShared = []string{"an order that is being changed is passed over", "a shared ledger is one to all its stores"}

// TestFlaws breaks a store in every way that the suite should notice, and sees that the case for it does.
func TestFlaws(t *testing.T) {
	t.Parallel()
	for _, c := range cases() {
		for _, q := range flaws[c.name] {
			t.Run(fmt.Sprintf("%s/%s", c.name, q), func(t *testing.T) {
				t.Parallel()
				broken := engine(slices.Contains(onlyShared, c.name), func(m *memory) { m.quirks[q] = true })
				// A race is lost once in some tries.
				for range 100 {
					if len(failures(t, c, broken)) > 0 {
						return
					}
				}
				t.Errorf("a store that %s passes", q)
			})
		}
	}
}

// TestEveryCaseCanFail holds the cases and the flaws together.
func TestEveryCaseCanFail(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, c := range cases() {
		if known[c.name] {
			t.Errorf("two cases are called %q", c.name)
		}
		known[c.name] = true
		if len(flaws[c.name]) == 0 && len(fieldCases[c.name]) == 0 {
			t.Errorf("no flaw shows that the case %q can fail", c.name)
		}
	}
	for name := range flaws {
		if !known[name] {
			t.Errorf("flaws are listed for %q, which is no case", name)
		}
	}
}

// fieldCases are the cases that must notice when a field gets lost, and how it gets lost.
var fieldCases = map[string][]func(m *memory, at []int){
	"every field of a record is kept by a claim": {
		func(m *memory, at []int) {
			m.onClaim = func(_, next ledger.Record) ledger.Record { return lose(next, at) }
		},
		func(m *memory, at []int) {
			m.onClaim = func(was, next ledger.Record) ledger.Record { return keepOld(was, next, at, false) }
		},
	},
	"every field of a record is kept by a step": {
		func(m *memory, at []int) {
			m.onStep = func(_, next ledger.Record) ledger.Record { return lose(next, at) }
		},
		func(m *memory, at []int) {
			m.onStep = func(was, next ledger.Record) ledger.Record { return keepOld(was, next, at, false) }
		},
	},
	"every field of a record may become zero again": {
		func(m *memory, at []int) {
			m.onStep = func(was, next ledger.Record) ledger.Record { return keepOld(was, next, at, true) }
		},
		func(m *memory, at []int) {
			m.onClaim = func(was, next ledger.Record) ledger.Record { return keepOld(was, next, at, true) }
		},
	},
	"every field of an event is kept": {
		func(m *memory, at []int) { m.onEvent = func(e ledger.Event) ledger.Event { return lose(e, at) } },
	},
}

// lose is a value without a field.
func lose[V any](v V, at []int) V {
	reflect.ValueOf(&v).Elem().FieldByIndex(at).SetZero()
	return v
}

// keepOld is a record whose field an engine forgot to write: always, or only where it became zero.
func keepOld(was, next ledger.Record, at []int, zero bool) ledger.Record {
	field := reflect.ValueOf(&next).Elem().FieldByIndex(at)
	if !zero || field.IsZero() {
		field.Set(reflect.ValueOf(was).FieldByIndex(at))
	}
	return next
}

// leaves are the fields of a struct and of the structs in it, by name.
func leaves(of reflect.Type) map[string][]int {
	all := map[string][]int{}
	for f := range of.Fields() {
		if f.Type.Kind() != reflect.Struct || f.Type == reflect.TypeFor[time.Time]() {
			all[f.Name] = f.Index
			continue
		}
		for name, at := range leaves(f.Type) {
			all[f.Name+"."+name] = append(slices.Clone(f.Index), at...)
		}
	}
	return all
}

// TestLostFields loses one field after another in each way that one can get lost.
func TestLostFields(t *testing.T) {
	t.Parallel()
	for _, c := range cases() {
		for way, spoil := range fieldCases[c.name] {
			of, spared := reflect.TypeFor[ledger.Record](), sparedFields(c.name, way)
			if c.name == eventFields {
				of = reflect.TypeFor[ledger.Event]()
			}
			for name, at := range leaves(of) {
				if slices.Contains(spared, name) {
					continue
				}
				t.Run(fmt.Sprintf("%s/%d/%s", c.name, way, name), func(t *testing.T) {
					t.Parallel()
					if len(failures(t, c, engine(false, func(m *memory) { spoil(m, at) }))) == 0 {
						t.Errorf("a store that loses %s passes", name)
					}
				})
			}
		}
	}
}

// eventFields is the one case about the fields of events.
const eventFields = "every field of an event is kept"

// sparedFields are the fields that cannot get lost in a way of a case.
func sparedFields(name string, way int) []string {
	// A record without its id, its key or its state is no order, and what the first claim fixes is written once.
	never := []string{"OrderID", "State"}
	first := []string{"Tenant", "RequestID", "CarrierAccount", "Target", "CustomerReference", "Content", "Numbers", "Created"}
	switch {
	case name == eventFields:
		return []string{"Sequence"}
	case name == "every field of a record is kept by a claim" && way == 0:
		return append(never, "Tenant", "RequestID", "Attempt", "Fence") // The fence is no claim's to write.
	case name == "every field of a record is kept by a claim":
		return slices.Concat(never, first, []string{"Attempt", "Fence"})
	case name == "every field of a record is kept by a step":
		return slices.Concat(never, first, []string{"Attempt"})
	}
	return slices.Concat(never, first, []string{"Attempt", "Updated", "Claimed", "Fence"})
}
