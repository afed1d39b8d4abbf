package rpc

import (
	"context"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
)

// operatorService answers OperatorService.
type operatorService struct {
	portinv1.UnsafeOperatorServiceServer
}

var _ portinv1.OperatorServiceServer = (*operatorService)(nil)

// ResolveInDoubt needs a ledger that keeps who decided and why, which this version does not have.
func (s *operatorService) ResolveInDoubt(context.Context, *portinv1.ResolveInDoubtRequest) (*portinv1.ResolveInDoubtResponse, error) {
	return nil, notOffered("resolving an order in doubt")
}

// notOffered is the error of an RPC that is in the contract and not in this version of the service.
func notOffered(what string) error {
	return fault.New(fault.ReasonNotOffered, what+" is not offered by this version of the service")
}
