package tracker

import (
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// Pace is how often orders are asked about. All times are longer by up to a fifth, by chance.
type Pace struct {
	// Interval is the time between two look-ups of an order that is open. Others have a multiple or a part of it.
	Interval time.Duration
	// Every is how often the ledger is asked what is due, and PerSecond about how many orders this process asks the carrier
	// at most. An order without a ticket that the carrier knows takes two questions.
	Every     time.Duration
	PerSecond float64
	// NoProgressDays is after how many business days without a change an order needs attention; 0 is never.
	NoProgressDays int
	// Patience is how long the carrier may not know an order's ticket before the order is looked for by its first number.
	Patience time.Duration
}

const (
	// soonest is the interval of an order of which the carrier has not said anything yet, for as long as that is new.
	soonest = time.Minute
	// near is how close to its day a port is asked about often.
	near = 36 * time.Hour
)

// interval is when an order is asked about again; 0 is never. It is asked often while nothing is known of it and close to
// the day of its port, seldom while it waits for people, and never again when it is over.
func (p Pace) interval(r ledger.Record, now time.Time) time.Duration {
	switch category := r.Category(); {
	case category == order.CategoryClosed:
		return 0
	case r.Status == "":
		return min(p.Interval, max(soonest, now.Sub(r.Settled)/4))
	case r.Successor != "", r.Status == order.StatusHold:
		return 8 * p.Interval
	case category == order.CategoryScheduled || r.Status == order.StatusConfirmedWithException:
		return p.towards(r.PortDate, now)
	case r.Status == order.StatusRejected && !r.Disputing:
		return 4 * p.Interval
	}
	return p.Interval
}

// towards is the interval of an order whose port has a day: short from the day before until it is over, long while it is
// far away. A day that cannot be read is no day.
func (p Pace) towards(portDate string, now time.Time) time.Duration {
	day, err := time.ParseInLocation(time.DateOnly, portDate, eastern)
	if err != nil {
		return p.Interval
	}
	noon := day.Add(12 * time.Hour)
	switch {
	case now.Sub(noon).Abs() <= near:
		return max(min(soonest, p.Interval), p.Interval/6)
	case noon.Sub(now) > 4*24*time.Hour:
		return 4 * p.Interval
	}
	return p.Interval
}
