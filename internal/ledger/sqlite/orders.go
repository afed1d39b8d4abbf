package sqlite

import (
	"context"

	"github.com/portin/portin/internal/ledger"
)

// The orders of what is unique.
const (
	from        = `SELECT ` + selected + ` FROM orders o CROSS JOIN contents c ON c.serial = o.serial WHERE `
	orderByKey  = from + `o.tenant = ? AND o.request_id = ?`
	orderByID   = from + `o.order_id = ?`
	orderByRow  = from + `o.serial = ?`
	tenantsByID = from + `o.order_id = ? AND o.tenant = ?`
)

// FindKey returns the order of an idempotency key, or ledger.ErrNotFound.
func (s *Store) FindKey(ctx context.Context, tenant, requestID string) (ledger.Record, error) {
	return s.find(ctx, orderByKey, tenant, requestID)
}

// Find returns an order of a tenant, or ledger.ErrNotFound.
func (s *Store) Find(ctx context.Context, tenant, orderID string) (ledger.Record, error) {
	return s.find(ctx, tenantsByID, orderID, tenant)
}

func (s *Store) find(ctx context.Context, query string, args ...any) (r ledger.Record, err error) {
	err = s.reader.read(ctx, func(l *line) error {
		found, err := l.order(ctx, query, args...)
		r = found.record
		return err
	})
	return r, doing("find an order", err)
}

// order reads the one order of a query, or says ledger.ErrNotFound.
func (l *line) order(ctx context.Context, query string, args ...any) (stored, error) {
	var found []stored
	err := l.each(ctx, query, args, func(r row) error {
		s, err := read(r)
		found = append(found, s)
		return err
	})
	if err != nil {
		return stored{}, err
	}
	if len(found) == 0 {
		return stored{}, ledger.ErrNotFound
	}
	return found[0], nil
}

// insert writes a new order and what its first claim fixes.
func (t *transaction) insert(ctx context.Context, r ledger.Record) (stored, error) {
	s, err := store(0, r)
	if err != nil {
		return stored{}, err
	}
	result, err := t.exec(ctx, insertOrder(), s.values()...)
	if err != nil {
		return stored{}, err
	}
	if s.serial, err = result.LastInsertId(); err != nil {
		return stored{}, err
	}
	_, err = t.exec(ctx, `INSERT INTO contents (serial, content, numbers) VALUES (?, ?, ?)`, s.serial, r.Content, s.numbers)
	t.recent.keep(s)
	return s, err
}

// update writes what has changed of an order.
func (t *transaction) update(ctx context.Context, before stored, after ledger.Record) (stored, error) {
	s, err := store(before.serial, after)
	if err != nil {
		return stored{}, err
	}
	args := s.plain()
	var changed [indexedCount]bool
	was := before.indexed()
	for i, value := range s.indexed() {
		if changed[i] = value != was[i]; changed[i] {
			args = append(args, value)
		}
	}
	_, err = t.exec(ctx, updateOrder(changed), append(args, s.serial)...)
	t.recent.keep(s)
	return s, err
}
