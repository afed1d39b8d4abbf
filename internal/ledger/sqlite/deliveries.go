package sqlite

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/portin/portin/internal/ledger"
)

// Deliveries of an endpoint, the latest first, of every state or of one. That of one state is asked once for each state that
// is wanted, so that a page costs what it holds, however many there are in other states.
const (
	delivery         = `SELECT sequence, order_id, time, state, attempt, due, fence, content FROM deliveries `
	deliveriesLatest = delivery + `WHERE endpoint = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?`
	deliveriesIn     = delivery + `INDEXED BY deliveries_state WHERE endpoint = ? AND state = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?`
	pendingOf        = `SELECT w.endpoint_id, (SELECT count(*) FROM deliveries d INDEXED BY deliveries_state
		WHERE d.endpoint = w.serial AND d.state = 'PENDING') FROM endpoints w `
	pendingOfTenant = pendingOf + `INDEXED BY endpoints_tenant WHERE w.tenant = ?`
	pendingOfAll    = pendingOf + `INDEXED BY endpoints_created`
)

// Deliveries returns deliveries of a tenant's endpoint, the highest sequence first; see ledger.Hooks.
func (s *Store) Deliveries(
	ctx context.Context, tenant, endpointID string, states []ledger.DeliveryState, before int64, limit int,
) (page []ledger.Delivery, more bool, err error) {
	before = cmp.Or(before, math.MaxInt64)
	err = s.reader.look(ctx, func(l *line) error {
		serial, err := l.tenantsEndpoint(ctx, tenant, endpointID)
		if err != nil {
			return err
		}
		if len(states) == 0 {
			page, err = l.deliveries(ctx, endpointID, deliveriesLatest, serial, before, limit+1)
			return err
		}
		for _, state := range slices.Compact(slices.Sorted(slices.Values(states))) {
			some, err := l.deliveries(ctx, endpointID, deliveriesIn, serial, text(string(state)), before, limit+1)
			if err != nil {
				return err
			}
			page = append(page, some...)
		}
		slices.SortFunc(page, func(a, b ledger.Delivery) int { return cmp.Compare(b.Sequence, a.Sequence) })
		return nil
	})
	if err != nil {
		return nil, false, doing("read deliveries", err)
	}
	return page[:min(limit, len(page))], len(page) > limit, nil
}

// PendingDeliveries counts the pending deliveries of each endpoint of a tenant, or of all when the tenant is empty.
func (s *Store) PendingDeliveries(ctx context.Context, tenant string) (map[string]int, error) {
	query, args := pendingOfTenant, []any{tenant}
	if tenant == "" {
		query, args = pendingOfAll, nil
	}
	counts := map[string]int{}
	err := s.reader.read(ctx, func(l *line) error {
		return l.each(ctx, query, args, func(from row) error {
			var id string
			var n int
			err := from.Scan(&id, &n)
			if n > 0 {
				counts[id] = n
			}
			return err
		})
	})
	if err != nil {
		return nil, doing("count deliveries", err)
	}
	return counts, nil
}

// deliveries reads the deliveries of a query, which are one endpoint's.
func (l *line) deliveries(ctx context.Context, endpointID, query string, args ...any) (all []ledger.Delivery, err error) {
	err = l.each(ctx, query, args, func(from row) error {
		d := ledger.Delivery{EndpointID: endpointID}
		var at, due int64
		err := from.Scan(&d.Sequence, &d.OrderID, &at, &d.State, &d.Attempt, &due, &d.Fence, &d.Content)
		d.Time, d.Due = moment(at), moment(due)
		all = append(all, d)
		return err
	})
	return all, err
}
