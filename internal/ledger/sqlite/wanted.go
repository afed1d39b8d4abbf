package sqlite

import (
	"math"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// wanted is a query as SQLite is asked it: times are microseconds, and what bounds a page is there whether asked for or not.
type wanted struct {
	ledger.Query

	// classes are those of the orders that are wanted, as far as states, categories and attention say.
	classes []class
	// below is where the page begins: after it, in the order of lists.
	below place
	// The ranges begin at and end before; those of the creation are only the beginning, for below has the end.
	fromCreated, fromUpdated, beforeUpdated int64
}

// place is an order's place in a list, or one between two orders.
type place struct {
	created int64
	orderID string
}

// wantedBy reads a query.
func wantedBy(q ledger.Query) wanted {
	w := wanted{
		Query: q, below: place{created: math.MaxInt64},
		fromCreated: math.MinInt64, fromUpdated: math.MinInt64, beforeUpdated: math.MaxInt64,
	}
	standings := q.Standings()
	if standings == nil {
		standings = everyStanding()
	}
	for _, s := range standings {
		for _, attention := range []bool{false, true} {
			if q.Wants(attention) {
				w.classes = append(w.classes, newClass(s, attention))
			}
		}
	}
	if !q.After.Created.IsZero() || q.After.OrderID != "" {
		w.below = place{micros(q.After.Created), q.After.OrderID}
	}
	if !q.BeforeCreated.IsZero() {
		// No id is below the empty one, so that nothing of that moment is left.
		w.below = w.below.min(place{created: up(q.BeforeCreated)})
	}
	if !q.FromCreated.IsZero() {
		w.fromCreated = up(q.FromCreated)
	}
	if !q.FromUpdated.IsZero() {
		w.fromUpdated = up(q.FromUpdated)
	}
	if !q.BeforeUpdated.IsZero() {
		w.beforeUpdated = up(q.BeforeUpdated)
	}
	return w
}

// touched reports whether the time of the latest change matters.
func (w wanted) touched() bool { return !w.FromUpdated.IsZero() || !w.BeforeUpdated.IsZero() }

// anyClass reports whether orders of every class are wanted.
func (w wanted) anyClass() bool { return len(w.classes) == 2*len(everyStanding()) }

// everyStanding is what a standing may be.
func everyStanding() []ledger.Standing { return ledger.Query{States: order.States()}.Standings() }

// min is the older of two places.
func (p place) min(other place) place {
	if other.created < p.created || other.created == p.created && other.orderID < p.orderID {
		return other
	}
	return p
}

// up is the first microsecond that is not before a time: orders have whole ones.
func up(t time.Time) int64 {
	us := t.UnixMicro()
	if t.Nanosecond()%1000 > 0 {
		us++
	}
	return us
}
