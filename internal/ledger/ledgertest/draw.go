package ledgertest

import (
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// pick draws one of some values. Rapid prefers the first ones a little.
func pick[V any](rt *rapid.T, label string, from ...V) V {
	return rapid.SampledFrom(from).Draw(rt, label)
}

// seldom is true once in so many times.
func seldom(rt *rapid.T, label string, times int) bool {
	sides := make([]bool, times)
	sides[times-1] = true
	return pick(rt, label, sides...)
}

// Of tenants, accounts, keys, tickets and numbers a scene has few, so that its orders meet.

func (p *play) tenant(rt *rapid.T) string {
	return fmt.Sprintf("tenant %d of scene %d", pick(rt, "tenant", 1, 1, 1, 2), p.scenes)
}

func (p *play) account(rt *rapid.T) string {
	return fmt.Sprintf("account %d of scene %d", pick(rt, "account", 1, 1, 1, 2), p.scenes)
}

func (p *play) key(rt *rapid.T) string {
	return fmt.Sprint("key ", pick(rt, "key", 1, 2, 3, 4, 5, 6, 7, 8))
}

func (p *play) ticket(rt *rapid.T) string {
	return pick(rt, "ticket", "", Ticket(1), Ticket(2), Ticket(3))
}

func (p *play) numbers(rt *rapid.T) []string {
	some := rapid.SliceOfNDistinct(rapid.SampledFrom([]int{0, 1, 2, 3, 4, 5, 6, 7}), 1, 2, rapid.ID).Draw(rt, "numbers")
	all := make([]string, 0, len(some))
	for _, n := range some {
		all = append(all, Number(8*p.scenes+n))
	}
	return all
}

func (p *play) moment(rt *rapid.T) time.Time {
	return Epoch().Add(time.Duration(rapid.IntRange(0, 20).Draw(rt, "time")) * time.Minute)
}

// text draws a text that every engine keeps as it is.
func text(rt *rapid.T, label string) string {
	if seldom(rt, label+" of all texts", 8) {
		return strings.ReplaceAll(rapid.String().Draw(rt, label), "\x00", "")
	}
	return rapid.SampledFrom(awkward()).Draw(rt, label)
}

// someRecord draws a new order of the scene.
func (p *play) someRecord(rt *rapid.T) ledger.Record {
	p.records++
	return with(Record(p.records), func(r *ledger.Record) {
		r.Tenant, r.RequestID, r.CarrierAccount, r.Numbers = p.tenant(rt), p.key(rt), p.account(rt), p.numbers(rt)
		r.Created = p.moment(rt)
		r.Updated, r.Claimed = r.Created, r.Created
		r.Due = pick(rt, "due", time.Time{}, p.moment(rt))
		r.CustomerReference = text(rt, "reference")
		r.Content = rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(rt, "content")
		if seldom(rt, "attention", 6) {
			r.Attend(ledger.AttentionNoProgress, text(rt, "why"), r.Created)
		}
	})
}

// move is a change of state and what causes it.
type move struct {
	to order.State
	by order.Cause
}

// someMove draws a move from a state: most of them legal, some none at all.
func someMove(rt *rapid.T, from order.State) move {
	var legal, all []move
	for _, to := range order.States() {
		for by := order.Cause(0); by <= order.ByResend; by++ {
			all = append(all, move{to, by})
			// Attempts are counted by claims, which alone make an order SENDING.
			if order.CanMove(from, to, by) && to != order.Sending {
				legal = append(legal, move{to, by})
			}
		}
	}
	switch kind := pick(rt, "kind of move", "legal", "legal", "legal", "none", "legal", "legal", "any", "none"); {
	case kind == "any":
		return pick(rt, "move", all...)
	case kind == "legal" && len(legal) > 0:
		return pick(rt, "legal move", legal...)
	}
	return move{from, pick[order.Cause](rt, "cause", 0, order.ByAnswer, order.ByEvidence)}
}

// change is what a step does to a record.
type change = func(r *ledger.Record)

// someChanges draws what a step does beside the move. A change draws when it is made, not when it is carried out.
func (p *play) someChanges(rt *rapid.T, entry ledger.Entry, now time.Time) (changes []change, names []string) {
	kinds := map[string]func() change{
		"ticket": func() change {
			ticket := p.ticket(rt)
			return func(r *ledger.Record) { r.Ticket = ticket }
		},
		"status": func() change {
			words := append(order.Statuses(), "", "A NEW WORD", order.StatusCompleted, order.StatusCompleted, order.StatusCancelled)
			word := pick(rt, "status", append(words, order.StatusPending, order.StatusPending, order.StatusConfirmed)...)
			return func(r *ledger.Record) { r.Status = word }
		},
		"guards": func() change { return func(r *ledger.Record) { r.Guards = !r.Guards } },
		"closed": func() change {
			return func(r *ledger.Record) {
				if r.State == order.Accepted {
					r.Closed = now
				}
			}
		},
		"disputing": func() change { return func(r *ledger.Record) { r.Disputing = !r.Disputing } },
		"validated": func() change { return func(r *ledger.Record) { r.Validated = !r.Validated } },
		"date": func() change {
			date := text(rt, "date")
			return func(r *ledger.Record) { r.PortDate = date }
		},
		"due": func() change {
			due := p.moment(rt)
			return func(r *ledger.Record) { r.Due = due }
		},
		"asked":     func() change { return func(r *ledger.Record) { r.Doubt.Asked++ } },
		"attention": func() change { return func(r *ledger.Record) { r.Attend(ledger.AttentionLateAnswer, entry.Note, now) } },
		"attended":  func() change { return func(r *ledger.Record) { r.Attention = nil } },
		"looks":     func() change { return func(r *ledger.Record) { r.Looks = append(r.Looks, entry.Note) } },
	}
	all := []string{
		"ticket", "ticket", "ticket", "status", "status", "status", "guards", "closed", "disputing", "validated", "date", "due", "asked", "attention", "attended", "looks",
	}
	names = rapid.SliceOfN(rapid.SampledFrom(all), 0, 5).Draw(rt, "changes")
	for _, name := range names {
		changes = append(changes, kinds[name]())
	}
	return changes, names
}

// someStep draws a step for an order, and says what it does.
func (p *play) someStep(rt *rapid.T, r ledger.Record) (ledger.Step, string) {
	m, now := someMove(rt, r.State), p.moment(rt)
	entry := ledger.Entry{
		Type: pick(rt, "type", "", "", ledger.EventEvidence, ledger.EventResolved, ledger.EventClosed), Actor: ledger.Actor{Kind: ledger.ByOperator, Name: "x"},
		Note: text(rt, "note"), Ticket: p.ticket(rt), Unverified: rapid.Bool().Draw(rt, "unverified"),
	}
	changes, names := p.someChanges(rt, entry, now)
	failing := ""
	if seldom(rt, "failing", 12) {
		failing = pick(rt, "failure", "own error", "fixed")
	}
	step := ledger.Step{By: m.by, Now: now, Change: func(r *ledger.Record) (ledger.Entry, error) {
		r.State = m.to
		for _, change := range changes {
			change(r)
		}
		switch failing {
		case "own error":
			return entry, errStep
		case "fixed":
			r.Target += "!"
		}
		return entry, nil
	}}
	return step, fmt.Sprintf("to %v by %d at %v, %q, %s", m.to, m.by, now, names, failing)
}
