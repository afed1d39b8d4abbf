package directory_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/directory"
	"github.com/portin/portin/internal/fault"
)

// calls are the lists of CatalogService, each asked for in one go.
var calls = map[string]func(context.Context, *directory.Directory) (proto.Message, error){
	"trunks": func(ctx context.Context, d *directory.Directory) (proto.Message, error) {
		return d.SipTrunks(ctx, &portinv1.ListSipTrunksRequest{})
	},
	"offerings": func(ctx context.Context, d *directory.Directory) (proto.Message, error) {
		return d.TelephoneOfferings(ctx, &portinv1.ListTelephoneOfferingsRequest{})
	},
	"providers": func(ctx context.Context, d *directory.Directory) (proto.Message, error) {
		return d.Providers(ctx, &portinv1.ListProvidersRequest{})
	},
	"groups": func(ctx context.Context, d *directory.Directory) (proto.Message, error) {
		return d.BusinessGroups(ctx, &portinv1.ListBusinessGroupsRequest{})
	},
	"plans": func(ctx context.Context, d *directory.Directory) (proto.Message, error) {
		return d.LinePlans(ctx, &portinv1.ListLinePlansRequest{})
	},
	"holidays": func(ctx context.Context, d *directory.Directory) (proto.Message, error) {
		return d.Holidays(ctx, &portinv1.ListHolidaysRequest{})
	},
	"centres": func(ctx context.Context, d *directory.Directory) (proto.Message, error) {
		return d.RateCenters(ctx, &portinv1.ListPortableRateCentersRequest{})
	},
}

func linePlan(id string, kind portinv1.LinePlanKind, account int64, price string, enabled bool) *portinv1.LinePlan {
	return &portinv1.LinePlan{PlanId: id, Kind: kind, Account: account, MonthlyPrice: price, Enabled: enabled}
}

// contents are what the stocked carrier's lists are in the words of the contract.
func contents() map[string]proto.Message {
	const (
		residential = portinv1.LinePlanKind_LINE_PLAN_KIND_RESIDENTIAL
		business    = portinv1.LinePlanKind_LINE_PLAN_KIND_BUSINESS
		forward     = portinv1.LinePlanKind_LINE_PLAN_KIND_PERMANENT_CALL_FORWARD
	)
	basic := linePlan("R-1", residential, 7, "9.95", true)
	basic.Name = "Basic"
	return map[string]proto.Message{
		"trunks": &portinv1.ListSipTrunksResponse{SipTrunks: []*portinv1.SipTrunk{
			{PilotNumber: "+14165550100", Label: "Head office"}, {PilotNumber: "+15145550100"}, {PilotNumber: "17"},
		}},
		"offerings": &portinv1.ListTelephoneOfferingsResponse{TelephoneOfferings: []*portinv1.TelephoneOffering{
			{
				OfferingId: "O-GENERAL", ProductName: &portinv1.LocalizedText{En: "Mailbox", Fr: "Boîte"}, ProductType: 1,
				Targets: []string{"general_product"},
			},
			{
				OfferingId: "O-CHILD", ProductName: &portinv1.LocalizedText{En: "Child", Fr: "Enfant"}, ProductType: 2,
				Targets: []string{"general_child_product"}, PotentialParentSubscriptions: []*portinv1.Subscription{{
					SubscriptionId: "S-1", Name: "4165550101", ProductName: &portinv1.LocalizedText{En: "Bridge", Fr: "Pont"},
				}},
			},
			{
				OfferingId: "O-FORWARD", ProductName: &portinv1.LocalizedText{}, ProductType: 5,
				Targets: []string{"permanent_call_forward", "toll_free_permanent_call_forward"},
			},
			{OfferingId: "O-FAX", ProductName: &portinv1.LocalizedText{}, ProductType: 7, Targets: []string{"virtual_fax"}},
			{OfferingId: "O-NEW", ProductName: &portinv1.LocalizedText{}, ProductType: 8},
		}},
		"providers": &portinv1.ListProvidersResponse{Providers: []*portinv1.Provider{
			{ProviderId: 1, Name: "Bell"}, {ProviderId: 2, Name: "Rogers"},
		}},
		"groups": &portinv1.ListBusinessGroupsResponse{BusinessGroups: []*portinv1.BusinessGroup{{BusinessGroupId: "G-1", Name: "Sales"}}},
		"plans": &portinv1.ListLinePlansResponse{LinePlans: []*portinv1.LinePlan{
			basic,
			linePlan("B-1", business, 7, "24.95", true),
			linePlan("B-OLD", business, 7, "14.95", false),
			linePlan("B-SHARED", business, 8, "1", true),
			linePlan("B-SHARED", business, 7, "2", true),
			linePlan("F-1", forward, 7, "3.5", true),
		}},
		"holidays": &portinv1.ListHolidaysResponse{Holidays: []*portinv1.Holiday{
			{Date: "2026-07-01", Name: "Canada Day"},
			{Date: "2026-09-07", Name: "Labour Day"},
			{Date: "2026-12-25", Name: "Christmas"},
			{Date: "tbd", Name: "Civic"},
		}},
		"centres": &portinv1.ListPortableRateCentersResponse{PortableRateCenters: []*portinv1.PortableRateCenter{
			{Name: "Toronto", Country: "CA", NetworkType: "IP", Lnp: true, Local: true, OnNet: true},
		}},
	}
}

