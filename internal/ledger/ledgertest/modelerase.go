package ledgertest

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/portin/portin/internal/ledger"
)

// erase is Store.Erase.
func (m *model) erase(orderID string, e ledger.Erasure) answer {
	m.calls++
	now, known := m.orders[orderID]
	if !known {
		return answer{errs: []error{ledger.ErrNotFound}}
	}
	next, event, err := e.Apply(now)
	if err != nil {
		m.met["an order that is not erased"]++
		return answer{now, []error{err}}
	}
	m.met["an order that is erased"]++
	for i, past := range m.events[orderID] {
		m.events[orderID][i] = past.Erase()
	}
	m.put(next, event)
	return answer{record: next}
}

// erasable is Store.Erasable, of the orders that are known, without a limit.
func (m *model) erasable(before time.Time) (ids []string) {
	for _, r := range m.all() {
		if r.Over() && r.Erased.IsZero() && r.Updated.Before(before) {
			ids = append(ids, r.OrderID)
		}
	}
	return ids
}

// erase erases an order, most often one that is over.
func (p *play) erase(rt *rapid.T) {
	r, ok := p.actor(rt, ledger.Record.Over)
	if !ok {
		return
	}
	e := Erasure()
	if seldom(rt, "too soon", 4) {
		e.Before = p.moment(rt)
	}
	e.Now = p.moment(rt)
	got, err := p.Erase(p.Context(), r.OrderID, e)
	p.compare(rt, "Erase", p.model.erase(r.OrderID, e), got, err)
}

// erasable compares which orders may be erased.
func (p *play) erasable(rt *rapid.T) {
	before := p.moment(rt)
	got, err := p.Erasable(p.Context(), before, 1_000_000)
	want := p.model.erasable(before)
	slices.Sort(got)
	slices.Sort(want)
	if diff := difference(want, got); diff != "" || err != nil {
		rt.Fatalf("Erasable before %v: error %v; (-want +got):\n%s", before, err, diff)
	}
}
