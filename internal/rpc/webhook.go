package rpc

import (
	"context"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// Webhooks is what keeps the endpoints of a tenant and what is delivered to them.
type Webhooks interface {
	// CreateEndpoint registers an endpoint, or answers the one that the same call registered before.
	CreateEndpoint(ctx context.Context, tenant string, req *portinv1.CreateWebhookEndpointRequest) (*portinv1.CreateWebhookEndpointResponse, error)
	// Endpoint returns an endpoint as it now is.
	Endpoint(ctx context.Context, tenant, endpointID string) (*portinv1.WebhookEndpoint, error)
	// Endpoints returns a page of endpoints.
	Endpoints(ctx context.Context, tenant string, req *portinv1.ListWebhookEndpointsRequest) (*portinv1.ListWebhookEndpointsResponse, error)
	// UpdateEndpoint changes an endpoint.
	UpdateEndpoint(ctx context.Context, tenant string, req *portinv1.UpdateWebhookEndpointRequest) (*portinv1.WebhookEndpoint, error)
	// DeleteEndpoint removes an endpoint; one that is not there is removed.
	DeleteEndpoint(ctx context.Context, tenant, endpointID string) error
	// RotateSecret gives an endpoint a new secret.
	RotateSecret(ctx context.Context, tenant string, req *portinv1.RotateWebhookSecretRequest) (*portinv1.RotateWebhookSecretResponse, error)
	// Deliveries returns a page of what an endpoint was to be told.
	Deliveries(ctx context.Context, tenant string, req *portinv1.ListWebhookDeliveriesRequest) (*portinv1.ListWebhookDeliveriesResponse, error)
	// Replay has events delivered again.
	Replay(ctx context.Context, tenant string, req *portinv1.ReplayWebhookDeliveriesRequest) (*portinv1.ReplayWebhookDeliveriesResponse, error)
}

// webhookService answers WebhookService.
type webhookService struct {
	portinv1.UnsafeWebhookServiceServer
	webhooks Webhooks
}

var _ portinv1.WebhookServiceServer = (*webhookService)(nil)

// CreateWebhookEndpoint registers an endpoint.
func (s *webhookService) CreateWebhookEndpoint(
	ctx context.Context, req *portinv1.CreateWebhookEndpointRequest,
) (*portinv1.CreateWebhookEndpointResponse, error) {
	return s.webhooks.CreateEndpoint(ctx, tenantOf(ctx), req)
}

// GetWebhookEndpoint answers an endpoint as it now is.
func (s *webhookService) GetWebhookEndpoint(
	ctx context.Context, req *portinv1.GetWebhookEndpointRequest,
) (*portinv1.GetWebhookEndpointResponse, error) {
	endpoint, err := s.webhooks.Endpoint(ctx, tenantOf(ctx), req.GetEndpointId())
	if err != nil {
		return nil, err
	}
	return &portinv1.GetWebhookEndpointResponse{Endpoint: endpoint}, nil
}

// ListWebhookEndpoints lists endpoints.
func (s *webhookService) ListWebhookEndpoints(
	ctx context.Context, req *portinv1.ListWebhookEndpointsRequest,
) (*portinv1.ListWebhookEndpointsResponse, error) {
	return s.webhooks.Endpoints(ctx, tenantOf(ctx), req)
}

// UpdateWebhookEndpoint changes an endpoint.
func (s *webhookService) UpdateWebhookEndpoint(
	ctx context.Context, req *portinv1.UpdateWebhookEndpointRequest,
) (*portinv1.UpdateWebhookEndpointResponse, error) {
	endpoint, err := s.webhooks.UpdateEndpoint(ctx, tenantOf(ctx), req)
	if err != nil {
		return nil, err
	}
	return &portinv1.UpdateWebhookEndpointResponse{Endpoint: endpoint}, nil
}

// DeleteWebhookEndpoint removes an endpoint.
func (s *webhookService) DeleteWebhookEndpoint(
	ctx context.Context, req *portinv1.DeleteWebhookEndpointRequest,
) (*portinv1.DeleteWebhookEndpointResponse, error) {
	if err := s.webhooks.DeleteEndpoint(ctx, tenantOf(ctx), req.GetEndpointId()); err != nil {
		return nil, err
	}
	return &portinv1.DeleteWebhookEndpointResponse{}, nil
}

// RotateWebhookSecret gives an endpoint a new secret.
func (s *webhookService) RotateWebhookSecret(
	ctx context.Context, req *portinv1.RotateWebhookSecretRequest,
) (*portinv1.RotateWebhookSecretResponse, error) {
	return s.webhooks.RotateSecret(ctx, tenantOf(ctx), req)
}

// ListWebhookDeliveries lists what an endpoint was to be told.
func (s *webhookService) ListWebhookDeliveries(
	ctx context.Context, req *portinv1.ListWebhookDeliveriesRequest,
) (*portinv1.ListWebhookDeliveriesResponse, error) {
	return s.webhooks.Deliveries(ctx, tenantOf(ctx), req)
}

// ReplayWebhookDeliveries has events delivered again.
func (s *webhookService) ReplayWebhookDeliveries(
	ctx context.Context, req *portinv1.ReplayWebhookDeliveriesRequest,
) (*portinv1.ReplayWebhookDeliveriesResponse, error) {
	return s.webhooks.Replay(ctx, tenantOf(ctx), req)
}
