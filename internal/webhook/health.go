package webhook

import (
	"context"
	"log/slog"
	"time"

	"github.com/portin/portin/internal/fault"
)

const (
	// freshFor is how long the time of the latest success may be behind.
	freshFor = time.Minute
	// settled is how long an endpoint has to have been well before a failure is written down, so that one which takes every
	// other event does not cost two writes for each.
	settled = 10 * time.Second
	// triedFor is how long the time of the latest failure may be behind, and lull how long an endpoint that fails has to have
	// been left alone for its failures before not to count any more: it was quiet then, and nobody knows how it was.
	triedFor = time.Hour
	lull     = longestPause + triedFor

	goneReason  = "it answered 410 Gone"
	quietReason = "it took nothing for five days although it was tried"
)

// after is the endpoint after a try of it, and whether that is worth writing down.
func (e endpoint) after(o outcome, at time.Time) (next endpoint, worth bool) {
	next = e
	if o.taken() {
		next.succeeded, next.failing, next.tried = at, time.Time{}, time.Time{}
		return next, !e.failing.IsZero() || at.Sub(e.succeeded) >= freshFor
	}
	next.tried = at
	switch {
	case e.failing.IsZero():
		next.failing = at
		worth = at.Sub(e.succeeded) >= settled
	case at.Sub(e.tried) > lull:
		next.failing = at
		worth = true
	default:
		worth = at.Sub(e.tried) >= triedFor
	}
	since := next.failing
	if e.anew.After(since) {
		since = e.anew
	}
	switch {
	case e.Disabled:
		return next, worth
	case o.gone():
		next.why = goneReason
	case at.Sub(since) >= disableAfter:
		next.why = quietReason
	default:
		return next, worth
	}
	next.Disabled, next.updated = true, at
	return next, true
}

// note writes down how an endpoint fares after a try, when that is worth it. Somebody else may be writing at the same time:
// their change stays, and this one is made on top of it.
func (w *Webhooks) note(ctx context.Context, used endpoint, o outcome, at time.Time) error {
	var before endpoint
	after, err := w.write(ctx, used, func(now endpoint) (endpoint, error) {
		before = now
		next, worth := now.after(o, at)
		if !worth || now.stint() != used.stint() {
			return now, nil
		}
		return next, nil
	})
	switch {
	case fault.Is(err, fault.ReasonWebhookEndpointChanged), fault.Is(err, fault.ReasonWebhookEndpointNotFound):
		return nil // the next try says it again, or there is none
	case err != nil || after.version == before.version:
		return err
	}
	id := slog.String("endpoint_id", after.id)
	switch {
	case after.Disabled && !before.Disabled:
		w.observer.Disabled()
		w.log.WarnContext(ctx, "a webhook endpoint was disabled", id, slog.String("reason", after.why))
	case after.failing.After(before.failing):
		w.log.WarnContext(ctx, "a webhook endpoint began to fail", id, slog.String("problem", o.problem))
	case !before.failing.IsZero() && after.failing.IsZero():
		w.log.InfoContext(ctx, "a webhook endpoint takes events again", id)
	}
	return nil
}
