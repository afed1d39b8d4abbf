package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/portin/portin/internal/ledger"
)

// A number that is held has one row in holds, whose primary key is the number, and which lists the orders that hold it. So
// there is one thing to lock for a number, however many orders come and go, and every race for it is decided there:
//
//   - claim against claim: the second insert waits for the first transaction; if that is committed the number is held.
//   - claim against release: the insert waits for the deletion; if that is committed the number is free. If the releasing
//     order is not the last that holds the number, its row stays, and the claim is refused without waiting.
//   - correction against anything: the insert becomes an update of the rows that its predecessor holds alone, in the same
//     turn; so a number that one order hands to another is never free. One that it does not hand on keeps its row.
//   - collision against claim, release or another collision: the insert becomes an update of the row as it is once its lock
//     is free, and that adds the order to whoever holds the number by then.
//
// Every transaction goes through its numbers in their byte order, so that two which share several numbers do not wait for
// each other. A collision locks the other orders' rows after the numbers, where a release of one of them comes the other
// way: the server ends one of the two after a second, and that one begins anew.

// seize makes an order hold numbers that it does not hold, or answers *ledger.HeldError.
func (tx *writing) seize(ctx context.Context, r ledger.Record, numbers []string) error {
	const insert = `INSERT INTO holds (number, order_ids) SELECT number, ARRAY[$2::text] FROM unnest($1::text[]) AS number
		ON CONFLICT (number) DO NOTHING`
	once := sorted(numbers)
	done, err := tx.Exec(ctx, insert, once, r.OrderID)
	if err != nil || int(done.RowsAffected()) == len(once) {
		return err
	}
	return tx.held(ctx, r.OrderID, numbers, "")
}

// inherit makes an order hold its numbers, those among them too that another one holds alone, or it itself; or answers
// *ledger.HeldError.
func (tx *writing) inherit(ctx context.Context, r ledger.Record, from string) error {
	numbers := sorted(r.Held())
	const upsert = `INSERT INTO holds (number, order_ids) SELECT number, ARRAY[$2::text] FROM unnest($1::text[]) AS number
		ON CONFLICT (number) DO UPDATE SET order_ids = EXCLUDED.order_ids WHERE holds.order_ids = ARRAY[$3::text]`
	done, err := tx.Exec(ctx, upsert, numbers, r.OrderID, from)
	if err != nil || int(done.RowsAffected()) == len(numbers) {
		return err
	}
	return tx.held(ctx, r.OrderID, r.Held(), from)
}

// held says who holds the first of some numbers that is held, but for the order that wants them and one more.
func (tx *writing) held(ctx context.Context, orderID string, numbers []string, but string) error {
	// The holder comes from the same snapshot as its hold: it is still one.
	const holder = `SELECT number, ` + recordColumns + ` FROM (
			SELECT number, (array_remove(order_ids, $3::text))[1] AS first FROM holds WHERE number = ANY($1::text[])
		) AS h JOIN orders ON order_id = first
		WHERE first <> $2 ORDER BY array_position($1::text[], number) LIMIT 1`
	rows, err := tx.Query(ctx, holder, some(numbers), orderID, but)
	if err != nil {
		return err
	}
	var held ledger.HeldError
	held.Holder, err = pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (ledger.Record, error) {
		return scan(row, &held.Number)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return errAgain // The holder let go in between.
	}
	if err != nil {
		return err
	}
	return refuse(&held)
}

// release gives back numbers that an order holds. The first statement locks their rows in order; nobody but this order
// takes it off them, and its own row is locked.
func (tx *writing) release(ctx context.Context, orderID string, numbers []string) error {
	numbers = sorted(numbers)
	var all pgx.Batch
	all.Queue(`SELECT FROM holds WHERE number = ANY($1::text[]) AND $2 = ANY(order_ids) ORDER BY number FOR UPDATE`, numbers, orderID)
	all.Queue(`DELETE FROM holds WHERE number = ANY($1::text[]) AND order_ids = ARRAY[$2::text]`, numbers, orderID)
	all.Queue(`UPDATE holds SET order_ids = array_remove(order_ids, $2) WHERE number = ANY($1::text[]) AND $2 = ANY(order_ids)`,
		numbers, orderID)
	return tx.SendBatch(ctx, &all).Close()
}

// collide makes an order hold numbers that it does not hold beside whoever holds them, and marks it and the others. It returns the order as
// it is then, which is yet to be written, and the events.
func (tx *writing) collide(ctx context.Context, r ledger.Record, numbers []string, now time.Time) (ledger.Record, []ledger.Event, error) {
	const upsert = `INSERT INTO holds (number, order_ids) SELECT number, ARRAY[$2::text] FROM unnest($1::text[]) AS number
		ON CONFLICT (number) DO UPDATE SET order_ids = holds.order_ids || EXCLUDED.order_ids RETURNING order_ids`
	rows, err := tx.Query(ctx, upsert, sorted(numbers), r.OrderID)
	if err != nil {
		return r, nil, err
	}
	holders, err := pgx.CollectRows(rows, pgx.RowTo[[]string])
	if err != nil {
		return r, nil, err
	}
	ids := slices.DeleteFunc(sorted(slices.Concat(holders...)), func(id string) bool { return id == r.OrderID })
	if len(ids) == 0 {
		return r, nil, nil
	}
	const lock = `SELECT ` + recordColumns + ` FROM orders WHERE order_id = ANY($1::text[]) ORDER BY order_id FOR UPDATE`
	rows, err = tx.Query(ctx, lock, ids)
	if err != nil {
		return r, nil, err
	}
	others, err := pgx.CollectRows(rows, record)
	if err != nil {
		return r, nil, err
	}
	var events []ledger.Event
	for _, o := range others {
		var told []ledger.Event
		r, told = ledger.Collide(r, o, now)
		events = append(events, told...)
		marked, told := ledger.Collide(o, r, now)
		if len(told) == 0 {
			continue
		}
		if err := tx.update(ctx, atRest(marked)); err != nil {
			return r, nil, err
		}
		events = append(events, told...)
	}
	return r, events, nil
}
