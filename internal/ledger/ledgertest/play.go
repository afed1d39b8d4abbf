package ledgertest

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

// modelCases hold a store against the model.
func modelCases() []aCase {
	return []aCase{{"any calls in any order answer as the contract says", asTheModel}}
}

// asTheModel plays random scenes on a ledger and on the model of it. A scene goes on where the one before left off, with
// orders, keys, numbers and tickets of its own; after a failure the next one begins with a new ledger.
func asTheModel(t *trial) {
	p := &play{trial: t, model: newModel()}
	failed := false
	rapid.Check(t.TB, func(rt *rapid.T) {
		if failed {
			p = &play{trial: begin(t.TB, t.engine), model: newModel()}
		}
		failed = true
		p.scene(rt)
		failed = false
	})
}

// play is a store and the model of what it should hold.
type play struct {
	*trial
	model *model
	// scenes and records count what was made so far.
	scenes, records int
	// cast are the orders of the scene.
	cast []string
	// high is the highest sequence of the scenes before.
	high int64
}

// scene is one random sequence of calls, each compared with the model, and a look at everything in the end.
func (p *play) scene(rt *rapid.T) {
	p.scenes++
	p.cast = nil
	acts := map[string]func(rt *rapid.T){
		"claim": p.claimNew, "claim again": p.claimAgain, "advance": p.advance, "find": p.find, "find key": p.findKey,
		"list": p.list, "events": p.events, "take": p.take, "count": p.count, "sending": p.sending, "reopen": p.reopenNow,
	}
	// What changes something comes more often than what does not.
	names := []string{"claim", "claim", "claim", "advance", "advance", "advance", "advance", "advance", "advance", "claim again", "take"}
	names = append(names, "find", "find key", "list", "events", "count", "sending")
	for range rapid.IntRange(4, 20).Draw(rt, "calls") {
		name := rapid.SampledFrom(names).Draw(rt, "call")
		if rapid.IntRange(0, 99).Draw(rt, "end of the day") == 99 {
			name = "reopen"
		}
		acts[name](rt)
	}
	p.curtain(rt)
}

// curtain compares all that the scene has left.
func (p *play) curtain(rt *rapid.T) {
	type moment struct{ sequence, call int64 }
	var moments []moment
	for _, id := range p.cast {
		want := p.model.orders[id]
		got, err := p.Find(p.Context(), want.Tenant, id)
		p.compare(rt, "the order in the end", answer{record: want}, got, err)
		events, err := p.Events(p.Context(), want.Tenant, id, 0, 10_000)
		if err != nil {
			rt.Fatalf("Events: %v", err)
		}
		told := p.model.events[id]
		if diff := difference(unnumbered(told), unnumbered(events)); diff != "" {
			rt.Fatalf("the events of order %s (-want +got):\n%s", id, diff)
		}
		for i, e := range events {
			moments = append(moments, moment{e.Sequence, told[i].Sequence})
		}
	}
	slices.SortFunc(moments, func(a, b moment) int { return int(a.sequence - b.sequence) })
	call := int64(0)
	for _, m := range moments {
		if m.sequence <= p.high || m.call < call {
			rt.Fatalf("sequence %d came with call %d, after sequence %d of call %d", m.sequence, m.call, p.high, call)
		}
		p.high, call = m.sequence, m.call
	}
	p.count(rt)
	p.sending(rt)
}

// compare ends the scene if an answer is not what it should be.
func (p *play) compare(rt *rapid.T, what string, want answer, got ledger.Record, err error) {
	if diff := want.differs(got, err); diff != "" {
		rt.Fatalf("%s (-want +got): %s", what, diff)
	}
}

// actor is an order of the scene, and whether there is one.
func (p *play) actor(rt *rapid.T) (ledger.Record, bool) {
	if len(p.cast) == 0 {
		return ledger.Record{}, false
	}
	return p.model.orders[rapid.SampledFrom(p.cast).Draw(rt, "order")], true
}

// claimed notes a claim.
func (p *play) claim(rt *rapid.T, r ledger.Record) {
	entry := Entry("claimed")
	got, err := p.Claim(p.Context(), r, entry)
	_, known := p.model.orders[r.OrderID]
	p.compare(rt, fmt.Sprintf("Claim of %+v", r), p.model.claim(r, entry), got, err)
	if _, now := p.model.orders[r.OrderID]; now && !known {
		p.cast = append(p.cast, r.OrderID)
	}
}

func (p *play) claimNew(rt *rapid.T) { p.claim(rt, p.someRecord(rt)) }

