package product

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/nanp"
)

// The carrier has two forms. These fields are in one of them only.
var (
	regularOnly = []protoreflect.Name{
		"numbers_to_remain", "numbers_to_disconnect", "change_pilot_number", "new_pilot_number", "is_pri_megalink",
		"pri_megalink_circuit", "pri_megalink_remain_active", "letters_of_authorization",
	}
	tollFreeOnly = []protoreflect.Name{"resp_org_forms"}
)

// form reports what breaks a rule of the form. Without a target, which decides the kind of form, only the rules of both
// kinds apply.
func (r *report) form(f *portinv1.PortForm, spec Spec, hasTarget bool) {
	if a := f.GetServiceAddress(); a != nil {
		r.address(a)
	}
	r.portTime(f)
	r.documents(f)
	switch {
	case !hasTarget:
		// Which form it is cannot be known, and the missing target is a violation already.
	case spec.TollFree:
		r.otherKind(f, regularOnly, "is for regular numbers only, and this target takes toll-free ones; leave it out")
		// Each of the two names the losing side; the carrier's toll-free form takes one at most.
		if f.CurrentProviderId != nil && f.CurrentReseller != nil {
			r.add(at("order.form.current_reseller"), "is given beside the current provider; a toll-free order takes one of the two")
		}
	default:
		r.otherKind(f, tollFreeOnly, "is for toll-free numbers only, and this target takes regular ones; leave it out")
		// Both at once are legal: the reseller is whom the customer pays, the provider is whose number it is.
		if f.CurrentProviderId == nil && f.CurrentReseller == nil && !f.GetCurrentProviderNotMandatory() {
			r.add(at("order.form.current_provider_id"),
				"is required unless the current reseller is given or the current provider is said not to be mandatory")
		}
		r.pilot(f)
		r.circuit(f)
	}
}

// otherKind reports fields that the form of this order has not: dropping one would lose what the caller said.
func (r *report) otherKind(f *portinv1.PortForm, fields []protoreflect.Name, description string) {
	m := f.ProtoReflect()
	for _, name := range fields {
		if m.Has(m.Descriptor().Fields().ByName(name)) {
			r.add(at("order.form."+string(name)), description)
		}
	}
}

// pilot reports a new pilot number that nothing asks for, or that does not stay behind.
func (r *report) pilot(f *portinv1.PortForm) {
	if f.NewPilotNumber == nil {
		return
	}
	const field = "order.form.new_pilot_number"
	if !f.GetChangePilotNumber() {
		r.add(at(field), "is only for an order that changes the pilot number")
	}
	// What is no number has a violation of its own.
	pilot, ok := nanp.Read(f.GetNewPilotNumber())
	if !ok {
		return
	}
	for _, remaining := range f.GetNumbersToRemain() {
		if n, ok := nanp.Read(remaining); ok && n == pilot {
			return
		}
	}
	r.add(at(field), "must be one of the numbers that remain")
}

// circuit reports facts about a PRI or Megalink circuit in an order that says nothing of one.
func (r *report) circuit(f *portinv1.PortForm) {
	if f.GetIsPriMegalink() {
		return
	}
	const description = "is only for an order that involves a PRI or Megalink circuit"
	if f.PriMegalinkCircuit != nil {
		r.add(at("order.form.pri_megalink_circuit"), description)
	}
	if f.PriMegalinkRemainActive != nil {
		r.add(at("order.form.pri_megalink_remain_active"), description)
	}
}
