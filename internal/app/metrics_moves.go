package app

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// newMovesMetric builds the metric of what becomes of orders. Those that are over are in no gauge: to count them all costs more
// the more there are.
func newMovesMetric() *prometheus.CounterVec {
	moves := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "portin_orders_moved_total",
		Help: "Orders of which this process wrote down that they came to a state, or that their port-in is over (closed).",
	}, []string{"to"})
	for _, state := range []order.State{order.NotSent, order.Refused, order.InDoubt, order.Accepted} {
		moves.WithLabelValues(label(state))
	}
	moves.WithLabelValues(closed)
	return moves
}

// closed is the label of an order whose port-in is over, whatever its state.
const closed = "closed"

func label(s order.State) string { return strings.ToLower(s.String()) }

// standing is what an order is counted by.
type standing struct {
	state order.State
	over  bool
}

func standingOf(r ledger.Record) standing {
	return standing{r.State, r.Category() == order.CategoryClosed}
}

// moved counts an order that was changed. One that is sent once more counts when that has come to something.
func (l *seenLedger) moved(was, is standing) {
	if is.state != was.state && is.state != order.Sending {
		l.moves.WithLabelValues(label(is.state)).Inc()
	}
	if is.over && !was.over {
		l.moves.WithLabelValues(closed).Inc()
	}
}
