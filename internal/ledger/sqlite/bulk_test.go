package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// bulk is a ledger of so many orders, one a minute, that was not filled by claims: it is there to be read.
type bulk struct {
	*Store

	n    int
	span time.Duration
}

// The times of a bulk: the first order's, and one between two orders.
func bulkEpoch() time.Time { return time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC) }

// fillOrders makes orders of every standing, 2 of a hundred in the rarest. Their lags are log-logistic: half of them below
// three thousandths of the whole time, and one of a hundred above a fourth of it; those that would be beyond the end are under way, and
// were changed at any time.
const fillOrders = `
	WITH RECURSIVE
	n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count),
	die(i, d, u, v) AS (SELECT i, (i * 7919) % 100, ((i * 2654435761) % 1000003) / 1000003.0, ((i * 40503) % 10007) / 10007.0 FROM n),
	rolled(i, standing, attention, lag) AS (
		SELECT i,
			CASE WHEN d < 2 THEN 10 WHEN d < 4 THEN 40 WHEN d < 9 THEN 20 WHEN d < 14 THEN 30
				WHEN d < 20 THEN 51 WHEN d < 26 THEN 52 WHEN d < 29 THEN 53 ELSE 54 END,
			d IN (3, 27, 28, 99),
			CAST(min(0.003 * u / (1.01 - u) * :count, (:count - i) * v) * 60000000 AS INTEGER)
		FROM die),
	measured(i, standing, attention, lag, length) AS (
		SELECT i, standing, attention, lag, CASE WHEN lag < 1000000 THEN 1 ELSE 2 + CAST(log2(lag / 1000000) / :base AS INTEGER) END FROM rolled)
	INSERT INTO orders (serial, order_id, tenant, request_id, carrier_account, target, customer_reference, state, needs_attention,
		class, length, span, attempt, owner, lease_ns, due, fence, warnings, looks, look_failed, reply, ticket, message, error_id, reason, problem,
		retry_after_ns, doubt_since, doubt_asked, doubt_finding, doubt_agreed, doubt_counted, attention, status, disputing, port_date,
		created, updated, claimed, settled)
	SELECT i + 1, printf('%08x-0000-7000-8000-%012x', i, i), 'default', printf('%08x-0000-4000-8000-%012x', (i * 2654435761) & 0xffffffff, i),
		'default', 'trunk_did', printf('reference %d', i % 40), standing / 10, attention,
		2 * standing + attention, length, (2 * standing + attention) * 100 + length, 1, 'a process', 90000000000,
		CASE WHEN standing IN (10, 40, 51, 52, 53) THEN :epoch + i * 60000000 + lag ELSE 0 END, 0, NULL, '[]', 0, 'ACCEPTED',
		CASE WHEN standing > 50 THEN printf('TICKET-%d', i) ELSE '' END, 'a message of the carrier', '', '', '', 0, 0, 0, '', 0, 0,
		CASE WHEN attention THEN '[{"code":"NO_PROGRESS","description":"nothing happens","since":1}]' ELSE '[]' END,
		CASE standing WHEN 51 THEN 'PENDING' WHEN 52 THEN 'CONFIRMED' WHEN 53 THEN 'HOLD' WHEN 54 THEN 'COMPLETED' ELSE '' END, 0, '2026-05-01',
		:epoch + i * 60000000, :epoch + i * 60000000 + lag, :epoch + i * 60000000, 0
	FROM measured`

// fillRest gives each order its contents, two numbers that ten orders have in turn, and two events.
const (
	fillContents = `INSERT INTO contents (serial, content, numbers)
		SELECT serial, randomblob(500), json_array(printf('+1416%07d', serial % (:count / 10)), printf('+1604%07d', serial % (:count / 10))) FROM orders`
	fillNumbers = `INSERT INTO numbers (tenant, number, created, order_id, serial, held)
		SELECT o.tenant, j.value, o.created, o.order_id, o.serial, 0
		FROM contents c CROSS JOIN orders o ON o.serial = c.serial CROSS JOIN json_each(c.numbers) j`
	fillEvents = `INSERT INTO events
		(sequence, serial, time, actor_kind, actor_name, type, attempt, state, status, ticket, port_date, unverified, note)
		SELECT 2 * o.serial - 1 + e.value, o.serial, o.created, 'CALLER', 'somebody', 'CLAIMED', 1, o.state, o.status, o.ticket, '', 0, 'a note'
		FROM orders o CROSS JOIN json_each('[0,1]') e`
	fillSequence = `UPDATE ledger SET sequence = 2 * :count`
)

// fills are the statements that make a bulk.
func fills() []string {
	return []string{fillOrders, fillContents, fillNumbers, fillEvents, fillSequence}
}

// newBulk fills a ledger with so many orders.
func newBulk(t testing.TB, n int) bulk {
	t.Helper()
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "bulk.db"), Carrier: "bulk"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, query := range fills() {
		err := s.writer.write(t.Context(), func(ctx context.Context, t *transaction) error {
			_, err := t.exec(ctx, query, named(map[string]any{"count": n, "base": base, "epoch": micros(bulkEpoch())})...)
			return err
		})
		if err != nil {
			t.Fatalf("fill a ledger: %v: %s", err, query)
		}
	}
	return bulk{Store: s, n: n, span: time.Duration(n) * time.Minute}
}

// These are what the ith order of a bulk is known by. Ten orders have each number; not every ticket has an order.
func (b bulk) orderID(i int) string { return fmt.Sprintf("%08x-0000-7000-8000-%012x", i, i) }

func (b bulk) requestID(i int) string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(i*2654435761), i)
}
func (b bulk) ticket(i int) string { return fmt.Sprintf("TICKET-%d", i) }
func (b bulk) number(i int) string { return fmt.Sprintf("+1416%07d", i%(b.n/10)) }

// at is a time in a bulk: 0 is its beginning, 1 its end.
func (b bulk) at(part float64) time.Time {
	return bulkEpoch().Add(time.Duration(part * float64(b.span)))
}
