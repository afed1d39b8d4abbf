package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/portin/portin/internal/ledger"
)

// FindKey returns the order of an idempotency key, or ledger.ErrNotFound.
func (s *Store) FindKey(ctx context.Context, tenant, requestID string) (ledger.Record, error) {
	return s.find(ctx, "tenant = $1 AND request_id = $2", clean(tenant), clean(requestID))
}

// Find returns an order of a tenant, or ledger.ErrNotFound.
func (s *Store) Find(ctx context.Context, tenant, orderID string) (ledger.Record, error) {
	return s.find(ctx, "tenant = $1 AND order_id = $2", clean(tenant), clean(orderID))
}

func (s *Store) find(ctx context.Context, where string, args ...any) (r ledger.Record, err error) {
	err = s.call(ctx, "find an order", func(ctx context.Context, conn *pgx.Conn) (err error) {
		r, err = one(ctx, conn, where, args...)
		return err
	})
	return r, err
}
