package webhook

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/portin/portin/internal/ledger"
)

// deliver tries a delivery that was taken, and writes down what became of it. Nothing of it outlives a panic but the record
// that the try failed.
func (w *Webhooks) deliver(ctx context.Context, e endpoint, d ledger.Delivery) {
	began := w.moment()
	o := outcome{problem: "the service failed to send it; its log says why"}
	well := w.guarded(ctx, "delivering", func(ctx context.Context) error {
		var err error
		o, err = w.send(ctx, e, d, o)
		return err
	})
	switch {
	case !well && errors.Is(context.Cause(ctx), errStopping):
		return // the lease ends, and somebody tries again
	case well:
		w.desk.fared(e.stint(), d.OrderID, o, w.moment())
	}
	settling, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleWithin)
	defer cancel()
	w.guarded(settling, "writing down what became of a delivery", func(ctx context.Context) error {
		return w.settle(ctx, d, o, began)
	})
	if !well {
		return // it says nothing about the endpoint
	}
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleWithin)
	defer cancel()
	w.guarded(noting, "writing down how an endpoint fares", func(ctx context.Context) error {
		return w.note(ctx, e, o, w.moment())
	})
}

// send sends a delivery. An error is the service's own, and its outcome is then the one that was given.
func (w *Webhooks) send(ctx context.Context, e endpoint, d ledger.Delivery, failed outcome) (outcome, error) {
	event, err := w.event(ctx, d)
	switch {
	case errors.Is(err, errGone):
		return outcome{problem: errGone.Error(), final: true}, err
	case err != nil:
		return failed, err
	}
	body, err := w.body(event)
	if err != nil {
		return failed, err
	}
	o := w.post(ctx, e, w.webhookID(d), body)
	if !o.taken() && context.Cause(ctx) != nil {
		return failed, context.Cause(ctx)
	}
	return o, nil
}

// settle writes down what became of a try: taken, tried again later, or given up. A delivery that somebody else has taken
// meanwhile is theirs.
func (w *Webhooks) settle(ctx context.Context, d ledger.Delivery, o outcome, began time.Time) error {
	before, err := tried(d)
	if err != nil {
		w.log.ErrorContext(ctx, "what is kept of a delivery cannot be read", deliveryAttrs(d, slog.Any("error", err))...)
	}
	last := try{First: before.First, At: began, Status: o.status, Problem: o.problem}
	if d.Attempt == 0 || last.First.IsZero() {
		last.First = began
	}
	now := w.moment()
	d.Attempt++
	d.Content = last.content()
	result := Failed
	switch end := last.First.Add(giveUpAfter); {
	case o.taken():
		d.State, result = ledger.DeliveryDelivered, Taken
	case o.final, !now.Before(end):
		d.State, result = ledger.DeliveryGivenUp, GivenUp
	default:
		d.State = ledger.DeliveryPending
		// What the endpoint asks for can only lengthen the pause: it might ask for a second, for three days.
		d.Due = now.Add(max(w.pause(d.Attempt), o.wait))
		if d.Due.After(end) {
			d.Due = end // the last try is at the end of the three days
		}
	}
	w.observer.Delivered(result, now.Sub(began))
	switch err := w.ledger.SettleDelivery(ctx, d); {
	case errors.Is(err, ledger.ErrMoved), errors.Is(err, ledger.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	if result == GivenUp {
		w.log.WarnContext(ctx, "a webhook delivery was given up", deliveryAttrs(d, slog.String("problem", o.problem))...)
	}
	return nil
}

func deliveryAttrs(d ledger.Delivery, more slog.Attr) []any {
	return []any{
		slog.String("endpoint_id", d.EndpointID), slog.String("order_id", d.OrderID), slog.Int64("sequence", d.Sequence),
		slog.Int("attempt", d.Attempt), more,
	}
}
