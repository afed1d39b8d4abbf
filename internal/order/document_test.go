package order_test

import (
	"cmp"
	"os"
	"regexp"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/order"
)

// TestTheDocumentShowsTheTable holds the diagram and the table of docs/states.md against the moves of the code.
func TestTheDocumentShowsTheTable(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/states.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, m := range order.Moves() {
		want = append(want, m.From.String()+" "+m.To.String()+" "+m.By.String())
	}
	slices.SortFunc(want, cmp.Compare)
	for name, row := range map[string]string{
		"diagram": `(?m)^ +([A-Z_]+) --> ([A-Z_]+): ([a-z-]+)$`,
		"table":   `(?m)^\| ([A-Z_]+) \| ([A-Z_]+) \| ([a-z-]+) \| .+ \|$`,
	} {
		var got []string
		for _, m := range regexp.MustCompile(row).FindAllStringSubmatch(string(text), -1) {
			got = append(got, m[1]+" "+m[2]+" "+m[3])
		}
		slices.SortFunc(got, cmp.Compare)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("the %s of docs/states.md (-code +document):\n%s", name, diff)
		}
	}
}

func TestEveryCauseHasAWord(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for by := order.ByAnswer; by <= order.ByResend; by++ {
		if by.String() == "none" || seen[by.String()] {
			t.Errorf("cause %d is called %q", by, by)
		}
		seen[by.String()] = true
	}
	if order.Cause(0).String() != "none" || order.Cause(99).String() != "none" {
		t.Error("what is no cause has a word")
	}
}
