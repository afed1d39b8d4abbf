package postgres_test

import (
	"context"
	"time"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
	"github.com/portin/portin/internal/order"
)

// calls are every method that talks to the server, on an order that is there and one that is not.
func calls(s ledger.Store, was, fresh ledger.Record) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"FindKey": func(ctx context.Context) error { _, err := s.FindKey(ctx, was.Tenant, was.RequestID); return err },
		"Find":    func(ctx context.Context) error { _, err := s.Find(ctx, was.Tenant, was.OrderID); return err },
		"Claim":   func(ctx context.Context) error { _, err := s.Claim(ctx, fresh, ledgertest.Entry("")); return err },
		"Advance": func(ctx context.Context) error {
			_, err := s.Advance(ctx, was.OrderID, ledgertest.Move(order.InDoubt, order.ByLease, was.Claimed))
			return err
		},
		"List": func(ctx context.Context) error {
			_, _, err := s.List(ctx, ledger.Query{Tenant: was.Tenant, Limit: 1, MaxBytes: 1, FromUpdated: was.Created})
			return err
		},
		"Events": func(ctx context.Context) error {
			_, err := s.Events(ctx, was.Tenant, was.OrderID, false, 0, 1)
			return err
		},
		"Take": func(ctx context.Context) error {
			_, err := s.Take(ctx, ledger.Turn{State: order.Sending, Now: was.Due, Until: was.Due.Add(time.Hour), Limit: 1})
			return err
		},
		"Head":         func(ctx context.Context) error { _, err := s.Head(ctx); return err },
		"Changes":      func(ctx context.Context) error { _, err := s.Changes(ctx, 0, 1); return err },
		"Records":      func(ctx context.Context) error { _, err := s.Records(ctx, []string{was.OrderID}); return err },
		"Endpoints":    func(ctx context.Context) error { _, err := s.Endpoints(ctx, was.Tenant); return err },
		"DueEndpoints": func(ctx context.Context) error { _, err := s.DueEndpoints(ctx, was.Due); return err },
		"TakeDeliveries": func(ctx context.Context) error {
			_, err := s.TakeDeliveries(ctx, "nobody's", was.Due, was.Due.Add(time.Hour), 1)
			return err
		},
		"PendingDeliveries": func(ctx context.Context) error { _, err := s.PendingDeliveries(ctx, was.Tenant); return err },
		"ForgetDeliveries":  func(ctx context.Context) error { _, err := s.ForgetDeliveries(ctx, was.Due, 1); return err },
		"Sending":           func(ctx context.Context) error { _, err := s.Sending(ctx); return err },
		"Count":             func(ctx context.Context) error { _, err := s.Count(ctx); return err },
		"Check":             s.Check,
	}
}
