package webhook

import (
	"cmp"
	"context"
	"slices"
	"strings"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
)

// Endpoint answers an endpoint as it now is.
func (w *Webhooks) Endpoint(ctx context.Context, tenant, endpointID string) (*portinv1.WebhookEndpoint, error) {
	e, err := w.find(ctx, tenant, endpointID)
	if err != nil {
		return nil, err
	}
	return w.shown(ctx, e)
}

// Endpoints answers a page of a tenant's endpoints, the oldest first.
func (w *Webhooks) Endpoints(
	ctx context.Context, tenant string, req *portinv1.ListWebhookEndpointsRequest,
) (*portinv1.ListWebhookEndpointsResponse, error) {
	list := w.bind("endpoints", tenant)
	after, err := readPosition(req.GetPageToken(), list)
	if err != nil {
		return nil, err
	}
	all, err := w.ledger.Endpoints(ctx, tenant)
	if err != nil {
		return nil, storeFault(ctx, err)
	}
	pending, err := w.ledger.PendingDeliveries(ctx, tenant)
	if err != nil {
		return nil, storeFault(ctx, err)
	}
	all = slices.DeleteFunc(all, func(r ledger.Endpoint) bool { return positionOf(r).compare(after) <= 0 })
	resp := &portinv1.ListWebhookEndpointsResponse{}
	if size := pageSize(req.GetPageSize()); len(all) > size {
		all = all[:size]
		resp.NextPageToken = positionOf(all[size-1]).token(list)
	}
	now := w.moment()
	for _, r := range all {
		e, err := opened(r)
		if err != nil {
			return nil, fault.Internal(err)
		}
		resp.Endpoints = append(resp.Endpoints, e.rendered(pending[e.id], now))
	}
	return resp, nil
}

// DeleteEndpoint removes an endpoint and its deliveries; one that is not there is removed.
func (w *Webhooks) DeleteEndpoint(ctx context.Context, tenant, endpointID string) error {
	if err := w.ledger.DeleteEndpoint(ctx, tenant, strings.ToLower(endpointID)); err != nil {
		return storeFault(ctx, err)
	}
	return nil
}

// find reads an endpoint of a tenant.
func (w *Webhooks) find(ctx context.Context, tenant, endpointID string) (endpoint, error) {
	all, err := w.ledger.Endpoints(ctx, tenant)
	if err != nil {
		return endpoint{}, storeFault(ctx, err)
	}
	id := strings.ToLower(endpointID)
	for _, r := range all {
		if r.EndpointID != id {
			continue
		}
		e, err := opened(r)
		if err != nil {
			return endpoint{}, fault.Internal(err)
		}
		return e, nil
	}
	return endpoint{}, storeFault(ctx, ledger.ErrNotFound)
}

// shown is an endpoint as callers see it, with what waits for it.
func (w *Webhooks) shown(ctx context.Context, e endpoint) (*portinv1.WebhookEndpoint, error) {
	pending, err := w.pending(ctx, e)
	if err != nil {
		return nil, err
	}
	return e.rendered(pending, w.moment()), nil
}

func (w *Webhooks) pending(ctx context.Context, e endpoint) (int, error) {
	all, err := w.ledger.PendingDeliveries(ctx, e.tenant)
	if err != nil {
		return 0, storeFault(ctx, err)
	}
	return all[e.id], nil
}

// pageSize is how many entries a page has; 0 leaves it to the service.
func pageSize(asked int32) int { return cmp.Or(int(asked), 50) }