func TestListsInTheWordsOfTheContract(t *testing.T) {
	t.Parallel()
	d := directory.New(stocked(), directory.Config{})
	for name, want := range contents() {
		got, err := calls[name](t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAnswersAreTheCallersOwn(t *testing.T) {
	t.Parallel()
	d := directory.New(stocked(), directory.Config{})
	for name, want := range contents() {
		spoilt, err := calls[name](t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		proto.Reset(spoilt)
		first, _ := calls[name](t.Context(), d)
		spoil(first.ProtoReflect())
		again, _ := calls[name](t.Context(), d)
		if diff := cmp.Diff(want, again, protocmp.Transform()); diff != "" {
			t.Errorf("%s after a caller wrote into its answer (-want +got):\n%s", name, diff)
		}
	}
}

func TestAFailingCarrierFailsTheList(t *testing.T) {
	t.Parallel()
	f := stocked()
	f.fails = errDown
	d := directory.New(f, directory.Config{})
	for name, call := range calls {
		if got, err := call(t.Context(), d); !fault.Is(err, fault.ReasonCarrierUnreachable) || !isNil(got) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestOfferingsOfATarget(t *testing.T) {
	t.Parallel()
	d := directory.New(stocked(), directory.Config{})
	for target, want := range map[string][]string{
		"":                                 {"O-GENERAL", "O-CHILD", "O-FORWARD", "O-FAX", "O-NEW"},
		"general_product":                  {"O-GENERAL"},
		"permanent_call_forward":           {"O-FORWARD"},
		"toll_free_permanent_call_forward": {"O-FORWARD"},
		"trunk_did":                        nil,
	} {
		resp, err := d.TelephoneOfferings(t.Context(), &portinv1.ListTelephoneOfferingsRequest{Target: &target})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range resp.GetTelephoneOfferings() {
			got = append(got, o.GetOfferingId())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("target %q (-want +got):\n%s", target, diff)
		}
	}
	_, err := d.TelephoneOfferings(t.Context(), &portinv1.ListTelephoneOfferingsRequest{Target: new("virtualFax")})
	if f := fault.From(err); f.Reason != fault.ReasonInvalidFields || f.Violations[0].Field != "target" {
		t.Errorf("a target that is none: %v", err)
	}
}

func TestPlansOfAKind(t *testing.T) {
	t.Parallel()
	f := stocked()
	d := directory.New(f, directory.Config{})
	resp, err := d.LinePlans(t.Context(), &portinv1.ListLinePlansRequest{Kind: portinv1.LinePlanKind_LINE_PLAN_KIND_BUSINESS.Enum().Enum()})
	if err != nil || len(resp.GetLinePlans()) != 4 {
		t.Errorf("%v, %v", resp, err)
	}
	if f.asked.Load() != 1 {
		t.Errorf("the carrier was asked for %d lists, want 1", f.asked.Load())
	}
}
