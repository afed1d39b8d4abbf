package app

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/portin/portin/internal/ledger"
)

// newLedgerMetric builds the metric of what is done at the ledger.
func newLedgerMetric() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "portin_ledger_call_seconds",
		Help:    "How long calls of the ledger took, by operation and by what they came to; those that change an order end with its commit.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"operation", "class"})
}

// seenLedger times what is done at the ledger, counts what becomes of orders, and makes spans where it belongs to a call; all other
// methods are the store's own.
type seenLedger struct {
	ledger.Store
	traces *traces
	calls  *prometheus.HistogramVec
	moves  *prometheus.CounterVec
}

// FindKey is the store's.
func (l *seenLedger) FindKey(ctx context.Context, tenant, requestID string) (r ledger.Record, err error) {
	err = l.done(ctx, "FindKey", func(ctx context.Context) (string, error) {
		r, err = l.Store.FindKey(ctx, tenant, requestID)
		return r.OrderID, err
	})
	return r, err
}

// Find is the store's.
func (l *seenLedger) Find(ctx context.Context, tenant, orderID string) (r ledger.Record, err error) {
	err = l.done(ctx, "Find", func(ctx context.Context) (string, error) {
		r, err = l.Store.Find(ctx, tenant, orderID)
		return r.OrderID, err
	})
	return r, err
}

// Claim is the store's.
func (l *seenLedger) Claim(ctx context.Context, r ledger.Record, e ledger.Entry) (is ledger.Record, err error) {
	err = l.done(ctx, "Claim", func(ctx context.Context) (string, error) {
		is, err = l.Store.Claim(ctx, r, e)
		return r.OrderID, err
	})
	return is, err
}

// Follow is the store's.
func (l *seenLedger) Follow(ctx context.Context, r ledger.Record, e ledger.Entry) (is ledger.Record, err error) {
	err = l.done(ctx, "Follow", func(ctx context.Context) (string, error) {
		is, err = l.Store.Follow(ctx, r, e)
		return r.OrderID, err
	})
	if err == nil {
		l.moved(standing{}, standingOf(is))
	}
	return is, err
}

// Advance is the store's.
func (l *seenLedger) Advance(ctx context.Context, orderID string, s ledger.Step) (is ledger.Record, err error) {
	// The latest change is the one that was written, if any was; without one nobody looks at this.
	var was standing
	change := s.Change
	s.Change = func(r *ledger.Record) (ledger.Entry, error) {
		was = standingOf(*r)
		return change(r)
	}
	err = l.done(ctx, "Advance", func(ctx context.Context) (string, error) {
		is, err = l.Store.Advance(ctx, orderID, s)
		return orderID, err
	})
	if err == nil {
		l.moved(was, standingOf(is))
	}
	return is, err
}

// Erase is the store's.
func (l *seenLedger) Erase(ctx context.Context, orderID string, e ledger.Erasure) (is ledger.Record, err error) {
	err = l.done(ctx, "Erase", func(ctx context.Context) (string, error) {
		is, err = l.Store.Erase(ctx, orderID, e)
		return orderID, err
	})
	return is, err
}

// List is the store's.
func (l *seenLedger) List(ctx context.Context, q ledger.Query) (page []ledger.Record, more bool, err error) {
	err = l.done(ctx, "List", func(ctx context.Context) (string, error) {
		page, more, err = l.Store.List(ctx, q)
		return "", err
	})
	return page, more, err
}

// OfNumber is the store's.
func (l *seenLedger) OfNumber(ctx context.Context, q ledger.NumberQuery) (all []ledger.Record, err error) {
	err = l.done(ctx, "OfNumber", func(ctx context.Context) (string, error) {
		all, err = l.Store.OfNumber(ctx, q)
		return "", err
	})
	return all, err
}

// Events is the store's.
func (l *seenLedger) Events(
	ctx context.Context, tenant, orderID string, history bool, after int64, limit int,
) (page []ledger.Event, err error) {
	err = l.done(ctx, "Events", func(ctx context.Context) (string, error) {
		page, err = l.Store.Events(ctx, tenant, orderID, history, after, limit)
		return "", err
	})
	return page, err
}

// Take is the store's.
func (l *seenLedger) Take(ctx context.Context, t ledger.Turn) (taken []ledger.Record, err error) {
	err = l.done(ctx, "Take", func(ctx context.Context) (string, error) {
		taken, err = l.Store.Take(ctx, t)
		return "", err
	})
	return taken, err
}

// done does something, which is of the order that do names, and says how long it took.
func (l *seenLedger) done(ctx context.Context, operation string, do func(context.Context) (orderID string, err error)) error {
	begun := time.Now()
	err := l.traces.spanned(ctx, operation, do)
	l.calls.WithLabelValues(operation, classOf(err)).Observe(time.Since(begun).Seconds())
	return err
}

// classFailed is the class of what no store should answer.
const classFailed = "failed"

// classOf names what a store answered; the text of an error stays out of spans.
func classOf(err error) string {
	var held *ledger.HeldError
	switch {
	case err == nil:
		return "done"
	case errors.Is(err, ledger.ErrNotFound):
		return "not_found"
	case errors.Is(err, ledger.ErrMoved):
		return "moved"
	case errors.Is(err, ledger.ErrNotCorrectable):
		return "not_correctable"
	case errors.Is(err, ledger.ErrTicketTaken):
		return "ticket_taken"
	case errors.As(err, &held):
		return "held"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "left" // the caller did not wait for it
	}
	return classFailed
}
