package sqlite

import (
	"math"
	"math/bits"

	"github.com/portin/portin/internal/ledger"
)

// class is what orders have in common that are found together: the standing, doubled, and one more when they need attention.
type class int64

func newClass(standing ledger.Standing, attention bool) class {
	return class(2*standing) + class(number(attention))
}

// classOf is the class of an order.
func classOf(r ledger.Record) class { return newClass(r.Standing(), len(r.Attention) > 0) }

// length is roughly the time from the creation of orders to their latest change: 0 when the clock ran backwards, else one more
// than how many digits the seconds have to the base of eight.
type length int64

// base is how many bits a digit of the seconds has. Fewer make more streams to merge, more make them longer to search.
const base = 3

// lengthOf is the length of an order.
func lengthOf(r ledger.Record) length {
	us := micros(r.Updated) - micros(r.Created)
	if us < 0 {
		return 0
	}
	return 1 + length(bits.Len64(uint64(us/second))+base-1)/base
}

// bounds are the shortest time of this length, and one that is longer than all of it, in microseconds. Where the clock ran
// backwards, there is no shortest.
func (n length) bounds() (shortest, longest int64) {
	switch n {
	case 0:
		return math.MinInt64, 0
	case 1:
		return 0, second
	}
	return second << (base * (n - 2)), second << (base * (n - 1))
}

// span is orders of one class and one length; or, without a class, all orders of a length.
type span int64

// lengths is how many lengths there is room for.
const lengths = 100

// spanOf is the span of an order.
func spanOf(r ledger.Record) span { return span(classOf(r))*lengths + span(lengthOf(r)) }

func (s span) class() class   { return class(s / lengths) }
func (s span) length() length { return length(s % lengths) }
