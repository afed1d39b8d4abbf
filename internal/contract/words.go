package contract

import (
	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/order"
)

var (
	states = map[order.State]portinv1.OrderState{
		order.Sending:  portinv1.OrderState_ORDER_STATE_SENDING,
		order.NotSent:  portinv1.OrderState_ORDER_STATE_NOT_SENT,
		order.Refused:  portinv1.OrderState_ORDER_STATE_REFUSED,
		order.InDoubt:  portinv1.OrderState_ORDER_STATE_IN_DOUBT,
		order.Accepted: portinv1.OrderState_ORDER_STATE_ACCEPTED,
	}
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

// State is the contract's word for a state.
func State(s order.State) portinv1.OrderState { return states[s] }

// StateOf is the state that a word of the contract stands for; zero for UNSPECIFIED and for a word that is none.
func StateOf(word portinv1.OrderState) order.State { return keyOf(states, word) }

// Status is the contract's word for a status of the carrier: UNSPECIFIED for none, OTHER for one that nobody knows.
func Status(s order.Status) portinv1.CarrierStatus {
	word, known := statuses[s]
	if !known && s != "" {
		return portinv1.CarrierStatus_CARRIER_STATUS_OTHER
	}
	return word
}

// Category is the contract's word for a category.
func Category(c order.Category) portinv1.Category { return categories[c] }

// CategoryOf is the category that a word of the contract stands for; zero for UNSPECIFIED and for a word that is none.
func CategoryOf(word portinv1.Category) order.Category { return keyOf(categories, word) }

func keyOf[K, V comparable](words map[K]V, word V) K {
	for k, v := range words {
		if v == word {
			return k
		}
	}
	var none K
	return none
}
