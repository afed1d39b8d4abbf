package contract

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// What the tests plant in a message and look for in what is said about it.
const (
	planted       = "hunter2"
	plantedNumber = 987654321
)

// offence is one way to break one rule.
type offence struct {
	rule string
	do   func(m protoreflect.Message)
}

// offences are the ways to break every rule of a field. A rule that no way is known for fails the test: say here how it
// is broken, and in wording what would be right.
func offences(t *testing.T, fd protoreflect.FieldDescriptor) []offence {
	t.Helper()
	own := rulesOf(fd)
	var all []offence
	set := func(rule string, v protoreflect.Value) {
		all = append(all, offence{rule, func(m protoreflect.Message) { m.Set(fd, v) }})
	}
	if own.GetRequired() {
		all = append(all, offence{"required", func(m protoreflect.Message) { m.Clear(fd) }})
	}
	if list := own.GetRepeated(); list != nil {
		add := func(rule string, count int, v protoreflect.Value) {
			all = append(all, offence{rule, func(m protoreflect.Message) {
				for range count {
					m.Mutable(fd).List().Append(v)
				}
			}})
		}
		entry := func() protoreflect.Value {
			switch {
			case fd.Message() != nil:
				return protoreflect.ValueOfMessage(newOf(t, fd.Message()))
			case fd.Enum() != nil:
				return protoreflect.ValueOfEnum(1)
			}
			return protoreflect.ValueOfString(planted + "@example.com")
		}
		list.ProtoReflect().Range(func(rule protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			switch rule.Name() {
			case "min_items":
				all = append(all, offence{"repeated.min_items", func(m protoreflect.Message) { m.Clear(fd) }})
			case "max_items":
				add("repeated.max_items", int(v.Uint())+1, entry())
			case "unique":
				add("repeated.unique", 2, entry())
			case "items":
				for _, bad := range values(t, fd, list.GetItems(), true) {
					add(bad.rule, 1, bad.value)
				}
			default:
				t.Fatalf("%s has the rule repeated.%s, which this test cannot break", fd.FullName(), rule.Name())
			}
			return true
		})
		return all
	}
	for _, bad := range values(t, fd, own, fd.HasPresence()) {
		set(bad.rule, bad.value)
	}
	return all
}

type badValue struct {
	rule  string
	value protoreflect.Value
}

// values are values that break the rules for the type of a field. canBeZero says that a zero value counts as set.
func values(t *testing.T, fd protoreflect.FieldDescriptor, own *validate.FieldRules, canBeZero bool) []badValue {
	t.Helper()
	var all []badValue
	add := func(rule string, v protoreflect.Value) { all = append(all, badValue{rule, v}) }
	text := protoreflect.ValueOfString
	number := func(n int64) protoreflect.Value {
		if fd.Kind() == protoreflect.Int64Kind {
			return protoreflect.ValueOfInt64(n)
		}
		return protoreflect.ValueOfInt32(int32(n))
	}
	of := own.ProtoReflect().WhichOneof(own.ProtoReflect().Descriptor().Oneofs().ByName("type"))
	if of == nil {
		return nil
	}
	typed := own.ProtoReflect().Get(of).Message()
	var limits []string
	typed.Range(func(rule protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch id := string(of.Name()) + "." + string(rule.Name()); id {
		case "string.min_len":
			if canBeZero {
				add(id, text(""))
			}
		case "string.max_len":
			add(id, text(strings.Repeat(planted, int(v.Uint())/len(planted)+1)))
		case "string.email", "string.uuid":
			add(id, text(planted))
			if canBeZero {
				add(id+"_empty", text(""))
			}
		case "enum.defined_only":
			add(id, protoreflect.ValueOfEnum(plantedNumber))
		case "enum.not_in":
			add(id, protoreflect.ValueOfEnum(0))
		case "bytes.min_len":
			add(id, protoreflect.ValueOfBytes([]byte{}))
		case "int32.gte", "int32.lte", "int64.gte", "int64.lte":
			limits = append(limits, string(rule.Name()))
		default:
			t.Fatalf("%s has the rule %s, which this test cannot break", fd.FullName(), id)
		}
		return true
	})
	slices.Sort(limits)
	if len(limits) > 0 {
		id := string(of.Name()) + "." + strings.Join(limits, "_")
		if slices.Contains(limits, "gte") {
			add(id, number(-plantedNumber))
		}
		if slices.Contains(limits, "lte") {
			add(id, number(plantedNumber))
		}
	}
	return all
}

