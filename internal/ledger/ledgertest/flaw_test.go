package ledgertest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/portin/portin/internal/ledger"
)

// flaws are the quirks that each case must catch, by the case's name.
func flaws() map[string][]quirk {
	all := map[string][]quirk{}
	for _, some := range []map[string][]quirk{
		flawsOfOrders, flawsOfFollowing, flawsOfFeeds, flawsOfAdopting, flawsOfOwners, flawsOfNumbers, flawsOfErasing,
	} {
		maps.Copy(all, some)
	}
	return all
}

// onlyShared are the flaws that a ledger of one store cannot have.
var onlyShared = []string{
	"an order that is being changed is passed over", "a shared ledger is one to all its stores", "a hint comes after a commit of another store",
}

// TestFlaws breaks a store in every way that the suite should notice, and sees that the case for it does.
func TestFlaws(t *testing.T) {
	t.Parallel()
	for _, c := range cases() {
		for _, q := range flaws()[c.name] {
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
		if len(flaws()[c.name]) == 0 && len(fieldCases[c.name]) == 0 {
			t.Errorf("no flaw shows that the case %q can fail", c.name)
		}
	}
	for name := range flaws() {
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
	"every field of an order that was placed elsewhere is kept": {
		func(m *memory, at []int) { m.onFollow = func(r ledger.Record) ledger.Record { return lose(r, at) } },
	},
	"what is left of an order that is erased is kept": {
		func(m *memory, at []int) {
			m.onErase = func(_, next ledger.Record) ledger.Record { return lose(next, at) }
		},
		func(m *memory, at []int) {
			m.onErase = func(was, next ledger.Record) ledger.Record { return keepOld(was, next, at, true) }
		},
	},
	"every field of an endpoint is kept": {
		func(m *memory, at []int) {
			m.onEndpoint = func(e ledger.Endpoint) ledger.Endpoint { return lose(e, at) }
		},
	},
	"every field of a delivery is kept": {
		func(m *memory, at []int) {
			m.onDelivery = func(d ledger.Delivery) ledger.Delivery { return lose(d, at) }
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
			if other, ok := otherFields()[c.name]; ok {
				of = other
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

// otherFields are the cases whose fields are no record's.
func otherFields() map[string]reflect.Type {
	return map[string]reflect.Type{
		"every field of an event is kept":    reflect.TypeFor[ledger.Event](),
		"every field of an endpoint is kept": reflect.TypeFor[ledger.Endpoint](),
		"every field of a delivery is kept":  reflect.TypeFor[ledger.Delivery](),
	}
}

// sparedFields are the fields that cannot get lost in a way of a case.
func sparedFields(name string, way int) []string {
	// A record without its id, its key or its state is no order, and what the first claim fixes is written once.
	never := []string{"OrderID", "State"}
	first := []string{"Tenant", "RequestID", "CarrierAccount", "Target", "CustomerReference", "Content", "Numbers", "Elsewhere", "History", "Predecessor", "Created", "Erased"}
	switch {
	case name == "every field of an event is kept":
		return []string{"Sequence"}
	case name == "every field of an order that was placed elsewhere is kept":
		// It has no other attempt, has not been taken, corrects nothing and nobody corrects it.
		return append(never, "Attempt", "Fence", "Predecessor", "Successor", "Kept", "Guards", "Erased")
	case name == "every field of an endpoint is kept", name == "every field of a delivery is kept":
		return nil
	case name == "every field of a record is kept by a claim" && way == 0:
		// The fence and the successor are no claim's to write.
		return append(never, "Tenant", "RequestID", "Attempt", "Elsewhere", "Fence", "Successor", "Kept", "Erased")
	case name == "what is left of an order that is erased is kept" && way == 0:
		// What is erased cannot get lost, and this order corrected none, was not placed elsewhere and guards nothing.
		return append(never, "Tenant", "RequestID", "CustomerReference", "Content", "Warnings", "Numbers", "Kept", "Rejects", "Message", "Problem",
			"Doubt.Finding", "Due", "Elsewhere", "Guards", "Disputing")
	case name == "what is left of an order that is erased is kept":
		return slices.Concat(never, []string{
			"Tenant", "RequestID", "Attempt", "CarrierAccount", "Target", "Elsewhere", "History", "Predecessor", "Created", "Guards", "Disputing", "Erased",
			"Owner", "Lease", "Fence", "Looks", "LookFailed", "Reply", "Ticket", "ErrorID", "Reason", "RetryAfter", "Doubt.Since", "Doubt.Asked",
			"Doubt.Agreed", "Doubt.Counted", "Attention", "Status", "Validated", "PortDate", "Updated", "Claimed", "Settled", "Checked", "Progressed",
			"Closed", "Successor",
		})
	case name == "every field of a record is kept by a claim":
		return slices.Concat(never, first, []string{"Attempt", "Fence", "Successor", "Kept"})
	case name == "every field of a record is kept by a step":
		return slices.Concat(never, first, []string{"Attempt"})
	}
	never = slices.Concat(never, first, []string{"Attempt", "Updated", "Claimed", "Fence"})
	if way == 1 {
		never = append(never, "Successor", "Kept")
	}
	return never
}
