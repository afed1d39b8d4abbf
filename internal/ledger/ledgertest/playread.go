package ledgertest

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

func (p *play) find(rt *rapid.T) {
	r, ok := p.actor(rt, anybody)
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
	r, ok := p.actor(rt, anybody)
	if !ok {
		return
	}
	p.pages(rt, r, false, p.model.events[r.OrderID])
}

func (p *play) history(rt *rapid.T) {
	if r, ok := p.actor(rt, func(r ledger.Record) bool { return r.Predecessor != "" || r.Successor != "" }); ok {
		p.pages(rt, r, true, p.model.history(r))
	}
}

// pages reads events page by page.
func (p *play) pages(rt *rapid.T, r ledger.Record, history bool, want []ledger.Event) {
	limit, after := rapid.IntRange(1, 4).Draw(rt, "limit"), int64(0)
	var got []ledger.Event
	for range len(want) + 1 {
		page, err := p.Events(p.Context(), r.Tenant, r.OrderID, history, after, limit)
		if err != nil || len(page) > limit {
			rt.Fatalf("Events: %d for a limit of %d, error %v", len(page), limit, err)
		}
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		after = page[len(page)-1].Sequence
	}
	if diff := difference(unnumbered(want), unnumbered(got)); diff != "" {
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
