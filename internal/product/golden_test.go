package product

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
)

// The goldens were written from the carrier's specification, not by the code that they check. -update rewrites the
// answers that are there already, after a change of wording for one: read the difference against the specification and
// the contract before keeping it.
var update = flag.Bool("update", false, "rewrite the answers of the golden cases; read them against the specification afterwards")

// goldenFacts are the facts of every golden case: a Monday.
func goldenFacts() Facts {
	return Facts{Now: time.Date(2026, time.March, 2, 15, 0, 0, 0, time.UTC), MinLeadBusinessDays: 2}
}

// golden is one case: what the caller writes, and either what goes to the carrier or what is answered instead.
type golden struct {
	dir        string // "trunk_did/fullest"
	order      *portinv1.PortInOrder
	upstream   *upstreamCall
	violations []goldenViolation
	warnings   []goldenWarning
}

type upstreamCall struct {
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Body   json.RawMessage `json:"body"`
}

type goldenViolation struct {
	Field       string `json:"field"`
	Description string `json:"description"`
}

type goldenWarning struct {
	Field       string `json:"field"`
	Code        string `json:"code"`
	Description string `json:"description"`
}

// goldens reads the cases that match a pattern such as "*/fullest".
func goldens(t testing.TB, pattern string) []golden {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no golden case is like %s: %v", pattern, err)
	}
	var all []golden
	for _, dir := range dirs {
		if filepath.Base(filepath.Dir(dir)) == "fuzz" {
			continue
		}
		g := golden{dir: filepath.ToSlash(dir[len("testdata/"):]), order: &portinv1.PortInOrder{}}
		request, err := os.ReadFile(filepath.Join(dir, "request.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := protojson.Unmarshal(request, g.order); err != nil {
			t.Fatalf("%s: %v", dir, err)
		}
		readJSON(t, filepath.Join(dir, "upstream.json"), &g.upstream)
		readJSON(t, filepath.Join(dir, "violations.json"), &g.violations)
		readJSON(t, filepath.Join(dir, "warnings.json"), &g.warnings)
		all = append(all, g)
	}
	return all
}

// readJSON reads a file of a case, which need not be there.
func readJSON(t testing.TB, name string, into any) {
	t.Helper()
	content, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(content))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	for _, g := range goldens(t, "*/*") {
		t.Run(g.dir, func(t *testing.T) {
			t.Parallel()
			if (g.upstream == nil) == (g.violations == nil) {
				t.Fatal("want either upstream.json or violations.json")
			}
			if too := CheckSize(g.order, usualLimits()); too != nil {
				t.Fatalf("CheckSize = %v", too)
			}
			Normalize(g.order)
			reviewed, doubts := Review(g.order, goldenFacts())
			broken := append(Validate(g.order), reviewed...)
			SortViolations(broken)
			violations, warnings := violationsOf(broken), warningsOf(doubts)
			if *update {
				writeJSON(t, g.dir, "violations.json", violations, len(violations) > 0)
				writeJSON(t, g.dir, "warnings.json", warnings, len(warnings) > 0)
			} else {
				if diff := cmp.Diff(g.violations, violations, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("violations (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(g.warnings, warnings, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("warnings (-want +got):\n%s", diff)
				}
			}
			if g.upstream == nil {
				return
			}
			call, err := CarrierCall(g.order)
			if err != nil {
				t.Fatal(err)
			}
			got := upstreamCall{Method: "POST", Path: call.Path, Body: call.Body}
			if *update {
				writeJSON(t, g.dir, "upstream.json", got, true)
			} else if diff := cmp.Diff(g.upstream, &got, sameJSON); diff != "" {
				t.Errorf("upstream (-want +got):\n%s", diff)
			}
		})
	}
}

// sameJSON compares bodies as JSON values. Numbers compare as they are written: 5 is not 5.0.
var sameJSON = cmp.Transformer("JSON", func(raw json.RawMessage) any {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return err
	}
	return value
})

func writeJSON(t *testing.T, dir, name string, value any, keep bool) {
	t.Helper()
	name = filepath.Join("testdata", dir, name)
	if !keep {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		return
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(value); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func violationsOf(list []fault.Violation) []goldenViolation {
	var all []goldenViolation
	for _, v := range list {
		all = append(all, goldenViolation{v.Field, v.Description})
	}
	return all
}

func warningsOf(list []*portinv1.Warning) []goldenWarning {
	var all []goldenWarning
	for _, w := range list {
		all = append(all, goldenWarning{w.GetField(), w.GetCode().String(), w.GetDescription()})
	}
	return all
}

// TestNothingButWhatIsToldChangesTheOrder: validating, reviewing, listing and translating leave the order alone.
func TestNothingButNormalizeChangesTheOrder(t *testing.T) {
	t.Parallel()
	for _, g := range goldens(t, "*/fullest") {
		Normalize(g.order)
		before := clone(g.order)
		Validate(g.order)
		Review(g.order, goldenFacts())
		CheckSize(g.order, usualLimits())
		References(g.order)
		Numbers(g.order)
		if _, err := CarrierCall(g.order); err != nil {
			t.Errorf("%s: %v", g.dir, err)
		}
		if diff := cmp.Diff(before, g.order, protocmp.Transform()); diff != "" {
			t.Errorf("%s (-before +after):\n%s", g.dir, diff)
		}
	}
}
