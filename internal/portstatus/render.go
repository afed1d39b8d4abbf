package portstatus

import (
	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/contract"
	"github.com/portin/portin/internal/nanp"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/reject"
)

// Render puts the carrier's status into the contract's words.
func Render(s carrier.Status) *portinv1.PortInStatus {
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
		Rejects:          reject.Explain(s.Rejects),
		EndUserName:      s.EndUserName,
		AccountNumber:    s.AccountNumber,
		Reseller:         s.Reseller,
	}
	for _, n := range s.Numbers {
		out.Numbers = append(out.Numbers, nanp.Number(n).E164())
	}
	return out
}
