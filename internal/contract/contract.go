// Package contract is what the .proto files say, as code: the rules of protovalidate in our words, the order in which
// fields are declared, which fields go only in or only out, and what of a message is not in the contract at all.
//
// It promises that no description quotes a value and that everything depends on descriptors alone, so that a new field
// needs no line here. It refuses rules between fields: those belong to the products.
package contract

import (
	"errors"
	"fmt"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// Violation is a field that breaks a rule of the contract.
type Violation struct {
	// Field is the path relative to the message, with proto names; a oneof that is not set has its own name.
	Field string
	// Description says what would be right.
	Description string
	// Missing says that the field is absent or an empty text, so that no other rule has a say on it.
	Missing bool
}

// rules checks every message of the contract. It is built when the program starts and read-only after that.
var rules = mustBuild(protovalidate.New( //nolint:gochecknoglobals // built once: it takes longer than a thousand orders
	protovalidate.WithMessages(requests()...),
	protovalidate.WithDisableLazy(),
))

// mustBuild panics at the start of the program for what depends on nothing but the program.
func mustBuild[T any](built T, err error) T {
	if err != nil {
		panic("contract: " + err.Error())
	}
	return built
}

// requests lists the messages that are checked: the input of every RPC, and an order by itself.
func requests() []proto.Message {
	all := []proto.Message{&portinv1.PortInOrder{}}
	for _, file := range []protoreflect.FileDescriptor{
		portinv1.File_portin_v1_port_in_service_proto,
		portinv1.File_portin_v1_catalog_service_proto,
		portinv1.File_portin_v1_operator_service_proto,
		portinv1.File_portin_v1_webhook_service_proto,
	} {
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				all = append(all, dynamicpb.NewMessage(methods.Get(j).Input()))
			}
		}
	}
	return all
}

// wording says in our words what breaks a rule, by protovalidate's rule id. %v is the rule's limit.
var wording = map[string]string{
	"required":           "is required",
	"oneof.required":     "is required; choose one",
	"string.min_len":     "must not be empty",
	"string.max_len":     "is too long; want at most %v characters",
	"string.email":       "is not an e-mail address; want one such as porting@example.com",
	"string.email_empty": "is empty; want an e-mail address such as porting@example.com",
	"string.uuid":        "is not a UUID; want 8-4-4-4-12 hexadecimal digits",
	"string.uuid_empty":  "is empty; want a UUID, 8-4-4-4-12 hexadecimal digits",
	"enum.not_in":        "must be set; UNSPECIFIED is not a choice",
	"enum.defined_only":  "is not a value of this enum",
	"int32.gte":          "is too small; want %v or more",
	"int32.gte_lte":      "is out of range; want %v to %v",
	"int64.gte":          "is too small; want %v or more",
	"bytes.min_len":      "is an empty file; want its content",
	"repeated.min_items": "must have at least %v entry",
	"repeated.max_items": "has too many entries; want at most %v",
}

// unworded is said of a rule that is not in wording, which a test keeps from happening.
const unworded = "breaks a rule of the contract"

// Violations lists the rules of the contract that a message breaks, in the order of protovalidate. A list that is too
// long is all that is said of its message: the work and the answer must not grow with what a stranger sends.
func Violations(m proto.Message) []Violation {
	if long := tooLong("", m.ProtoReflect()); len(long) > 0 {
		return long
	}
	err := rules.Validate(m)
	if err == nil {
		return nil
	}
	var broken *protovalidate.ValidationError
	if !errors.As(err, &broken) {
		// The rules are compiled at the start, so this is none of them; what is not understood is refused.
		return []Violation{{Description: unworded}}
	}
	list := make([]Violation, len(broken.Violations))
	for i, v := range broken.Violations {
		rule := v.Proto.GetRuleId()
		list[i] = Violation{
			Field:       protovalidate.FieldPathString(v.Proto.GetField()),
			Description: describe(rule, v),
			Missing:     rule == "required" || rule == "string.min_len",
		}
	}
	return list
}

// describe says what would be right, with the limits of the rule and never with the value.
func describe(rule string, v *protovalidate.Violation) string {
	text, known := wording[rule]
	switch {
	case !known:
		return unworded
	case rule == "required" && v.FieldDescriptor == nil:
		return wording["oneof.required"] // protovalidate names the oneof, which is no field
	case rule == "int32.gte_lte":
		between, err := protovalidate.ResolveFieldRules(v.FieldDescriptor)
		if err != nil {
			return unworded
		}
		return fmt.Sprintf(text, between.GetInt32().GetGte(), between.GetInt32().GetLte())
	case strings.Contains(text, "%v"):
		return fmt.Sprintf(text, v.RuleValue.Interface())
	}
	return text
}

// tooLong lists the lists that hold more than their rule allows. It looks into no list that is too long.
func tooLong(prefix string, m protoreflect.Message) []Violation {
	var long []Violation
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if fd.IsList() {
			own, _ := proto.GetExtension(fd.Options(), validate.E_Field).(*validate.FieldRules)
			limit := own.GetRepeated()
			if limit.HasMaxItems() && uint64(v.List().Len()) > limit.GetMaxItems() {
				long = append(long, Violation{
					Field:       prefix + string(fd.Name()),
					Description: fmt.Sprintf(wording["repeated.max_items"], limit.GetMaxItems()),
				})
				return true
			}
		}
		each(fd, v, func(step string, below protoreflect.Message) bool {
			long = append(long, tooLong(prefix+step+".", below)...)
			return true
		})
		return true
	})
	return long
}
