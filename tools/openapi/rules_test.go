package main

import (
	"strings"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

func TestReadRule(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		field, rules string
		want         rule
	}{
		"no rules":         {"text", ``, rule{}},
		"a text":           {"text", `string: {min_len: 1 max_len: 9 email: true}`, rule{keywords: object{"minLength": uint64(1), "maxLength": uint64(9), "format": "email"}}},
		"not an address":   {"text", `string: {email: false}`, rule{}},
		"an id":            {"text", `string: {uuid: true}`, rule{keywords: object{"format": "uuid"}}},
		"a text to give":   {"text", `required: true`, rule{keywords: object{"minLength": uint64(1)}}},
		"a long one":       {"text", `required: true string: {min_len: 3}`, rule{keywords: object{"minLength": uint64(3)}}},
		"one not needed":   {"maybe", `required: true string: {max_len: 9}`, rule{keywords: object{"maxLength": uint64(9)}}},
		"a file":           {"file", `bytes: {min_len: 1}`, rule{keywords: object{"minLength": uint64(2)}}},
		"a file of three":  {"file", `bytes: {min_len: 3}`, rule{keywords: object{"minLength": uint64(4)}}},
		"a list":           {"list", `repeated: {min_items: 2 max_items: 4}`, rule{keywords: object{"minItems": uint64(2), "maxItems": uint64(4)}}},
		"a list to give":   {"list", `required: true`, rule{keywords: object{"minItems": uint64(1)}}},
		"a list of texts":  {"list", `repeated: {items: {string: {max_len: 9}}}`, rule{items: &rule{keywords: object{"maxLength": uint64(9)}}}},
		"of any texts":     {"list", `repeated: {items: {string: {}}}`, rule{}},
		"a number":         {"number", `int32: {gte: 0 lte: 7}`, rule{keywords: object{"minimum": int64(0), "maximum": int64(7)}}},
		"a long number":    {"long", `int64: {lte: 7 gte: -1}`, rule{orNumber: true, notes: []string{"At most 7.", "At least -1."}}},
		"long numbers":     {"longs", `repeated: {max_items: 4}`, rule{keywords: object{"maxItems": uint64(4)}, items: &rule{orNumber: true}}},
		"a choice":         {"choice", `enum: {defined_only: true not_in: [0]}`, rule{without: []string{"CHOICE_UNSPECIFIED", "CHOICE_NONE"}}},
		"a choice to make": {"choice", `required: true`, rule{without: []string{"CHOICE_UNSPECIFIED", "CHOICE_NONE"}}},
		"zero passes":      {"text", `ignore: IGNORE_IF_ZERO_VALUE string: {min_len: 3 max_len: 9}`, rule{keywords: object{"maxLength": uint64(9)}}},
		"any choice":       {"choice", `ignore: IGNORE_IF_ZERO_VALUE enum: {not_in: [0]}`, rule{}},
		"all passes":       {"text", `ignore: IGNORE_ALWAYS string: {pattern: "x"}`, rule{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := readRule(ruled(t, test.field, test.rules))
			if err != nil {
				t.Fatal(err)
			}
			test.want.field, test.want.member = test.field+"_value", test.field+"Value"
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(rule{}), emptyAsNone); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// emptyAsNone lets a rule without keywords be the same with and without an object for them.
var emptyAsNone = cmp.FilterValues(func(a, b object) bool { return len(a) == 0 && len(b) == 0 }, cmp.Ignore())

// A rule that the document has no words for is not left out in silence.
func TestReadRuleRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ field, rules, want string }{
		{"text", `string: {pattern: "x"}`, "text_value: no words for the rule string.pattern"},
		{"text", `cel: {id: "x" expression: "true"}`, "text_value: no words for the rule cel"},
		{"text", `cel_expression: "true"`, "text_value: no words for the rule cel_expression"},
		{"number", `required: true`, "number_value: no words for the rule required of a int32"},
		{"list", `repeated: {items: {required: true}}`, "list_value: no words for the rule repeated.items.required"},
		{"list", `repeated: {items: {string: {in: "x"}}}`, "list_value: items: no words for the rule string.in"},
	} {
		if _, err := readRule(ruled(t, test.field, test.rules)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s of a %s: %v, want an error with %q", test.rules, test.field, err, test.want)
		}
	}
}

func TestReadContractNamesEveryUnknownRule(t *testing.T) {
	t.Parallel()
	set := &descriptorpb.FileDescriptorSet{}
	if err := prototext.Unmarshal([]byte(`file {
		name: "x.proto" package: "portin.v1" syntax: "proto3"
		message_type {
			name: "A" field {name: "one" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL}
			nested_type {name: "B" field {name: "two" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL}}
		}}`), set); err != nil {
		t.Fatal(err)
	}
	a := set.GetFile()[0].GetMessageType()[0]
	for _, field := range []*descriptorpb.FieldDescriptorProto{a.GetField()[0], a.GetNestedType()[0].GetField()[0]} {
		field.Options = options(t, `string: {pattern: "x"}`)
	}
	data, err := proto.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	_, err = readContract(data)
	for _, field := range []string{"portin.v1.A.one", "portin.v1.A.B.two"} {
		if err == nil || !strings.Contains(err.Error(), field+": no words for the rule string.pattern") {
			t.Errorf("the error does not name %s: %v", field, err)
		}
	}
}

// ruled is a field of a type, by its name below without _value, with rules in the text format.
func ruled(t *testing.T, name, rules string) protoreflect.FieldDescriptor {
	t.Helper()
	file := &descriptorpb.FileDescriptorProto{}
	if err := prototext.Unmarshal([]byte(`
		name: "ruled.proto" syntax: "proto3"
		message_type {
			name: "Ruled"
			oneof_decl {name: "_maybe_value"}
			field {name: "text_value" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL}
			field {name: "maybe_value" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL oneof_index: 0 proto3_optional: true}
			field {name: "file_value" number: 3 type: TYPE_BYTES label: LABEL_OPTIONAL}
			field {name: "list_value" number: 4 type: TYPE_STRING label: LABEL_REPEATED}
			field {name: "number_value" number: 5 type: TYPE_INT32 label: LABEL_OPTIONAL}
			field {name: "long_value" number: 6 type: TYPE_INT64 label: LABEL_OPTIONAL}
			field {name: "choice_value" number: 7 type: TYPE_ENUM type_name: ".Choice" label: LABEL_OPTIONAL}
			field {name: "longs_value" number: 8 type: TYPE_FIXED64 label: LABEL_REPEATED}
		}
		enum_type {
			name: "Choice" options {allow_alias: true}
			value {name: "CHOICE_UNSPECIFIED" number: 0} value {name: "CHOICE_NONE" number: 0} value {name: "CHOICE_ONE" number: 1}
		}`), file); err != nil {
		t.Fatal(err)
	}
	for _, field := range file.GetMessageType()[0].GetField() {
		if field.GetName() == name+"_value" {
			field.Options = options(t, rules)
		}
	}
	linked, err := protodesc.NewFile(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	return linked.Messages().Get(0).Fields().ByName(protoreflect.Name(name + "_value"))
}

func options(t *testing.T, rules string) *descriptorpb.FieldOptions {
	t.Helper()
	said := &validate.FieldRules{}
	if err := prototext.Unmarshal([]byte(rules), said); err != nil {
		t.Fatal(err)
	}
	field := &descriptorpb.FieldOptions{}
	proto.SetExtension(field, validate.E_Field, said)
	return field
}
