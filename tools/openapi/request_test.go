package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"buf.build/go/protovalidate"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

func TestStateRules(t *testing.T) {
	t.Parallel()
	parts, facts := fixture(t)
	data, err := finish(parts, facts)
	if err != nil {
		t.Fatal(err)
	}
	doc := load(t, data)
	form := doc.Components.Schemas["portin.v1.PortForm"].Value
	if name := form.Properties["customerName"].Value; name.MinLength != 1 || name.MaxLength == nil || *name.MaxLength != 200 {
		t.Errorf("a name has %d to %v characters, want 1 to 200", name.MinLength, name.MaxLength)
	}
	if got, want := form.Properties["dueDate"].Value.Description, "Date <2026-01-02>. At least today."; got != want {
		t.Errorf("a date is described as %q, want %q", got, want)
	}
	numbers := doc.Components.Schemas["portin.v1.TrunkDid"].Value.Properties["numbers"].Value
	if items := numbers.Items.Value; numbers.MinItems != 1 || items.MaxLength == nil || *items.MaxLength != 40 {
		t.Errorf("a list has %d numbers of %v characters at least, want 1 of 40", numbers.MinItems, items.MaxLength)
	}
	get := doc.Paths.Value("/v1/port-ins/{order_id}").Get
	if got := get.Parameters.GetByInAndName("path", "order_id").Schema.Value.Format; got != "uuid" {
		t.Errorf("an order's id in a path is a %q, want a uuid", got)
	}
	states := doc.Paths.Value("/v1/port-ins:watch").Get.Parameters.GetByInAndName("query", "states").Schema.Value.Items.Value
	if diff := cmp.Diff([]any{"ORDER_STATE_SENDING"}, states.Enum); diff != "" {
		t.Errorf("states to ask for (-want +got):\n%s", diff)
	}
	if got := len(doc.Components.Schemas["portin.v1.OrderState"].Value.Enum); got != 2 {
		t.Errorf("an answer has one of %d states, want 2", got)
	}
}

// A body without a schema of its own holds the fields of the request.
func TestInputOfABody(t *testing.T) {
	t.Parallel()
	numbers := object{"type": "array"}
	op := operation{id: "S_M", body: object{"requestBody": object{"content": object{"application/json": object{
		"schema": object{"properties": object{"phoneNumbers": numbers}},
	}}}}}
	found, err := op.input(rule{field: "phone_numbers", member: "phoneNumbers"})
	if err != nil || cmp.Diff(numbers, found) != "" {
		t.Errorf("found %v, %v; want the member of the body", found, err)
	}
	if other, err := op.input(rule{field: "other", member: "other"}); other != nil || err != nil {
		t.Errorf("found %v, %v; want nothing for a field that is not there", other, err)
	}
	op.body["requestBody"] = object{}
	if _, err := op.input(rule{}); err == nil || !strings.Contains(err.Error(), "expected an object at requestBody > content") {
		t.Errorf("a body of another media type: %v", err)
	}
}

// The published schema of a body and the rules of the contract judge alike: what the products are tested with, and what
// one change makes of it.
func TestPublishedRules(t *testing.T) {
	t.Parallel()
	doc := published(t)
	schema := doc.Paths.Value("/v1/port-ins").Post.RequestBody.Value.Content.Get("application/json").Schema.Value
	documented := func(body any) error {
		return doc.ValidateSchemaJSON(schema, body, openapi3.VisitAsRequest(), withFormats)
	}
	for _, dir := range goldens(t) {
		t.Run(filepath.Base(filepath.Dir(dir))+"/"+filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			body := read(t, filepath.Join(dir, "request.json"))
			if err := documented(body); err != nil {
				t.Fatalf("the document refuses it: %v", err)
			}
			changed := 0
			spoil(body, "", func(what string) {
				changed++
				byContract, byDocument := broken(t, body), documented(body)
				if (byContract == nil) != (byDocument == nil) {
					t.Errorf("%s:\nthe contract says %v\nthe document says %v", what, byContract, byDocument)
				}
			})
			if changed < 20 {
				t.Errorf("%d changes, this test is blind", changed)
			}
		})
	}
}

