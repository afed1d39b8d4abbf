package gateway

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/inflight"
)

// Config is what the JSON face is built from. The zero value of everything but Conn is safe.
type Config struct {
	// Conn carries the calls: an InProcess, or a connection to a server elsewhere. Required.
	Conn grpc.ClientConnInterface
	// MaxDocumentBytes is how many bytes the documents of one order may have together. Zero means 25 MiB. The limit of a
	// body follows from it: 4/3 for base64, and 1 MiB for the rest.
	MaxDocumentBytes int64
	// MaxNumbers is how many entries a list in a body may have. Zero means 1,000.
	MaxNumbers int
	// CORSOrigins are the origins whose pages may call, exactly as a browser sends them: "https://shop.example". Empty
	// means none.
	CORSOrigins []string
	// OpenAPI is the document served at /openapi.json and shown at /docs/. Empty means neither.
	OpenAPI []byte
	// Version is the service's own, for the title of the documentation.
	Version string
	// Scale bears what bodies take of the memory. Nil bears everything.
	Scale *inflight.Scale
	// Access asks who sends a request whose body is large, by its Authorization header and the certificate that the connection was
	// verified with; its error is UNAUTHENTICATED or ISSUER_UNREACHABLE. Calls ask for themselves. Nil asks nobody.
	Access func(ctx context.Context, authorization string, certificate *x509.Certificate) error
	// ThisMachineAlone refuses what was asked for by a name that is not one of this machine for itself, such as localhost. It is for
	// a face on loopback that takes everybody for somebody.
	ThisMachineAlone bool
	// Log gets one line for every request that is refused here, and for every panic. Nil means none.
	Log *slog.Logger
	// Panicked is told of each panic outside a call, whose own are told of where it is served. Nil tells nobody.
	Panicked func()
	// Tracer makes a span of every request to the API, around that of its call. Nil makes none.
	Tracer trace.Tracer
}

const (
	defaultMaxDocumentBytes = 25 << 20
	defaultMaxNumbers       = 1000
	// maxDepth is how deep JSON may be nested; the contract needs six levels.
	maxDepth = 64
)

// gateway holds what its handlers share. It does not change once it is built.
type gateway struct {
	routes  *routes
	log     *slog.Logger
	decoder decoder
	// maxBody is in bytes.
	maxBody int64
	scale   *inflight.Scale
	access  func(ctx context.Context, authorization string, certificate *x509.Certificate) error
	// panicked is never nil.
	panicked func()
}

// services are the services of the contract, each with what registers it. A test compares them with the descriptors.
var services = []struct {
	file     protoreflect.FileDescriptor
	name     protoreflect.Name
	register func(context.Context, *runtime.ServeMux, grpc.ClientConnInterface) error
}{
	{
		portinv1.File_portin_v1_port_in_service_proto, "PortInService",
		func(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error {
			return portinv1.RegisterPortInServiceHandlerClient(ctx, mux, portinv1.NewPortInServiceClient(conn))
		},
	},
	{
		portinv1.File_portin_v1_catalog_service_proto, "CatalogService",
		func(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error {
			return portinv1.RegisterCatalogServiceHandlerClient(ctx, mux, portinv1.NewCatalogServiceClient(conn))
		},
	},
	{
		portinv1.File_portin_v1_operator_service_proto, "OperatorService",
		func(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error {
			return portinv1.RegisterOperatorServiceHandlerClient(ctx, mux, portinv1.NewOperatorServiceClient(conn))
		},
	},
	{
		portinv1.File_portin_v1_webhook_service_proto, "WebhookService",
		func(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error {
			return portinv1.RegisterWebhookServiceHandlerClient(ctx, mux, portinv1.NewWebhookServiceClient(conn))
		},
	},
}

// New builds the handler of everything below "/": the API, its description and its documentation. It reports every
// problem of the configuration at once. The handler is safe for concurrent use and owns nothing that has to be closed.
func New(ctx context.Context, cfg Config) (http.Handler, error) {
	routes, routesErr := readRoutes()
	cors, corsErr := newCORS(cfg.CORSOrigins, routes.methods())
	docs, docsErr := newDocs(cfg.OpenAPI, cfg.Version)
	var connErr error
	if cfg.Conn == nil {
		connErr = errors.New("there is no connection to the service")
	}
	if err := errors.Join(connErr, routesErr, corsErr, docsErr); err != nil {
		return nil, fmt.Errorf("building the gateway: %w", err)
	}

	g := &gateway{
		routes:  routes,
		log:     cfg.Log,
		decoder: decoder{maxElements: cfg.MaxNumbers, liftFrom: liftFrom},
		maxBody: cfg.MaxDocumentBytes,
		scale:   cfg.Scale,
		access:  cfg.Access,

		panicked: cfg.Panicked,
	}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	if g.panicked == nil {
		g.panicked = func() {}
	}
	if g.decoder.maxElements <= 0 {
		g.decoder.maxElements = defaultMaxNumbers
	}
	if g.maxBody <= 0 {
		g.maxBody = defaultMaxDocumentBytes
	}
	g.maxBody = g.maxBody*4/3 + 1<<20

	mux := g.newMux()
	for _, s := range services {
		if err := s.register(ctx, mux, hearFirst{cfg.Conn, routes}); err != nil {
			return nil, fmt.Errorf("building the gateway: registering %s: %w", s.name, err)
		}
	}
	face := cors.wrap(docs.before(mux))
	if cfg.ThisMachineAlone {
		face = g.ofThisMachine(face)
	}
	return g.identify(traced(cfg.Tracer, g.recoverPanic(face))), nil
}

// newMux is grpc-gateway with its own ideas about headers, errors and methods switched off.
func (g *gateway) newMux() *runtime.ServeMux {
	return runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, newNDJSON()),
		runtime.WithMarshalerOption(eventStreamType, newEventStream()),
		runtime.WithMiddlewares(g.admit),
		runtime.WithIncomingHeaderMatcher(matchForwarded),
		runtime.WithOutgoingHeaderMatcher(matchNone),
		runtime.WithOutgoingTrailerMatcher(matchNone),
		runtime.WithForwardResponseOption(writeHead),
		runtime.WithForwardResponseRewriter(g.rewriteAnswer),
		runtime.WithErrorHandler(g.answerError),
		runtime.WithStreamErrorHandler(streamStatus),
		runtime.WithRoutingErrorHandler(g.answerNoRoute),
		// A path is split before it is unescaped, so that "%2F" in an order_id does not make another path of it.
		runtime.WithUnescapingMode(runtime.UnescapingModeAllExceptReserved),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithDisableChunkedEncoding(),
	)
}

// isAPI reports whether a path belongs to the API rather than to its documentation.
func isAPI(path string) bool {
	return strings.HasPrefix(path, "/v1/")
}
