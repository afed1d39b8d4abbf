package product

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/reflect/protoreflect"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// specification is the carrier's own, as far as it is known.
func specification(t testing.TB) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("../sandbox/upstream/ucontrol.openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func bodySchema(t testing.TB, doc *openapi3.T, path string) *openapi3.Schema {
	t.Helper()
	item := doc.Paths.Value(path)
	if item == nil || item.Post == nil {
		t.Fatalf("the carrier has no POST %s", path)
	}
	return item.Post.RequestBody.Value.Content["application/json"].Schema.Value
}

func TestUpstreamBodiesMatchTheSpecification(t *testing.T) {
	t.Parallel()
	doc := specification(t)
	for _, g := range goldens(t, "*/*") {
		if g.upstream == nil {
			continue
		}
		Normalize(g.order)
		call, err := CarrierCall(g.order)
		if err != nil {
			t.Errorf("%s: %v", g.dir, err)
			continue
		}
		for what, body := range map[string][]byte{"golden": g.upstream.Body, "translation": call.Body} {
			if err := bodySchema(t, doc, g.upstream.Path).VisitJSON(anyJSON(t, body), openapi3.MultiErrors()); err != nil {
				t.Errorf("%s: the %s breaks the specification: %v", g.dir, what, err)
			}
		}
	}
}

func anyJSON(t testing.TB, raw []byte) any {
	t.Helper()
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// neverSent are the properties that a port-in has no use for.
var neverSent = []string{"RateCenterName"}

func TestFullestSendsEveryProperty(t *testing.T) {
	t.Parallel()
	doc := specification(t)
	for _, g := range goldens(t, "*/fullest") {
		for _, missing := range unsent("", bodySchema(t, doc, g.upstream.Path), anyJSON(t, g.upstream.Body)) {
			// A toll-free order names one of the two; the case "reseller" sends the other.
			if strings.Contains(g.dir, "toll_free") && missing == "PortForm.CurrentReseller" {
				continue
			}
			t.Errorf("%s does not send %s", g.dir, missing)
		}
	}
}

// unsent lists the properties of a schema, at every depth, that a body lacks.
func unsent(path string, schema *openapi3.Schema, body any) []string {
	var missing []string
	switch body := body.(type) {
	case []any:
		for _, e := range body {
			missing = append(missing, unsent(path+"[]", schema.Items.Value, e)...)
		}
	case map[string]any:
		for name, property := range schema.Properties {
			member := strings.TrimPrefix(path+"."+name, ".")
			if value, ok := body[name]; ok {
				missing = append(missing, unsent(member, property.Value, value)...)
			} else if !slices.Contains(neverSent, name) {
				missing = append(missing, member)
			}
		}
	}
	return missing
}

// TestSmallestSendsNothingElse: the smallest order sends what the carrier requires, the numbers to port, and the losing
// carrier where it is asked for. An absent field is not sent.
func TestSmallestSendsNothingElse(t *testing.T) {
	t.Parallel()
	doc := specification(t)
	for _, g := range goldens(t, "*/smallest") {
		call, err := CarrierCall(one(t, g.dir))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := anyJSON(t, call.Body).(map[string]any)
		schema := bodySchema(t, doc, call.Path)
		sameMembers(t, g.dir, schema.Required, body)
		form, _ := body["PortForm"].(map[string]any)
		want := append(slices.Clone(schema.Properties["PortForm"].Value.Required), "NumbersToPort")
		if !strings.Contains(g.dir, "toll_free") {
			want = append(want, "CurrentProvider")
		}
		sameMembers(t, g.dir+" PortForm", want, form)
		for name, value := range body {
			if list, ok := value.([]any); ok {
				item, _ := list[0].(map[string]any)
				sameMembers(t, g.dir+" "+name, schema.Properties[name].Value.Items.Value.Required, item)
			}
		}
	}
}

func sameMembers(t *testing.T, what string, want []string, got map[string]any) {
	t.Helper()
	have := slices.Sorted(maps.Keys(got))
	slices.Sort(want)
	if !slices.Equal(want, have) {
		t.Errorf("%s has the members %v, want %v", what, have, want)
	}
}

// notInFullest are the fields that are not legal in the fullest order of a target, each with why.
func notInFullest(spec Spec, field protoreflect.FieldDescriptor) bool {
	if field.ContainingMessage().Name() != "PortForm" {
		return false
	}
	if spec.TollFree {
		// The form of toll-free orders has no such members, and takes one of provider and reseller.
		return slices.Contains(regularOnly, field.Name()) || field.Name() == "current_reseller"
	}
	return slices.Contains(tollFreeOnly, field.Name())
}

func TestFullestSetsEveryField(t *testing.T) {
	t.Parallel()
	for _, spec := range Specs() {
		for _, g := range goldens(t, string(spec.Arm)+"/fullest") {
			m := g.order.ProtoReflect()
			for _, name := range []protoreflect.Name{"form", spec.Arm} {
				fd := m.Descriptor().Fields().ByName(name)
				for _, unset := range unsetFields(spec, m.Get(fd).Message()) {
					t.Errorf("%s does not set %s.%s", g.dir, name, unset)
				}
			}
		}
	}
}

// unsetFields lists the fields that nothing in a message sets, at every depth.
func unsetFields(spec Spec, m protoreflect.Message) []string {
	var unset []string
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		switch {
		case behaves(fd, annotations.FieldBehavior_OUTPUT_ONLY) || notInFullest(spec, fd):
		case !m.Has(fd):
			unset = append(unset, string(fd.Name()))
		case fd.Message() != nil && fd.IsList():
			for j := range m.Get(fd).List().Len() {
				for _, below := range unsetFields(spec, m.Get(fd).List().Get(j).Message()) {
					unset = append(unset, fmt.Sprintf("%s[%d].%s", fd.Name(), j, below))
				}
			}
		case fd.Message() != nil:
			for _, below := range unsetFields(spec, m.Get(fd).Message()) {
				unset = append(unset, string(fd.Name())+"."+below)
			}
		}
	}
	return unset
}

