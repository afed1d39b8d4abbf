package webhook

import (
	"context"
	"time"
)

const (
	// forgetEvery is how often old deliveries are looked for, and forgetAtOnce how many are removed in one transaction.
	forgetEvery  = time.Hour
	forgetAtOnce = 500
)

// forget removes old deliveries that are over or wait for a disabled endpoint, which may never be enabled, until ctx ends.
func (w *Webhooks) forget(ctx context.Context) {
	for ctx.Err() == nil {
		wait(ctx, nil, forgetEvery/2+time.Duration(w.chance()*float64(forgetEvery)))
		w.guarded(ctx, "forgetting old deliveries", w.forgetOld)
	}
}

// forgetOld removes all that is old, a little at a time so that nobody waits for it.
func (w *Webhooks) forgetOld(ctx context.Context) error {
	for ctx.Err() == nil {
		n, err := w.forgetSome(ctx)
		if err != nil || n < forgetAtOnce {
			return err
		}
	}
	return nil
}

func (w *Webhooks) forgetSome(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return w.ledger.ForgetDeliveries(ctx, w.moment().Add(-w.config.Keep), forgetAtOnce)
}
