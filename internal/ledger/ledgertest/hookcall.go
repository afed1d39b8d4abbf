package ledgertest

import (
	"context"
	"maps"

	"github.com/portin/portin/internal/ledger"
)

// everyHookCall are all methods of ledger.Hooks, on an endpoint that is not there.
func everyHookCall() map[string]func(ctx context.Context, s ledger.Store) error {
	e := Endpoint(1)
	return map[string]func(ctx context.Context, s ledger.Store) error{
		"PutEndpoint": func(ctx context.Context, s ledger.Store) error {
			_, err := s.PutEndpoint(ctx, e)
			return err
		},
		"DeleteEndpoint": func(ctx context.Context, s ledger.Store) error { return s.DeleteEndpoint(ctx, e.Tenant, e.EndpointID) },
		"Endpoints": func(ctx context.Context, s ledger.Store) error {
			_, err := s.Endpoints(ctx, e.Tenant)
			return err
		},
		"Enqueue": func(ctx context.Context, s ledger.Store) error { return s.Enqueue(ctx, e.EndpointID, 0, 1, nil) },
		"DueEndpoints": func(ctx context.Context, s ledger.Store) error {
			_, err := s.DueEndpoints(ctx, Epoch())
			return err
		},
		"TakeDeliveries": func(ctx context.Context, s ledger.Store) error {
			_, err := s.TakeDeliveries(ctx, e.EndpointID, Epoch(), Epoch(), 10)
			return err
		},
		"SettleDelivery": func(ctx context.Context, s ledger.Store) error {
			return s.SettleDelivery(ctx, ledger.Delivery{EndpointID: e.EndpointID, Sequence: 1, State: ledger.DeliveryDelivered})
		},
		"Deliveries": func(ctx context.Context, s ledger.Store) error {
			_, _, err := s.Deliveries(ctx, e.Tenant, e.EndpointID, nil, 0, 10)
			return err
		},
		"PendingDeliveries": func(ctx context.Context, s ledger.Store) error {
			_, err := s.PendingDeliveries(ctx, e.Tenant)
			return err
		},
		"Redeliver": func(ctx context.Context, s ledger.Store) error {
			_, err := s.Redeliver(ctx, e.Tenant, e.EndpointID, 0, deliveryStates(), Epoch())
			return err
		},
		"ForgetDeliveries": func(ctx context.Context, s ledger.Store) error {
			_, err := s.ForgetDeliveries(ctx, Epoch(), 10)
			return err
		},
	}
}

// everythingCalled are all methods of a store that may fail: see everyCall and everyHookCall.
func everythingCalled(was, fresh ledger.Record) map[string]func(ctx context.Context, s ledger.Store) error {
	all := everyCall(was, fresh)
	maps.Copy(all, everyHookCall())
	return all
}
