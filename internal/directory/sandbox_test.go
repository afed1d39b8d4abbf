package directory_test

import (
	"net/http/httptest"
	"testing"

	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/directory"
	"github.com/portin/portin/internal/product"
	"github.com/portin/portin/internal/sandbox"
)

// stage is a directory of the sandbox, over HTTP and through the real client.
func stage(t *testing.T) (*sandbox.Carrier, *directory.Directory) {
	t.Helper()
	played, err := sandbox.New(sandbox.Config{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(played)
	client, err := carrier.New(carrier.Config{
		BaseURL: server.URL + sandbox.BasePath, Username: "sandbox", Password: "sandbox", GetTries: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		_ = played.Close()
		server.Close()
	})
	return played, directory.New(client, directory.Config{})
}

func TestEveryListOfTheSandbox(t *testing.T) {
	t.Parallel()
	played, d := stage(t)
	for name, call := range calls {
		got, err := call(t.Context(), d)
		if err != nil || proto.Size(got) == 0 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if _, err := call(t.Context(), d); err != nil {
			t.Errorf("%s again: %v", name, err)
		}
	}
	if n := len(played.Received()); n != len(calls)+2 { // there are three lists of plans
		t.Errorf("%d requests", n)
	}
	if len(d.Closed(t.Context())) == 0 {
		t.Error("the sandbox never closes")
	}
	got, err := check(t, d, "416-555-0123", "867555")
	if err != nil || got.GetResults()[0].GetVerdict() != portable || got.GetResults()[1].GetVerdict() != immovable {
		t.Errorf("portability %v, %v", got, err)
	}
}

// TestEveryOfferingOfTheSandboxFitsATarget joins the two lists that have to agree: what the carrier offers, and the arms
// that the contract has.
func TestEveryOfferingOfTheSandboxFitsATarget(t *testing.T) {
	t.Parallel()
	_, d := stage(t)
	resp, err := d.TelephoneOfferings(t.Context(), &portinv1.ListTelephoneOfferingsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range resp.GetTelephoneOfferings() {
		if len(o.GetTargets()) == 0 {
			t.Errorf("%s fits no target", o.GetOfferingId())
		}
		for _, arm := range o.GetTargets() {
			ref := product.Reference{Field: "order", Kind: product.Offering, Value: o.GetOfferingId(), Arm: arm}
			if found := look(t, d, ref); found != nil {
				t.Errorf("%s as %s: %+v", o.GetOfferingId(), arm, found)
			}
		}
	}
}

func TestAFailingSandboxBlocksNothing(t *testing.T) {
	t.Parallel()
	for _, outcome := range []string{"exception-500", "html-502", "throttled", "exception-401", "truncated", "cut-after-body", "json-other"} {
		played, d := stage(t)
		if err := played.FailLookups(sandbox.CatalogueLookups, 100, outcome); err != nil {
			t.Fatal(err)
		}
		violations, warnings := d.Check(t.Context(), everything())
		if len(violations) != 0 || len(warnings) != 7 || warnings[0].GetCode() != notChecked {
			t.Errorf("%s: %v, %v", outcome, violations, warnings)
		}
	}
}
