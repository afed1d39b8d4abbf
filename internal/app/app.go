// Package app builds the service from its settings, starts it and stops it in order. It is the one place that names
// every part.
//
// It promises that nothing is served before everything could be built, and that after the context's end calls and orders
// in flight get the time that the settings allow. It refuses to decide anything that a part could decide itself.
package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/gen/openapi"
	"github.com/portin/portin/internal/account"
	"github.com/portin/portin/internal/config"
	"github.com/portin/portin/internal/directory"
	"github.com/portin/portin/internal/gateway"
	"github.com/portin/portin/internal/inflight"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/portstatus"
	"github.com/portin/portin/internal/product"
	"github.com/portin/portin/internal/rounds"
	"github.com/portin/portin/internal/rpc"
	"github.com/portin/portin/internal/tracker"
	"github.com/portin/portin/internal/webhook"
)

// Params are what a service is built from.
type Params struct {
	Config  config.Config
	Version string
	Log     *slog.Logger
	// Reach is for tests that end the process on the way of an order; nil does nothing.
	Reach func(intake.Point)
	// LeaseMargin is for tests that wait for the end of a lease; 0 is 30 seconds.
	LeaseMargin time.Duration
	// Now is the wall clock of orders, for tests that come back long afterwards; nil is time.Now.
	Now func() time.Time
}

// App is a service that has been built and listens, and serves when Run is called.
type App struct {
	// GRPCAddress, HTTPAddress, AdminAddress and SandboxAddress are where it listens; the last is empty without a sandbox.
	GRPCAddress, HTTPAddress, AdminAddress, SandboxAddress string

	config   config.Config
	version  string
	log      *slog.Logger
	accounts *account.Accounts
	ledger   *openLedger
	intake   *intake.Intake
	access   *access
	tracker  *tracker.Tracker
	watches  *tracker.Watches
	webhooks *webhook.Webhooks
	metrics  *metrics
	traces   *traces
	// clock is the one that orders are due by.
	clock rounds.Clock
	// scale bears what large requests take of the memory.
	scale   *inflight.Scale
	health  *health.Server
	grpc    *grpc.Server
	http    *http.Server
	admin   *http.Server
	sandbox *standin
	// ready is whether orders can be taken.
	ready atomic.Bool
	// worked closes when the periodic work has ended.
	worked chan struct{}
	// inProcess carries the calls of the JSON face to the services.
	inProcess *gateway.InProcess

	grpcListener, httpListener, adminListener net.Listener
}

// Serve builds the service and runs it until ctx ends. What a person at a terminal wants to know goes to out.
func Serve(ctx context.Context, p Params, out io.Writer) error {
	a, err := New(ctx, p)
	if err != nil {
		return err
	}
	if err := a.welcome(out); err != nil {
		return errors.Join(err, a.close(ctx))
	}
	return a.Run(ctx)
}

// New builds the service and begins to listen. Run serves; without it, nothing is answered.
func New(ctx context.Context, p Params) (_ *App, err error) {
	c := p.Config
	warn(ctx, c, p.Log)
	if err := c.Validate(); err != nil {
		return nil, err
	}
	a := &App{
		config: c, version: p.Version, log: p.Log, health: health.NewServer(), worked: make(chan struct{}),
		clock: rounds.NewClock(time.Now(), nil), scale: inflight.New(c.Limits.BytesInFlight),
	}
	a.health.SetServingStatus("", healthpb.HealthCheckResponse_NOT_SERVING) // until the ledger was tried; it would begin with SERVING
	a.metrics = newMetrics(a)
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close(ctx))
		}
	}()
	if a.traces, err = newTraces(ctx, c.Trace, a.version, a.metrics.spans, a.log); err != nil {
		return nil, err
	}
	if c.Sandbox {
		if a.sandbox, err = newStandin(ctx, c.Standin, a.log); err != nil {
			return nil, err
		}
		a.SandboxAddress = a.sandbox.address()
	}
	if a.ledger, err = open(ctx, c); err != nil {
		return nil, err
	}
	a.ledger.Store = &seenLedger{Store: a.ledger.Store, traces: a.traces, calls: a.metrics.ledger, moves: a.metrics.moves}
	if a.access, err = a.newAccess(ctx); err != nil {
		return nil, err
	}
	if a.accounts, err = a.newAccounts(); err != nil {
		return nil, err
	}
	if err := a.buildFaces(ctx, p); err != nil {
		return nil, err
	}
	if err := a.intake.Recover(ctx); err != nil {
		return nil, fmt.Errorf("looking for orders that an earlier process was sending: %w", err)
	}
	if err := a.listen(ctx); err != nil {
		return nil, err
	}
	return a, nil
}