// Every rule of the contract is broken once in every place where it stands: it is said at the right field, in our words,
// without the value, and there are no words for rules that the contract does not have.
func TestEveryRuleIsSaidInOurWords(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	broken := 0
	expect := func(m protoreflect.Message, rule, field string) {
		t.Helper()
		broken++
		used[rule] = true
		words, ok := wording[rule]
		if !ok {
			t.Errorf("%s: the rule %s has no words in wording", field, rule)
			return
		}
		words, _, _ = strings.Cut(words, "%v")
		said := false
		for _, v := range Violations(m.Interface()) {
			said = said || v.Field == field && strings.HasPrefix(v.Description, words)
			switch {
			case v.Description == unworded:
				t.Errorf("%s: %s breaks a rule without words", m.Descriptor().FullName(), v.Field)
			case strings.Contains(v.Description, planted), strings.Contains(v.Description, fmt.Sprint(plantedNumber)):
				t.Errorf("%s: %q quotes the value", v.Field, v.Description)
			case strings.Contains(v.Description, "%"):
				t.Errorf("%s: %q has a limit that was not filled in", v.Field, v.Description)
			}
		}
		if !said {
			t.Errorf("%s: %s broken at %s is not said; want %q", m.Descriptor().FullName(), rule, field, words)
		}
	}
	roots := append(inputs(), (*portinv1.PortInOrder)(nil).ProtoReflect().Descriptor())
	reachable(roots, func(path []protoreflect.FieldDescriptor) {
		last := len(path) - 1
		fd := path[last]
		for _, o := range offences(t, fd) {
			root := newOf(t, path[0].ContainingMessage())
			inner, prefix := grow(root, path[:last])
			o.do(inner)
			field := prefix + string(fd.Name())
			if fd.IsList() && !strings.HasPrefix(o.rule, "repeated.") {
				field += "[0]"
			}
			expect(root, o.rule, field)
		}
		if oneof := fd.ContainingOneof(); oneof != nil && oneof.Fields().Get(0) == fd {
			own, _ := proto.GetExtension(oneof.Options(), validate.E_Oneof).(*validate.OneofRules)
			if own.GetRequired() {
				root := newOf(t, path[0].ContainingMessage())
				_, prefix := grow(root, path[:last])
				expect(root, "oneof.required", prefix+string(oneof.Name()))
			}
		}
	})
	if diff := cmp.Diff(slices.Sorted(maps.Keys(used)), slices.Sorted(maps.Keys(wording))); diff != "" {
		t.Errorf("wording does not have the rules of the contract (-contract +wording):\n%s", diff)
	}
	if broken < 150 {
		t.Errorf("only %d rules were broken; the walk has lost its way", broken)
	}
}

