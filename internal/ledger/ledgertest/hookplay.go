package ledgertest

import (
	"errors"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/portin/portin/internal/ledger"
)

// hookModelCases hold what a store makes of deliveries against the model.
func hookModelCases() []aCase {
	return []aCase{{"any calls about deliveries in any order answer as the contract says", asTheHookModel}}
}

func asTheHookModel(t *trial) {
	endpoints := 0
	check(t.TB, 20, func(rt *rapid.T) {
		endpoints++
		p := &hookPlay{trial: t, model: &hookModel{endpoint: t.put(Endpoint(endpoints))}}
		acts := map[string]func(rt *rapid.T){
			"queue": p.queue, "take": p.take, "settle": p.settle, "redeliver": p.redeliver, "forget": p.forget, "switch": p.turn,
		}
		p.queue(rt)
		for range rapid.IntRange(5, 25).Draw(rt, "calls") {
			acts[pick(rt, "call", "take", "settle", "settle", "queue", "take", "redeliver", "settle", "forget", "switch")](rt)
		}
		p.curtain(rt)
	})
}

// hookPlay is a store and the model of one endpoint.
type hookPlay struct {
	*trial
	model *hookModel
	// taken are deliveries as they were handed out.
	taken []ledger.Delivery
}

func (p *hookPlay) moment(rt *rapid.T) time.Time {
	return Epoch().Add(time.Duration(rapid.IntRange(0, 12).Draw(rt, "time")) * time.Minute)
}

func (p *hookPlay) states(rt *rapid.T) []ledger.DeliveryState {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(deliveryStates()), 1, 3, rapid.ID).Draw(rt, "states")
}

func (p *hookPlay) queue(rt *rapid.T) {
	e := &p.model.endpoint
	var fresh []ledger.Delivery
	for range rapid.IntRange(0, 5).Draw(rt, "deliveries") {
		d := Delivery(Record(rapid.IntRange(1, 3).Draw(rt, "order")).OrderID, e.Cursor+int64(len(fresh))+1, 0)
		d.EndpointID, d.Time, d.Due = e.EndpointID, p.moment(rt), p.moment(rt)
		fresh = append(fresh, d)
	}
	to := e.Cursor + int64(len(fresh)) + 1
	if err := p.Enqueue(p.Context(), e.EndpointID, e.Cursor, to, fresh); err != nil {
		rt.Fatalf("Enqueue: %v", err)
	}
	e.Cursor = to
	p.model.deliveries = append(p.model.deliveries, fresh...)
}

func (p *hookPlay) take(rt *rapid.T) {
	now, limit := p.moment(rt), rapid.IntRange(1, 4).Draw(rt, "limit")
	until := now.Add(time.Minute)
	ready := p.model.ready(now)
	got, err := p.TakeDeliveries(p.Context(), p.model.endpoint.EndpointID, now, until, limit)
	if err != nil || len(got) != min(limit, len(ready)) {
		rt.Fatalf("TakeDeliveries at most %d: %d, %v; %d are ready", limit, len(got), err, len(ready))
	}
	for i, d := range got {
		// Those that are due at the same time come in any order.
		is := p.model.at(d.Sequence)
		if is == nil || !slices.ContainsFunc(ready, func(r ledger.Delivery) bool { return r.Sequence == d.Sequence }) || !is.Due.Equal(ready[i].Due) {
			rt.Fatalf("TakeDeliveries hands out %+v, and what is ready are %+v", d, ready)
		}
		*is = taking(*is, until)
		if diff := difference(*is, d); diff != "" {
			rt.Fatalf("the delivery that is handed out (-want +got):\n%s", diff)
		}
	}
	p.taken = append(p.taken, got...)
}

func (p *hookPlay) settle(rt *rapid.T) {
	if len(p.taken) == 0 {
		return
	}
	d := pick(rt, "delivery", p.taken...)
	d.State, d.Attempt, d.Due = pick(rt, "state", deliveryStates()...), rapid.IntRange(0, 9).Draw(rt, "attempt"), p.moment(rt)
	d.Content = rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(rt, "content")
	is := p.model.at(d.Sequence)
	var want error
	switch {
	case is == nil:
		want = ledger.ErrNotFound
	case is.Fence != d.Fence:
		want = ledger.ErrMoved
	default:
		is.State, is.Attempt, is.Due, is.Content = d.State, d.Attempt, d.Due, d.Content
	}
	if err := p.SettleDelivery(p.Context(), d); !errors.Is(err, want) {
		rt.Fatalf("SettleDelivery of %+v: %v, want %v", d, err, want)
	}
}

func (p *hookPlay) redeliver(rt *rapid.T) {
	from := p.model.endpoint.Cursor - int64(rapid.IntRange(0, 20).Draw(rt, "back"))
	states, now := p.states(rt), p.moment(rt)
	want := p.model.redeliver(from, states, now)
	got, err := p.Redeliver(p.Context(), p.model.endpoint.Tenant, p.model.endpoint.EndpointID, from, states, now)
	if got != want || err != nil {
		rt.Fatalf("Redeliver from %d in %v: %d, %v; want %d", from, states, got, err, want)
	}
}

// forget forgets deliveries of other endpoints too, those of the scenes before.
func (p *hookPlay) forget(rt *rapid.T) {
	before := p.moment(rt)
	want := p.model.forget(before)
	if got, err := p.ForgetDeliveries(p.Context(), before, 10_000); got < want || err != nil {
		rt.Fatalf("ForgetDeliveries before %v: %d, %v; want %d at the least", before, got, err, want)
	}
}

// turn switches the endpoint off and on.
func (p *hookPlay) turn(rt *rapid.T) {
	p.model.endpoint = next(p.model.endpoint)
	got, err := p.PutEndpoint(p.Context(), p.model.endpoint)
	if diff := difference(p.model.endpoint, got); diff != "" || err != nil {
		rt.Fatalf("PutEndpoint: %v (-want +got):\n%s", err, diff)
	}
}

// curtain compares all that there is in the end.
func (p *hookPlay) curtain(rt *rapid.T) {
	id := p.model.endpoint.EndpointID
	for _, states := range [][]ledger.DeliveryState{nil, p.states(rt)} {
		got, _, err := p.Deliveries(p.Context(), p.model.endpoint.Tenant, id, states, 0, 10_000)
		want := slices.DeleteFunc(slices.Clone(p.model.deliveries), func(d ledger.Delivery) bool {
			return len(states) > 0 && !slices.Contains(states, d.State)
		})
		slices.Reverse(want)
		if diff := difference(want, got); diff != "" || err != nil {
			rt.Fatalf("Deliveries in %v: %v (-want +got):\n%s", states, err, diff)
		}
	}
	pending, err := p.PendingDeliveries(p.Context(), p.model.endpoint.Tenant)
	if want := p.model.pending(); pending[id] != want || err != nil {
		rt.Fatalf("PendingDeliveries: %d, %v; want %d", pending[id], err, want)
	}
	for minute := range 14 {
		now := Epoch().Add(time.Duration(minute) * time.Minute)
		due, err := p.DueEndpoints(p.Context(), now)
		if want := len(p.model.ready(now)) > 0; slices.Contains(due, id) != want || err != nil {
			rt.Fatalf("DueEndpoints at %v: %v, %v; want it to be due: %v", now, due, err, want)
		}
	}
}
