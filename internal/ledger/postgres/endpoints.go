package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/portin/portin/internal/ledger"
)

// An endpoint's row is locked first by whoever changes it, adds deliveries, makes them pending again or removes them all.
// Then come the rows of queues, each of which stands for the pending deliveries of one order, and then the deliveries. Who
// hands out or settles deliveries begins with the queues, so that these do not wait for each other.

const endpointColumns = `endpoint_id, tenant, version, disabled, cursor, content, created`

// insertEndpoint writes a new endpoint, which begins after the latest event.
const insertEndpoint = `INSERT INTO endpoints (` + endpointColumns + `) SELECT $1, $2, $3, $4, sequence, $5, $6 FROM ledger
	ON CONFLICT (endpoint_id) DO NOTHING RETURNING ` + endpointColumns

const (
	readEndpoints    = `SELECT ` + endpointColumns + ` FROM endpoints ORDER BY created, endpoint_id`
	readEndpointsOf  = `SELECT ` + endpointColumns + ` FROM endpoints WHERE tenant = $1 ORDER BY created, endpoint_id`
	readDueEndpoints = `SELECT endpoint_id FROM endpoints e
		WHERE NOT disabled AND EXISTS (SELECT FROM queues q WHERE q.endpoint_id = e.endpoint_id AND q.due <= $1)`
)

// PutEndpoint writes an endpoint. The primary key decides who has a new ID, and the row's lock who changes a version.
func (s *Store) PutEndpoint(ctx context.Context, e ledger.Endpoint) (got ledger.Endpoint, err error) {
	e.EndpointID, e.Tenant = clean(e.EndpointID), clean(e.Tenant)
	put := putLater
	if e.Version == 1 {
		put = putNew
	}
	answered := false
	err = s.write(ctx, "write an endpoint", func(ctx context.Context, tx *writing) (err error) {
		got, err = put(ctx, tx, e)
		_, answered = errors.AsType[*refusal](err)
		return err
	})
	if err != nil && !answered {
		return ledger.Endpoint{}, err
	}
	return got, err
}

func putNew(ctx context.Context, tx *writing, e ledger.Endpoint) (ledger.Endpoint, error) {
	got, err := endpoint(ctx, tx, insertEndpoint, e.EndpointID, e.Tenant, e.Version, e.Disabled, some(e.Content), micros(e.Created))
	if !errors.Is(err, ledger.ErrNotFound) {
		return got, err
	}
	got, err = endpoint(ctx, tx, `SELECT `+endpointColumns+` FROM endpoints WHERE endpoint_id = $1`, e.EndpointID)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return got, errAgain // It was removed in between.
	case err != nil:
		return got, err
	}
	return got, refuse(ledger.ErrMoved)
}

func putLater(ctx context.Context, tx *writing, e ledger.Endpoint) (ledger.Endpoint, error) {
	const lock = `SELECT ` + endpointColumns + ` FROM endpoints WHERE endpoint_id = $1 AND tenant = $2 FOR NO KEY UPDATE`
	now, err := endpoint(ctx, tx, lock, e.EndpointID, e.Tenant)
	if err != nil {
		return now, err
	}
	if now.Version != e.Version-1 {
		return now, refuse(ledger.ErrMoved)
	}
	const replace = `UPDATE endpoints SET version = $2, disabled = $3, content = $4 WHERE endpoint_id = $1 RETURNING ` + endpointColumns
	return endpoint(ctx, tx, replace, e.EndpointID, e.Version, e.Disabled, some(e.Content))
}

// DeleteEndpoint removes a tenant's endpoint with its deliveries.
func (s *Store) DeleteEndpoint(ctx context.Context, tenant, endpointID string) error {
	endpointID = clean(endpointID)
	return s.write(ctx, "remove an endpoint", func(ctx context.Context, tx *writing) error {
		done, err := tx.Exec(ctx, `DELETE FROM endpoints WHERE endpoint_id = $1 AND tenant = $2`, endpointID, clean(tenant))
		if err != nil || done.RowsAffected() == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM queues WHERE endpoint_id = $1`, endpointID); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM deliveries WHERE endpoint_id = $1`, endpointID)
		return err
	})
}

// Endpoints returns the endpoints of a tenant, or of all.
func (s *Store) Endpoints(ctx context.Context, tenant string) (all []ledger.Endpoint, err error) {
	read, args := readEndpoints, []any(nil)
	if tenant != "" {
		read, args = readEndpointsOf, []any{clean(tenant)}
	}
	err = s.call(ctx, "read endpoints", func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, read, args...)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, endpointRow)
		return err
	})
	return none(all), err
}

// DueEndpoints returns the enabled endpoints of which something is due.
func (s *Store) DueEndpoints(ctx context.Context, now time.Time) (due []string, err error) {
	err = s.call(ctx, "read which endpoints are due", func(ctx context.Context, conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, readDueEndpoints, micros(now))
		if err != nil {
			return err
		}
		due, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return none(due), err
}

// endpoint is the one that a statement answers, or ledger.ErrNotFound as an answer.
func endpoint(ctx context.Context, q querier, sql string, args ...any) (ledger.Endpoint, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return ledger.Endpoint{}, err
	}
	e, err := pgx.CollectExactlyOneRow(rows, endpointRow)
	if errors.Is(err, pgx.ErrNoRows) {
		return ledger.Endpoint{}, refuse(ledger.ErrNotFound)
	}
	return e, err
}

func endpointRow(row pgx.CollectableRow) (e ledger.Endpoint, err error) {
	var created int64
	err = row.Scan(&e.EndpointID, &e.Tenant, &e.Version, &e.Disabled, &e.Cursor, &e.Content, &created)
	e.Content, e.Created = none(e.Content), moment(created)
	return e, err
}
