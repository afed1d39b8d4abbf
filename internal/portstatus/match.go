package portstatus

import (
	"slices"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/nanp"
)

// Matches reports whether a status that was asked for by number is that of the order itself: an open ticket with exactly
// its numbers, where every look of this order saw that there was none. The carrier may answer with any of several tickets
// for a number, so after a look that saw one, or that failed, a ticket that no look saw can still be an older one.
func Matches(r ledger.Record, s carrier.Status) bool {
	return !r.LookFailed && len(r.Looks) == 0 && s.Ticket != "" && !Closed(s) && SameNumbers(r, s)
}

// SameNumbers reports whether a status has exactly the order's numbers.
func SameNumbers(r ledger.Record, s carrier.Status) bool {
	has := numbers(s)
	want := slices.Clone(r.Numbers)
	slices.Sort(want)
	return len(has) > 0 && slices.Equal(has, slices.Compact(want))
}

// Contradicts reports whether a status that was asked for by the order's own ticket is that of something else: it names a
// number that the order does not have. A part of the order's numbers is its own: the rest may have been cancelled. Of an order
// that was placed elsewhere only those are known that the carrier named at first, or the one that it was asked for by; a status
// that has one of them may have others.
func Contradicts(r ledger.Record, s carrier.Status) bool {
	own := func(n string) bool { return slices.Contains(r.Numbers, n) }
	all := numbers(s)
	switch {
	case len(r.Numbers) == 0 || len(all) == 0:
		return false
	case r.Elsewhere:
		return !slices.ContainsFunc(all, own)
	}
	return slices.ContainsFunc(all, func(n string) bool { return !own(n) })
}

// numbers are a status's numbers in E.164, sorted, each once.
func numbers(s carrier.Status) []string {
	var all []string
	for _, n := range s.Numbers {
		all = append(all, nanp.Number(n).E164())
	}
	slices.Sort(all)
	return slices.Compact(all)
}
