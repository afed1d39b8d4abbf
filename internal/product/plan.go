package product

import (
	"slices"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// plan says what to do with the fields of one message: which the caller does not write, which are counted, which are
// text, and which lead on. Plans are made from the contract when the program starts, so that a new field needs nothing here.
type plan struct {
	outputOnly []protoreflect.FieldDescriptor
	lists      []listField
	texts      []textField
	messages   []messageField
}

type listField struct {
	descriptor protoreflect.FieldDescriptor
	limit      int // how many entries the contract allows; 0 when it does not say
}

type textField struct {
	descriptor protoreflect.FieldDescriptor
	kind       textKind
}

type messageField struct {
	descriptor protoreflect.FieldDescriptor
	plan       *plan
}

// textKind is how a text may be written.
type textKind uint8

const (
	// singleLine is trimmed and has no control characters.
	singleLine textKind = iota
	// freeText is left as it is and may have line breaks and tabs.
	freeText
	// secret is left as it is and has no control characters.
	secret
)

// freeTexts are the fields that people write sentences in.
var freeTexts = map[protoreflect.Name]bool{
	"comments_losing_carrier":   true,
	"comments_port_team":        true,
	"provisioning_instructions": true,
	"value":                     true, // of an extra detail
}

// orderPlans are the plans of an order and of every message below it. They are read-only once the program has started.
var (
	orderPlans = map[protoreflect.FullName]*plan{}
	orderPlan  = planOf((*portinv1.PortInOrder)(nil).ProtoReflect().Descriptor()) //nolint:gochecknoglobals // a table made from the contract
)

// planOf makes the plan of a message and those of the messages below it, each once.
func planOf(message protoreflect.MessageDescriptor) *plan {
	if p, ok := orderPlans[message.FullName()]; ok {
		return p
	}
	p := &plan{}
	orderPlans[message.FullName()] = p
	fields := message.Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		if behaves(fd, annotations.FieldBehavior_OUTPUT_ONLY) {
			p.outputOnly = append(p.outputOnly, fd)
			continue
		}
		if fd.IsList() {
			p.lists = append(p.lists, listField{fd, maxItems(fd)})
		}
		switch {
		case fd.Message() != nil:
			p.messages = append(p.messages, messageField{fd, planOf(fd.Message())})
		case fd.Kind() != protoreflect.StringKind:
		case behaves(fd, annotations.FieldBehavior_INPUT_ONLY):
			p.texts = append(p.texts, textField{fd, secret})
		case freeTexts[fd.Name()]:
			p.texts = append(p.texts, textField{fd, freeText})
		default:
			p.texts = append(p.texts, textField{fd, singleLine})
		}
	}
	return p
}

// behaves reports whether the contract gives a field the behavior.
func behaves(fd protoreflect.FieldDescriptor, behavior annotations.FieldBehavior) bool {
	behaviors, _ := proto.GetExtension(fd.Options(), annotations.E_FieldBehavior).([]annotations.FieldBehavior)
	return slices.Contains(behaviors, behavior)
}

// trail is the way from the order to a field. It is only valid during the call that it is handed to: the way to the next
// field is written over it.
type trail []step

// newTrail has room for the way to any field of the contract, so that a thousand lines share it.
func newTrail() trail {
	return make(trail, 0, 8)
}

type step struct {
	name  protoreflect.Name
	index int // -1 for a field that is not a list
}

// String is the path relative to the request.
func (t trail) String() string {
	var b strings.Builder
	b.WriteString("order")
	for _, s := range t {
		b.WriteByte('.')
		b.WriteString(string(s.name))
		if s.index >= 0 {
			b.WriteByte('[')
			b.WriteString(strconv.Itoa(s.index))
			b.WriteByte(']')
		}
	}
	return b.String()
}

// clear removes what the caller does not write, at every depth.
func (p *plan) clear(m protoreflect.Message) {
	for _, fd := range p.outputOnly {
		if m.Has(fd) {
			m.Clear(fd)
		}
	}
	p.below(m, newTrail(), func(p *plan, m protoreflect.Message, _ trail) { p.clear(m) })
}

// rewrite hands every text that is set, at every depth, to a function that answers what stands there from now on.
func (p *plan) rewrite(m protoreflect.Message, way trail, f func(way trail, kind textKind, text string) string) {
	for _, t := range p.texts {
		if !m.Has(t.descriptor) {
			continue
		}
		// A text is only written where it changes: writing a list of a thousand costs more than reading it.
		old := m.Get(t.descriptor)
		if t.descriptor.IsList() {
			list := old.List()
			for i := range list.Len() {
				was := list.Get(i).String()
				if is := f(append(way, step{t.descriptor.Name(), i}), t.kind, was); is != was {
					list.Set(i, protoreflect.ValueOfString(is))
				}
			}
			continue
		}
		was := old.String()
		if is := f(append(way, step{t.descriptor.Name(), -1}), t.kind, was); is != was {
			m.Set(t.descriptor, protoreflect.ValueOfString(is))
		}
	}
	p.below(m, way, func(p *plan, m protoreflect.Message, way trail) { p.rewrite(m, way, f) })
}

// below calls f for every message that m holds.
func (p *plan) below(m protoreflect.Message, way trail, f func(*plan, protoreflect.Message, trail)) {
	for _, field := range p.messages {
		if !m.Has(field.descriptor) {
			continue
		}
		value := m.Get(field.descriptor)
		if !field.descriptor.IsList() {
			f(field.plan, value.Message(), append(way, step{field.descriptor.Name(), -1}))
			continue
		}
		list := value.List()
		for i := range list.Len() {
			f(field.plan, list.Get(i).Message(), append(way, step{field.descriptor.Name(), i}))
		}
	}
}
