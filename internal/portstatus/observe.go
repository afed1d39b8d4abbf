// Package portstatus is what the carrier says of a port-in, in the service's own words: as callers see it, as an order keeps
// it, and whether it is about an order at all.
//
// It promises that a word which nobody knows is passed on, and that a status is taken for an order's own only when nothing
// else can be meant. It refuses to decide when to ask, or to write anything down: it has no clock and no store.
package portstatus

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/reject"
)

// Closed reports whether the port-in is over.
func Closed(s carrier.Status) bool {
	return order.Status(s.Word).Category(s.Disputed()) == order.CategoryClosed
}

// Observe keeps what the carrier says about an accepted order, with the reasons to look that follow from it. Who observes
// decides when to ask again: an order whose port-in is over is not due any more.
func Observe(r *ledger.Record, s carrier.Status, now time.Time) {
	before := *r
	r.Status, r.Disputing, r.Validated, r.PortDate = order.Status(s.Word), s.Disputed(), s.Validated, s.Day()
	// They stay when the status goes on, and when the same come in another order: the carrier promises none.
	if rejects, err := reject.Pack(s.Rejects); err == nil && rejects != nil && !reject.Same(r.Rejects, s.Rejects) {
		r.Rejects = rejects
	}
	r.Checked = now
	news := progressed(before, *r)
	if news {
		r.Progressed = now
		r.Unattend(ledger.AttentionNoProgress)
	}
	category := r.Category()
	mark(r, ledger.AttentionCarrierStatus, category == order.CategoryAttention, news, describe(*r), now)
	mark(r, ledger.AttentionDateChanged, r.Status == order.StatusConfirmedWithDateChange, news, dated(r.PortDate), now)
	switch category {
	case order.CategoryClosed:
		r.Due = time.Time{}
		fallthrough
	case order.CategoryScheduled:
		r.Unattend(ledger.AttentionReplyDeferred)
		r.Unattend(ledger.AttentionReplyConditional)
	case order.CategoryOpen, order.CategoryAttention:
	}
	if r.Ticket != "" {
		r.Unattend(ledger.AttentionNoTicket)
	}
	if category == order.CategoryClosed && r.Status != order.StatusCompleted { // cancelled, as was asked for
		r.Unattend(ledger.AttentionNumbersHeldTwice)
	}
	// Once: what a person has looked into is not told again as long as nothing is new.
	if r.Successor != "" && stands(*r) && !stands(before) {
		r.Attend(ledger.AttentionNumbersHeldTwice,
			"order "+r.Successor+" was to correct this one, and the carrier goes on with this one all the same; if it has both, have one of them cancelled", now)
	}
}

// stands reports whether the carrier ports the numbers of an order, or has: another order for them is one too many.
func stands(r ledger.Record) bool {
	switch r.Category() {
	case order.CategoryClosed:
		return r.Status == order.StatusCompleted
	case order.CategoryAttention:
		return r.Status != order.StatusRejected
	case order.CategoryOpen, order.CategoryScheduled:
	}
	return true
}

// progressed reports whether the carrier says something new about how the port fares.
func progressed(before, after ledger.Record) bool {
	return before.Status != after.Status || before.Disputing != after.Disputing || before.Validated != after.Validated ||
		before.PortDate != after.PortDate || !bytes.Equal(before.Rejects, after.Rejects)
}

// mark adds a reason to look when the carrier has news that give it, or takes it away: what a person has looked into is not told again as
// long as nothing is new. One that is there for something else than now is there anew, in its place: what a hold waits for says
// nothing of a reject. Without news only the words of this version differ from those of another one.
func mark(r *ledger.Record, code ledger.AttentionCode, is, news bool, description string, now time.Time) {
	if !is {
		r.Unattend(code)
		return
	}
	if news {
		r.Attend(code, description, now)
	}
	for i, a := range r.Attention {
		if a.Code == code && a.Description != description {
			if news {
				a.Since = now
			}
			a.Description = description
			r.Attention[i] = a
		}
	}
}

// dated says what a changed date is, if the carrier says it.
func dated(day string) string {
	if day == "" {
		return "the carrier confirmed another date than the one that was asked for, and does not say which; ask its porting team"
	}
	return "the carrier confirmed another date than the one that was asked for: " + day
}

// looks say why a status needs a look; of another one that does nothing is known.
var looks = map[order.Status]string{ //nolint:exhaustive // the others need none
	order.StatusRejected:               "the losing carrier rejected the order; see its rejects, correct it and resubmit it, then ask the carrier's porting team to drop this one",
	order.StatusHold:                   "the carrier holds the order; ask its porting team what it waits for",
	order.StatusConfirmedWithException: "the carrier confirmed the order with an exception; ask its porting team which",
}

// describe says why a status needs a look.
func describe(r ledger.Record) string {
	if why, known := looks[r.Status]; known {
		return why
	}
	return fmt.Sprintf("the carrier's status is %q, which this version does not know; ask its porting team",
		strings.ToValidUTF8(string(r.Status), "\uFFFD"))
}
