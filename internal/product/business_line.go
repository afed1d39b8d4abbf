package product

import (
	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
)

// wireBusinessLines is the carrier's NumberPortOrderBusinessLineV2.
type wireBusinessLines struct {
	Lines    []wireBusinessLine `json:"Lines"`
	PortForm wireRegularForm    `json:"PortForm"`
}

// wireBusinessLine is the carrier's BusinessLineOrder. Unlike a residential line it may leave Enabled to the carrier.
type wireBusinessLine struct {
	wireLine
	BusinessGroupID string `json:"BusinessGroupID"`
	Enabled         *bool  `json:"Enabled,omitempty"`
	Extension       *int32 `json:"Extension,omitempty"`
}

// businessLines is the list that the rules and the references of this target name.
const businessLines = "order.business_line.lines"

// businessLine ports regular numbers in as business lines of one account, plan and business group.
func businessLine() Spec {
	s := withLines(Spec{
		Arm:         "business_line",
		Operation:   "BusinessLines",
		Path:        "/v2/NumberPorts/Inbound/BusinessLines",
		ProductType: 4,
	}, carrier.BusinessPlan, readBusinessLines)
	// What all lines have is there already; the group, the agreement and the extensions come on top of it.
	plans, linesDoubts := s.references, s.doubts
	s.body = func(o *portinv1.PortInOrder, e *encoder) any {
		wire := wireBusinessLines{PortForm: e.regularForm(o.GetForm())}
		common := readBusinessLines(o) // one for each line, in the same order
		for i, l := range entries(o.GetBusinessLine().GetLines()) {
			wire.Lines = append(wire.Lines, wireBusinessLine{
				wireLine:        e.wireLine(businessLines, i, common[i]),
				BusinessGroupID: l.GetBusinessGroupId(),
				Enabled:         l.Enabled,
				Extension:       l.Extension,
			})
		}
		return wire
	}
	s.references = func(o *portinv1.PortInOrder) []Reference {
		refs := plans(o)
		for i, l := range entries(o.GetBusinessLine().GetLines()) {
			refs = append(refs, Reference{
				Field: entry(businessLines, i, "business_group_id").String(), Kind: BusinessGroup, Value: l.GetBusinessGroupId(),
			})
		}
		return refs
	}
	s.rules = func(o *portinv1.PortInOrder, r *report) { r.linesAgree(o.GetBusinessLine().GetLines()) }
	s.doubts = func(o *portinv1.PortInOrder, d *doubts) {
		linesDoubts(o, d)
		d.extensions(o.GetBusinessLine().GetLines())
	}
	return s
}

// linesAgree reports every line that deviates from the first one that says which account, plan or group it is. The
// carrier takes one of each for a whole order, and does not say which it would have used.
func (r *report) linesAgree(lines []*portinv1.BusinessLine_Line) {
	var account *int64
	var plan, group string
	for i, l := range entries(lines) {
		if account == nil {
			account = l.Account
		} else if l.Account != nil && *l.Account != *account {
			r.add(entry(businessLines, i, "account"), "differs from an earlier line; all lines of an order have one account")
		}
		if plan == "" {
			plan = l.GetPlanId()
		} else if l.GetPlanId() != plan {
			r.add(entry(businessLines, i, "plan_id"), "differs from an earlier line; all lines of an order have one plan")
		}
		if group == "" {
			group = l.GetBusinessGroupId()
		} else if l.GetBusinessGroupId() != group {
			r.add(entry(businessLines, i, "business_group_id"),
				"differs from an earlier line; all lines of an order join one business group")
		}
	}
}

// extensions doubts an extension that two lines of the group would have. The carrier states no rule, so the order goes.
func (d *doubts) extensions(lines []*portinv1.BusinessLine_Line) {
	seen := map[int32]bool{}
	for i, l := range entries(lines) {
		if l.Extension == nil {
			continue
		}
		if seen[l.GetExtension()] {
			d.ambiguous(entry(businessLines, i, "extension"), "is the extension of an earlier line too")
		}
		seen[l.GetExtension()] = true
	}
}

// readBusinessLines gives the shape that both kinds of line share; the group and the extension are read where they are used.
func readBusinessLines(o *portinv1.PortInOrder) []line {
	return shapes(o.GetBusinessLine().GetLines(), func(l *portinv1.BusinessLine_Line) line {
		return line{
			number: &l.Number, account: l.Account, planID: l.GetPlanId(),
			locale: l.GetLocale(), secondLocale: l.GetSecondLocale(),
			label: l.Label, email: l.Email, callerID: l.CallerId, callerName: l.CallerName,
			forwardTo: l.CallForwardingNumber, forwardDelay: l.CallForwardingDelay,
			sipPassword: l.SipPassword, webPassword: l.WebSelfCarePassword,
		}
	})
}
