package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// rule is what a request keeps to in one field, in the words of JSON Schema: what buf.validate says, and what protojson
// reads. The zero rule says nothing.
type rule struct {
	field    string   // the field's name in .proto, which path parameters have
	member   string   // its name in JSON, which bodies and query parameters have
	keywords object   // for the field's schema: maxLength, format and so on
	without  []string // values of the field's enum that are refused
	notes    []string // sentences for what JSON Schema has no keyword for
	orNumber bool     // a number is read as well as the text that answers have
	items    *rule    // of the elements of a list
}

// saysNothing reports whether a schema stays as it is under the rule.
func (r rule) saysNothing() bool {
	return len(r.keywords) == 0 && len(r.without) == 0 && len(r.notes) == 0 && !r.orNumber && r.items == nil
}

// readRule translates the rules of a field. That a field has to be set is not among them: the generator has it from
// field_behavior.
func readRule(field protoreflect.FieldDescriptor) (rule, error) {
	rules, _ := proto.GetExtension(field.Options(), validate.E_Field).(*validate.FieldRules)
	r, err := translate(field, rules)
	if err != nil {
		return rule{}, fmt.Errorf("%s: %w", field.FullName(), err)
	}
	r.field, r.member = string(field.Name()), field.JSONName()
	if isLong(field.Kind()) {
		of := &r
		if field.IsList() {
			of = cmp.Or(r.items, &rule{})
			r.items = of
		}
		of.orNumber = true
	}
	return r, nil
}

// isLong reports whether JSON has numbers of a kind as text, for they may be more than a JavaScript number can hold.
func isLong(kind protoreflect.Kind) bool {
	return slices.Contains([]protoreflect.Kind{
		protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind,
		protoreflect.Uint64Kind, protoreflect.Fixed64Kind,
	}, kind)
}

// translate translates the rules of a field, or of the elements of a list.
func translate(field protoreflect.FieldDescriptor, rules *validate.FieldRules) (rule, error) {
	r := rule{keywords: object{}}
	if rules.GetIgnore() == validate.Ignore_IGNORE_ALWAYS {
		return r, nil
	}
	var problems []error
	for _, said := range whatIsSet(rules.ProtoReflect()) {
		switch name := string(said.field.Name()); {
		case name == "ignore":
		case said.field.Message() == nil || said.field.IsList():
			problems = append(problems, r.say(name, said.value, field))
		default: // The rules of a type: string, repeated and so on.
			for _, of := range whatIsSet(said.value.Message()) {
				problems = append(problems, r.say(name+"."+string(of.field.Name()), of.value, field))
			}
		}
	}
	if rules.GetIgnore() == validate.Ignore_IGNORE_IF_ZERO_VALUE {
		// The zero value passes all rules, so what excludes it cannot be said. A format stays: it tells what to write.
		for _, floor := range []string{"minLength", "minItems", "minimum"} {
			delete(r.keywords, floor)
		}
		r.without, r.notes = nil, nil
	}
	return r, errors.Join(problems...)
}

// say adds one rule by its name in buf.validate. A rule without a case here stops the command, so that somebody decides
// what the document says about it.
func (r *rule) say(name string, limit protoreflect.Value, field protoreflect.FieldDescriptor) error {
	switch name {
	case "required":
		return r.require(field)
	case "string.min_len":
		r.keywords["minLength"] = limit.Uint()
	case "string.max_len":
		r.keywords["maxLength"] = limit.Uint()
	case "string.email", "string.uuid":
		if limit.Bool() {
			r.keywords["format"] = strings.TrimPrefix(name, "string.")
		}
	case "bytes.min_len":
		r.keywords["minLength"] = (limit.Uint()*8 + 5) / 6 // Letters of base64; the padding may be left out.
	case "repeated.min_items":
		r.keywords["minItems"] = limit.Uint()
	case "repeated.max_items":
		r.keywords["maxItems"] = limit.Uint()
	case "repeated.items":
		return r.sayOfItems(limit, field)
	case "int32.gte":
		r.keywords["minimum"] = limit.Int()
	case "int32.lte":
		r.keywords["maximum"] = limit.Int()
	case "int64.gte": // In JSON it is mostly a text, and a text has no least value.
		r.notes = append(r.notes, fmt.Sprintf("At least %d.", limit.Int()))
	case "int64.lte":
		r.notes = append(r.notes, fmt.Sprintf("At most %d.", limit.Int()))
	case "enum.defined_only": // A schema of an enum lists its values; that is the rule.
	case "enum.not_in":
		for i := range limit.List().Len() {
			r.leaveOut(field, protoreflect.EnumNumber(limit.List().Get(i).Int()))
		}
	default:
		return fmt.Errorf("no words for the rule %s; rule.say is where they belong", name)
	}
	return nil
}

// require says that a field is not its zero value, where that is what required means: a field with presence may be.
func (r *rule) require(field protoreflect.FieldDescriptor) error {
	switch {
	case field.HasPresence():
	case field.IsList():
		r.keywords["minItems"] = max(1, number(r.keywords["minItems"]))
	case field.Kind() == protoreflect.StringKind:
		r.keywords["minLength"] = max(1, number(r.keywords["minLength"]))
	case field.Kind() == protoreflect.EnumKind:
		r.leaveOut(field, 0)
	default:
		return fmt.Errorf("no words for the rule required of a %s without presence; rule.require is where they belong", field.Kind())
	}
	return nil
}

func (r *rule) sayOfItems(limit protoreflect.Value, field protoreflect.FieldDescriptor) error {
	rules, ok := limit.Message().Interface().(*validate.FieldRules)
	if !ok || rules.GetRequired() {
		return errors.New("no words for the rule repeated.items.required; rule.sayOfItems is where they belong")
	}
	items, err := translate(field, rules)
	if err != nil {
		return fmt.Errorf("items: %w", err)
	}
	if !items.saysNothing() {
		r.items = &items
	}
	return nil
}

// leaveOut refuses the values of a field's enum that have a number.
func (r *rule) leaveOut(field protoreflect.FieldDescriptor, refused protoreflect.EnumNumber) {
	for i := range field.Enum().Values().Len() {
		value := field.Enum().Values().Get(i)
		if name := string(value.Name()); value.Number() == refused && !slices.Contains(r.without, name) {
			r.without = append(r.without, name)
		}
	}
}

// setField is a field of a message that is set, with its value.
type setField struct {
	field protoreflect.FieldDescriptor
	value protoreflect.Value
}

// whatIsSet lists the fields of a message that are set, in the order of their numbers.
func whatIsSet(message protoreflect.Message) []setField {
	var all []setField
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		all = append(all, setField{field, value})
		return true
	})
	slices.SortFunc(all, func(a, b setField) int { return cmp.Compare(a.field.Number(), b.field.Number()) })
	return all
}

// number is a limit that was said before, 0 when none was.
func number(limit any) uint64 {
	said, _ := limit.(uint64)
	return said
}