func (p *play) claimAgain(rt *rapid.T) {
	was, ok := p.actor(rt)
	if !ok {
		return
	}
	r := with(p.someRecord(rt), func(r *ledger.Record) {
		r.OrderID, r.Tenant, r.RequestID, r.Attempt = was.OrderID, was.Tenant, was.RequestID, was.Attempt+1
	})
	switch rapid.IntRange(0, 15).Draw(rt, "mistake") {
	case 1:
		r.Attempt = rapid.IntRange(1, 5).Draw(rt, "attempt")
	case 2:
		r.OrderID = p.someRecord(rt).OrderID
	case 3:
		r.RequestID = p.key(rt)
		// A new key for an order id that is taken is a mistake that the contract has no answer for.
		if _, known := p.model.ofKey(r.Tenant, r.RequestID); !known {
			return
		}
	}
	p.claim(rt, r)
}

func (p *play) advance(rt *rapid.T) {
	r, ok := p.actor(rt)
	if !ok || rapid.IntRange(0, 30).Draw(rt, "unknown") == 30 {
		r = Record(4_999_999)
	}
	step, text := p.someStep(rt, r)
	got, err := p.Advance(p.Context(), r.OrderID, step)
	p.compare(rt, "Advance "+text, p.model.advance(r.OrderID, step, got), got, err)
}

func (p *play) find(rt *rapid.T) {
	r, ok := p.actor(rt)
	tenant := p.tenant(rt)
	want := answer{record: r}
	if !ok || tenant != r.Tenant {
		want = answer{errs: []error{ledger.ErrNotFound}}
	}
	got, err := p.Find(p.Context(), tenant, r.OrderID)
	p.compare(rt, "Find", want, got, err)
}

func (p *play) findKey(rt *rapid.T) {
	tenant, key := p.tenant(rt), p.key(rt)
	r, ok := p.model.ofKey(tenant, key)
	want := answer{record: r}
	if !ok {
		want = answer{errs: []error{ledger.ErrNotFound}}
	}
	got, err := p.FindKey(p.Context(), tenant, key)
	p.compare(rt, "FindKey", want, got, err)
}

func (p *play) list(rt *rapid.T) {
	all := p.model.all()
	var mine []ledger.Record
	for _, id := range p.cast {
		mine = append(mine, p.model.orders[id])
	}
	turnPages(rt, p.Store, someQuery(rt, mine), all)
}

func (p *play) events(rt *rapid.T) {
	r, ok := p.actor(rt)
	if !ok {
		return
	}
	limit, after := rapid.IntRange(1, 4).Draw(rt, "limit"), int64(0)
	var got []ledger.Event
	for range len(p.model.events[r.OrderID]) + 1 {
		page, err := p.Events(p.Context(), r.Tenant, r.OrderID, after, limit)
		if err != nil || len(page) > limit {
			rt.Fatalf("Events: %d for a limit of %d, error %v", len(page), limit, err)
		}
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		after = page[len(page)-1].Sequence
	}
	if diff := difference(unnumbered(p.model.events[r.OrderID]), unnumbered(got)); diff != "" {
		rt.Fatalf("the pages of the events (-want +got):\n%s", diff)
	}
}

func (p *play) take(rt *rapid.T) {
	now := p.moment(rt)
	turn := ledger.Turn{
		State: rapid.SampledFrom(order.States()).Draw(rt, "state"), Now: now, Until: now.Add(p.moment(rt).Sub(Epoch()) + time.Minute),
		Limit: rapid.IntRange(1, 4).Draw(rt, "limit"),
	}
	due := p.model.due(turn)
	got, err := p.Take(p.Context(), turn)
	if err != nil || len(got) != min(turn.Limit, len(due)) {
		rt.Fatalf("Take of %+v: %d orders, error %v; %d are due", turn, len(got), err, len(due))
	}
	for i, r := range got {
		// Orders that are due at the same time come in any order.
		if was := p.model.orders[r.OrderID]; !was.Due.Equal(due[i].Due) {
			rt.Fatalf("Take hands out an order that is due at %v for one that is due at %v", was.Due, due[i].Due)
		}
		p.compare(rt, "Take", answer{record: p.model.take(r, turn)}, r, nil)
	}
}

func (p *play) count(rt *rapid.T) {
	got, err := p.Count(p.Context())
	if diff := difference(p.model.counts(), got); diff != "" || err != nil {
		rt.Fatalf("Count: error %v; (-want +got):\n%s", err, diff)
	}
}

func (p *play) sending(rt *rapid.T) {
	got, err := p.Sending(p.Context())
	want := p.model.leases()
	slices.SortFunc(got, byOrder)
	slices.SortFunc(want, byOrder)
	if diff := difference(want, got); diff != "" || err != nil {
		rt.Fatalf("Sending: error %v; (-want +got):\n%s", err, diff)
	}
}

func (p *play) reopenNow(*rapid.T) { p.reopen() }
