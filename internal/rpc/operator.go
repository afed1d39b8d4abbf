package rpc

import (
	"context"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
)

// operatorService answers OperatorService.
type operatorService struct {
	portinv1.UnsafeOperatorServiceServer
	orders Orders
}

var _ portinv1.OperatorServiceServer = (*operatorService)(nil)

// ResolveInDoubt decides about an order in doubt.
func (s *operatorService) ResolveInDoubt(ctx context.Context, req *portinv1.ResolveInDoubtRequest) (*portinv1.ResolveInDoubtResponse, error) {
	order, err := s.orders.Resolve(ctx, req)
	if err != nil {
		return nil, err
	}
	return &portinv1.ResolveInDoubtResponse{Order: order}, nil
}

// ErasePortInOrder removes the personal data of an order that is over.
func (s *operatorService) ErasePortInOrder(ctx context.Context, req *portinv1.ErasePortInOrderRequest) (*portinv1.ErasePortInOrderResponse, error) {
	order, err := s.orders.Erase(ctx, req)
	if err != nil {
		return nil, err
	}
	return &portinv1.ErasePortInOrderResponse{Order: order}, nil
}

// ClosePortInOrder says that the port-in of an order is over.
func (s *operatorService) ClosePortInOrder(ctx context.Context, req *portinv1.ClosePortInOrderRequest) (*portinv1.ClosePortInOrderResponse, error) {
	order, err := s.orders.Close(ctx, req)
	if err != nil {
		return nil, err
	}
	return &portinv1.ClosePortInOrderResponse{Order: order}, nil
}

// AcknowledgeAttention takes a reason for attention away from an order.
func (s *operatorService) AcknowledgeAttention(
	ctx context.Context, req *portinv1.AcknowledgeAttentionRequest,
) (*portinv1.AcknowledgeAttentionResponse, error) {
	order, err := s.orders.Acknowledge(ctx, req)
	if err != nil {
		return nil, err
	}
	return &portinv1.AcknowledgeAttentionResponse{Order: order}, nil
}

// notOffered is the error of an RPC that is in the contract and not in this version of the service.
func notOffered(what string) error {
	return fault.New(fault.ReasonNotOffered, what+" is not offered by this version of the service")
}
