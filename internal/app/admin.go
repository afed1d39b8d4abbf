package app

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// newAdmin is the face for those who run the service: /livez, /readyz, /metrics and the profiles of package pprof.
func (a *App) newAdmin() *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "alive\n")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !a.ready.Load() {
			http.Error(w, "not ready: the service is starting or stopping, or its ledger cannot be written to", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ready\n")
	})
	mux.Handle("GET /metrics", a.metrics.handler())
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	return &http.Server{
		Handler: mux, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 2 * time.Minute, // a profile takes as long as was asked for

		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
	}
}

const (
	// checkEvery is how often the ledger is tried, and checkWithin how long that may take.
	checkEvery  = 2 * time.Second
	checkWithin = 5 * time.Second
)

// watchReadiness keeps what the admin face and the health service say about the service up to date, until ctx ends. The
// service is ready while its ledger can be written to and owes it nothing; the carrier has no part in it.
func (a *App) watchReadiness(ctx context.Context) {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for said := false; ; said = true {
		err := a.checkLedger(ctx)
		if ctx.Err() != nil {
			return
		}
		ready := err == nil && a.intake.Unsettled() == 0
		if was := a.ready.Swap(ready); !said || was != ready {
			a.sayReady(ctx, ready, err)
		}
		if ctx.Err() != nil { // a stop has said so in between, and has the last word
			a.ready.Store(false)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (a *App) checkLedger(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	return a.ledger.Check(ctx)
}

// sayReady tells the health service, and the log when something is wrong or has been.
func (a *App) sayReady(ctx context.Context, ready bool, err error) {
	status := healthpb.HealthCheckResponse_NOT_SERVING
	if ready {
		status = healthpb.HealthCheckResponse_SERVING
		a.log.InfoContext(ctx, "ready")
	} else {
		a.log.ErrorContext(ctx, "not ready: the ledger does not take what has to be written", slog.Any("error", err), slog.Int("results_owed", a.intake.Unsettled()))
	}
	a.health.SetServingStatus("", status)
	for name := range a.grpc.GetServiceInfo() {
		a.health.SetServingStatus(name, status)
	}
}
