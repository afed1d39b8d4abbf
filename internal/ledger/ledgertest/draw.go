package ledgertest

import (
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// tenant, key, ticket, number and moment draw from what a scene has few of, so that its orders meet.

func (p *play) tenant(rt *rapid.T) string {
	return fmt.Sprintf("tenant %d of scene %d", rapid.IntRange(1, 2).Draw(rt, "tenant"), p.scenes)
}

func (p *play) account(rt *rapid.T) string {
	return fmt.Sprintf("account %d of scene %d", rapid.IntRange(1, 2).Draw(rt, "account"), p.scenes)
}

func (p *play) key(rt *rapid.T) string { return fmt.Sprint("key ", rapid.IntRange(1, 6).Draw(rt, "key")) }

func (p *play) ticket(rt *rapid.T) string {
	return rapid.SampledFrom([]string{"", "", Ticket(1), Ticket(2), Ticket(3), Ticket(4)}).Draw(rt, "ticket")
}

func (p *play) numbers(rt *rapid.T) []string {
	some := rapid.SliceOfNDistinct(rapid.IntRange(0, 5), 1, 3, rapid.ID).Draw(rt, "numbers")
	all := make([]string, 0, len(some))
	for _, n := range some {
		all = append(all, Number(6*p.scenes+n))
	}
	return all
}

func (p *play) moment(rt *rapid.T) time.Time {
	return Epoch().Add(time.Duration(rapid.IntRange(0, 20).Draw(rt, "time")) * time.Minute)
}

// text draws a text that every engine keeps as it is.
func text(rt *rapid.T, label string) string {
	return rapid.OneOf(
		rapid.SampledFrom(awkward()), rapid.Map(rapid.String(), func(s string) string { return strings.ReplaceAll(s, "\x00", "") }),
	).Draw(rt, label)
}

// someRecord draws a new order of the scene.
func (p *play) someRecord(rt *rapid.T) ledger.Record {
	p.records++
	return with(Record(p.records), func(r *ledger.Record) {
		r.Tenant, r.RequestID, r.CarrierAccount, r.Numbers = p.tenant(rt), p.key(rt), p.account(rt), p.numbers(rt)
		r.Created = p.moment(rt)
		r.Updated, r.Claimed = r.Created, r.Created
		r.Due = rapid.SampledFrom([]time.Time{{}, p.moment(rt)}).Draw(rt, "due")
		r.CustomerReference, r.Problem = text(rt, "reference"), text(rt, "problem")
		r.Content = rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(rt, "content")
		r.Lease = time.Duration(rapid.IntRange(0, 1_000_000).Draw(rt, "lease")) * time.Microsecond
		if rapid.IntRange(0, 5).Draw(rt, "attention") == 0 {
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
	kind := rapid.IntRange(0, 9).Draw(rt, "kind of move")
	switch {
	case kind == 0:
		return rapid.SampledFrom(all).Draw(rt, "move")
	case kind < 7 && len(legal) > 0:
		return rapid.SampledFrom(legal).Draw(rt, "legal move")
	}
	return move{from, order.Cause(rapid.IntRange(0, 5).Draw(rt, "cause"))}
}

// someStep draws a step for an order, and says what it does. The step itself draws nothing: it may be called again.
func (p *play) someStep(rt *rapid.T, r ledger.Record) (ledger.Step, string) {
	m := someMove(rt, r.State)
	now := p.moment(rt)
	entry := ledger.Entry{
		Type:   rapid.SampledFrom([]ledger.EventType{"", "", ledger.EventEvidence, ledger.EventResolved}).Draw(rt, "type"),
		Actor:  ledger.Actor{Kind: ledger.ByOperator, Name: text(rt, "actor")},
		Note:   text(rt, "note"),
		Ticket: p.ticket(rt), Unverified: rapid.Bool().Draw(rt, "unverified"),
	}
	changes := map[string]func(r *ledger.Record){
		"ticket":    set(p.ticket(rt), func(r *ledger.Record, v string) { r.Ticket = v }),
		"status":    set(someStatus(rt), func(r *ledger.Record, v order.Status) { r.Status = v }),
		"disputing": func(r *ledger.Record) { r.Disputing = !r.Disputing },
		"date":      set(text(rt, "date"), func(r *ledger.Record, v string) { r.PortDate = v }),
		"due":       set(p.moment(rt), func(r *ledger.Record, v time.Time) { r.Due = v }),
		"asked":     func(r *ledger.Record) { r.Doubt.Asked++ },
		"attention": func(r *ledger.Record) { r.Attend(ledger.AttentionLateAnswer, entry.Note, now) },
		"attended":  func(r *ledger.Record) { r.Attention = nil },
		"message":   set(text(rt, "message"), func(r *ledger.Record, v string) { r.Message = v }),
		"looks":     func(r *ledger.Record) { r.Looks = append(r.Looks, entry.Note) },
	}
	names := []string{"ticket", "status", "status", "disputing", "date", "due", "asked", "attention", "attended", "message", "looks"}
	done := rapid.SliceOfN(rapid.SampledFrom(names), 0, 4).Draw(rt, "changes")
	failing := rapid.SampledFrom([]string{16: "own error", 17: "fixed", 0: ""}).Draw(rt, "failing")
	change := func(r *ledger.Record) (ledger.Entry, error) {
		r.State = m.to
		for _, name := range done {
			changes[name](r)
		}
		switch failing {
		case "own error":
			return entry, errStep
		case "fixed":
			r.Target += "!"
		}
		return entry, nil
	}
	return ledger.Step{By: m.by, Now: now, Change: change}, fmt.Sprintf("to %v by %d at %v, %q, %s", m.to, m.by, now, done, failing)
}

// someStatus draws a word of the carrier; most of them close an order or open it.
func someStatus(rt *rapid.T) order.Status {
	words := append(order.Statuses(), "", "A NEW WORD", order.StatusCompleted, order.StatusCompleted, order.StatusPending)
	return rapid.SampledFrom(words).Draw(rt, "status")
}

// set is a change that puts a value that was drawn before.
func set[V any](value V, put func(r *ledger.Record, v V)) func(r *ledger.Record) {
	return func(r *ledger.Record) { put(r, value) }
}
