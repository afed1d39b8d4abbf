package contract

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

var update = flag.Bool("update", false, "write the files in testdata")

func behaviors(fd protoreflect.FieldDescriptor) []annotations.FieldBehavior {
	list, _ := proto.GetExtension(fd.Options(), annotations.E_FieldBehavior).([]annotations.FieldBehavior)
	return list
}

func redacted(fd protoreflect.FieldDescriptor) bool {
	options, _ := fd.Options().(*descriptorpb.FieldOptions)
	return options.GetDebugRedact()
}

// What is documented as required is refused when it is missing, and the reverse.
func TestRequiredIsWhatTheRulesSay(t *testing.T) {
	t.Parallel()
	seen := map[protoreflect.FullName]bool{}
	required := 0
	reachable(inputs(), func(path []protoreflect.FieldDescriptor) {
		fd := path[len(path)-1]
		if seen[fd.FullName()] {
			return
		}
		seen[fd.FullName()] = true
		documented := slices.Contains(behaviors(fd), annotations.FieldBehavior_REQUIRED)
		own := rulesOf(fd)
		var enforced bool
		switch {
		case fd.IsList():
			enforced = own.GetRepeated().GetMinItems() > 0
		case fd.Enum() != nil:
			// With presence, an enum may be left out and still not be set to UNSPECIFIED.
			enforced = own.GetRequired() || !fd.HasPresence() && slices.Contains(own.GetEnum().GetNotIn(), 0)
		default:
			enforced = own.GetRequired()
		}
		if documented != enforced {
			t.Errorf("%s: field_behavior REQUIRED %v, but its rules require it %v", fd.FullName(), documented, enforced)
		}
		if !documented {
			return
		}
		required++
		switch {
		case fd.IsList():
		case fd.Enum() != nil:
			if !own.GetEnum().GetDefinedOnly() || !slices.Contains(own.GetEnum().GetNotIn(), 0) {
				t.Errorf("%s is required and takes UNSPECIFIED, or values that its enum does not have", fd.FullName())
			}
		case fd.Kind() == protoreflect.StringKind:
			if own.GetString().GetMinLen() < 1 && !own.GetString().GetUuid() {
				t.Errorf(`%s is required and takes ""`, fd.FullName())
			}
		case fd.Kind() == protoreflect.BytesKind:
			if own.GetBytes().GetMinLen() < 1 {
				t.Errorf("%s is required and may be empty", fd.FullName())
			}
		case fd.Kind() != protoreflect.MessageKind && !fd.HasPresence():
			t.Errorf("%s is required and not optional, so that its zero cannot be told from its absence", fd.FullName())
		}
	})
	if required < 60 {
		t.Errorf("only %d fields are required; the walk has lost its way", required)
	}
}

// An enum that a caller may set takes no value that this version does not know.
func TestEveryEnumOfARequestIsDefinedOnly(t *testing.T) {
	t.Parallel()
	reachable(inputs(), func(path []protoreflect.FieldDescriptor) {
		fd := path[len(path)-1]
		if fd.Enum() == nil || slices.ContainsFunc(path, func(fd protoreflect.FieldDescriptor) bool {
			return slices.Contains(behaviors(fd), annotations.FieldBehavior_OUTPUT_ONLY)
		}) {
			return
		}
		if own := rulesOf(fd); !own.GetEnum().GetDefinedOnly() && !own.GetRepeated().GetItems().GetEnum().GetDefinedOnly() {
			t.Errorf("%s takes values that its enum does not have", fd.FullName())
		}
	})
}

// What only goes in is absent from answers, over JSON too, only when it has presence; and it is never logged.
func TestInputOnlyIsOptionalAndRedacted(t *testing.T) {
	t.Parallel()
	var got []string
	everyField(func(fd protoreflect.FieldDescriptor) {
		if !behaves(fd, annotations.FieldBehavior_INPUT_ONLY) {
			return
		}
		got = append(got, string(fd.FullName()))
		if !fd.HasOptionalKeyword() || !fd.HasPresence() {
			t.Errorf("%s goes only in and is not optional: answers in JSON would show it", fd.FullName())
		}
		if !redacted(fd) {
			t.Errorf("%s goes only in and has no debug_redact", fd.FullName())
		}
	})
	slices.Sort(got)
	want := []string{
		"portin.v1.BusinessLine.Line.sip_password",
		"portin.v1.BusinessLine.Line.web_self_care_password",
		"portin.v1.Document.content",
		"portin.v1.ResidentialLine.Line.sip_password",
		"portin.v1.ResidentialLine.Line.web_self_care_password",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields that only go in (-want +got):\n%s", diff)
	}
	everyField(func(fd protoreflect.FieldDescriptor) {
		if strings.Contains(string(fd.Name()), "password") && !behaves(fd, annotations.FieldBehavior_INPUT_ONLY) {
			t.Errorf("%s is a password and does not go only in", fd.FullName())
		}
	})
}

