package directory

import (
	"context"
	"slices"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
)

// planKind is a kind of plan in the carrier's words and in the contract's.
type planKind struct {
	of   carrier.PlanKind
	as   portinv1.LinePlanKind
	list List
}

// planKinds are all of them, in the order of the contract's enum.
var planKinds = []planKind{
	{carrier.ResidentialPlan, portinv1.LinePlanKind_LINE_PLAN_KIND_RESIDENTIAL, ListResidentialPlans},
	{carrier.BusinessPlan, portinv1.LinePlanKind_LINE_PLAN_KIND_BUSINESS, ListBusinessPlans},
	{carrier.CallForwardPlan, portinv1.LinePlanKind_LINE_PLAN_KIND_PERMANENT_CALL_FORWARD, ListForwardPlans},
}

// LinePlans lists the plans of lines and permanent call forwards, of one kind or of all in the order of the enum. All of
// them or none: a kind that cannot be read fails the call.
func (d *Directory) LinePlans(ctx context.Context, req *portinv1.ListLinePlansRequest) (*portinv1.ListLinePlansResponse, error) {
	asked := slices.DeleteFunc(slices.Clone(planKinds), func(k planKind) bool {
		return req.GetKind() != portinv1.LinePlanKind_LINE_PLAN_KIND_UNSPECIFIED && req.GetKind() != k.as
	})
	type planOf struct {
		carrier.Plan
		kind portinv1.LinePlanKind
	}
	var all []planOf
	for _, kind := range asked {
		plans, err := d.plans[kind.of].read(ctx, d.config.TTL)
		if err != nil {
			return nil, err
		}
		for _, plan := range plans.items {
			all = append(all, planOf{plan, kind.as})
		}
	}
	q := query{list: "line_plans", filter: req.GetKind().String(), size: req.GetPageSize(), token: req.GetPageToken()}
	plans, next, err := pageOf(q, all, func(p planOf) *portinv1.LinePlan {
		return &portinv1.LinePlan{
			PlanId: p.ID, Kind: p.kind, Name: p.Name, Account: p.Account, MonthlyPrice: p.MonthlyPrice, Enabled: p.Enabled,
		}
	})
	return &portinv1.ListLinePlansResponse{LinePlans: plans, NextPageToken: next}, err
}
