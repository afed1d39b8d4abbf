package product

import (
	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/nanp"
)

// phone is one telephone number of an order. The value points into the order, so that one list serves to normalise, to
// check and to translate.
type phone struct {
	at    place
	value *string
	role  role
	// from is the number to port whose calls go to this one; nil for a number that calls do not go to.
	from *string
}

// role is what a telephone number does in an order.
type role uint8

const (
	// mentioned: the trunk's pilot, a caller ID, the submitter and so on.
	mentioned role = iota
	// ported: a number to port.
	ported
	// forwarded: calls of a number to port go on to it.
	forwarded
	// surecalled: calls of a number to port go to it when the trunk cannot be reached.
	surecalled
)

// phoneIf is a list of one optional number, or of none when it is absent.
func phoneIf(at place, value *string, r role, from *string) []phone {
	if value == nil {
		return nil
	}
	return []phone{{at: at, value: value, role: r, from: from}}
}

// portedList makes phones of a plain list of numbers to port.
func portedList(list string, numbers []string) []phone {
	phones := make([]phone, len(numbers))
	for i := range numbers {
		phones[i] = phone{at: entry(list, i, ""), value: &numbers[i], role: ported}
	}
	return phones
}

// The form's two lists of numbers that do not come along.
const (
	remainField     = "order.form.numbers_to_remain"
	disconnectField = "order.form.numbers_to_disconnect"
)

// formPhones lists the telephone numbers of the form, those of the two lists as mentioned ones.
func formPhones(f *portinv1.PortForm) []phone {
	if f == nil {
		return nil
	}
	var phones []phone
	for i := range f.NumbersToRemain {
		phones = append(phones, phone{at: entry(remainField, i, ""), value: &f.NumbersToRemain[i]})
	}
	for i := range f.NumbersToDisconnect {
		phones = append(phones, phone{at: entry(disconnectField, i, ""), value: &f.NumbersToDisconnect[i]})
	}
	phones = append(phones, phoneIf(at("order.form.new_pilot_number"), f.NewPilotNumber, mentioned, nil)...)
	return append(phones, phoneIf(at("order.form.submitter_phone_number"), f.SubmitterPhoneNumber, mentioned, nil)...)
}

// numbers reports every telephone number that is none, is of the wrong kind, stands twice, or calls itself.
func (r *report) numbers(spec Spec, o *portinv1.PortInOrder) {
	phones := spec.phones(o)
	// Where a number already stands, so that it may stand nowhere else: to port, to remain or to disconnect.
	stands := map[nanp.Number]string{}
	for _, p := range phones {
		n, ok := r.telephone(p)
		if !ok {
			continue
		}
		switch p.role {
		case ported:
			r.ported(spec, p, n)
			r.standsOnce(p, n, stands, "among the numbers to port")
		case forwarded, surecalled:
			if own, ok := nanp.Read(*p.from); ok && own == n {
				r.add(p.at, "is the ported number itself; want another number for its calls to go to")
			}
		case mentioned:
		}
	}
	// The form stands before the target in the contract, but it is the form that deviates: what to port is what is asked.
	for _, p := range formPhones(o.GetForm()) {
		n, ok := r.telephone(p)
		switch {
		case !ok:
		case p.at.field == remainField:
			r.standsOnce(p, n, stands, "among the numbers to remain")
		case p.at.field == disconnectField:
			r.standsOnce(p, n, stands, "among the numbers to disconnect")
		}
	}
	for _, p := range circles(phones) {
		r.add(p.at, "calls go round in a circle among the numbers of this order; want a number outside it")
	}
}

// telephone reads one number and reports it when it is none.
func (r *report) telephone(p phone) (nanp.Number, bool) {
	n, ok := nanp.Read(*p.value)
	if !ok {
		r.add(p.at, nanp.Want)
		return 0, false
	}
	if flaw := n.Flaw(); flaw != "" {
		r.add(p.at, flaw)
		return 0, false
	}
	return n, true
}

// ported reports a number of the other kind: regular and toll-free numbers never share an order.
func (r *report) ported(spec Spec, p phone, n nanp.Number) {
	switch {
	case spec.TollFree && !n.TollFree():
		r.add(p.at, "is a regular number; this target takes toll-free numbers only")
	case !spec.TollFree && n.TollFree():
		r.add(p.at, "is a toll-free number; this target takes regular numbers only")
	}
}

// standsOnce reports the second place of a number, and remembers the first.
func (r *report) standsOnce(p phone, n nanp.Number, stands map[nanp.Number]string, here string) {
	if there, ok := stands[n]; ok {
		r.add(p.at, "stands "+there+" already; want each number once among those to port, to remain and to disconnect")
		return
	}
	stands[n] = here
}

// circles lists the forwards that lie on a circle of two or more numbers of the order, in their order. A number that
// forwards to itself has a rule of its own.
func circles(phones []phone) []phone {
	next := map[nanp.Number]nanp.Number{}
	for _, p := range phones {
		if from, to, ok := p.forward(); ok && from != to {
			next[from] = to
		}
	}
	const onCircle = -1
	seen := map[nanp.Number]int{} // by which walk, counted from 1; onCircle for good
	walk := 0
	for start := range next {
		walk++
		n := start
		// Follow the calls until they leave the order or come to where some walk has been. If it was this one, the rest of
		// the way round is the circle; what led into it is not.
		for seen[n] == 0 && next[n] != 0 {
			seen[n] = walk
			n = next[n]
		}
		for seen[n] == walk {
			seen[n] = onCircle
			n = next[n]
		}
	}
	var found []phone
	for _, p := range phones {
		if from, to, ok := p.forward(); ok && from != to && seen[from] == onCircle {
			found = append(found, p)
		}
	}
	return found
}

// forward reads both ends of a forward. It reports false for any other phone, and when an end is no number.
func (p phone) forward() (from, to nanp.Number, ok bool) {
	if p.role != forwarded {
		return 0, 0, false
	}
	from, fromOK := nanp.Read(*p.from)
	to, toOK := nanp.Read(*p.value)
	return from, to, fromOK && toOK
}
