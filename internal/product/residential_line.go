package product

import (
	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
)

// wireResidentialLines is the carrier's NumberPortOrderResidentialLineV2.
type wireResidentialLines struct {
	Lines    []wireResidentialLine `json:"Lines"`
	PortForm wireRegularForm       `json:"PortForm"`
}

// wireResidentialLine is the carrier's ResidentialLineOrder. Unlike a business line it wants Enabled said.
type wireResidentialLine struct {
	wireLine
	Enabled bool `json:"Enabled"`
}

// residentialLine ports regular numbers in as residential lines.
func residentialLine() Spec {
	s := withLines(Spec{
		Arm:         "residential_line",
		Operation:   "ResidentialLines",
		Path:        "/v2/NumberPorts/Inbound/ResidentialLines",
		ProductType: 3,
	}, carrier.ResidentialPlan, readResidentialLines)
	s.body = func(o *portinv1.PortInOrder, e *encoder) any {
		const list = "order.residential_line.lines"
		wire := wireResidentialLines{PortForm: e.regularForm(o.GetForm())}
		common := readResidentialLines(o) // one for each line, in the same order
		for i, l := range entries(o.GetResidentialLine().GetLines()) {
			wire.Lines = append(wire.Lines, wireResidentialLine{
				wireLine: e.wireLine(list, i, common[i]),
				Enabled:  must(e, entry(list, i, "enabled"), l.Enabled),
			})
		}
		return wire
	}
	return s
}

// readResidentialLines gives the shape that both kinds of line share.
func readResidentialLines(o *portinv1.PortInOrder) []line {
	return shapes(o.GetResidentialLine().GetLines(), func(l *portinv1.ResidentialLine_Line) line {
		return line{
			number: &l.Number, account: l.Account, planID: l.GetPlanId(),
			locale: l.GetLocale(), secondLocale: l.GetSecondLocale(),
			label: l.Label, email: l.Email, callerID: l.CallerId, callerName: l.CallerName,
			forwardTo: l.CallForwardingNumber, forwardDelay: l.CallForwardingDelay,
			sipPassword: l.SipPassword, webPassword: l.WebSelfCarePassword,
		}
	})
}
