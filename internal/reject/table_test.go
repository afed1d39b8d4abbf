package reject

import (
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/reflect/protoreflect"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
)

// written is table.yaml of the source tree, which is also the one in the binary.
func written(t *testing.T) file {
	t.Helper()
	f, err := parse(tableYAML)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTheTableIsWhole(t *testing.T) {
	t.Parallel()
	if _, err := written(t).table(); err != nil {
		t.Error(err)
	}
}

// TestEveryPathIsInTheContract follows each path through the descriptors: a caller marks the field that it names.
func TestEveryPathIsInTheContract(t *testing.T) {
	t.Parallel()
	f := written(t)
	paths := map[string]bool{}
	for _, r := range f.Reasons {
		paths[r.Field] = true
	}
	for _, e := range f.Entries {
		paths[e.Field] = true
	}
	delete(paths, "")
	if len(paths) < 10 {
		t.Errorf("the table has %d paths", len(paths))
	}
	for path := range paths {
		if !inContract(path) {
			t.Errorf("%s is no field of a PortInOrder", path)
		}
	}
	for _, path := range []string{"order", "form.customer_name", "order.form.name", "order.form.customer_name.length", "order.form."} {
		if inContract(path) {
			t.Errorf("%s passes for a field", path)
		}
	}
}

// inContract reports whether a path leads from a request to a field of its order.
func inContract(path string) bool {
	names := strings.Split(path, ".")
	if names[0] != "order" || len(names) == 1 {
		return false
	}
	message := (&portinv1.PortInOrder{}).ProtoReflect().Descriptor()
	for _, name := range names[1:] {
		if message == nil {
			return false
		}
		field := message.Fields().ByName(protoreflect.Name(name))
		if field == nil {
			return false
		}
		message = field.Message()
	}
	return true
}

// TestNoEntryIsForNothing finds the entry of one form that says only what the entry of any form says already.
func TestNoEntryIsForNothing(t *testing.T) {
	t.Parallel()
	for k, m := range known.meanings {
		if k.form == "" {
			continue
		}
		general, ok := known.meanings[key{code: k.code, field: k.field}]
		if ok && gocmp.Equal(general, m, gocmp.AllowUnexported(meaning{})) {
			t.Errorf("%+v says what the entry without a form says", k)
		}
	}
}

func TestTheTextsAreFitToRead(t *testing.T) {
	t.Parallel()
	f := written(t)
	said := map[string]saying{}
	for name, r := range f.Reasons {
		said[name] = r.saying
	}
	for _, e := range f.Entries {
		said[strings.Join(e.Fields, ", ")] = e.saying
	}
	for name, s := range said {
		for _, text := range []string{s.Text.English, s.Text.French, s.Collect.English, s.Collect.French} {
			if text != "" && (!strings.HasSuffix(text, ".") || strings.Contains(text, "  ") || len(text) > 500) {
				t.Errorf("%s: not a short text of whole sentences: %q", name, text)
			}
		}
		for _, french := range []string{s.Text.French, s.Collect.French} {
			if strings.Contains(french, "'") {
				t.Errorf("%s: a typewriter's apostrophe: %q", name, french)
			}
		}
	}
}

// TestABadTableIsRefused breaks the table in each of the ways that would otherwise be seen by a customer first.
func TestABadTableIsRefused(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]struct{ old, now, want string }{
		"unknown key":        {"entries:\n", "entries:\n  - feilds: [XX]\n", "feilds"},
		"key twice":          {"  NAME:\n", "  PIN:\n    party: CALLER\n  NAME:\n", "already defined"},
		"no source":          {"    sources: [definitions]\n", "", "has no source"},
		"unlisted source":    {"sources: [definitions]", "sources: [hearsay]", `"hearsay" is not in the list`},
		"unused source":      {"reasons:\n", "  rumour: A rumour\nreasons:\n", "source rumour: no entry has it"},
		"no such reason":     {"reason: NAME\n", "reason: NAMES\n", `reason "NAMES" has no texts`},
		"reason not in enum": {"  NAME:\n", "  NAMES:\n", "the contract has no such reason"},
		"reason left out":    {"  NAME:\n", "  NAMES:\n", "reason NAME of the contract has no texts"},
		"unspecified reason": {"  NAME:\n", "  UNSPECIFIED:\n", "the contract has no such reason"},
		"no such party":      {"party: NOBODY", "party: SOMEBODY", `no party "SOMEBODY"`},
		"no party":           {"    party: NOBODY\n", "", "has to say a party"},
		"no such help":       {"resending_helps: unknown", "resending_helps: maybe", `"maybe" is none of`},
		"no such certainty":  {"certainty: assumed", "certainty: sure", `"sure" is none of`},
		"no text":            {"fr: Un numéro ne peut pas être transféré.", "", "text wants both languages"},
		"no collect": {
			"      en: Agree on a later business day with the customer, or leave the date out to port as early as possible.\n", "",
			"collect wants both languages",
		},
		"entry twice":         {"fields: [EAN]", "fields: [E.A.N, a n]", "an earlier entry has {code: form: field:AN}"},
		"nothing to compare":  {"fields: [EAN]", "fields: ['#']", `"#" has nothing to compare`},
		"a form alone":        {"    fields: [NAME]\n", "", "wants a code or a field"},
		"nothing leads there": {"  - fields: [MI]\n    reason: PARTIAL_OR_FULL", "  - fields: [MI]\n    reason: OTHER", "PARTIAL_OR_FULL: wants an entry"},
		"something leads there": {
			"  - fields: [MI]\n    reason: PARTIAL_OR_FULL", "  - fields: [MI]\n    reason: SPECIAL_FEATURE",
			"SPECIAL_FEATURE: wants an entry",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(string(tableYAML), broken.old, broken.now, 1)
			if text == string(tableYAML) {
				t.Fatalf("the table does not have %q", broken.old)
			}
			f, err := parse([]byte(text))
			if err == nil {
				_, err = f.table()
			}
			if err == nil || !strings.Contains(err.Error(), broken.want) {
				t.Errorf("got %v, want an error with %q", err, broken.want)
			}
		})
	}
}