// The list of what is personal or secret is read as a whole when it changes: a field that lost its mark would be logged
// in silence.
func TestRedactedFields(t *testing.T) {
	t.Parallel()
	var names []string
	everyField(func(fd protoreflect.FieldDescriptor) {
		if redacted(fd) {
			names = append(names, string(fd.FullName()))
		}
	})
	slices.Sort(names)
	got := strings.Join(names, "\n") + "\n"
	file := filepath.Join("testdata", "redacted.txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("fields with debug_redact (-want +got; when it is meant, run the test with -update):\n%s", diff)
	}
}

func TestEveryEnumBeginsUnspecified(t *testing.T) {
	t.Parallel()
	upper := regexp.MustCompile(`([a-z0-9])([A-Z])`)
	enums := 0
	for _, f := range files() {
		for i := range f.Enums().Len() {
			enums++
			e := f.Enums().Get(i)
			want := strings.ToUpper(upper.ReplaceAllString(string(e.Name()), "${1}_${2}")) + "_UNSPECIFIED"
			if zero := e.Values().ByNumber(0); zero == nil || string(zero.Name()) != want {
				t.Errorf("%s has no %s = 0", e.FullName(), want)
			}
		}
	}
	everyField(func(fd protoreflect.FieldDescriptor) {
		if fd.ContainingMessage().Enums().Len() > 0 {
			t.Errorf("%s has an enum of its own, which this test does not look at", fd.ContainingMessage().FullName())
		}
		if fd.IsMap() {
			t.Errorf("%s is a map; Unknown and ClearInputOnly do not look into maps", fd.FullName())
		}
	})
	if enums < 10 {
		t.Errorf("only %d enums were found", enums)
	}
}

// Lists grow; a page cannot be added later without breaking callers.
func TestEveryListHasPages(t *testing.T) {
	t.Parallel()
	field := func(m protoreflect.MessageDescriptor, name protoreflect.Name, kind protoreflect.Kind) protoreflect.FieldDescriptor {
		t.Helper()
		fd := m.Fields().ByName(name)
		if fd == nil || fd.Kind() != kind || fd.IsList() {
			t.Errorf("%s has no %s %s", m.FullName(), kind, name)
			return nil
		}
		return fd
	}
	lists := 0
	for _, m := range methods() {
		if !strings.HasPrefix(string(m.Name()), "List") {
			continue
		}
		lists++
		if fd := field(m.Input(), "page_size", protoreflect.Int32Kind); fd != nil {
			if own := rulesOf(fd).GetInt32(); !own.HasGte() || own.GetGte() != 0 || own.GetLte() != 1000 {
				t.Errorf("%s is not held to 0 to 1000", fd.FullName())
			}
		}
		if fd := field(m.Input(), "page_token", protoreflect.StringKind); fd != nil && rulesOf(fd).GetString().GetMaxLen() == 0 {
			t.Errorf("%s may be of any length", fd.FullName())
		}
		field(m.Output(), "next_page_token", protoreflect.StringKind)
	}
	if lists < 9 {
		t.Errorf("only %d lists were found", lists)
	}
}

// An ID of ours in a path is a UUID, so that nothing else ever gets as far as a ledger.
func TestEveryIDInAPathIsAUUID(t *testing.T) {
	t.Parallel()
	paths := 0
	for _, m := range methods() {
		http, _ := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
		if http == nil {
			t.Errorf("%s has no path", m.FullName())
			continue
		}
		for _, rule := range append([]*annotations.HttpRule{http}, http.GetAdditionalBindings()...) {
			path := rule.GetGet() + rule.GetPost() + rule.GetPatch() + rule.GetDelete()
			if path == "" {
				t.Errorf("%s is bound to none of GET, POST, PATCH and DELETE", m.FullName())
			}
			for _, id := range []protoreflect.Name{"order_id", "endpoint_id"} {
				if !strings.Contains(path, "{"+string(id)+"}") {
					continue
				}
				paths++
				if own := rulesOf(m.Input().Fields().ByName(id)); !own.GetString().GetUuid() || !own.GetRequired() {
					t.Errorf("%s.%s is part of %s and has no uuid rule, or is not required", m.Input().FullName(), id, path)
				}
			}
		}
	}
	if paths != 13 {
		t.Errorf("%d paths hold an ID of ours, want 13", paths)
	}
}

// What the carrier may take as given must be told apart from what was left out.
func TestOptionalScalarsOfTheFormHavePresence(t *testing.T) {
	t.Parallel()
	reachable([]protoreflect.MessageDescriptor{(*portinv1.PortInOrder)(nil).ProtoReflect().Descriptor()}, func(path []protoreflect.FieldDescriptor) {
		fd := path[len(path)-1]
		if fd.IsList() || !slices.Contains(behaviors(fd), annotations.FieldBehavior_OPTIONAL) {
			return
		}
		if !fd.HasPresence() {
			t.Errorf("%s may be left out and is not optional: absent and zero would be one", fd.FullName())
		}
	})
}