// A parameter that is too long, too large or no choice is refused.
func TestPublishedParameters(t *testing.T) {
	t.Parallel()
	doc := published(t)
	for _, test := range []struct {
		path, in, name string
		right, wrong   any
	}{
		{"/v1/port-ins", "query", "pageSize", 1000.0, 1001.0},
		{"/v1/port-ins", "query", "pageSize", 0.0, -1.0},
		{"/v1/port-ins", "query", "pageToken", "", strings.Repeat("x", 1025)},
		{"/v1/port-ins", "query", "number", "4165550123", ""},
		{"/v1/port-ins", "query", "requestId", "7f9c24e8-3b12-4f8a-9d2e-1a2b3c4d5e6f", "7f9c24e8"},
		{"/v1/port-ins", "query", "states", []any{"ORDER_STATE_IN_DOUBT"}, []any{"ORDER_STATE_UNSPECIFIED"}},
		{"/v1/port-ins", "query", "states", make([]any, 0), strings.Split(strings.Repeat("ORDER_STATE_SENDING ", 11), " ")[:11]},
		{"/v1/port-ins", "query", "attentionCodes", []any{"ATTENTION_CODE_NO_PROGRESS"}, []any{"ATTENTION_CODE_UNSPECIFIED"}},
		{"/v1/line-plans", "query", "kind", "LINE_PLAN_KIND_BUSINESS", "LINE_PLAN_KIND_UNSPECIFIED"},
		{"/v1/port-ins/{order_id}", "path", "order_id", "7f9c24e8-3b12-4f8a-9d2e-1a2b3c4d5e6f", "7f9c24e8"},
		{"/v1/tickets/{ticket_id}/status", "path", "ticket_id", "T-1", strings.Repeat("x", 101)},
		{"/v1/numbers/{number}/status", "path", "number", "+1 416 555 0123", strings.Repeat("1", 41)},
	} {
		schema := doc.Paths.Value(test.path).Get.Parameters.GetByInAndName(test.in, test.name).Schema.Value
		if err := doc.ValidateSchemaJSON(schema, test.right, withFormats); err != nil {
			t.Errorf("%s of %s refuses %v: %v", test.name, test.path, test.right, err)
		}
		if doc.ValidateSchemaJSON(schema, test.wrong, withFormats) == nil {
			t.Errorf("%s of %s takes %v", test.name, test.path, test.wrong)
		}
	}
}

// The members of a body without a schema of its own are held to the rules too.
func TestPublishedBodyOfARequest(t *testing.T) {
	t.Parallel()
	doc := published(t)
	schema := doc.Paths.Value("/v1/portability:check").Post.RequestBody.Value.Content.Get("application/json").Schema.Value
	for count, fits := range map[int]bool{0: false, 1: true, 100: true, 101: false} {
		err := doc.ValidateSchemaJSON(schema, map[string]any{"numbers": manyOf("4165550123", count)})
		if (err == nil) != fits {
			t.Errorf("%d numbers: %v", count, err)
		}
	}
}

// withFormats makes formats count, which JSON Schema leaves to its reader.
var withFormats = openapi3.WithStringFormatValidators(map[string]openapi3.StringFormatValidator{
	"email": openapi3.NewCallbackValidator(func(text string) error {
		_, err := mail.ParseAddress(text)
		return err
	}),
	"uuid": openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForUUIDOfRFC4122),
})

// goldens are the requests that the products are tested with and that no product refuses.
func goldens(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, name := range []string{"fullest", "smallest"} {
		dirs, err := filepath.Glob(filepath.Join("..", "..", "internal", "product", "testdata", "*", name))
		if err != nil || len(dirs) != len(targets()) {
			t.Fatalf("%d cases %s for %d targets: %v", len(dirs), name, len(targets()), err)
		}
		all = append(all, dirs...)
	}
	return all
}

func read(t *testing.T, path string) map[string]any {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal(data, &body); err != nil {
		t.Fatal(err)
	}
	return body
}

// spoil makes one change after the other anywhere in a body, and takes each back after judge has seen it.
func spoil(body map[string]any, path string, judge func(what string)) {
	for name, value := range body {
		at := path + "." + name
		if name == "account" {
			continue // A number as a text: what is wrong about it, JSON Schema has no word for.
		}
		try := func(what string, other any) {
			body[name] = other
			judge(at + " " + what)
			body[name] = value
		}
		switch value := value.(type) {
		case string:
			try("empty", "")
			try("too long", strings.Repeat("a", 5000))
			if prefix, _, ok := strings.Cut(value, "LOCALE_"); ok {
				try("unspecified", prefix+"LOCALE_UNSPECIFIED")
			}
		case float64:
			try("negative", -1.0)
		case []any:
			try("empty", []any{})
			try("a hundred and one", manyOf(value[0], 101))
			for _, element := range value {
				if element, ok := element.(map[string]any); ok {
					spoil(element, at+"[]", judge)
				}
			}
		case map[string]any:
			spoil(value, at, judge)
		}
		if path != "" || name == "form" { // That a target is there is no rule of protovalidate.
			delete(body, name)
			judge(at + " missing")
			body[name] = value
		}
	}
}

func manyOf(element any, n int) []any {
	many := make([]any, n)
	for i := range many {
		many[i] = element
	}
	return many
}

// broken is the first rule of the contract that a body breaks.
func broken(t *testing.T, body map[string]any) error {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	var order portinv1.PortInOrder
	if err := protojson.Unmarshal(data, &order); err != nil {
		return fmt.Errorf("the body is no order: %w", err)
	}
	err = protovalidate.Validate(&order)
	if many := (*protovalidate.ValidationError)(nil); errors.As(err, &many) {
		return fmt.Errorf("%s: %s", protovalidate.FieldPathString(many.Violations[0].Proto.GetField()), many.Violations[0].Proto.GetRuleId())
	}
	return err
}
