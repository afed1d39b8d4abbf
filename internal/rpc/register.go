package rpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/portin/portin/internal/fault"
)

// strictRegistrar registers services so that a request which does not arrive passes the interceptors too, which answer
// it with a reason and log it. A generated handler returns as soon as the request cannot be had, before any interceptor.
type strictRegistrar struct {
	grpc.ServiceRegistrar
	weighing *Weighing
}

// RegisterService registers a service with strict unary methods.
func (r strictRegistrar) RegisterService(desc *grpc.ServiceDesc, impl any) {
	strict := *desc
	strict.Methods = make([]grpc.MethodDesc, len(desc.Methods))
	for i, m := range desc.Methods {
		full := "/" + desc.ServiceName + "/" + m.MethodName
		strict.Methods[i] = grpc.MethodDesc{MethodName: m.MethodName, Handler: strictHandler(full, m, r.weighing)}
	}
	r.ServiceRegistrar.RegisterService(&strict, impl)
}

// strictHandler is a method's handler that hands what its request ended with to the interceptors.
func strictHandler(
	full string, m grpc.MethodDesc, weighing *Weighing,
) func(any, context.Context, func(any) error, grpc.UnaryServerInterceptor) (any, error) {
	return func(srv any, ctx context.Context, receive func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
		var missed error
		resp, err := m.Handler(srv, ctx, func(v any) error {
			if missed = receive(v); missed != nil {
				weighing.drop(v) // the message may have been decoded before its stream broke
			}
			return missed
		}, interceptor)
		if missed == nil || interceptor == nil {
			return resp, err
		}
		info := &grpc.UnaryServerInfo{Server: srv, FullMethod: full}
		return interceptor(ctx, nil, info, func(context.Context, any) (any, error) { return nil, unreceived(missed) })
	}
}

const (
	notWhole = "the request is not one whole message of this method, or a text in it is not UTF-8"
	tooLarge = "the request is larger than this service takes"
)

// unreceived is the meaning of a request that did not arrive: what a stranger sends is no fault of the service. Over the
// network grpc-go has then told the caller by itself, if it is still there, and this is for the log.
func unreceived(err error) error {
	if e := faultOf(err); e.Kind() != fault.KindInternal {
		return e
	}
	if status.Code(err) == codes.ResourceExhausted {
		return fault.New(fault.ReasonRequestTooLarge, tooLarge).WithCause(err)
	}
	return fault.New(fault.ReasonMalformedRequest, notWhole).WithCause(err)
}
