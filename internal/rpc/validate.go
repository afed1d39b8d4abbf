package rpc

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/contract"
	"github.com/portin/portin/internal/fault"
)

// sizer is who knows how large an order may be.
type sizer interface {
	CheckSize(req *portinv1.PortInRequest) error
}

// validated refuses requests that break the contract. Of an order it only asks whether it is not too much (CheckSize, which
// wants the idempotency key and a target too) and wholly understood: whether it is right is asked after its key was read, because a
// replay is never refused by a rule that has changed since.
func validated(orders sizer) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		if err := check(orders, req); err != nil {
			return nil, err
		}
		return handler(ctx, req)
	}
}

// validatingStream holds what a stream receives to the contract, as validated does for unary calls.
type validatingStream struct{ grpc.ServerStream }

// RecvMsg receives a request and refuses it when it breaks the contract.
func (s *validatingStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return unreceived(err)
	}
	return check(nil, m)
}

// check refuses a request that could not be read, that is too large, that is not wholly understood or, but for an order,
// that breaks a rule. Requests of services that are not of the contract are theirs to check.
func check(orders sizer, req any) error {
	m, ok := req.(proto.Message)
	if !ok || !ofContract(m) {
		return nil
	}
	if err := marked(m); err != nil {
		return err
	}
	placing, isOrder := m.(*portinv1.PortInRequest)
	if isOrder {
		if err := orders.CheckSize(placing); err != nil {
			return err
		}
	}
	if path, ok := contract.Unknown(m.ProtoReflect()); ok {
		return fault.New(fault.ReasonMalformedRequest, "the request has fields that this version of the service does not know").
			WithViolations([]fault.Violation{{Field: path, Description: "holds a field that is not in this version of the contract; leave it out, or call a newer service"}})
	}
	if isOrder {
		return nil
	}
	return contractFault(m)
}

// contractPackage is the package of the contract's .proto files.
var contractPackage = portinv1.File_portin_v1_port_in_service_proto.Package() //nolint:gochecknoglobals // a constant that Go cannot write

// ofContract reports whether a message is of the contract.
func ofContract(m proto.Message) bool {
	return m.ProtoReflect().Descriptor().ParentFile().Package() == contractPackage
}

// ofOwn reports whether a method, "/package.Service/Method", is under the contract's package.
func ofOwn(method string) bool {
	return strings.HasPrefix(method, "/"+string(contractPackage)+".")
}

// contractFault is the error of a message that breaks rules of the contract; nil when it breaks none.
func contractFault(m proto.Message) error {
	broken := contract.Violations(m)
	if len(broken) == 0 {
		return nil
	}
	violations := make([]fault.Violation, len(broken))
	for i, v := range broken {
		violations[i] = fault.Violation{Field: v.Field, Description: v.Description}
	}
	contract.SortByField(m.ProtoReflect().Descriptor(), violations, func(v fault.Violation) string { return v.Field })
	return fault.Fields(violations)
}
