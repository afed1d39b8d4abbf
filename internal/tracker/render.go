package tracker

import (
	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/contract"
	"github.com/portin/portin/internal/nanp"
	"github.com/portin/portin/internal/order"
)

// render puts the carrier's status into the contract's words.
func render(s carrier.Status) *portinv1.PortInStatus {
	word := order.Status(s.Word)
	out := &portinv1.PortInStatus{
		TicketId:         s.Ticket,
		Status:           contract.Status(word),
		StatusWord:       s.Word,
		Category:         contract.Category(word.Category(s.Disputed())),
		Validated:        s.Validated,
		Disputing:        s.Disputing,
		PortDate:         s.Day(),
		RejectReasonText: s.RejectReason,
		RejectSummary:    s.RejectSummary,
		EndUserName:      s.EndUserName,
		AccountNumber:    s.AccountNumber,
		Reseller:         s.Reseller,
	}
	for _, n := range s.Numbers {
		out.Numbers = append(out.Numbers, nanp.Number(n).E164())
	}
	for _, r := range s.Rejects {
		out.Rejects = append(out.Rejects, &portinv1.RejectRecord{
			Code:                  r.Code,
			Form:                  r.Form,
			FieldAbbreviation:     r.Field,
			Remarks:               r.Remarks,
			RejectRemarks:         r.RejectRemarks,
			PortedNumber:          e164(r.Ported),
			PortedNumberRange:     r.PortedRange,
			DisconnectNumber:      e164(r.Disconnect),
			DisconnectNumberRange: r.DiscRange,
		})
	}
	return out
}

// e164 writes a number as every answer has it, and leaves what is no number as it came.
func e164(s string) string {
	if n, ok := nanp.Parse(s); ok {
		return n.E164()
	}
	return s
}
