package rpc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/reflect/protoregistry"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/identity"
)

// scoped lets a caller in that may do some things, whoever it says it is.
func scoped(scopes ...identity.Scope) func(string, *x509.Certificate) (identity.Caller, error) {
	return func(string, *x509.Certificate) (identity.Caller, error) {
		return identity.Caller{Name: "crm", Tenant: "acme", Scopes: scopes}, nil
	}
}

// nobody lets nobody in.
func nobody(string, *x509.Certificate) (identity.Caller, error) {
	return identity.Caller{}, fault.New(fault.ReasonUnauthenticated, "no").WithCause(context.Canceled)
}

func TestEveryMethodHasARule(t *testing.T) {
	t.Parallel()
	left := map[string]bool{}
	for method := range rules {
		left[method] = true
	}
	for _, m := range methodsOf(t) {
		name := "/" + string(m.Parent().FullName()) + "/" + string(m.Name())
		scope, ok := rule(name)
		if !ok || !slices.Contains(identity.Scopes(), scope) {
			t.Errorf("%s has no rule: say in rules which scope it needs", name)
		}
		delete(left, name)
	}
	for method := range left {
		t.Errorf("%s has a rule, and is no method of the contract", method)
	}
}

// Every method is refused to whoever is nobody, and to whoever has every scope but its own; nothing is called then.
func TestEveryMethodIsRefusedToWhoMayNot(t *testing.T) {
	t.Parallel()
	for _, m := range methodsOf(t) {
		t.Run(string(m.Name()), func(t *testing.T) {
			t.Parallel()
			services := &fake{access: nobody}
			f := serve(t, services)
			name := "/" + string(m.Parent().FullName()) + "/" + string(m.Name())
			call := func() error {
				if m.IsStreamingServer() {
					return stream(t.Context(), f, name, expected[m.Name()].request, sendRaw())
				}
				return f.Invoke(t.Context(), name, expected[m.Name()].request, &portinv1.PortInOrder{}, sendRaw())
			}
			wantError(t, call(), codes.Unauthenticated, "UNAUTHENTICATED")
			f.log.want(t, map[string]any{"level": "INFO", "reason": "UNAUTHENTICATED", "cause": context.Canceled.Error()})
			scope, _ := rule(name)
			services.access = scoped(slices.DeleteFunc(identity.Scopes(), func(s identity.Scope) bool { return s == scope })...)
			wantError(t, call(), codes.PermissionDenied, "PERMISSION_DENIED")
			f.log.want(t, map[string]any{"level": "INFO", "reason": "PERMISSION_DENIED", "caller": "crm"})
			if calls := services.called(); len(calls) > 0 {
				t.Errorf("calls of who may not: %q", calls)
			}
		})
	}
}

// The tenant of a call is that of its caller.
func TestTheTenantIsTheCallers(t *testing.T) {
	t.Parallel()
	services := &fake{access: scoped(identity.Scopes()...)}
	f := serve(t, services)
	if _, err := portinv1.NewWebhookServiceClient(f).GetWebhookEndpoint(t.Context(), &portinv1.GetWebhookEndpointRequest{EndpointId: aUUID}); err != nil {
		t.Fatal(err)
	}
	f.log.want(t, map[string]any{"code": "OK", "caller": "crm"})
	if diff := cmp.Diff([]string{"Endpoint acme " + aUUID}, services.called()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	var want []string
	for _, m := range methodsOf(t) {
		if m.Parent().Name() != "CatalogService" {
			continue
		}
		answer, err := protoregistry.GlobalTypes.FindMessageByName(m.Output().FullName())
		if err != nil {
			t.Fatal(err)
		}
		name := "/" + string(m.Parent().FullName()) + "/" + string(m.Name())
		if err := f.Invoke(t.Context(), name, expected[m.Name()].request, answer.New().Interface(), sendRaw()); err != nil {
			t.Fatal(err)
		}
		want = append(want, "acme")
	}
	if diff := cmp.Diff(want, services.lists); diff != "" || len(want) < 8 {
		t.Errorf("whose lists were wanted (-want +got):\n%s", diff)
	}
}

func TestWhoMayCallHealthAndReflection(t *testing.T) {
	t.Parallel()
	services := &fake{access: nobody}
	f := serve(t, services)
	if _, err := healthpb.NewHealthClient(f).Check(t.Context(), &healthpb.HealthCheckRequest{}); err != nil {
		t.Errorf("a balancer asks how the service is: %v", err)
	}
	mirror := func() error {
		s, err := grpc_reflection_v1.NewServerReflectionClient(f).ServerReflectionInfo(t.Context())
		if err != nil {
			return err
		}
		err = s.Send(&grpc_reflection_v1.ServerReflectionRequest{MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_ListServices{}})
		if err == nil || errors.Is(err, io.EOF) { // it was refused before it came; why, Recv says
			_, err = s.Recv()
		}
		return err
	}
	wantError(t, mirror(), codes.Unauthenticated, "UNAUTHENTICATED")
	services.access = scoped(identity.ScopeOrder)
	wantError(t, mirror(), codes.PermissionDenied, "PERMISSION_DENIED")
	services.access = scoped()
	wantError(t, stream(t.Context(), f, "/grpc.health.v1.Watcher/Watch", &healthpb.HealthCheckRequest{}), codes.Unimplemented, "NOT_OFFERED")
	services.access = scoped(identity.ScopeRead)
	if err := mirror(); err != nil {
		t.Errorf("reflection for who may read: %v", err)
	}
}

func TestAMethodWithoutARuleIsRefused(t *testing.T) {
	t.Parallel()
	const method = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
	if !offered(method) || offered("/grpc.reflection.v1.ServerReflection/Nothing") || offered("/portin.v1.PortInOrder/form") || offered("x") {
		t.Error("what is offered is not told from what is not")
	}
}

// Credentials reach the door as they came: the header once, and the certificate that was verified.
func TestCredentialsReachTheDoor(t *testing.T) {
	t.Parallel()
	leaf, unverified := &x509.Certificate{}, &x509.Certificate{}
	var header string
	var shown *x509.Certificate
	door := &fake{access: func(authorization string, certificate *x509.Certificate) (identity.Caller, error) {
		header, shown = authorization, certificate
		return identity.Everybody("default"), nil
	}}
	for name, c := range map[string]struct {
		headers []string
		state   tls.ConnectionState
		header  string
		shown   *x509.Certificate
		refused bool
	}{
		"none":           {},
		"a header":       {headers: []string{"Bearer x"}, header: "Bearer x"},
		"two headers":    {headers: []string{"Bearer x", "Bearer y"}, refused: true},
		"a certificate":  {state: tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{leaf}}}, shown: leaf},
		"not verified":   {state: tls.ConnectionState{PeerCertificates: []*x509.Certificate{unverified}}},
		"both":           {headers: []string{"Bearer x"}, state: tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{leaf}}}, header: "Bearer x", shown: leaf},
		"an empty value": {headers: []string{""}},
	} {
		header, shown = "", nil
		ctx := peer.NewContext(t.Context(), &peer.Peer{AuthInfo: credentials.TLSInfo{State: c.state}})
		ctx = metadata.NewIncomingContext(ctx, metadata.MD{"authorization": c.headers})
		_, err := letIn(ctx, door, nil, portinv1.PortInService_PortIn_FullMethodName)
		if refused := fault.Is(err, fault.ReasonUnauthenticated); refused != c.refused || !refused && err != nil {
			t.Errorf("%s: %v, want it refused: %v", name, err, c.refused)
		}
		if header != c.header || shown != c.shown {
			t.Errorf("%s: the door is shown %q and %p", name, header, shown)
		}
	}
}