// TestSpellingDoesNotMatter asks for each entry in a spelling that is not the table's.
func TestSpellingDoesNotMatter(t *testing.T) {
	t.Parallel()
	for _, e := range written(t).Entries {
		for _, form := range append(e.Forms, "")[:max(1, len(e.Forms))] {
			for _, field := range e.Fields {
				plain := carrier.Reject{Form: form, Field: field}
				odd := carrier.Reject{
					Code:  " \t",
					Form:  " " + strings.ToLower(form) + ". ",
					Field: strings.ToLower(" " + strings.Join(strings.Split(field, ""), ".") + "\u00a0/"),
				}
				want, got := known.meaning(plain), known.meaning(odd)
				if want.reason == known.unknown.reason && want.party == known.unknown.party {
					t.Errorf("nothing is known of %+v", plain)
				}
				if diff := gocmp.Diff(want, got, gocmp.AllowUnexported(meaning{})); diff != "" {
					t.Errorf("%+v and %+v differ (-plain +odd):\n%s", plain, odd, diff)
				}
			}
		}
	}
}

// TestWhichReasonsAreReached lists what no record leads to; a code table of the carrier would shorten it.
func TestWhichReasonsAreReached(t *testing.T) {
	t.Parallel()
	reached := map[portinv1.RejectReason]bool{known.unknown.reason: true}
	for _, m := range known.meanings {
		reached[m.reason] = true
	}
	var missing []string
	for value, name := range portinv1.RejectReason_name {
		if value != 0 && !reached[portinv1.RejectReason(value)] {
			missing = append(missing, strings.TrimPrefix(name, reasonPrefix))
		}
	}
	slices.Sort(missing)
	want := []string{
		"CARRIER_UNRESPONSIVE", "DIFFERENT_ACCOUNTS", "NUMBER_INACTIVE", "NUMBER_NOT_ON_ACCOUNT", "NUMBER_NOT_PORTABLE",
		"PENDING_ORDER", "PORT_PROTECTION", "SPECIAL_FEATURE",
	}
	if diff := gocmp.Diff(want, missing); diff != "" {
		t.Errorf("reasons that nothing leads to (-want +got):\n%s", diff)
	}
}
