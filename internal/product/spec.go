package product

import (
	"iter"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// Spec is one target: which of the carrier's operations an arm of the order's oneof selects, and what the service knows
// of it. Specs are values of the registry; the zero value is no target.
type Spec struct {
	// Arm is the name of the oneof's field: "trunk_did".
	Arm protoreflect.Name
	// Operation names the carrier's operation in metrics, traces and logs: "DIDs", "TollFree/DIDs".
	Operation string
	// Path is the carrier's path below its base URL. Some have the prefix /v2 and some have not: that is the carrier's.
	Path string
	// TollFree says that the numbers to port are toll-free ones and that the form is the toll-free one.
	TollFree bool
	// ProductType is the carrier's product type, 1 to 7; 0 for the trunks, which are no products.
	ProductType int

	// phones lists the target's telephone numbers in the order of the contract; entry by entry, the number to port
	// before those that its calls go to.
	phones func(*portinv1.PortInOrder) []phone
	// body is the wire value of the carrier's order.
	body func(*portinv1.PortInOrder, *encoder) any
	// references lists what the target refers to in the carrier's lists.
	references func(*portinv1.PortInOrder) []Reference
	// rules reports what breaks a rule of this target alone; nil when it has none.
	rules func(*portinv1.PortInOrder, *report)
	// doubts reports what is contradictory in this target alone without breaking a rule; nil when there is nothing.
	doubts func(*portinv1.PortInOrder, *doubts)
}

// registry holds every target, in the order of the contract. Check holds the two together.
var registry = []Spec{
	trunkDID(),
	trunkTollFreeDID(),
	generalProduct(),
	generalChildProduct(),
	residentialLine(),
	businessLine(),
	permanentCallForward(),
	tollFreePermanentCallForward(),
	businessPermanentCallForward(),
	virtualFax(),
}

// Specs lists every target, in the order of the contract's arms. The caller owns the slice.
func Specs() []Spec {
	return slices.Clone(registry)
}

// Of returns the target that the order has set. It reports false when none is, or when it holds no message.
func Of(o *portinv1.PortInOrder) (Spec, bool) {
	m := o.ProtoReflect()
	arm := m.WhichOneof(targetOf(m.Descriptor()))
	if arm == nil || !m.Get(arm).Message().IsValid() {
		return Spec{}, false
	}
	for _, s := range registry {
		if s.Arm == arm.Name() {
			return s, true
		}
	}
	return Spec{}, false
}

// ForProductType lists the arms that an offering of the carrier's product type fits, in the order of the contract: two
// for type 5, none for a type that this version does not know.
func ForProductType(t int) []string {
	var arms []string
	for _, s := range registry {
		if t != 0 && s.ProductType == t {
			arms = append(arms, string(s.Arm))
		}
	}
	return arms
}

// Numbers lists the numbers to port in the order of the target: in E.164 when the order is normalised, but for those
// that could not be read.
func Numbers(o *portinv1.PortInOrder) []string {
	spec, ok := Of(o)
	if !ok {
		return nil
	}
	var numbers []string
	for _, p := range spec.phones(o) {
		if p.role == ported {
			numbers = append(numbers, *p.value)
		}
	}
	return numbers
}

// field is the arm's path relative to the request.
func (s Spec) field() string {
	return "order." + string(s.Arm)
}

// targetOf is the oneof of an order's targets.
func targetOf(order protoreflect.MessageDescriptor) protoreflect.OneofDescriptor {
	return order.Oneofs().ByName("target")
}

// entries ranges over a list of messages. A nil entry, which only a program can make, ranges as an empty one: the rules
// say what it lacks.
func entries[T any](list []*T) iter.Seq2[int, *T] {
	return func(yield func(int, *T) bool) {
		for i, e := range list {
			if e == nil {
				e = new(T)
			}
			if !yield(i, e) {
				return
			}
		}
	}
}

// shapes turns the entries of one target into a shape that several targets share.
func shapes[T, S any](list []*T, shape func(*T) S) []S {
	all := make([]S, 0, len(list))
	for _, e := range entries(list) {
		all = append(all, shape(e))
	}
	return all
}
