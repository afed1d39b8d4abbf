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

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// Violation is a field that breaks a rule of the contract.
type Violation struct {
	// Field is the path relative to the message, with proto names; a oneof that is not set has its own name.
	Field string
	// Description says what would be right.
	Description string
	// Missing says that the field is not there at all, so that no other rule has a say on it.
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

// requests lists the messages that are checked: the input of every RPC.
func requests() []proto.Message {
	var all []proto.Message
	for _, file := range []protoreflect.FileDescriptor{
		portinv1.File_portin_v1_port_in_service_proto,
		portinv1.File_portin_v1_catalog_service_proto,
		portinv1.File_portin_v1_operator_service_proto,
	} {
		for i := range file.Messages().Len() {
			if m := file.Messages().Get(i); strings.HasSuffix(string(m.Name()), "Request") {
				all = append(all, newMessage(m))
			}
		}
	}
	return append(all, &portinv1.PortInOrder{})
}

// wording says in our words what breaks a rule, by protovalidate's rule id. %v is the rule's limit.
var wording = map[string]string{
	"required":            "is required",
	"message.oneof":       "must be set; choose one",
	"string.min_len":      "must not be empty",
	"string.max_len":      "is too long; want at most %v characters",
	"string.email":        "is not an e-mail address; want one such as porting@example.com",
	"string.email_empty":  "is empty; want an e-mail address such as porting@example.com",
	"string.uuid":         "is not a UUID; want 8-4-4-4-12 hexadecimal digits",
	"string.uuid_empty":   "is empty; want a UUID, 8-4-4-4-12 hexadecimal digits",
	"enum.not_in":         "must be set; UNSPECIFIED is not a choice",
	"enum.defined_only":   "is not a value of this enum",
	"int32.gte":           "is too small; want %v or more",
	"int64.gte":           "is too small; want %v or more",
	"bytes.min_len":       "is an empty file; want its content",
	"repeated.min_items":  "must have at least %v entry",
	"repeated.max_items":  "has too many entries; want at most %v",
	"repeated.unique":     "has an entry twice; want each once",
	"int32.gte_lte":       "is out of range; see the field's description",
	"protovalidate.other": "breaks a rule of the contract",
}

// Violations lists the rules of the contract that a message breaks, in the order of protovalidate.
func Violations(m proto.Message) []Violation {
	err := rules.Validate(m)
	if err == nil {
		return nil
	}
	var broken *protovalidate.ValidationError
	if !errors.As(err, &broken) {
		// The rules are compiled at the start, so this is none of them; what is not understood is refused.
		return []Violation{{Description: wording["protovalidate.other"]}}
	}
	list := make([]Violation, 0, len(broken.Violations))
	for _, v := range broken.Violations {
		rule := v.Proto.GetRuleId()
		text, known := wording[rule]
		switch {
		case !known:
			text = wording["protovalidate.other"]
		case strings.Contains(text, "%v"):
			text = fmt.Sprintf(text, v.RuleValue.Interface())
		}
		list = append(list, Violation{
			Field:       protovalidate.FieldPathString(v.Proto.GetField()),
			Description: text,
			Missing:     rule == "required" || rule == "string.min_len",
		})
	}
	return list
}
