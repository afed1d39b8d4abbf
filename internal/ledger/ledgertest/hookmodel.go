package ledgertest

import (
	"slices"
	"time"

	"github.com/portin/portin/internal/ledger"
)

// hookModel is what an endpoint and its deliveries should be, as plainly as it can be said. Deliveries have the lowest sequence
// first.
type hookModel struct {
	endpoint   ledger.Endpoint
	deliveries []ledger.Delivery
}

// ready are the deliveries that may be handed out, the longest due first.
func (m *hookModel) ready(now time.Time) []ledger.Delivery {
	if m.endpoint.Disabled {
		return nil
	}
	var ready []ledger.Delivery
	waits := map[string]bool{}
	for _, d := range m.deliveries {
		if d.State != ledger.DeliveryPending {
			continue
		}
		if !waits[d.OrderID] && !d.Due.After(now) {
			ready = append(ready, d)
		}
		waits[d.OrderID] = true
	}
	slices.SortStableFunc(ready, func(a, b ledger.Delivery) int { return a.Due.Compare(b.Due) })
	return ready
}

// at is the delivery of a sequence; nil when there is none.
func (m *hookModel) at(sequence int64) *ledger.Delivery {
	for i := range m.deliveries {
		if m.deliveries[i].Sequence == sequence {
			return &m.deliveries[i]
		}
	}
	return nil
}

// redeliver is Store.Redeliver.
func (m *hookModel) redeliver(from int64, states []ledger.DeliveryState, now time.Time) (n int) {
	for i, d := range m.deliveries {
		if d.Sequence >= from && slices.Contains(states, d.State) {
			m.deliveries[i] = again(d, now)
			n++
		}
	}
	return n
}

// forget is Store.ForgetDeliveries.
func (m *hookModel) forget(before time.Time) (n int) {
	left := slices.DeleteFunc(slices.Clone(m.deliveries), func(d ledger.Delivery) bool {
		return (d.State != ledger.DeliveryPending || m.endpoint.Disabled) && d.Time.Before(before)
	})
	n = len(m.deliveries) - len(left)
	m.deliveries = left
	return n
}

// pending counts the pending deliveries.
func (m *hookModel) pending() (n int) {
	for _, d := range m.deliveries {
		if d.State == ledger.DeliveryPending {
			n++
		}
	}
	return n
}
