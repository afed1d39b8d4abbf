package ledgertest

import (
	"fmt"
	"slices"

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
	met := playOut(t)
	t.Logf("the scenes met %v", met)
}

// playOut plays the scenes and returns how often they met what.
func playOut(t *trial) map[string]int {
	t.Helper()
	p := &play{trial: t, model: newModel()}
	failed := false
	check(t.TB, 25, func(rt *rapid.T) {
		if failed {
			p = &play{trial: begin(t.TB, t.engine), model: newModel()}
		}
		failed = true
		p.scene(rt)
		failed = false
	})
	return p.model.met
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
		"claim": p.claimNew, "claim again": p.claimAgain, "advance": p.advance, "rivals": p.rivals, "find": p.find, "find key": p.findKey,
		"list": p.list, "events": p.events, "history": p.history, "correct": p.correct, "follow": p.follow, "take": p.take, "count": p.count, "sending": p.sending,
		"of a number": p.ofNumber, "erase": p.erase, "erasable": p.erasable, "part": p.part,
	}
	// What changes something comes more often than what does not.
	names := []string{"advance", "advance", "claim", "advance", "advance", "claim again", "claim", "advance", "advance", "claim again", "rivals", "rivals", "take"}
	names = append(names, "find", "find key", "list", "events", "history", "correct", "correct", "part", "part", "follow", "count", "sending", "of a number", "erase", "erasable")
	for range rapid.IntRange(2, 4).Draw(rt, "orders") {
		p.claimNew(rt)
	}
	for range rapid.IntRange(5, 25).Draw(rt, "calls") {
		acts[pick(rt, "call", names...)](rt)
	}
	if seldom(rt, "end of the day", 30) {
		p.reopen()
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
		events, err := p.Events(p.Context(), want.Tenant, id, false, 0, 10_000)
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
	p.erasable(rt)
}

// compare ends the scene if an answer is not what it should be.
func (p *play) compare(rt *rapid.T, what string, want answer, got ledger.Record, err error) {
	if diff := want.differs(got, err); diff != "" {
		rt.Fatalf("%s (-want +got): %s", what, diff)
	}
}

// actor is an order of the scene, and whether there is one; most often one that prefer likes, if there is such a one.
func (p *play) actor(rt *rapid.T, prefer func(r ledger.Record) bool) (ledger.Record, bool) {
	var liked, all []ledger.Record
	for _, id := range p.cast {
		r := p.model.orders[id]
		all = append(all, r)
		if prefer(r) {
			liked = append(liked, r)
		}
	}
	if len(liked) > 0 && !seldom(rt, "whoever", 4) {
		all = liked
	}
	if len(all) == 0 {
		return ledger.Record{}, false
	}
	return pick(rt, "order", all...), true
}

func anybody(ledger.Record) bool { return false }

// idle is an order that does not hold its numbers and may come to hold them.
func idle(r ledger.Record) bool { return !r.Holds() && r.State != order.Refused }

// claim claims an order, and the scene has it from then on.
func (p *play) claim(rt *rapid.T, r ledger.Record) {
	entry := Entry("claimed")
	got, err := p.Claim(p.Context(), r, entry)
	_, known := p.model.orders[r.OrderID]
	p.compare(rt, fmt.Sprintf("Claim of %+v", r), p.model.claim(r, entry), got, err)
	if _, now := p.model.orders[r.OrderID]; now && !known {
		p.cast = append(p.cast, r.OrderID)
	}
}

// claimNew claims a new order, often with the numbers of one that does not hold them just now.
func (p *play) claimNew(rt *rapid.T) {
	r := p.someRecord(rt)
	if other, ok := p.actor(rt, idle); ok && rapid.Bool().Draw(rt, "rival") {
		r.Numbers = other.Numbers
	}
	p.claim(rt, r)
}

// rivals has an order that does not hold its numbers come back while others hold some of them.
func (p *play) rivals(rt *rapid.T) {
	r, ok := p.actor(rt, idle)
	if !ok {
		return
	}
	p.callBack(rt, r)
	for _, n := range r.Numbers {
		p.claim(rt, with(p.someRecord(rt), func(r *ledger.Record) {
			r.Numbers = slices.Compact([]string{r.Numbers[0], n})
		}))
	}
	p.advanceIt(rt, r.OrderID)
}

// callBack makes an order that is being sent one that was not.
func (p *play) callBack(rt *rapid.T, r ledger.Record) {
	if r.State == order.Sending {
		p.step(rt, r, Move(order.NotSent, order.ByAnswer, p.moment(rt)), "to NOT_SENT")
	}
}

func (p *play) claimAgain(rt *rapid.T) {
	was, ok := p.actor(rt, func(r ledger.Record) bool { return r.State == order.NotSent })
	if !ok || was.Elsewhere { // Which has nobody's key.
		return
	}
	if !seldom(rt, "at once", 4) {
		p.callBack(rt, was)
	}
	if now := p.model.orders[was.OrderID]; now.State == order.NotSent && now.Correctable() && seldom(rt, "corrected first", 5) {
		p.claim(rt, with(p.someRecord(rt), func(r *ledger.Record) {
			r.History, r.Predecessor, r.Tenant, r.Numbers = now.History, now.OrderID, now.Tenant, now.Numbers
		}))
	}
	r := with(p.someRecord(rt), func(r *ledger.Record) {
		r.OrderID, r.Tenant, r.RequestID, r.Attempt = was.OrderID, was.Tenant, was.RequestID, was.Attempt+1
		r.Fence = 77 // Which no claim may put.
	})
	switch pick(rt, "mistake", "", "", "", "", "", "", "", "attempt", "order", "key") {
	case "attempt":
		r.Attempt = rapid.IntRange(1, 5).Draw(rt, "attempt")
	case "order":
		r.OrderID = p.someRecord(rt).OrderID
	case "key":
		r.RequestID = p.key(rt)
		// A new key for an order id that is taken is a mistake that the contract has no answer for.
		if _, known := p.model.ofKey(r.Tenant, r.RequestID); !known {
			return
		}
	}
	p.claim(rt, r)
}

func (p *play) advance(rt *rapid.T) {
	r, ok := p.actor(rt, idle)
	if !ok || seldom(rt, "unknown", 30) {
		r = Record(4_999_999)
	}
	p.advanceIt(rt, r.OrderID)
}

func (p *play) advanceIt(rt *rapid.T, orderID string) {
	r := p.model.orders[orderID]
	s, text := p.someStep(rt, r)
	r.OrderID = orderID
	p.step(rt, r, s, text)
}

// step advances an order.
func (p *play) step(rt *rapid.T, r ledger.Record, s ledger.Step, text string) {
	got, err := p.Advance(p.Context(), r.OrderID, s)
	p.compare(rt, fmt.Sprintf("Advance of an order in %v %s", r.State, text), p.model.advance(r.OrderID, s, got), got, err)
}
