package tracker

import (
	"time"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/nanp"
	"github.com/portin/portin/internal/order"
)

var (
	statuses = map[order.Status]portinv1.CarrierStatus{
		order.StatusPending:                 portinv1.CarrierStatus_CARRIER_STATUS_PENDING,
		order.StatusSubmitted:               portinv1.CarrierStatus_CARRIER_STATUS_SUBMITTED,
		order.StatusConfirmed:               portinv1.CarrierStatus_CARRIER_STATUS_CONFIRMED,
		order.StatusConfirmedWithDateChange: portinv1.CarrierStatus_CARRIER_STATUS_CONFIRMED_WITH_DATE_CHANGE,
		order.StatusConfirmedWithException:  portinv1.CarrierStatus_CARRIER_STATUS_CONFIRMED_WITH_EXCEPTION,
		order.StatusCompleted:               portinv1.CarrierStatus_CARRIER_STATUS_COMPLETED,
		order.StatusRejected:                portinv1.CarrierStatus_CARRIER_STATUS_REJECTED,
		order.StatusHold:                    portinv1.CarrierStatus_CARRIER_STATUS_HOLD,
		order.StatusRescheduled:             portinv1.CarrierStatus_CARRIER_STATUS_RESCHEDULED,
		order.StatusCancellationPending:     portinv1.CarrierStatus_CARRIER_STATUS_CANCELLATION_PENDING,
		order.StatusCancelled:               portinv1.CarrierStatus_CARRIER_STATUS_CANCELLED,
		order.StatusPartialCancellation:     portinv1.CarrierStatus_CARRIER_STATUS_PARTIAL_CANCELLATION,
		order.StatusFullCancellation:        portinv1.CarrierStatus_CARRIER_STATUS_FULL_CANCELLATION,
		order.StatusExpired:                 portinv1.CarrierStatus_CARRIER_STATUS_EXPIRED,
	}
	categories = map[order.Category]portinv1.Category{
		order.CategoryOpen:      portinv1.Category_CATEGORY_OPEN,
		order.CategoryScheduled: portinv1.Category_CATEGORY_SCHEDULED,
		order.CategoryAttention: portinv1.Category_CATEGORY_ATTENTION,
		order.CategoryClosed:    portinv1.Category_CATEGORY_CLOSED,
	}
)

// render puts the carrier's status into the contract's words.
func render(s carrier.Status) *portinv1.PortInStatus {
	word := order.Status(s.Word)
	status, known := statuses[word]
	if !known && s.Word != "" {
		status = portinv1.CarrierStatus_CARRIER_STATUS_OTHER
	}
	out := &portinv1.PortInStatus{
		TicketId:         s.Ticket,
		Status:           status,
		StatusWord:       s.Word,
		Category:         categories[word.Category(s.Disputing != nil && *s.Disputing)],
		Validated:        s.Validated,
		Disputing:        s.Disputing,
		PortDate:         day(s.PortDate),
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

// day writes the carrier's YYYYMMDD as YYYY-MM-DD, and leaves what is no such day as it came.
func day(s string) string {
	d, err := time.Parse("20060102", s)
	if err != nil {
		return s
	}
	return d.Format(time.DateOnly)
}

// e164 writes a number as every answer has it, and leaves what is no number as it came.
func e164(s string) string {
	if n, ok := nanp.Parse(s); ok {
		return n.E164()
	}
	return s
}
