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
// row's lock and finds the order in SENDING. Claims that share a number: see seize. Two corrections of one order: the second
// waits for its row's lock and finds that it has a successor. Every transaction locks in this order: keys, orders' rows, the
// holds by number, tickets, the ledger's counter; so none of these waits in a circle.
func (s *Store) Claim(ctx context.Context, r ledger.Record, e ledger.Entry) (ledger.Record, error) {
	if r.State != order.Sending || r.Attempt < 1 {
		return ledger.Record{}, errNoClaim
	}
	r = atRest(r)
	return s.change(ctx, "claim an order", func(ctx context.Context, tx *writing) (ledger.Record, error) {
		if r.Attempt > 1 {
			got, err := tx.claimAgain(ctx, r)
			if err != nil {
				return got, err
			}
			return got, tx.tell(ctx, ledger.Claimed(got, e))
		}
		got, events, err := tx.claimNew(ctx, r, e)
		if err != nil {
			return got, err
		}
		return got, tx.tell(ctx, events...)
	})
}

// claimNew writes an order whose key nobody has, takes its numbers, and returns what is to be told.
func (tx *writing) claimNew(ctx context.Context, r ledger.Record, e ledger.Entry) (ledger.Record, []ledger.Event, error) {
	written, err := tx.insert(ctx, r, "(tenant, request_id)")
	if err != nil {
		return ledger.Record{}, nil, err
	}
	if !written {
		now, err := one(ctx, tx, "tenant = $1 AND request_id = $2", r.Tenant, key(r))
		if err != nil {
			return ledger.Record{}, nil, err
		}
		return now, nil, refuse(ledger.ErrMoved)
	}
	if r.Predecessor != "" {
		return tx.correct(ctx, r, e)
	}
	return r, []ledger.Event{ledger.Claimed(r, e)}, tx.seize(ctx, r, r.Held())
}

// insert writes a new order and lists its numbers, unless another one has its place in a unique index.
func (tx *writing) insert(ctx context.Context, r ledger.Record, index string) (written bool, err error) {
	changing, err := changingValues(r)
	if err != nil {
		return false, err
	}
	args := append(fixedValues(r), changing...)
	statement := `WITH written AS (
		INSERT INTO orders (` + recordColumns + `) VALUES (` + places(1, len(args)) + `)
		ON CONFLICT ` + index + ` DO NOTHING RETURNING order_id, tenant, created, numbers
	), listed AS (
		INSERT INTO numbers (order_id, number, tenant, created)
		SELECT DISTINCT order_id, number, tenant, created FROM written CROSS JOIN LATERAL unnest(numbers) AS number
	)
	SELECT EXISTS (SELECT FROM written)`
	err = tx.QueryRow(ctx, statement, args...).Scan(&written)
	return written, err
}

// correct makes an order that is written take the place of its predecessor, and of the numbers that this one holds its own.
func (tx *writing) correct(ctx context.Context, r ledger.Record, e ledger.Entry) (ledger.Record, []ledger.Event, error) {
	was, err := one(ctx, tx, "tenant = $1 AND order_id = $2 FOR UPDATE", r.Tenant, r.Predecessor)
	if err != nil {
		return ledger.Record{}, nil, err
	}
	if !was.Correctable() {
		return was, nil, refuse(ledger.ErrNotCorrectable)
	}
	if err := tx.inherit(ctx, r, was.OrderID); err != nil {
		return ledger.Record{}, nil, err
	}
	next, events := ledger.Succeed(was, r, e.Actor, r.Claimed)
	return r, append(events, ledger.Claimed(r, e)), tx.update(ctx, atRest(next))
}

// claimAgain takes an order from NOT_SENT.
func (tx *writing) claimAgain(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	now, err := one(ctx, tx, "tenant = $1 AND request_id = $2 FOR UPDATE", r.Tenant, r.RequestID)
	if err != nil {
		return ledger.Record{}, err
	}
	if now.OrderID != r.OrderID || now.Attempt != r.Attempt-1 || now.Successor != "" || !now.Erased.IsZero() || !order.CanMove(now.State, r.State, order.ByResend) {
		return now, refuse(ledger.ErrMoved)
	}
	r.CarrierAccount, r.Target, r.CustomerReference = now.CarrierAccount, now.Target, now.CustomerReference
	r.Content, r.Numbers, r.Created, r.Fence = now.Content, now.Numbers, now.Created, now.Fence
	r.Elsewhere, r.History, r.Predecessor, r.Successor, r.Kept = now.Elsewhere, now.History, now.Predecessor, now.Successor, now.Kept
	r.Erased = now.Erased
	take := tx.seize
	if now.Holds() { // it guards them
		take = func(ctx context.Context, r ledger.Record, _ []string) error { return tx.inherit(ctx, r, r.OrderID) }
	}
	if err := take(ctx, r, r.Held()); err != nil {
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
	// Followed comes last. What version 1 has accepted stays to be adopted, whoever changes it.
	set := "UPDATE orders SET (" + changingColumns + ") = (" + places(2, len(args)) + " AND (followed OR state <> 5)) WHERE order_id = $1"
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
