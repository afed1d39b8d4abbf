// Package app builds the service from its settings, starts it and stops it in order. It is the one place that names
// every part.
//
// It promises that nothing is served before everything could be built, and that after the context's end calls and orders
// in flight get the time that the settings allow. It refuses to decide anything that a part could decide itself.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/gen/openapi"
	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/config"
	"github.com/portin/portin/internal/directory"
	"github.com/portin/portin/internal/gateway"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/product"
	"github.com/portin/portin/internal/rpc"
	"github.com/portin/portin/internal/tracker"
)

// App is a service that has been built and listens, and serves when Run is called.
type App struct {
	// GRPCAddress, HTTPAddress and SandboxAddress are where it listens; the last is empty without a sandbox.
	GRPCAddress, HTTPAddress, SandboxAddress string

	config  config.Config
	log     *slog.Logger
	carrier *carrier.Client
	intake  *intake.Intake
	health  *health.Server
	grpc    *grpc.Server
	http    *http.Server
	sandbox *standin
	// inProcess carries the calls of the JSON face to the services.
	inProcess *gateway.InProcess

	grpcListener, httpListener net.Listener
}

// Serve builds the service and runs it until ctx ends. What a person at a terminal wants to know goes to out.
func Serve(ctx context.Context, c config.Config, version string, log *slog.Logger, out io.Writer) error {
	a, err := New(ctx, c, version, log)
	if err != nil {
		return err
	}
	if err := a.welcome(out, version); err != nil {
		return errors.Join(err, a.close())
	}
	return a.Run(ctx)
}

// New builds the service and begins to listen. Run serves; without it, nothing is answered.
func New(ctx context.Context, c config.Config, version string, log *slog.Logger) (_ *App, err error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	a := &App{config: c, log: log, health: health.NewServer()}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	upstream := carrier.Config{
		BaseURL: c.Carrier.URL, Username: c.Carrier.Username,
		PostTimeout: c.Carrier.PostTimeout, GetTimeout: c.Carrier.GetTimeout, NoPortIn: carrier.NoPortIn(c.Carrier.NoPortIn),
		Observe: a.observed,
	}
	if c.Sandbox {
		if a.sandbox, err = newStandin(ctx, c.Standin, log); err != nil {
			return nil, err
		}
		a.SandboxAddress = a.sandbox.address()
		upstream.BaseURL, upstream.Username, upstream.Password = a.sandbox.baseURL(), sandboxUser, sandboxPassword
	} else {
		password, err := c.CarrierPassword()
		if err != nil {
			return nil, err
		}
		upstream.Password = carrier.Secret(password.Reveal())
	}
	if a.carrier, err = carrier.New(upstream); err != nil {
		return nil, err
	}
	if err := a.buildFaces(ctx, version); err != nil {
		return nil, err
	}
	if err := a.listen(ctx); err != nil {
		return nil, err
	}
	return a, nil
}

// buildFaces builds what answers calls, over gRPC and over JSON.
func (a *App) buildFaces(ctx context.Context, version string) error {
	limits := product.Limits{
		MaxNumbers: a.config.Limits.Numbers, MaxFileBytes: a.config.Limits.FileBytes, MaxDocumentBytes: a.config.Limits.DocumentBytes,
	}
	if err := product.Check((*portinv1.PortInOrder)(nil).ProtoReflect().Descriptor(), product.Specs(), nil); err != nil {
		return err
	}
	lists := directory.New(a.carrier, directory.Config{TTL: a.config.Orders.ListsTTL})
	a.intake = intake.New(intake.Params{
		Config: intake.Config{
			Limits:         limits,
			LeastRemaining: a.config.Orders.LeastRemaining,
			AnswerBefore:   answerBefore,
			LookTimeout:    a.config.Orders.LookTimeout,
			RequireLook:    a.config.Orders.RequireLook,
			MinLeadDays:    a.config.Orders.MinLeadDays,
		},
		Journal: intake.NewMemory(a.config.Orders.MemoryLimit), Carrier: a.carrier, Directory: lists, Log: a.log,
	})
	services := rpc.Services{
		Orders: a.intake, Statuses: tracker.New(a.carrier), Catalog: lists, Log: a.log, LongestCall: a.config.GRPC.LongestCall,
	}

	a.grpc = grpc.NewServer(services.Options(int(limits.MaxDocumentBytes)+messageRoom, a.config.GRPC.MaxConnectionAge)...)
	services.Register(a.grpc)
	healthpb.RegisterHealthServer(a.grpc, a.health)
	reflection.Register(a.grpc)

	a.inProcess = gateway.NewInProcess(services.Unary(), services.Stream())
	services.Register(a.inProcess)
	handler, err := gateway.New(ctx, gateway.Config{
		Conn: a.inProcess, MaxDocumentBytes: limits.MaxDocumentBytes, MaxNumbers: max(limits.MaxNumbers, longestOtherList),
		CORSOrigins: a.config.HTTP.CORSOrigins, OpenAPI: openapi.Document, Version: version, Log: a.log,
	})
	if err != nil {
		return err
	}
	a.http = &http.Server{
		Handler: handler, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
	}
	return nil
}

const (
	// longestOtherList is how many entries the contract allows in a list that does not hold numbers.
	longestOtherList = 100
	// answerBefore is how long before its deadline a caller gets the order as it then is.
	answerBefore = 500 * time.Millisecond
	// messageRoom is what a message may have beside its documents.
	messageRoom = 1 << 20
)

// listen takes the addresses.
func (a *App) listen(ctx context.Context) (err error) {
	var listening net.ListenConfig
	if a.grpcListener, err = listening.Listen(ctx, "tcp", a.config.GRPC.Address); err != nil {
		return fmt.Errorf("grpc-address: %w", err)
	}
	if a.httpListener, err = listening.Listen(ctx, "tcp", a.config.HTTP.Address); err != nil {
		return fmt.Errorf("http-address: %w", err)
	}
	a.GRPCAddress, a.HTTPAddress = a.grpcListener.Addr().String(), a.httpListener.Addr().String()
	return nil
}

// Run serves until ctx ends or a part fails, and then stops everything in order.
func (a *App) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	if a.sandbox != nil {
		group.Go(a.sandbox.serve)
	}
	group.Go(func() error { return a.grpc.Serve(a.grpcListener) })
	group.Go(func() error {
		if err := a.http.Serve(a.httpListener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	for name := range a.grpc.GetServiceInfo() {
		a.health.SetServingStatus(name, healthpb.HealthCheckResponse_SERVING)
	}
	a.log.InfoContext(ctx, "serving", slog.String("grpc", a.GRPCAddress), slog.String("http", a.HTTPAddress),
		slog.String("sandbox", a.SandboxAddress))
	a.log.WarnContext(ctx, "orders are not kept: they live in this process's memory and are gone when it ends",
		slog.Int("limit", a.config.Orders.MemoryLimit))
	group.Go(func() error {
		<-ctx.Done()
		return a.stop(context.WithoutCancel(ctx))
	})
	return group.Wait()
}
