package product

import (
	"slices"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/contract"
	"github.com/portin/portin/internal/fault"
)

// maxViolations bounds the list of a very wrong order; nobody mends more at a time.
const maxViolations = 1000

// report collects what breaks a rule.
type report struct {
	violations []fault.Violation
	// missing are the fields that are not there at all: no other rule has a say on them.
	missing map[string]bool
}

// add reports a field. The description says what would be right and never quotes the value.
func (r *report) add(at place, description string) {
	if len(r.violations) >= maxViolations {
		return
	}
	if field := at.String(); !r.missing[field] {
		r.violations = append(r.violations, fault.Violation{Field: field, Description: description})
	}
}

// miss reports a field that is not there.
func (r *report) miss(at place, description string) {
	r.add(at, description)
	if r.missing == nil {
		r.missing = map[string]bool{}
	}
	r.missing[at.String()] = true
}

// sorted lists the violations in the order of the contract, without repetitions.
func (r *report) sorted() []fault.Violation {
	SortViolations(r.violations)
	return slices.Compact(r.violations)
}

// SortViolations brings violations of several sources into the order of the contract, in place. Those of one field stay
// in the order that they have.
func SortViolations(violations []fault.Violation) {
	sortByField(violations, func(v fault.Violation) string { return v.Field })
}

// SortWarnings brings warnings of several sources into the order of the contract, in place. Those of one field stay in
// the order that they have.
func SortWarnings(warnings []*portinv1.Warning) {
	sortByField(warnings, (*portinv1.Warning).GetField)
}

// sortByField sorts by the place in the contract; equal places stay in the order in which they were found.
func sortByField[T any](list []T, field func(T) string) {
	contract.SortByField((*portinv1.PortInRequest)(nil).ProtoReflect().Descriptor(), list, field)
}
