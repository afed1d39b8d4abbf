package product

import "strconv"

// place is where a value stands, relative to the request. Its path is only built when something is wrong with it: an
// order has thousands of places and few violations.
type place struct {
	field  string // "order.form.email_address", or a list: "order.trunk_did.dids"
	index  int    // in the list; -1 for a single field
	member string // of the list's entry; empty for the entry itself
}

func at(field string) place {
	return place{field: field, index: -1}
}

func entry(list string, index int, member string) place {
	return place{field: list, index: index, member: member}
}

// String is the field path as a violation has it: "order.trunk_did.dids[2].number".
func (p place) String() string {
	if p.index < 0 {
		return p.field
	}
	path := p.field + "[" + strconv.Itoa(p.index) + "]"
	if p.member == "" {
		return path
	}
	return path + "." + p.member
}
