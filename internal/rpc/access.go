package rpc

import (
	"context"
	"crypto/x509"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/identity"
)

// Access proves who calls. Its error is that of a caller who is not let in.
type Access interface {
	// Authenticate finds out who calls by the Authorization header, empty for none, and the certificate that the connection
	// was verified with, nil for none.
	Authenticate(ctx context.Context, authorization string, certificate *x509.Certificate) (identity.Caller, error)
}

// everybody is the access of a service that does not tell callers apart.
type everybody struct{ tenant string }

// Everybody lets everybody do everything, as one tenant.
func Everybody(tenant string) Access { return everybody{tenant} }

// Authenticate lets the caller in.
func (e everybody) Authenticate(context.Context, string, *x509.Certificate) (identity.Caller, error) {
	return identity.Everybody(e.tenant), nil
}

// anybody is the rule of a method that needs no caller at all.
const anybody identity.Scope = "*"

// rules say which scope each method needs. What has no rule is refused; a test holds them to the contract both ways.
var rules = map[string]identity.Scope{
	portinv1.PortInService_PortIn_FullMethodName:                identity.ScopeOrder,
	portinv1.PortInService_GetPortInOrder_FullMethodName:        identity.ScopeRead,
	portinv1.PortInService_ListPortInOrders_FullMethodName:      identity.ScopeRead,
	portinv1.PortInService_ListPortInOrderEvents_FullMethodName: identity.ScopeRead,
	portinv1.PortInService_WatchPortInOrders_FullMethodName:     identity.ScopeRead,
	portinv1.PortInService_FollowPortIn_FullMethodName:          identity.ScopeOrder,
	portinv1.PortInService_ResubmitPortIn_FullMethodName:        identity.ScopeOrder,
	portinv1.PortInService_GetPortInStatus_FullMethodName:       identity.ScopeRead,

	portinv1.CatalogService_ListSipTrunks_FullMethodName:           identity.ScopeRead,
	portinv1.CatalogService_ListTelephoneOfferings_FullMethodName:  identity.ScopeRead,
	portinv1.CatalogService_ListProviders_FullMethodName:           identity.ScopeRead,
	portinv1.CatalogService_ListBusinessGroups_FullMethodName:      identity.ScopeRead,
	portinv1.CatalogService_ListLinePlans_FullMethodName:           identity.ScopeRead,
	portinv1.CatalogService_ListHolidays_FullMethodName:            identity.ScopeRead,
	portinv1.CatalogService_CheckPortability_FullMethodName:        identity.ScopeRead,
	portinv1.CatalogService_ListPortableRateCenters_FullMethodName: identity.ScopeRead,

	portinv1.OperatorService_ResolveInDoubt_FullMethodName:       identity.ScopeOperate,
	portinv1.OperatorService_ErasePortInOrder_FullMethodName:     identity.ScopeOperate,
	portinv1.OperatorService_ClosePortInOrder_FullMethodName:     identity.ScopeOperate,
	portinv1.OperatorService_AcknowledgeAttention_FullMethodName: identity.ScopeOperate,

	// Whoever decides where events go decides who else learns of every order, and an endpoint's URL may hold a secret.
	portinv1.WebhookService_CreateWebhookEndpoint_FullMethodName:   identity.ScopeAdmin,
	portinv1.WebhookService_GetWebhookEndpoint_FullMethodName:      identity.ScopeAdmin,
	portinv1.WebhookService_ListWebhookEndpoints_FullMethodName:    identity.ScopeAdmin,
	portinv1.WebhookService_UpdateWebhookEndpoint_FullMethodName:   identity.ScopeAdmin,
	portinv1.WebhookService_DeleteWebhookEndpoint_FullMethodName:   identity.ScopeAdmin,
	portinv1.WebhookService_RotateWebhookSecret_FullMethodName:     identity.ScopeAdmin,
	portinv1.WebhookService_ListWebhookDeliveries_FullMethodName:   identity.ScopeAdmin,
	portinv1.WebhookService_ReplayWebhookDeliveries_FullMethodName: identity.ScopeAdmin,
}

// rule is what a method needs. A balancer asks how the service is without being anybody; the contract itself is for whoever
// may read.
func rule(method string) (identity.Scope, bool) {
	switch service, _, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/"); service {
	case "grpc.health.v1.Health":
		return anybody, true
	case "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection":
		return identity.ScopeRead, true
	}
	scope, ok := rules[method]
	return scope, ok
}

// offered reports whether a method is one of a service that this program knows. One that is none is answered as such, also
// without a rule.
func offered(method string) bool {
	service, name, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return false
	}
	is, ok := found.(protoreflect.ServiceDescriptor)
	return ok && is.Methods().ByName(protoreflect.Name(name)) != nil
}

