package rpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/portin/portin/internal/fault"
)

// strictRegistrar registers services so that a request which does not arrive passes the interceptors too, which answer
// it with a reason and log it. A generated handler returns as soon as the request cannot be had, before any interceptor. An
// order, which may be large, is not received from a stranger at all.
type strictRegistrar struct {
	grpc.ServiceRegistrar
	weighing *Weighing
	access   Access
}

// RegisterService registers a service with strict unary methods.
func (r strictRegistrar) RegisterService(desc *grpc.ServiceDesc, impl any) {
	strict := *desc
	strict.Methods = make([]grpc.MethodDesc, len(desc.Methods))
	for i, m := range desc.Methods {
		full := "/" + desc.ServiceName + "/" + m.MethodName
		strict.Methods[i] = grpc.MethodDesc{MethodName: m.MethodName, Handler: r.handler(full, m)}
	}
	r.ServiceRegistrar.RegisterService(&strict, impl)
}

// handler is a method's handler that hands what its request ended with to the interceptors.
func (r strictRegistrar) handler(full string, m grpc.MethodDesc) grpc.MethodHandler {
	return func(srv any, ctx context.Context, receive func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
		info := &grpc.UnaryServerInfo{Server: srv, FullMethod: full}
		if weighed(full) && interceptor != nil {
			if ctx, refused := stranger(ctx, r.access); refused != nil {
				return interceptor(ctx, nil, info, func(context.Context, any) (any, error) { return nil, refused })
			}
		}
		var missed error
		resp, err := m.Handler(srv, ctx, func(v any) error {
			if missed = receive(v); missed != nil {
				r.weighing.drop(v) // the message may have been decoded before its stream broke
			}
			return missed
		}, interceptor)
		if missed == nil || interceptor == nil {
			return resp, err
		}
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
