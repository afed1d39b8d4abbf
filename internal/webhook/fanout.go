package webhook

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math"
	"time"

	"github.com/portin/portin/internal/ledger"
)

const (
	// lookEvery is how often events are looked for when nothing hints at any, and restFor how long after a look the next one
	// is at the earliest.
	lookEvery = 3 * time.Second
	restFor   = 50 * time.Millisecond
	// pageEvents is how many events are read at once.
	pageEvents = 256
	// idleEvents is how far an endpoint's cursor may stay behind while no event is for it.
	idleEvents = 1000
)

// fanOut makes deliveries of events until ctx ends. Replicas may do so at the same time: the cursor of an endpoint is moved
// by one of them, and the others look again.
func (w *Webhooks) fanOut(ctx context.Context) {
	hint, stop := w.ledger.Hint()
	defer stop()
	seen := map[string]int64{}
	for ctx.Err() == nil {
		w.guarded(ctx, "making deliveries of events", func(ctx context.Context) error { return w.spread(ctx, seen) })
		wait(ctx, nil, restFor)
		wait(ctx, hint, w.lookEvery)
	}
}

// wait waits for a signal or a time. It ends when ctx does.
func wait(ctx context.Context, signal <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-signal:
	case <-timer.C:
	}
}

// spread looks at the events that the endpoints have not been looked at for, all endpoints in one reading. In seen it
// remembers how far it came where there was nothing to write.
func (w *Webhooks) spread(ctx context.Context, seen map[string]int64) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	endpoints, err := w.endpoints(ctx)
	if err != nil || len(endpoints) == 0 {
		return err
	}
	from := lowest(seen, endpoints)
	head, err := w.ledger.Head(ctx)
	if err != nil {
		return err
	}
	w.observer.Behind(head - from)
	for {
		events, err := w.ledger.Changes(ctx, from, pageEvents)
		if err != nil {
			return err
		}
		if len(events) == 0 {
			break
		}
		from = events[len(events)-1].Sequence
		for id, e := range endpoints {
			kept, err := w.enqueue(ctx, e, seen, events)
			if err != nil {
				return err
			}
			if kept == nil {
				delete(endpoints, id) // another replica is at it, or it is gone
				continue
			}
			endpoints[id] = *kept
		}
		if len(events) < pageEvents || len(endpoints) == 0 {
			break
		}
	}
	w.observer.Behind(0)
	return nil
}

// lowest brings seen up to date with the endpoints that there are, and returns the place of the one that is furthest behind.
func lowest(seen map[string]int64, endpoints map[string]endpoint) int64 {
	maps.DeleteFunc(seen, func(id string, _ int64) bool {
		_, there := endpoints[id]
		return !there
	})
	from := int64(math.MaxInt64)
	for id, e := range endpoints {
		seen[id] = max(seen[id], e.cursor)
		from = min(from, seen[id])
	}
	return from
}

// enqueue adds what an endpoint wants of a page of events. It returns the endpoint with its new cursor; nil when somebody else
// has moved it.
func (w *Webhooks) enqueue(ctx context.Context, e endpoint, seen map[string]int64, events []ledger.Event) (*endpoint, error) {
	to := events[len(events)-1].Sequence
	if to <= seen[e.id] {
		return &e, nil
	}
	wanted := w.wanted(e, seen[e.id], events)
	if len(wanted) > 0 || to-e.cursor >= idleEvents {
		err := w.ledger.Enqueue(ctx, e.id, e.cursor, to, wanted)
		if errors.Is(err, ledger.ErrMoved) || errors.Is(err, ledger.ErrNotFound) {
			return nil, nil //nolint:nilnil // there is no endpoint that this process may go on with
		}
		if err != nil {
			return nil, err
		}
		e.cursor = to
	}
	seen[e.id] = to
	if len(wanted) > 0 {
		w.desk.wake()
	}
	return &e, nil
}

// wanted are deliveries of what an endpoint wants of events, of those with a higher sequence than after.
func (w *Webhooks) wanted(e endpoint, after int64, events []ledger.Event) (wanted []ledger.Delivery) {
	now := w.moment()
	for _, event := range events {
		if event.Sequence > after && e.wants(event) {
			wanted = append(wanted, ledger.Delivery{
				EndpointID: e.id, OrderID: event.OrderID, Sequence: event.Sequence, Time: event.Time, Due: now, State: ledger.DeliveryPending,
			})
		}
	}
	return wanted
}

// lookThrough looks at all events so far for an endpoint, as it is before its filters change. Its cursor may be far behind, as long
// as none was for it: who goes on from there later would hold what happened before against filters that were not there yet.
func (w *Webhooks) lookThrough(ctx context.Context, e endpoint) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	for {
		events, err := w.ledger.Changes(ctx, e.cursor, pageEvents)
		if err != nil || len(events) == 0 {
			return err
		}
		to := events[len(events)-1].Sequence
		switch err := w.ledger.Enqueue(ctx, e.id, e.cursor, to, w.wanted(e, e.cursor, events)); {
		case errors.Is(err, ledger.ErrNotFound):
			return nil // nobody has to look at them
		case errors.Is(err, ledger.ErrMoved):
			// Somebody else looks at them too, and may have done so before the latest of them happened.
			now, err := w.find(ctx, e.tenant, e.id)
			if err != nil || !now.filtersAs(e.spec) { // who gave it other filters has looked through before
				return err
			}
			e = now
		case err != nil:
			return err
		default:
			e.cursor = to
			w.desk.wake()
		}
	}
}

// endpoints are all endpoints by their id. One that cannot be read is left out, and logged: it must not hold up the others.
func (w *Webhooks) endpoints(ctx context.Context) (map[string]endpoint, error) {
	all, err := w.ledger.Endpoints(ctx, "")
	if err != nil {
		return nil, err
	}
	byID := make(map[string]endpoint, len(all))
	for _, r := range all {
		e, err := opened(r)
		if err != nil {
			w.log.ErrorContext(ctx, "a webhook endpoint cannot be read", slog.String("endpoint_id", r.EndpointID), slog.Any("error", err))
			continue
		}
		byID[e.id] = e
	}
	return byID, nil
}
