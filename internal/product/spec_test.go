package product

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
)

func TestForProductType(t *testing.T) {
	t.Parallel()
	want := map[int][]string{
		-1: nil, 0: nil, 1: {"general_product"}, 2: {"general_child_product"}, 3: {"residential_line"}, 4: {"business_line"},
		5: {"permanent_call_forward", "toll_free_permanent_call_forward"}, 6: {"business_permanent_call_forward"}, 7: {"virtual_fax"}, 8: nil,
	}
	for productType, arms := range want {
		if diff := cmp.Diff(arms, ForProductType(productType)); diff != "" {
			t.Errorf("type %d (-want +got):\n%s", productType, diff)
		}
	}
}

func TestSpecsIsACopy(t *testing.T) {
	t.Parallel()
	Specs()[0].Arm = "changed"
	if got := Specs()[0].Arm; got != "trunk_did" {
		t.Errorf("a caller changed the registry: %s", got)
	}
}

func TestOf(t *testing.T) {
	t.Parallel()
	for _, want := range Specs() {
		got, ok := Of(smallest(t, string(want.Arm)))
		if !ok || got.Arm != want.Arm {
			t.Errorf("Of an order with %s = %s, %t", want.Arm, got.Arm, ok)
		}
	}
	for _, o := range []*portinv1.PortInOrder{nil, {}, {Target: &portinv1.PortInOrder_TrunkDid{}}} {
		if got, ok := Of(o); ok {
			t.Errorf("Of(%v) = %s", o, got.Arm)
		}
		if got := Numbers(o); got != nil {
			t.Errorf("Numbers(%v) = %v", o, got)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, spec := range Specs() {
		want := []string{"+15145550120", "+15145550121"}
		if spec.TollFree {
			want = []string{"+18005550120", "+18005550121"}
		}
		if diff := cmp.Diff(want, Numbers(fullest(t, string(spec.Arm)))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", spec.Arm, diff)
		}
	}
}

func TestReferences(t *testing.T) {
	t.Parallel()
	provider := Reference{Field: "order.form.current_provider_id", Kind: Provider, Value: "4004"}
	plan := func(field string, kind carrier.PlanKind, id string, account int64) Reference {
		return Reference{Field: field, Kind: Plan, Value: id, Plan: kind, Account: account}
	}
	offering := func(arm, id string, productType int) Reference {
		return Reference{Field: "order." + arm + ".offering_id", Kind: Offering, Value: id, Arm: arm, ProductType: productType}
	}
	want := map[string][]Reference{
		"trunk_did":           {provider, {Field: "order.trunk_did.pilot_number", Kind: Trunk, Value: "4165550190"}},
		"trunk_toll_free_did": {provider, {Field: "order.trunk_toll_free_did.pilot_number", Kind: Trunk, Value: "4165550190"}},
		"general_product":     {provider, offering("general_product", "OFFER-1", 1)},
		"general_child_product": {provider, offering("general_child_product", "OFFER-2", 2), {
			Field: "order.general_child_product.parent_subscription_id", Kind: ParentSubscription, Value: "SUB-2", Offering: "OFFER-2",
		}},
		"residential_line": {
			provider,
			plan("order.residential_line.lines[0].plan_id", carrier.ResidentialPlan, "PLAN-1", 700001),
			plan("order.residential_line.lines[1].plan_id", carrier.ResidentialPlan, "PLAN-2", 700002),
		},
		"business_line": { // Its lines share both, so each is there once.
			provider,
			plan("order.business_line.lines[0].plan_id", carrier.BusinessPlan, "PLAN-1", 700001),
			{Field: "order.business_line.lines[0].business_group_id", Kind: BusinessGroup, Value: "GROUP-1"},
		},
		"permanent_call_forward": {
			provider,
			plan("order.permanent_call_forward.forwards[0].plan_id", carrier.CallForwardPlan, "PCF-1", 900001),
			plan("order.permanent_call_forward.forwards[1].plan_id", carrier.CallForwardPlan, "PCF-2", 900002),
		},
		"toll_free_permanent_call_forward": {
			provider,
			plan("order.toll_free_permanent_call_forward.forwards[0].plan_id", carrier.CallForwardPlan, "PCF-1", 900001),
			plan("order.toll_free_permanent_call_forward.forwards[1].plan_id", carrier.CallForwardPlan, "PCF-2", 900002),
		},
		"business_permanent_call_forward": {provider, offering("business_permanent_call_forward", "OFFER-6", 6), {
			Field: "order.business_permanent_call_forward.business_group_subscription_id", Kind: BusinessGroupSubscription, Value: "SUB-6",
		}},
		"virtual_fax": {provider, offering("virtual_fax", "OFFER-7", 7)},
	}
	for _, spec := range Specs() {
		if diff := cmp.Diff(want[string(spec.Arm)], References(fullest(t, string(spec.Arm)))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", spec.Arm, diff)
		}
	}
	for _, o := range []*portinv1.PortInOrder{
		nil,
		{},
		{Form: &portinv1.PortForm{}},
		{Target: &portinv1.PortInOrder_TrunkDid{TrunkDid: &portinv1.TrunkDid{PilotNumber: "x"}}},
		{Target: &portinv1.PortInOrder_VirtualFax{VirtualFax: &portinv1.VirtualFax{}}},
		{Target: &portinv1.PortInOrder_BusinessLine{BusinessLine: &portinv1.BusinessLine{Lines: []*portinv1.BusinessLine_Line{{}}}}},
	} {
		if got := References(o); got != nil {
			t.Errorf("References(%v) = %v", o, got)
		}
	}
	zero := int32(0)
	if got := References(&portinv1.PortInOrder{Form: &portinv1.PortForm{CurrentProviderId: &zero}}); len(got) != 1 || got[0].Value != "0" {
		t.Errorf("a provider that is set to 0 is not referred to: %v", got)
	}
}
