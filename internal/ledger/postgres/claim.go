package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
)

var errNoClaim = errors.New("a claim is of an order in SENDING, with an attempt from 1 on")

// Claim writes an order that is about to be sent.
//
// Two claims with one key: the unique index of the key makes the second wait until the first is committed or undone, and
// then either finds it, which is ErrMoved, or is the first. Two later attempts of one order: the second waits for the
// row's lock and finds the order in SENDING. Claims that share a number: see seize. Every transaction locks in this order:
// the order's row or key, the holds by number, tickets, the ledger's counter; so none of these waits in a circle.
func (s *Store) Claim(ctx context.Context, r ledger.Record, e ledger.Entry) (ledger.Record, error) {
	if r.State != order.Sending || r.Attempt < 1 {
		return ledger.Record{}, errNoClaim
	}
	r = atRest(r)
	return s.change(ctx, "claim an order", func(ctx context.Context, tx *writing) (ledger.Record, error) {
		take := tx.claimAgain
		if r.Attempt == 1 {
			take = tx.claimNew
		}
		got, err := take(ctx, r)
		if err != nil {
			return got, err
		}
		return got, tx.tell(ctx, ledger.Claimed(got, e))
	})
}

// claimNew writes an order whose key nobody has, and lists its numbers.
func (tx *writing) claimNew(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	changing, err := changingValues(r)
	if err != nil {
		return ledger.Record{}, err
	}
	args := append(fixedValues(r), changing...)
	insert := `WITH claimed AS (
		INSERT INTO orders (` + recordColumns + `) VALUES (` + places(1, len(args)) + `)
		ON CONFLICT (tenant, request_id) DO NOTHING RETURNING order_id, tenant, created, numbers
	), listed AS (
		INSERT INTO numbers (order_id, number, tenant, created)
		SELECT DISTINCT order_id, number, tenant, created FROM claimed CROSS JOIN LATERAL unnest(numbers) AS number
	)
	SELECT count(*) FROM claimed`
	var claimed int
	if err := tx.QueryRow(ctx, insert, args...).Scan(&claimed); err != nil {
		return ledger.Record{}, err
	}
	if claimed == 0 {
		now, err := one(ctx, tx, "tenant = $1 AND request_id = $2", r.Tenant, r.RequestID)
		if err != nil {
			return ledger.Record{}, err
		}
		return now, refuse(ledger.ErrMoved)
	}
	return r, tx.seize(ctx, r)
}

// claimAgain takes an order from NOT_SENT.
func (tx *writing) claimAgain(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	now, err := one(ctx, tx, "tenant = $1 AND request_id = $2 FOR UPDATE", r.Tenant, r.RequestID)
	if err != nil {
		return ledger.Record{}, err
	}
	if now.OrderID != r.OrderID || now.Attempt != r.Attempt-1 || !order.CanMove(now.State, r.State, order.ByResend) {
		return now, refuse(ledger.ErrMoved)
	}
	r.CarrierAccount, r.Target, r.CustomerReference = now.CarrierAccount, now.Target, now.CustomerReference
	r.Content, r.Numbers, r.Created, r.Fence = now.Content, now.Numbers, now.Created, now.Fence
	if err := tx.seize(ctx, r); err != nil {
		return now, err
	}
	if err := tx.update(ctx, r); err != nil {
		return now, err
	}
	return r, nil
}

// update writes what changes of an order whose row is locked. ErrTicketTaken is the word of the unique index: who comes
// second waits until the first is committed, and then it is.
func (tx *writing) update(ctx context.Context, r ledger.Record) error {
	args, err := changingValues(r)
	if err != nil {
		return err
	}
	set := "UPDATE orders SET (" + changingColumns + ") = (" + places(2, len(args)) + ") WHERE order_id = $1"
	_, err = tx.Exec(ctx, set, append([]any{r.OrderID}, args...)...)
	if violates(err, "orders_ticket") {
		return refuse(ledger.ErrTicketTaken)
	}
	return err
}

// places are n placeholders from the given one on.
func places(from, n int) string {
	list := fmt.Appendf(nil, "$%d", from)
	for i := from + 1; i < from+n; i++ {
		list = fmt.Appendf(list, ", $%d", i)
	}
	return string(list)
}
