package ledger

import (
	"regexp"
	"slices"
	"time"
)

// KeyLife is how long a request key is good after the latest change of an order that is over: so long the same request may
// come again and has to be told from another one, which needs what the order asked for.
const KeyLife = 30 * 24 * time.Hour

// Erasure removes the personal data of an order. What is left says that there was such an order and what became of it; its key
// stays taken.
type Erasure struct {
	// Before is the time before which the order has to have been changed last, and Now the time of the erasure.
	Before, Now time.Time
	// Entry says who does it, and why.
	Entry Entry
}

// Apply is the erasure of a record: the record as it will be, and the event that tells of it, without its sequence. ErrMoved when
// the order is not over, was changed since, or was erased before. Neither result shares anything with now.
func (e Erasure) Apply(now Record) (Record, Event, error) {
	if !now.Erased.IsZero() || !now.Over() || !now.Updated.Before(e.Before) {
		return Record{}, Event{}, ErrMoved
	}
	next := now.Clone()
	next.CustomerReference, next.Content, next.Warnings, next.Numbers, next.Kept, next.Rejects = "", nil, nil, nil, nil, nil
	next.Message, next.Problem, next.Doubt.Finding = "", "", ""
	for i := range next.Attention {
		next.Attention[i].Description = ""
	}
	next.Looks = slices.DeleteFunc(next.Looks, func(ticket string) bool { return !bare.MatchString(ticket) })
	next.ErrorID, next.PortDate, next.Status = bareOnly(next.ErrorID), dayOnly(next.PortDate), bareOnly(next.Status)
	next.Due, next.Erased, next.Updated = time.Time{}, e.Now, e.Now
	return next, event(now.Standing(), next, EventErased, e.Entry, e.Now), nil
}

// Erase is an event of an order that is erased, without what may be personal.
func (e Event) Erase() Event {
	e.Note, e.Ticket, e.PortDate, e.Status = "", bareOnly(e.Ticket), dayOnly(e.PortDate), bareOnly(e.Status)
	return e
}

// Over reports whether nothing is to become of the order any more: the carrier does not have it, or its port-in is over as the carrier
// or an operator says, and it guards no numbers.
func (r Record) Over() bool { return !r.stands() }

// bare is a text of the carrier that can only be an identifier.
var bare = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// bareOnly is a text when it is bare, and no text otherwise.
func bareOnly[T ~string](text T) T {
	if bare.MatchString(string(text)) {
		return text
	}
	return ""
}

// dayOnly is a day when it is one; the carrier may have written anything in its place.
func dayOnly(day string) string {
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return ""
	}
	return day
}