// buildFaces builds what answers calls, over gRPC and over JSON.
func (a *App) buildFaces(ctx context.Context, p Params) error {
	limits := product.Limits{
		MaxNumbers: a.config.Limits.Numbers, MaxFileBytes: a.config.Limits.FileBytes, MaxDocumentBytes: a.config.Limits.DocumentBytes,
	}
	if err := product.Check((*portinv1.PortInOrder)(nil).ProtoReflect().Descriptor(), product.Specs(), nil); err != nil {
		return err
	}
	margin := cmp.Or(p.LeaseMargin, leaseMargin)
	lists := directory.NewAccounts(
		func(name string) directory.Carrier { return a.accounts.Carrier(name) },
		directory.Config{TTL: a.config.Orders.ListsTTL, Observer: a.metrics.lists},
	)
	a.intake = intake.New(intake.Params{
		Config: intake.Config{
			Limits:         limits,
			LeastRemaining: a.config.Orders.LeastRemaining,
			AnswerBefore:   answerBefore,
			LookTimeout:    a.config.Orders.LookTimeout,
			RequireLook:    a.config.Orders.RequireLook,
			MinLeadDays:    a.config.Orders.MinLeadDays,
			Lease:          a.config.Carrier.PostTimeout + margin,
			LeaseMargin:    margin,
			Doubt: intake.Doubt{
				Window: a.config.Orders.DoubtWindow, Spacing: a.config.Orders.DoubtSpacing, Agreeing: agreeing,
				First: min(firstAsked, a.config.Orders.DoubtSpacing), Rest: restBetween,
				Every: min(every, a.config.Orders.DoubtSpacing), PerSecond: askedPerSecond,
			},
			Keep: a.config.Orders.Keep,
		},
		Ledger: a.ledger, Accounts: a.accounts, Log: a.log, Reach: p.Reach, Now: p.Now, Panicked: a.metrics.panicked(panicOfOrders),
		Carrier:   func(name string) intake.Carrier { return a.accounts.Carrier(name) },
		Directory: func(name string) intake.Directory { return lists.Of(name) },
	})
	a.tracker = tracker.New(tracker.Params{
		Pace: tracker.Pace{
			Interval: a.config.Orders.PollInterval, Every: min(every, a.config.Orders.PollInterval), PerSecond: a.config.Orders.PollsPerSecond,
			NoProgressDays: a.config.Orders.NoProgressDays, Patience: 2 * a.config.Orders.DoubtWindow,
		},
		Ledger: a.ledger, Accounts: a.accounts, Log: a.log, Panicked: a.metrics.panicked(panicOfOrders),
		Carrier: func(name string) portstatus.Carrier { return a.accounts.Carrier(name) },
		Closed: func(ctx context.Context, name string, day time.Time) bool {
			return product.IsClosed(lists.Of(name).Closed(ctx), day)
		},
	})
	a.watches = tracker.NewWatches(tracker.WatchParams{Ledger: a.ledger, Log: a.log, Most: a.config.Limits.Watches})
	a.webhooks = webhook.New(webhook.Params{
		Config: webhook.Config{
			MaxEndpoints: a.config.Webhooks.MaxEndpoints, AtOnce: a.config.Webhooks.AtOnce, PerEndpoint: a.config.Webhooks.PerEndpoint,
			Keep: a.config.Webhooks.Keep, AllowHTTP: a.config.Webhooks.AllowHTTP, AllowInward: a.config.Webhooks.AllowInward,
		},
		Ledger: a.ledger, Render: intake.RenderEvent, Log: a.log, Observer: a.metrics.webhooks,
	})
	services := rpc.Services{
		Orders: a.intake, Statuses: a.tracker, Watches: a.watches, Webhooks: a.webhooks,
		Catalog: func(tenant string) rpc.Catalog { return lists.Of(a.accounts.Of(tenant)) },
		Access:  a.access.door(), Limiter: a.limiter(), Weighing: rpc.NewWeighing(a.scale), Log: a.log,
		LongestCall: a.config.GRPC.LongestCall, Tracer: a.traces.tracer, Metrics: a.metrics.calls, Panicked: a.metrics.panicked(panicOfCall),
	}

	options := services.Options(int(limits.MaxDocumentBytes)+messageRoom, a.config.GRPC.MaxConnectionAge)
	// A stop of the server waits for connections that are still being made, and nothing but this ends that.
	options = append(options, grpc.ConnectionTimeout(min(rpc.ConnectWithin, a.config.ShutdownTimeout)))
	if encryption := a.access.tls("h2"); encryption != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(encryption)))
	}
	a.grpc = grpc.NewServer(options...)
	services.Register(a.grpc)
	healthpb.RegisterHealthServer(a.grpc, a.health)
	reflection.Register(a.grpc)
	a.metrics.calls.InitializeMetrics(a.grpc)

	a.inProcess = gateway.NewInProcess(services.Unary(), services.Stream())
	services.Register(a.inProcess)
	handler, err := gateway.New(ctx, gateway.Config{
		Conn: a.inProcess, MaxDocumentBytes: limits.MaxDocumentBytes, MaxNumbers: max(limits.MaxNumbers, longestOtherList),
		Scale: a.scale, Access: a.access.known, ThisMachineAlone: a.config.Auth.CallersFile == "" && !a.config.InsecureListen,
		CORSOrigins: a.config.HTTP.CORSOrigins, OpenAPI: openapi.Document, Version: a.version, Log: a.log, Tracer: a.traces.tracer,
		Panicked: a.metrics.panicked(panicOfJSON),
	})
	if err != nil {
		return err
	}
	a.http = &http.Server{
		TLSConfig: a.access.tls(),
		Handler:   handler, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
	}
	return nil
}

