package fault_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portin/portin/internal/fault"
)

func TestEveryReasonHasAKind(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, r := range fault.Reasons() {
		known[string(r)] = true
	}
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			return true
		}
		lit, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			return true
		}
		value, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Fatal(err)
		}
		declared++
		if !known[value] {
			t.Errorf("%s has no kind: add it to kindOf", spec.Names[0].Name)
		}
		return true
	})
	if declared != len(known) {
		t.Errorf("%d reasons are declared, kindOf has %d", declared, len(known))
	}
}

func TestOnlyInternalIsInternal(t *testing.T) {
	t.Parallel()
	for _, r := range fault.Reasons() {
		if r.Kind() == fault.KindInternal && r != fault.ReasonInternal {
			t.Errorf("%s is of the kind that nobody classified", r)
		}
		if r.Kind() >= fault.KindCount {
			t.Errorf("%s has kind %d, which is none", r, r.Kind())
		}
	}
	if got := fault.Reason("NOBODY_WROTE_THIS").Kind(); got != fault.KindInternal {
		t.Errorf("an unknown reason has kind %d, want internal", got)
	}
}

func TestFromFindsTheFaultAndHidesTheRest(t *testing.T) {
	t.Parallel()
	refused := fault.New(fault.ReasonCarrierRefused, "no such plan")
	if got := fault.From(fmt.Errorf("placing: %w", refused)); got != refused {
		t.Errorf("From returned %v, want the wrapped fault itself", got)
	}
	cause := errors.New("password=hunter2")
	hidden := fault.From(cause)
	if hidden.Reason != fault.ReasonInternal || strings.Contains(hidden.Error(), "hunter2") {
		t.Errorf("From(%v) = %v, want an internal fault that does not show it", cause, hidden)
	}
	if !errors.Is(hidden, cause) {
		t.Error("the cause is lost to errors.Is")
	}
	if fault.From(nil) != nil {
		t.Error("From(nil) is not nil")
	}
}

func TestWithMethodsCopy(t *testing.T) {
	t.Parallel()
	base := fault.New(fault.ReasonCarrierBusy, "busy").WithMetadata("a", "1")
	more := base.WithMetadata("b", "2").WithRetryAfter(3 * time.Second).WithCause(errors.New("x"))
	if diff := cmp.Diff(map[string]string{"a": "1"}, base.Metadata); diff != "" {
		t.Errorf("a With method changed its receiver (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"a": "1", "b": "2"}, more.Metadata); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	if base.RetryAfter != 0 || more.RetryAfter != 3*time.Second || base.Unwrap() != nil {
		t.Errorf("base %v, more %v", base, more)
	}
	if !fault.Is(fmt.Errorf("x: %w", more), fault.ReasonCarrierBusy) || fault.Is(more, fault.ReasonInternal) {
		t.Error("Is does not tell reasons apart")
	}
	if got := fault.Fields([]fault.Violation{{Field: "order", Description: "is missing"}}); got.Kind() != fault.KindInvalidArgument {
		t.Errorf("Fields is of kind %d", got.Kind())
	}
}
