package product

import (
	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/contract"
	"github.com/portin/portin/internal/fault"
)

// Validate lists every rule that a normalised order breaks and that can be decided from the order alone, in the order of
// the contract. Its paths are relative to the request ("order.trunk_did.dids[2].number"). It never quotes a value. An
// order that CheckSize refuses must not get here: the work grows with its lists.
func Validate(o *portinv1.PortInOrder) []fault.Violation {
	var r report
	if o == nil {
		r.miss(at("order"), isRequired)
		return r.sorted()
	}
	// The contract goes first: a field that it calls missing is left alone by everything after it.
	r.contract(o)
	r.text(o)
	spec, ok := Of(o)
	if !ok {
		r.add(at("order.target"), noTarget)
	} else {
		r.numbers(spec, o)
		if spec.rules != nil {
			spec.rules(o, &r)
		}
	}
	if f := o.GetForm(); f != nil {
		r.form(f, spec, ok)
	}
	return r.sorted()
}

// contract reports the rules that stand in the .proto.
func (r *report) contract(o *portinv1.PortInOrder) {
	for _, v := range contract.Violations(o) {
		// Their paths are relative to the order, ours to the request.
		where := at("order")
		if v.Field != "" {
			where.field += "." + v.Field
		}
		// What is missing is no wrong number or wrong address too.
		if v.Missing {
			r.miss(where, v.Description)
		} else {
			r.add(where, v.Description)
		}
	}
}