func TestViolations(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		message proto.Message
		want    []Violation
	}{
		"nothing wrong": {&portinv1.ListSipTrunksRequest{PageSize: 1000}, nil},
		"a required text, absent": {&portinv1.GetPortInOrderRequest{}, []Violation{
			{Field: "order_id", Description: "is required", Missing: true},
		}},
		"no UUID": {&portinv1.GetPortInOrderRequest{OrderId: planted}, []Violation{
			{Field: "order_id", Description: "is not a UUID; want 8-4-4-4-12 hexadecimal digits"},
		}},
		"a oneof without a choice": {&portinv1.GetPortInStatusRequest{}, []Violation{
			{Field: "key", Description: "is required; choose one", Missing: true},
		}},
		"an empty text that was set": {&portinv1.GetPortInStatusRequest{Key: &portinv1.GetPortInStatusRequest_TicketId{}}, []Violation{
			{Field: "ticket_id", Description: "must not be empty", Missing: true},
		}},
		"out of range": {&portinv1.ListSipTrunksRequest{PageSize: 5000}, []Violation{
			{Field: "page_size", Description: "is out of range; want 0 to 1000"},
		}},
		"in a list, in a message": {
			&portinv1.PortInOrder{
				Form:   validForm(),
				Target: &portinv1.PortInOrder_TrunkDid{TrunkDid: &portinv1.TrunkDid{PilotNumber: "1", Dids: []*portinv1.TrunkDid_Did{{Number: "1"}, {}}}},
			},
			[]Violation{{Field: "trunk_did.dids[1].number", Description: "is required", Missing: true}},
		},
		"an enum without a choice, in a list": {
			&portinv1.ListPortInOrdersRequest{States: []portinv1.OrderState{portinv1.OrderState_ORDER_STATE_SENDING, 0}},
			[]Violation{{Field: "states[1]", Description: "must be set; UNSPECIFIED is not a choice"}},
		},
		"an order without a target is the products' to refuse": {&portinv1.PortInOrder{Form: validForm()}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, Violations(c.message)); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
		})
	}
}

// 26 million wrong entries would be 26 million violations; that the list is too long is all there is to say.
func TestAListThatIsTooLongIsNotLookedInto(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]proto.Message{
		"in the request": &portinv1.WatchPortInOrdersRequest{States: make([]portinv1.OrderState, 200_000), ResumeToken: strings.Repeat("x", 2000)},
		"in a message of the request": &portinv1.PortInRequest{Order: &portinv1.PortInOrder{Form: &portinv1.PortForm{
			AdditionalEmailAddresses: make([]string, 200_000),
		}}},
	} {
		got := Violations(m)
		if len(got) != 1 || !strings.HasPrefix(got[0].Description, "has too many entries; want at most ") {
			t.Errorf("%s: %d violations, the first %+v, want one that says how many entries there may be", name, len(got), got[0])
		}
	}
}

// The guard against long lists only works where lists have a limit. Of an order the products count.
func TestEveryListOfARequestHasALimit(t *testing.T) {
	t.Parallel()
	for _, m := range inputs() {
		if m.FullName() == "portin.v1.PortInRequest" {
			continue
		}
		reachable([]protoreflect.MessageDescriptor{m}, func(path []protoreflect.FieldDescriptor) {
			if fd := path[len(path)-1]; fd.IsList() && !rulesOf(fd).GetRepeated().HasMaxItems() {
				t.Errorf("%s has no repeated.max_items", fd.FullName())
			}
		})
	}
}

// A message that is no request of the contract has no rules here; it is refused and the program does not end.
func TestAMessageThatIsNotChecked(t *testing.T) {
	t.Parallel()
	want := []Violation{{Description: unworded}}
	if diff := cmp.Diff(want, Violations(&portinv1.PortInStatus{TicketId: planted})); diff != "" {
		t.Errorf("violations (-want +got):\n%s", diff)
	}
}

func TestMustBuildPanicsWithTheCause(t *testing.T) {
	t.Parallel()
	defer func() {
		if got := recover(); got != "contract: no such rule" {
			t.Errorf("panicked with %v", got)
		}
	}()
	mustBuild(0, fmt.Errorf("no such rule"))
}

// validForm is a form that breaks no rule of the contract.
func validForm() *portinv1.PortForm {
	return &portinv1.PortForm{
		CustomerName: "A. Customer", CustomerAccountNumber: "1", EmailAddress: "porting@example.com",
		ServiceAddress: &portinv1.ServiceAddress{
			StreetNumber: "1", StreetName: "Bay", City: "Toronto", Province: "ON", PostalCode: "M5H 2N2", Country: "CA",
		},
		LettersOfAuthorization: []*portinv1.Document{{FileName: "loa.pdf", MimeType: "application/pdf", Content: bytes.Repeat([]byte("%"), 3)}},
	}
}