// sharedValues are the fields of which a rule says that they are equal to another's.
var sharedValues = []protoreflect.Name{"new_pilot_number", "account", "plan_id", "business_group_id"}

// TestFullestValuesAreDistinct: two fields that were swapped would not show if they had the same value.
func TestFullestValuesAreDistinct(t *testing.T) {
	t.Parallel()
	for _, g := range goldens(t, "*/fullest") {
		Normalize(g.order)
		seen := map[string]protoreflect.FullName{}
		eachLeaf(g.order.ProtoReflect(), func(fd protoreflect.FieldDescriptor, value protoreflect.Value) {
			if fd.Kind() == protoreflect.BoolKind {
				return // There are only two.
			}
			key := fmt.Sprint(value.Interface())
			if fd.Kind() == protoreflect.EnumKind {
				key = fmt.Sprintf("%s %s", fd.Enum().Name(), key)
			}
			if other, ok := seen[key]; ok && !slices.Contains(sharedValues, fd.Name()) {
				t.Errorf("%s: %s has the value of %s", g.dir, fd.FullName(), other)
			}
			seen[key] = fd.FullName()
		})
	}
}

func eachLeaf(m protoreflect.Message, f func(protoreflect.FieldDescriptor, protoreflect.Value)) {
	m.Range(func(fd protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		visit := func(v protoreflect.Value) {
			if fd.Message() != nil {
				eachLeaf(v.Message(), f)
			} else {
				f(fd, v)
			}
		}
		if !fd.IsList() {
			visit(value)
			return true
		}
		for i := range value.List().Len() {
			visit(value.List().Get(i))
		}
		return true
	})
}

