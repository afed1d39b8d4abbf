package sandbox

import (
	"encoding/json"
	"slices"
	"strconv"
)

// orderKind is what one of the ten order operations has beyond its schema.
type orderKind struct {
	tollFree bool
	offering int      // the type that the product has, 0 for a DID of an existing trunk
	list     string   // the member that repeats the numbers, "" where none does
	number   []string // where an entry of that list has its number
	rules    []rule   // beside those of every form
}

// orderKinds are the operations that place an order.
var orderKinds = map[string]orderKind{
	"POST /v2/NumberPorts/Inbound/DIDs": {
		list: "DIDs", number: []string{"Number"},
		rules: []rule{pilotIsATrunk},
	},
	"POST /v2/NumberPorts/Inbound/TollFree/DIDs": {
		tollFree: true,
		list:     "DIDs", number: []string{"Number"},
		rules: []rule{pilotIsATrunk},
	},
	"POST /NumberPorts/Inbound/GeneralProducts": {
		offering: typeGeneral,
		rules:    []rule{offeringFits},
	},
	"POST /NumberPorts/Inbound/GeneralChildProducts": {
		offering: typeGeneralChild,
		rules:    []rule{offeringFits, parentIsACandidate},
	},
	"POST /v2/NumberPorts/Inbound/ResidentialLines": {
		offering: typeResidentialLine,
		list:     "Lines", number: []string{"Number", "Number"},
		rules: []rule{plansExist},
	},
	"POST /v2/NumberPorts/Inbound/BusinessLines": {
		offering: typeBusinessLine,
		list:     "Lines", number: []string{"Number", "Number"},
		rules: []rule{linesAgree, plansExist, groupsExist},
	},
	"POST /v2/NumberPorts/Inbound/PermanentCallForwards": {
		offering: typePermanentCallForward,
		list:     "Forwards", number: []string{"Number", "Number"},
		rules: []rule{plansExist},
	},
	"POST /v2/NumberPorts/Inbound/TollFree/PermanentCallForwards": {
		tollFree: true,
		offering: typePermanentCallForward,
		list:     "Forwards", number: []string{"Number", "Number"},
		rules: []rule{plansExist},
	},
	"POST /NumberPorts/Inbound/BusinessPermanentCallForwards": {
		offering: typeBusinessPermanentCallForward,
		list:     "ForwardingInstructions", number: []string{"TN"},
		rules: []rule{offeringFits, groupSubscriptionExists},
	},
	"POST /NumberPorts/Inbound/VirtualFaxes": {
		offering: typeVirtualFax,
		rules:    []rule{offeringFits},
	},
}

// order is a body that its schema allows, with what the rules hold it against.
type order struct {
	orderKind
	body, form object
	catalogue  *catalogue
	unknowns   Unknowns
}

// readOrder holds a decoded body against the operation's schema and every rule.
func readOrder(op *operation, value any, k *catalogue, u Unknowns) (*order, error) {
	if err := op.request.check("", value); err != nil {
		return nil, err
	}
	body, _ := value.(map[string]any) // the schema has made sure
	o := &order{orderKind: *op.order, body: body, catalogue: k, unknowns: u}
	o.form = o.body.object("PortForm")
	for _, rule := range slices.Concat(formRules, o.rules) {
		if err := rule(o); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// numbers are those that the form asks to port.
func (o *order) numbers() []int64 {
	return o.form.integers("NumbersToPort")
}

// entries are the product's own list, nil where it has none.
func (o *order) entries() []object {
	if o.list == "" {
		return nil
	}
	return o.body.objects(o.list)
}

// entryNumber is the number of an entry of the product's list; a line may have a
// rate centre's name instead.
func (o *order) entryNumber(entry object) (int64, bool) {
	for _, name := range o.number[:len(o.number)-1] {
		entry = entry.object(name)
	}
	name := o.number[len(o.number)-1]
	return entry.integer(name), entry.has(name)
}

// object reads the members of a body that has passed its schema: a member is
// absent, and answered as the zero value, or has the type that is asked for.
type object map[string]any

func (o object) has(name string) bool {
	_, ok := o[name]
	return ok
}

func (o object) text(name string) string {
	text, _ := o[name].(string)
	return text
}

func (o object) flag(name string) bool {
	flag, _ := o[name].(bool)
	return flag
}

func (o object) integer(name string) int64 {
	return integerOf(o[name])
}

func (o object) integers(name string) []int64 {
	list, _ := o[name].([]any)
	numbers := make([]int64, len(list))
	for i, item := range list {
		numbers[i] = integerOf(item)
	}
	return numbers
}

func (o object) object(name string) object {
	members, _ := o[name].(map[string]any)
	return members
}

func (o object) objects(name string) []object {
	list, _ := o[name].([]any)
	objects := make([]object, len(list))
	for i, item := range list {
		objects[i], _ = item.(map[string]any)
	}
	return objects
}

func integerOf(value any) int64 {
	number, _ := value.(json.Number)
	n, _ := strconv.ParseInt(number.String(), 10, 64)
	return n
}
