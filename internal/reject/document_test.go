package reject

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// TestTheDocumentShowsTheTable holds the tables of docs/rejects.md against table.yaml, both ways.
func TestTheDocumentShowsTheTable(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/rejects.md")
	if err != nil {
		t.Fatal(err)
	}
	f := written(t)
	for title, want := range map[string][]string{
		"## The reasons": f.reasonRows(), "## What leads to them": f.entryRows(), "## Sources": f.sourceRows(),
	} {
		_, section, found := strings.Cut(string(text), "\n"+title+"\n")
		if !found {
			t.Errorf("docs/rejects.md has no section %q", title)
			continue
		}
		section, _, _ = strings.Cut(section, "\n## ")
		var got []string
		for line := range strings.Lines(section) {
			if strings.HasPrefix(line, "| ") {
				got = append(got, strings.TrimSuffix(line, "\n"))
			}
		}
		if diff := gocmp.Diff(want, got[min(1, len(got)):]); diff != "" {
			t.Errorf("%s of docs/rejects.md (-table.yaml +document):\n%s", title, diff)
		}
	}
}

// reasonRows are in the order of the contract.
func (f file) reasonRows() []string {
	rows := []string{}
	for _, value := range slices.Sorted(maps.Keys(portinv1.RejectReason_name)) {
		name := strings.TrimPrefix(portinv1.RejectReason_name[value], reasonPrefix)
		r, ok := f.Reasons[name]
		if !ok {
			continue
		}
		var by []string
		for _, e := range f.Entries {
			if e.Reason == name {
				by = append(by, e.Fields...)
			}
		}
		led := cmp.Or(strings.Join(by, ", "), "nothing yet. "+r.WithoutEntry)
		if name == other {
			led += ", and all that is unknown"
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s | %s |", name, r.Party, path(r.Field), r.ResendingHelps, led))
	}
	return rows
}

// entryRows are in the order of the file. An empty cell of a record is any; an empty one of its meaning is the reason's.
func (f file) entryRows() []string {
	rows := []string{}
	for _, e := range f.Entries {
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s |", strings.Join(e.Codes, ", "),
			strings.Join(e.Forms, ", "), strings.Join(e.Fields, ", "), e.Reason, e.Party, path(e.Field), e.Certainty,
			strings.Join(e.Sources, ", ")))
	}
	return rows
}

func (f file) sourceRows() []string {
	rows := []string{}
	for _, name := range slices.Sorted(maps.Keys(f.Sources)) {
		rows = append(rows, fmt.Sprintf("| %s | %s |", name, f.Sources[name]))
	}
	return rows
}

// path is short in the document: every path begins with the form.
func path(field string) string {
	if field == "" {
		return ""
	}
	return "`" + strings.TrimPrefix(field, "order.form.") + "`"
}
