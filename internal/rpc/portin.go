package rpc

import (
	"context"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/intake"
)

// Orders is what places orders and knows them.
type Orders interface {
	sizer
	// PortIn places an order, or answers what became of it.
	PortIn(ctx context.Context, req *portinv1.PortInRequest) (*portinv1.PortInResponse, error)
	// Get returns an order as it now is.
	Get(ctx context.Context, orderID string) (*portinv1.PortInOrder, error)
	// List returns a page of orders.
	List(ctx context.Context, req *portinv1.ListPortInOrdersRequest) (*portinv1.ListPortInOrdersResponse, error)
	// Events returns a page of what happened to an order.
	Events(ctx context.Context, req *portinv1.ListPortInOrderEventsRequest) (*portinv1.ListPortInOrderEventsResponse, error)
	// Follow makes an order of a port-in that was placed elsewhere.
	Follow(ctx context.Context, req *portinv1.FollowPortInRequest) (*portinv1.PortInOrder, error)
	// Resubmit places an order made from an old one with corrections.
	Resubmit(ctx context.Context, req *portinv1.ResubmitPortInRequest) (*portinv1.ResubmitPortInResponse, error)
	// Resolve decides about an order in doubt.
	Resolve(ctx context.Context, req *portinv1.ResolveInDoubtRequest) (*portinv1.PortInOrder, error)
	// Erase removes the personal data of an order that is over.
	Erase(ctx context.Context, req *portinv1.ErasePortInOrderRequest) (*portinv1.PortInOrder, error)
	// Close says that the port-in of an order is over.
	Close(ctx context.Context, req *portinv1.ClosePortInOrderRequest) (*portinv1.PortInOrder, error)
	// Acknowledge takes a reason for attention away from an order.
	Acknowledge(ctx context.Context, req *portinv1.AcknowledgeAttentionRequest) (*portinv1.PortInOrder, error)
}

// Statuses is what asks the carrier how a port-in fares.
type Statuses interface {
	// StatusOfTicket answers a tenant what the carrier says about a ticket.
	StatusOfTicket(ctx context.Context, tenant, ticket string) (*portinv1.PortInStatus, error)
	// StatusOfNumber answers a tenant what the carrier says about a number, written as people write it.
	StatusOfNumber(ctx context.Context, tenant, number string) (*portinv1.PortInStatus, error)
}

// portInService answers PortInService. It embeds the Unsafe server, so that an RPC without a handler does not compile.
type portInService struct {
	portinv1.UnsafePortInServiceServer
	orders   Orders
	statuses Statuses
	watches  Watches
	teller   *intake.Teller
}

var _ portinv1.PortInServiceServer = (*portInService)(nil)

// PortIn places an order.
func (s *portInService) PortIn(ctx context.Context, req *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
	return s.orders.PortIn(ctx, req)
}

// GetPortInOrder answers an order as it now is.
func (s *portInService) GetPortInOrder(ctx context.Context, req *portinv1.GetPortInOrderRequest) (*portinv1.GetPortInOrderResponse, error) {
	order, err := s.orders.Get(ctx, req.GetOrderId())
	if err != nil {
		return nil, err
	}
	return &portinv1.GetPortInOrderResponse{Order: order}, nil
}

// FollowPortIn makes an order of a port-in that was placed elsewhere.
func (s *portInService) FollowPortIn(ctx context.Context, req *portinv1.FollowPortInRequest) (*portinv1.FollowPortInResponse, error) {
	order, err := s.orders.Follow(ctx, req)
	if err != nil {
		return nil, err
	}
	return &portinv1.FollowPortInResponse{Order: order}, nil
}

// ResubmitPortIn places an order made from an old one with corrections.
func (s *portInService) ResubmitPortIn(ctx context.Context, req *portinv1.ResubmitPortInRequest) (*portinv1.ResubmitPortInResponse, error) {
	return s.orders.Resubmit(ctx, req)
}

// GetPortInStatus asks the carrier about a port-in.
func (s *portInService) GetPortInStatus(ctx context.Context, req *portinv1.GetPortInStatusRequest) (*portinv1.GetPortInStatusResponse, error) {
	var status *portinv1.PortInStatus
	var err error
	if number := req.GetNumber(); number != "" {
		status, err = s.statuses.StatusOfNumber(ctx, tenantOf(ctx), number)
	} else {
		status, err = s.statuses.StatusOfTicket(ctx, tenantOf(ctx), req.GetTicketId())
	}
	if err != nil {
		return nil, err
	}
	return &portinv1.GetPortInStatusResponse{Status: status}, nil
}

// ListPortInOrders lists orders.
func (s *portInService) ListPortInOrders(ctx context.Context, req *portinv1.ListPortInOrdersRequest) (*portinv1.ListPortInOrdersResponse, error) {
	return s.orders.List(ctx, req)
}

// ListPortInOrderEvents lists what happened to an order.
func (s *portInService) ListPortInOrderEvents(
	ctx context.Context, req *portinv1.ListPortInOrderEventsRequest,
) (*portinv1.ListPortInOrderEventsResponse, error) {
	return s.orders.Events(ctx, req)
}
