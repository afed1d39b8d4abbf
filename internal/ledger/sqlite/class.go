package sqlite

import (
	"math"
	"math/bits"

	"github.com/portin/portin/internal/ledger"
)

// class is what orders have in common that are found together: the standing, doubled, and one more when they need attention.
type class int64

func newClass(standing int, attention bool) class {
	return class(2*standing) + class(number(attention))
}

// classOf is the class of an order.
func classOf(r ledger.Record) class { return newClass(r.Standing(), len(r.Attention) > 0) }

// span is orders of a class that were changed a like time after they were created. Its last two decimal digits are the
// length of that time: 0 when the clock ran backwards, else one more than how many digits the seconds have to the base
// of eight.
type span int64

// lengths is how many lengths there is room for.
const lengths = 100

// base is how many bits a digit of the seconds has. Fewer make more streams to merge, more make them longer to search.
const base = 3

// spanOf is the span of an order.
func spanOf(r ledger.Record) span {
	length := 0
	if us := micros(r.Updated) - micros(r.Created); us >= 0 {
		length = 1 + (bits.Len64(uint64(us/second))+base-1)/base
	}
	return span(int64(classOf(r))*lengths + int64(length))
}

// class is the class of all orders of a span.
func (s span) class() class { return class(s / lengths) }

// bounds are the shortest time that orders of a span can have, and one that is longer than what they have, in microseconds.
// Where the clock ran backwards, there is no shortest.
func (s span) bounds() (shortest, longest int64) {
	switch length := int64(s % lengths); length {
	case 0:
		return math.MinInt64, 0
	case 1:
		return 0, second
	default:
		return second << (base * (length - 2)), second << (base * (length - 1))
	}
}