// letIn finds out who calls a method, and refuses who may not, or not so often.
func letIn(ctx context.Context, access Access, limiter *Limiter, method string) (context.Context, error) {
	scope, known := rule(method)
	if scope == anybody {
		return ctx, nil
	}
	if err, refused := ctx.Value(strangerKey{}).(error); refused {
		return ctx, err
	}
	caller, err := who(ctx, access)
	if err != nil {
		return ctx, err
	}
	noteCaller(ctx, caller.Name)
	if err := limiter.check(caller, time.Now()); err != nil { // who asks for what it may not have is counted too
		return ctx, err
	}
	switch {
	case !known && offered(method):
		return ctx, fault.New(fault.ReasonPermissionDenied, "nobody may call this method")
	case known && !caller.May(scope):
		return ctx, lacks(scope)
	}
	return identity.With(ctx, caller), nil
}

// lacks is the error of a caller who may not do what a scope stands for.
func lacks(scope identity.Scope) error {
	return fault.New(fault.ReasonPermissionDenied, "the caller lacks the scope "+string(scope)).WithMetadata("scope", string(scope))
}

// who finds out who calls.
func who(ctx context.Context, access Access) (identity.Caller, error) {
	authorization := metadata.ValueFromIncomingContext(ctx, "authorization")
	if len(authorization) > 1 {
		return identity.Caller{}, fault.New(fault.ReasonUnauthenticated, "the header authorization is given more than once")
	}
	return access.Authenticate(ctx, strings.Join(authorization, ""), certificateOf(ctx))
}

// strangerKey is where a context has why its caller was refused before the request was received.
type strangerKey struct{}

// stranger refuses who calls before anything is received from them, and puts into the context why, for letIn to say so: nobody is
// refused twice. Whoever is let pass is asked again, and for what they may do. What panics here panics there too, where it is dealt with.
func stranger(ctx context.Context, access Access) (_ context.Context, refused error) {
	defer func() { _ = recover() }()
	if _, err := who(ctx, access); err != nil {
		return context.WithValue(ctx, strangerKey{}, err), err
	}
	return ctx, nil
}

// certificateOf is the certificate that a call's connection was verified with; nil for none.
func certificateOf(ctx context.Context) *x509.Certificate {
	from, ok := peer.FromContext(ctx)
	if !ok {
		return nil
	}
	info, ok := from.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.VerifiedChains) == 0 {
		return nil
	}
	return info.State.VerifiedChains[0][0]
}

// admitted lets a unary call in.
func admitted(access Access, limiter *Limiter) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		ctx, err := letIn(ctx, access, limiter, info.FullMethod)
		if err != nil {
			return nil, err
		}
		return handler(ctx, req)
	}
}

// admittedStream lets a stream in and holds what it receives to the contract. It is one interceptor, where unary calls have two:
// each has its place on the stack of every watch, and a watch whose stack is twice as large costs twice as much.
func admittedStream(access Access, limiter *Limiter) grpc.StreamServerInterceptor {
	return func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		within, err := admit(ss, access, limiter, info.FullMethod)
		if err != nil {
			return err
		}
		return handler(srv, within)
	}
}

// admit is a stream that was let in. It is a function of its own so that its variables are not on the stack of every watch.
func admit(ss grpc.ServerStream, access Access, limiter *Limiter, method string) (grpc.ServerStream, error) {
	ctx, err := letIn(ss.Context(), access, limiter, method)
	if err != nil {
		return nil, err
	}
	within := &contextStream{ServerStream: ss, ctx: ctx}
	if !ofOwn(method) {
		return within, nil
	}
	return &validatingStream{&heldStream{ServerStream: within, access: access, method: method, asked: time.Now()}}, nil
}

// askAgain is how long what a stream sends rests on the last time that its caller was asked for.
const askAgain = 10 * time.Second

// heldStream holds what a stream sends to what its caller may still see. A watch lasts as long as its connection, and so would one
// of a key that was withdrawn meanwhile, or of a token that is over.
type heldStream struct {
	grpc.ServerStream
	access Access
	method string
	asked  time.Time
}

// SendMsg sends an answer, unless its caller may not have it any more.
func (s *heldStream) SendMsg(m any) error {
	if err := s.may(); err != nil {
		return err
	}
	return s.ServerStream.SendMsg(m)
}

// may asks again who calls, once it is time.
func (s *heldStream) may() error {
	now := time.Now()
	if now.Sub(s.asked) < askAgain {
		return nil
	}
	if err := s.still(); err != nil {
		return err
	}
	s.asked = now
	return nil
}

// still asks again who calls. It is not one more call of theirs.
func (s *heldStream) still() error {
	caller, err := who(s.Context(), s.access)
	if err != nil {
		return err
	}
	if scope, _ := rule(s.method); !caller.May(scope) {
		return lacks(scope)
	}
	if caller.Tenant != tenantOf(s.Context()) {
		return fault.New(fault.ReasonUnauthenticated, "the credentials are those of another tenant by now")
	}
	return nil
}

// tenantOf is whose orders a call is about. The interceptors have said so, or it never came here.
func tenantOf(ctx context.Context) string {
	caller, _ := identity.From(ctx)
	return caller.Tenant
}
