package sqlite

import (
	"context"

	"github.com/portin/portin/internal/ledger"
)

// rival is another order that holds a number.
type rival struct {
	number string
	serial int64
}

// rivals are the other orders that hold some numbers, in their order. There are none for most orders, and that is asked
// first: whoever holds a number beside another one has that other one, which may be the order itself, before it.
func (t *transaction) rivals(ctx context.Context, orderID string, wanted []string) ([]rival, error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	const anybody = `SELECT n.serial FROM json_each(?) j CROSS JOIN numbers n INDEXED BY numbers_held ON n.number = j.value
		WHERE n.held = 1 LIMIT 1`
	const holders = `
		SELECT j.key AS place, n.held AS held, n.number, n.serial
			FROM json_each(?1) j CROSS JOIN numbers n INDEXED BY numbers_held ON n.number = j.value
			WHERE n.held = 1 AND n.order_id <> ?2
		UNION ALL
		SELECT j.key, n.held, n.number, n.serial
			FROM json_each(?1) j CROSS JOIN numbers n INDEXED BY numbers_beside ON n.number = j.value
			WHERE n.held = 2 AND n.order_id <> ?2
		ORDER BY place, held`
	numbers, err := list(wanted)
	if err != nil {
		return nil, err
	}
	var somebody int64
	found, err := t.one(ctx, anybody, []any{numbers}, &somebody)
	if err != nil || !found {
		return nil, err
	}
	var all []rival
	err = t.each(ctx, holders, []any{numbers, orderID}, func(from row) error {
		var place, held int64
		var next rival
		err := from.Scan(&place, &held, &next.number, &next.serial)
		all = append(all, next)
		return err
	})
	return all, err
}

// free says *ledger.HeldError when an order holds a number of a record that is another one, nor the one whose place it takes.
func (t *transaction) free(ctx context.Context, r ledger.Record, predecessor int64) error {
	rivals, err := t.rivals(ctx, r.OrderID, r.Held())
	for _, other := range rivals {
		if other.serial != predecessor {
			return t.held(ctx, other)
		}
	}
	return err
}

// held is the error that a rival makes.
func (t *transaction) held(ctx context.Context, r rival) error {
	holder, err := t.order(ctx, orderByRow, r.serial)
	if err != nil {
		return err
	}
	return &ledger.HeldError{Holder: holder.record, Number: r.number}
}

// hold makes an order hold numbers; beside its rivals, where there are any.
func (t *transaction) hold(ctx context.Context, s stored, wanted []string, rivals []rival) error {
	const (
		take = `INSERT INTO numbers (tenant, number, created, order_id, serial, held) SELECT ?1, j.value, ?2, ?3, ?4, `
		free = `1 FROM json_each(?5) j WHERE TRUE`
		both = `CASE WHEN EXISTS (SELECT 1 FROM numbers n INDEXED BY numbers_held WHERE n.number = j.value AND n.held = 1
			AND n.order_id <> ?3) THEN 2 ELSE 1 END FROM json_each(?5) j WHERE TRUE`
		again = ` ON CONFLICT (tenant, number, created, order_id) DO UPDATE SET held = excluded.held`
	)
	query := take + free + again
	if len(rivals) > 0 {
		query = take + both + again
	}
	numbers, err := list(wanted)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, query, s.record.Tenant, s.created, s.record.OrderID, s.serial, numbers)
	return err
}

// mention keeps the numbers of an order, by which it is found, and makes it hold those that are given.
func (t *transaction) mention(ctx context.Context, s stored, held []string) error {
	if len(held) == len(s.record.Numbers) { // all or, of none, nothing
		return t.hold(ctx, s, held, nil)
	}
	const write = `INSERT INTO numbers (tenant, number, created, order_id, serial, held) SELECT ?1, j.value, ?2, ?3, ?4, 0
		FROM json_each(?5) j WHERE TRUE ON CONFLICT (tenant, number, created, order_id) DO NOTHING`
	if _, err := t.exec(ctx, write, s.record.Tenant, s.created, s.record.OrderID, s.serial, s.numbers); err != nil || len(held) == 0 {
		return err
	}
	return t.hold(ctx, s, held, nil)
}

// release lets numbers of an order go. One that an order beside it holds too is that one's now.
func (t *transaction) release(ctx context.Context, s stored, lost []string) error {
	numbers, err := list(lost)
	if err != nil {
		return err
	}
	const letGo = `UPDATE numbers SET held = 0
		WHERE tenant = ?1 AND number IN (SELECT value FROM json_each(?2)) AND created = ?3 AND order_id = ?4`
	if _, err := t.exec(ctx, letGo, s.record.Tenant, numbers, s.created, s.record.OrderID); err != nil {
		return err
	}
	const heirs = `
		SELECT n.tenant, n.number, n.created, n.order_id
			FROM json_each(?1) j CROSS JOIN numbers n INDEXED BY numbers_beside ON n.number = j.value
			WHERE n.held = 2 AND NOT EXISTS (SELECT 1 FROM numbers h INDEXED BY numbers_held WHERE h.number = n.number AND h.held = 1)
			ORDER BY n.number, n.created, n.order_id`
	type heir struct {
		tenant, number string
		created        int64
		orderID        string
	}
	var all []heir
	err = t.each(ctx, heirs, []any{numbers}, func(from row) error {
		var h heir
		err := from.Scan(&h.tenant, &h.number, &h.created, &h.orderID)
		if len(all) == 0 || all[len(all)-1].number != h.number { // The eldest of several.
			all = append(all, h)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, h := range all {
		const inherit = `UPDATE numbers SET held = 1 WHERE tenant = ? AND number = ? AND created = ? AND order_id = ?`
		if _, err := t.exec(ctx, inherit, h.tenant, h.number, h.created, h.orderID); err != nil {
			return err
		}
	}
	return nil
}
