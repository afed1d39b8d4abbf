package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/portin/portin/internal/ledger"
)

// Endpoints, found by their id or in the order of lists.
const (
	endpoint     = `SELECT serial, endpoint_id, tenant, version, disabled, cursor, content, created FROM endpoints w `
	endpointByID = endpoint + `WHERE endpoint_id = ?`
	endpointsOf  = endpoint + `INDEXED BY endpoints_tenant WHERE tenant = ? ORDER BY created, endpoint_id`
	endpointsAll = endpoint + `INDEXED BY endpoints_created ORDER BY created, endpoint_id`
)

// kept is an endpoint at rest.
type kept struct {
	serial int64
	ledger.Endpoint
}

// PutEndpoint writes an endpoint; see ledger.Hooks.
func (s *Store) PutEndpoint(ctx context.Context, e ledger.Endpoint) (ledger.Endpoint, error) {
	if e.Version < 1 {
		return ledger.Endpoint{}, fmt.Errorf("put endpoint %s: versions begin at 1, and this is %d", e.EndpointID, e.Version)
	}
	e.EndpointID, e.Tenant, e.Created, e.Content = text(e.EndpointID), text(e.Tenant), cut(e.Created), orNil(e.Content)
	var is ledger.Endpoint
	err := s.writer.write(ctx, func(ctx context.Context, t *transaction) (err error) {
		is, err = t.putEndpoint(ctx, e)
		return err
	})
	if err != nil && !errors.Is(err, ledger.ErrMoved) {
		return ledger.Endpoint{}, doing("put endpoint "+e.EndpointID, err)
	}
	return is, err
}

// putEndpoint returns the endpoint as it is then, or beside ledger.ErrMoved.
func (t *transaction) putEndpoint(ctx context.Context, e ledger.Endpoint) (ledger.Endpoint, error) {
	is, found, err := t.endpoint(ctx, e.EndpointID)
	switch {
	case err != nil:
		return ledger.Endpoint{}, err
	case e.Version == 1 && found:
		return is.Endpoint, ledger.ErrMoved
	case e.Version == 1:
		e.Cursor = t.sequence
		const write = `INSERT INTO endpoints (endpoint_id, tenant, version, disabled, cursor, content, created) VALUES (?, ?, ?, ?, ?, ?, ?)`
		_, err := t.exec(ctx, write, e.EndpointID, e.Tenant, e.Version, number(e.Disabled), e.Cursor, e.Content, micros(e.Created))
		return e, err
	case !found || is.Tenant != e.Tenant:
		return ledger.Endpoint{}, ledger.ErrNotFound
	case is.Version != e.Version-1:
		return is.Endpoint, ledger.ErrMoved
	}
	e.Cursor, e.Created = is.Cursor, is.Created
	const write = `UPDATE endpoints SET version = ?, disabled = ?, content = ? WHERE serial = ?`
	_, err = t.exec(ctx, write, e.Version, number(e.Disabled), e.Content, is.serial)
	return e, err
}

// DeleteEndpoint removes a tenant's endpoint with its deliveries; one that is not there is removed.
func (s *Store) DeleteEndpoint(ctx context.Context, tenant, endpointID string) error {
	err := s.writer.write(ctx, func(ctx context.Context, t *transaction) error {
		is, found, err := t.endpoint(ctx, endpointID)
		if err != nil || !found || is.Tenant != tenant {
			return err
		}
		if _, err := t.exec(ctx, `DELETE FROM deliveries WHERE endpoint = ?`, is.serial); err != nil {
			return err
		}
		_, err = t.exec(ctx, `DELETE FROM endpoints WHERE serial = ?`, is.serial)
		return err
	})
	return doing("delete endpoint "+endpointID, err)
}

// Endpoints returns the endpoints of a tenant, or of all when the tenant is empty, the oldest first.
func (s *Store) Endpoints(ctx context.Context, tenant string) (all []ledger.Endpoint, err error) {
	query, args := endpointsOf, []any{tenant}
	if tenant == "" {
		query, args = endpointsAll, nil
	}
	err = s.reader.read(ctx, func(l *line) error {
		return l.each(ctx, query, args, func(from row) error {
			e, err := readEndpoint(from)
			all = append(all, e.Endpoint)
			return err
		})
	})
	if err != nil {
		return nil, doing("read the endpoints", err)
	}
	return all, nil
}

// endpoint is an endpoint of any tenant.
func (l *line) endpoint(ctx context.Context, id string) (e kept, found bool, err error) {
	err = l.each(ctx, endpointByID, []any{id}, func(from row) (err error) {
		e, err = readEndpoint(from)
		found = true
		return err
	})
	return e, found, err
}

// tenantsEndpoint is the serial of a tenant's endpoint, or ledger.ErrNotFound.
func (l *line) tenantsEndpoint(ctx context.Context, tenant, id string) (serial int64, err error) {
	found, err := l.one(ctx, `SELECT serial FROM endpoints WHERE endpoint_id = ? AND tenant = ?`, []any{id, tenant}, &serial)
	if err == nil && !found {
		err = ledger.ErrNotFound
	}
	return serial, err
}

func readEndpoint(from row) (kept, error) {
	var e kept
	var disabled, created int64
	err := from.Scan(&e.serial, &e.EndpointID, &e.Tenant, &e.Version, &disabled, &e.Cursor, &e.Content, &created)
	e.Disabled, e.Created = disabled != 0, moment(created)
	return e, err
}