const (
	// How orders in doubt are asked about, beside what the settings say: first soon, three look-ups that agree, once an hour
	// when a person has been called; the ledger is asked every few seconds, the carrier not more often than twice a second.
	agreeing       = 3
	firstAsked     = 15 * time.Second
	restBetween    = time.Hour
	every          = 5 * time.Second
	askedPerSecond = 2
	// leaseMargin is what an order's lease has beside the longest POST.
	leaseMargin = 30 * time.Second
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
	if a.adminListener, err = listening.Listen(ctx, "tcp", a.config.Admin.Address); err != nil {
		return fmt.Errorf("admin-address: %w", err)
	}
	a.GRPCAddress, a.HTTPAddress = a.grpcListener.Addr().String(), a.httpListener.Addr().String()
	a.AdminAddress = a.adminListener.Addr().String()
	a.admin = a.newAdmin()
	return nil
}

// Run serves until ctx ends or a part fails, and then stops everything in order.
func (a *App) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	if a.sandbox != nil {
		group.Go(a.sandbox.serve)
	}
	group.Go(func() error { return a.grpc.Serve(a.grpcListener) })
	group.Go(func() error { return served(a.serveHTTP()) })
	group.Go(func() error { return served(a.admin.Serve(a.adminListener)) })
	working, endWork := context.WithCancel(context.WithoutCancel(ctx))
	defer endWork()
	go func() {
		defer close(a.worked)
		var work sync.WaitGroup
		for _, run := range []func(context.Context){a.intake.Run, a.tracker.Run, a.watches.Run, a.webhooks.Run, a.accounts.Run} {
			work.Go(func() { run(working) })
		}
		for _, follow := range a.access.run(working) {
			work.Go(follow)
		}
		work.Go(func() { a.watchReadiness(ctx) }) // not ready from the signal on
		work.Wait()
	}()
	a.log.InfoContext(ctx, "serving", slog.String("grpc", a.GRPCAddress), slog.String("http", a.HTTPAddress),
		slog.String("admin", a.AdminAddress), slog.String("sandbox", a.SandboxAddress), slog.String("ledger", a.ledger.is))
	group.Go(func() error {
		<-ctx.Done()
		return a.stop(context.WithoutCancel(ctx), endWork)
	})
	return group.Wait()
}

// limiter is how often each caller may call; nil when the settings say that nobody counts.
func (a *App) limiter() *rpc.Limiter {
	if a.config.Limits.CallsPerSecond == 0 {
		return nil
	}
	return rpc.NewLimiter(a.config.Limits.CallsPerSecond, a.config.Limits.CallsAtOnce)
}

// serveHTTP serves the JSON face, encrypted where there is a certificate.
func (a *App) serveHTTP() error {
	if a.http.TLSConfig == nil {
		return a.http.Serve(a.httpListener)
	}
	return a.http.ServeTLS(a.httpListener, "", "")
}

// served is the error of a server that ended; that it was asked to is none.
func served(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