// sink is a stream that takes everything.
type sink struct {
	grpc.ServerStream
	ctx  context.Context
	sent int
}

func (s *sink) Context() context.Context { return s.ctx }

func (s *sink) SendMsg(any) error {
	s.sent++
	return nil
}

// A watch ends soon after its caller's key was withdrawn, its token is over, or it may no longer do or see what it could.
func TestAWatchDoesNotOutliveItsCredentials(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		later  func(string, *x509.Certificate) (identity.Caller, error)
		reason fault.Reason
	}{
		"the same":       {scoped(identity.ScopeRead), ""},
		"a scope more":   {scoped(identity.ScopeOrder, identity.ScopeRead), ""},
		"withdrawn":      {nobody, fault.ReasonUnauthenticated},
		"a scope less":   {scoped(identity.ScopeOrder), fault.ReasonPermissionDenied},
		"another tenant": {func(string, *x509.Certificate) (identity.Caller, error) { return identity.Everybody("globex"), nil }, fault.ReasonUnauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				door := &fake{access: scoped(identity.ScopeRead)}
				to := &sink{ctx: metadata.NewIncomingContext(t.Context(), metadata.MD{"authorization": {"Bearer x"}})}
				info := &grpc.StreamServerInfo{FullMethod: portinv1.PortInService_WatchPortInOrders_FullMethodName, IsServerStream: true}
				asked := 0
				err := admittedStream(door, nil)(nil, to, info, func(_ any, ss grpc.ServerStream) error {
					door.access = func(authorization string, certificate *x509.Certificate) (identity.Caller, error) {
						asked++
						if authorization != "Bearer x" {
							t.Errorf("the door is shown %q", authorization)
						}
						return c.later(authorization, certificate)
					}
					for range 60 {
						<-time.After(time.Second)
						if err := ss.SendMsg(nil); err != nil {
							return err
						}
					}
					return nil
				})
				switch {
				case c.reason == "" && (err != nil || to.sent != 60 || asked < 4 || asked > 6):
					t.Errorf("%v, after %d answers, asked %d times", err, to.sent, asked)
				case c.reason != "" && (!fault.Is(err, c.reason) || to.sent > 10 || asked != 1):
					t.Errorf("%v, after %d answers, asked %d times; want %s", err, to.sent, asked, c.reason)
				}
			})
		})
	}
}

// A secret in a header is nowhere in the log.
func TestFault28_CredentialsAreNotLogged(t *testing.T) {
	t.Parallel()
	f := serve(t, &fake{access: nobody})
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+secret)
	_, err := portinv1.NewPortInServiceClient(f).GetPortInOrder(ctx, &portinv1.GetPortInOrderRequest{OrderId: aUUID}, grpc.WaitForReady(true))
	wantError(t, err, codes.Unauthenticated, "UNAUTHENTICATED")
	if got := f.log.line(t); strings.Contains(got.raw, secret) {
		t.Errorf("the log has %s", got.raw)
	}
}

// The table of scopes for those who write callers files is what the rules say.
func TestTheTableOfScopesIsTrue(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "<!-- scopes -->\n")
	table, _, found := strings.Cut(rest, "<!-- /scopes -->")
	if !found {
		t.Fatal("docs/security.md has no table of scopes")
	}
	want := "| scope | methods |\n|---|---|\n"
	for _, scope := range identity.Scopes() {
		var names []string
		for method, needs := range rules {
			if needs == scope {
				names = append(names, "`"+method[strings.LastIndex(method, "/")+1:]+"`")
			}
		}
		slices.Sort(names)
		want += "| `" + string(scope) + "` | " + strings.Join(names, ", ") + " |\n"
	}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Errorf("the table of scopes in docs/security.md (-rules +table):\n%s", diff)
	}
}