// TestOnlyOneFormHasIt holds the two lists of form fields to the two forms of the specification.
func TestOnlyOneFormHasIt(t *testing.T) {
	t.Parallel()
	doc := specification(t)
	regular := doc.Components.Schemas["NumberPortOrderFormV2"].Value.Properties
	tollFree := doc.Components.Schemas["NumberPortTollFreeOrderFormV2"].Value.Properties
	count := func(a, b openapi3.Schemas) (n int) {
		for name := range a {
			if _, ok := b[name]; !ok {
				n++
			}
		}
		return n
	}
	if got := count(regular, tollFree); got != len(regularOnly) {
		t.Errorf("%d members are in the regular form only, regularOnly has %d fields", got, len(regularOnly))
	}
	if got := count(tollFree, regular); got != len(tollFreeOnly) {
		t.Errorf("%d members are in the toll-free form only, tollFreeOnly has %d fields", got, len(tollFreeOnly))
	}
	fields := (*portinv1.PortForm)(nil).ProtoReflect().Descriptor().Fields()
	for _, name := range slices.Concat(regularOnly, tollFreeOnly) {
		if fields.ByName(name) == nil {
			t.Errorf("the form has no field %s", name)
		}
	}
}

// TestEveryPathIsAnOperation: each of the carrier's order operations has one target.
func TestEveryPathIsAnOperation(t *testing.T) {
	t.Parallel()
	var want []string
	for path, item := range specification(t).Paths.Map() {
		if item.Post != nil && strings.Contains(path, "/Inbound/") {
			want = append(want, path)
		}
	}
	var got []string
	for _, s := range Specs() {
		got = append(got, s.Path)
		if !strings.HasSuffix(s.Path, "/Inbound/"+s.Operation) {
			t.Errorf("the operation %s is not that of %s", s.Operation, s.Path)
		}
		if s.TollFree != strings.Contains(s.Path, "/TollFree/") {
			t.Errorf("%s: TollFree = %t, and the path is %s", s.Arm, s.TollFree, s.Path)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("the targets have the paths %v, the carrier %v", got, want)
	}
}

// TestEachBoolHasItsMember sets one at a time: two values are too few to be distinct in the fullest order.
func TestEachBoolHasItsMember(t *testing.T) {
	t.Parallel()
	members := map[protoreflect.Name]string{
		"change_pilot_number":            "ChangePilotNumber",
		"contact_me_blif":                "ContactMeBLIF",
		"contact_me_scheduling":          "ContactMeScheduling",
		"current_provider_not_mandatory": "CurrentProviderNotMandatory",
		"is_pri_megalink":                "IsPRIMegaLink",
		"pri_megalink_remain_active":     "PRIMegalinkRemainActive",
	}
	fields := (*portinv1.PortForm)(nil).ProtoReflect().Descriptor().Fields()
	found := 0
	for i := range fields.Len() {
		fd := fields.Get(i)
		if fd.Kind() != protoreflect.BoolKind {
			continue
		}
		found++
		for _, spec := range Specs() {
			for _, value := range []bool{true, false} {
				o := smallest(t, string(spec.Arm))
				o.GetForm().ProtoReflect().Set(fd, protoreflect.ValueOfBool(value))
				call, err := CarrierCall(o)
				if err != nil {
					t.Fatal(err)
				}
				body, _ := anyJSON(t, call.Body).(map[string]any)
				form, _ := body["PortForm"].(map[string]any)
				got := map[string]bool{}
				for member, v := range form {
					if b, ok := v.(bool); ok {
						got[member] = b
					}
				}
				want := map[string]bool{members[fd.Name()]: value}
				if spec.TollFree && slices.Contains(regularOnly, fd.Name()) {
					want = map[string]bool{} // Its form has no such member; Validate refuses it.
				}
				if !maps.Equal(want, got) {
					t.Errorf("%s with %s = %t sends %v, want %v", spec.Arm, fd.Name(), value, got, want)
				}
			}
		}
	}
	if found != len(members) {
		t.Errorf("the form has %d bools, the table %d", found, len(members))
	}
}
