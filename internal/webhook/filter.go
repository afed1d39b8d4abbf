package webhook

import (
	"slices"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/contract"
	"github.com/portin/portin/internal/ledger"
)

// wants reports whether an endpoint is told of an event. Of the state and of the category, that before the event counts as
// much as that after it: who follows orders in a state wants to know that one has left it.
func (e endpoint) wants(event ledger.Event) bool {
	return event.Tenant == e.tenant && among(e.EventTypes, typeOf(event.Type)) &&
		among(e.States, contract.State(event.Was.State()), contract.State(event.Is.State())) &&
		among(e.Categories, contract.Category(event.Was.Category()), contract.Category(event.Is.Category()))
}

// among reports whether one of the values is wanted; an empty list wants all.
func among[E ~int32](wanted []E, values ...E) bool {
	return len(wanted) == 0 || slices.ContainsFunc(values, func(v E) bool { return slices.Contains(wanted, v) })
}

// typeOf is the contract's word for the type of an event.
func typeOf(t ledger.EventType) portinv1.PortInOrderEventType {
	return portinv1.PortInOrderEventType(portinv1.PortInOrderEventType_value["PORT_IN_ORDER_EVENT_TYPE_"+string(t)])
}
