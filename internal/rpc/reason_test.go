package rpc

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	codepb "google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/codes"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
)

const reasonPrefix = "ERROR_REASON_"

func TestEveryKindHasACodeOfItsOwn(t *testing.T) {
	t.Parallel()
	kinds := map[codes.Code]int{}
	for kind, code := range grpcCodes {
		if code == codes.OK {
			t.Errorf("kind %d has no gRPC code: add it to grpcCodes", kind)
		}
		if other, taken := kinds[code]; taken {
			t.Errorf("kinds %d and %d are both %s", other, kind, code)
		}
		kinds[code] = kind
	}
}

func TestReasonsAreTheContracts(t *testing.T) {
	t.Parallel()
	var ours, contracts []string
	for _, r := range fault.Reasons() {
		ours = append(ours, string(r))
	}
	for number, name := range portinv1.ErrorReason_name {
		if number != 0 {
			contracts = append(contracts, strings.TrimPrefix(name, reasonPrefix))
		}
	}
	slices.Sort(ours)
	slices.Sort(contracts)
	if diff := cmp.Diff(contracts, ours); diff != "" {
		t.Errorf("fault's reasons are not those of ErrorReason (-contract +fault):\n%s", diff)
	}
}

// The comment of each reason begins with the code that its kind maps to; callers in other languages program by it.
func TestTheContractSaysTheCodeOfEveryReason(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "proto", "portin", "v1", "error_reason.proto"))
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	var comment []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if said, ok := strings.CutPrefix(line, "// "); ok {
			comment = append(comment, said)
			continue
		}
		if name, _, ok := strings.Cut(line, " = "); ok && strings.HasPrefix(name, reasonPrefix) {
			documented[strings.TrimPrefix(name, reasonPrefix)] = strings.Join(comment, " ")
		}
		comment = nil
	}
	if len(documented) != len(portinv1.ErrorReason_name) {
		t.Errorf("%d values were read, the contract has %d", len(documented), len(portinv1.ErrorReason_name))
	}
	for _, r := range fault.Reasons() {
		want := codepb.Code(grpcCodes[r.Kind()]).String() + ", "
		if !strings.HasPrefix(documented[string(r)], want) {
			t.Errorf("the comment of %s does not begin with %q: %q", r, want, documented[string(r)])
		}
		if !strings.Contains(documented[string(r)], " Example: ") {
			t.Errorf("the comment of %s has no example", r)
		}
	}
}

// A reason that nobody classified is a fault of the service, and still an error like any other.
func TestAReasonOfNobody(t *testing.T) {
	t.Parallel()
	st := wantError(t, statusOf(fault.New("NOBODY_WROTE_THIS", "x")).Err(), codes.Internal, "NOBODY_WROTE_THIS")
	if st.Message() != "x" {
		t.Errorf("message %q", st.Message())
	}
}
