package webhook

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
)

const (
	// takeEvery is how often deliveries that are due are looked for when nothing hints at any.
	takeEvery = 2 * time.Second
	// settleWithin is how long what became of a delivery may take to be written, and lease how long a delivery is the taker's.
	settleWithin = 10 * time.Second
	lease        = answerWithin + drainWithin + storeTimeout + 2*settleWithin
)

// errStopping is why deliveries under way are cut short.
var errStopping = errors.New("the service stops")

// desk is who is at work on what, in this process.
type desk struct {
	bell           chan struct{}
	atOnce, toEach int

	mu      sync.Mutex
	all     int
	busy    map[stint]int
	streaks map[stint]streak
}

func newDesk(atOnce, toEach int) *desk {
	return &desk{bell: make(chan struct{}, 1), atOnce: atOnce, toEach: toEach, busy: map[stint]int{}, streaks: map[stint]streak{}}
}

// wake has deliveries looked for soon.
func (d *desk) wake() {
	select {
	case d.bell <- struct{}{}:
	default:
	}
}

// room is how many more deliveries to an endpoint may begin. One that seems to be down gets one at a time.
func (d *desk) room(of stint, now time.Time) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	lately, limit := d.streaks[of], d.toEach
	if lately.down() {
		limit = 1
	}
	// A rest is never longer than a minute; one that says so was set by a clock that has jumped.
	if left := lately.rests.Sub(now); left > 0 && left <= time.Minute {
		return 0
	}
	return max(0, min(limit-d.busy[of], d.atOnce-d.all))
}

func (d *desk) begin(of stint) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all++
	d.busy[of]++
}

func (d *desk) end(of stint) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all--
	d.busy[of]--
	if d.busy[of] == 0 {
		delete(d.busy, of)
	}
	d.wake()
}

// fared remembers how a try went.
func (d *desk) fared(of stint, orderID string, o outcome, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.streaks[of] = d.streaks[of].after(orderID, o, now); o.taken() {
		delete(d.streaks, of)
	}
}

// forget drops what is remembered of endpoints that are gone, or were enabled or moved since.
func (d *desk) forget(there map[string]endpoint) {
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.streaks, func(of stint, _ streak) bool {
		e, known := there[of.id]
		return !known || e.stint() != of
	})
}

// dispatch delivers what is due until ctx ends, and then waits for what is under way, as long as the settings allow.
func (w *Webhooks) dispatch(ctx context.Context) {
	// Deliveries outlive the context: they are cut short by stop.
	working, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	var underWay sync.WaitGroup
	for ctx.Err() == nil {
		w.guarded(ctx, "taking deliveries", func(ctx context.Context) error { return w.take(ctx, working, &underWay) })
		wait(ctx, w.desk.bell, w.takeEvery)
	}
	grace := time.AfterFunc(w.config.Grace, func() { stop(errStopping) })
	defer grace.Stop()
	underWay.Wait()
}

// take begins deliveries that are due, as many as there is room for.
func (w *Webhooks) take(ctx, working context.Context, underWay *sync.WaitGroup) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	due, err := w.ledger.DueEndpoints(ctx, w.moment())
	if err != nil || len(due) == 0 {
		return err
	}
	endpoints, err := w.endpoints(ctx)
	if err != nil {
		return err
	}
	w.desk.forget(endpoints)
	// Another one is the first every time, so that those at the end get their turn when there is little room.
	first := int(w.chance() * float64(len(due)))
	for i := range due {
		e, known := endpoints[due[(first+i)%len(due)]]
		if !known {
			continue
		}
		now := w.moment()
		room := w.desk.room(e.stint(), now)
		if room == 0 {
			continue
		}
		taken, err := w.ledger.TakeDeliveries(ctx, e.id, now, now.Add(lease), room)
		if err != nil {
			return err
		}
		if len(taken) == 0 {
			continue
		}
		// Only what was taken before a change is out of the taker's hands then. So the endpoint is read once more: it may have
		// changed before the taking, and what its old URL answers would count.
		e, err = w.find(ctx, e.tenant, e.id)
		switch {
		case fault.Is(err, fault.ReasonWebhookEndpointNotFound), err == nil && e.Disabled:
			continue // nobody is to be told, for now at least
		case err != nil:
			return err
		}
		for _, d := range taken {
			w.begin(working, underWay, e, d)
		}
	}
	return nil
}

// begin delivers in a goroutine of its own.
func (w *Webhooks) begin(ctx context.Context, underWay *sync.WaitGroup, e endpoint, d ledger.Delivery) {
	w.desk.begin(e.stint())
	underWay.Go(func() {
		defer w.desk.end(e.stint())
		w.deliver(ctx, e, d)
	})
}
