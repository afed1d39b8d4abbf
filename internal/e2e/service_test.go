package e2e_test

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/portin/portin/internal/app"
	"github.com/portin/portin/internal/config"
	"github.com/portin/portin/internal/ledger/postgres/pgtest"
	"github.com/portin/portin/internal/sandbox"
)

// engine is a kind of ledger.
type engine string

const (
	sqlite   engine = "SQLite"
	postgres engine = "PostgreSQL"
)

// ledger returns the settings of a new, empty ledger.
func (e engine) ledger(t *testing.T) config.Ledger {
	t.Helper()
	if e == postgres {
		return config.Ledger{URL: config.Secret(pgtest.Database(t))}
	}
	return config.Ledger{File: filepath.Join(t.TempDir(), "ledger.db")}
}

// onBothEngines runs a test on each engine.
func onBothEngines(t *testing.T, test func(t *testing.T, e engine)) {
	t.Helper()
	for _, e := range []engine{sqlite, postgres} {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			test(t, e)
		})
	}
}

// onEveryWay runs a test over each face, on each engine.
func onEveryWay(t *testing.T, test func(t *testing.T, e engine, f face)) {
	t.Helper()
	for _, f := range faces() {
		for _, e := range []engine{sqlite, postgres} {
			t.Run(string(f)+"/"+string(e), func(t *testing.T) {
				t.Parallel()
				test(t, e, f)
			})
		}
	}
}

// service is a portin in the test's process, with the carrier that it sends orders to.
type service struct {
	*client

	carrier *standin
	ledger  config.Ledger
	log     *journal
	traces  *collector
	stop    context.CancelFunc
	ended   chan error
	once    sync.Once
}

// start runs a service with a carrier and a ledger of its own for as long as the test takes.
func start(t *testing.T, e engine, options ...func(*app.Params)) *service {
	t.Helper()
	return serve(t, newStandin(t, sandbox.Config{}), e.ledger(t), options...)
}

// settings are those of a service on free ports, for a carrier and a ledger.
func settings(carrier *standin, l config.Ledger) config.Config {
	c := config.Default()
	c.GRPC.Address, c.HTTP.Address, c.Admin.Address = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	c.Carrier.URL, c.Carrier.Username, c.Carrier.Password = carrier.url, "sandbox", "sandbox"
	c.Ledger = l
	c.ShutdownTimeout = 10 * time.Second
	c.Webhooks.AllowHTTP, c.Webhooks.AllowInward = true, true // the receivers are on this machine
	return c
}

// serve runs a service until quit, or the end of the test. Options change what it is built from.
func serve(t *testing.T, carrier *standin, l config.Ledger, options ...func(*app.Params)) *service {
	t.Helper()
	s := &service{carrier: carrier, ledger: l, log: newJournal(t, "the log"), traces: newCollector(t), ended: make(chan error, 1)}
	p := app.Params{Config: settings(carrier, l), Version: "test", Log: s.log.logger()}
	tracing(s.traces.address)(&p)
	for _, o := range options {
		o(&p)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	a, err := app.New(ctx, p)
	if err != nil {
		stop()
		t.Fatal(err)
	}
	go func() { s.ended <- a.Run(ctx) }()
	s.client = connect(t, a.GRPCAddress, a.HTTPAddress, a.AdminAddress)
	t.Cleanup(func() { s.quit(t) })
	return s
}

// quit stops the service, if it still runs. What it wrote down is looked through as it comes.
func (s *service) quit(t *testing.T) {
	t.Helper()
	s.once.Do(func() {
		if !t.Failed() {
			s.metrics(t) // which are looked through
		}
		s.disconnect()
		s.stop()
		if err := <-s.ended; err != nil {
			t.Errorf("the service ended with %v", err)
		}
	})
}

// again runs the service anew, on the same ledger and with the same carrier.
func (s *service) again(t *testing.T, options ...func(*app.Params)) *service {
	t.Helper()
	s.quit(t)
	return serve(t, s.carrier, s.ledger, options...)
}

// quick makes the carrier's time-outs short, for outcomes that never end.
func quick(p *app.Params) {
	p.Config.Carrier.PostTimeout, p.Config.Carrier.GetTimeout = 5*time.Second, 2*time.Second
}

// curious makes the service ask about orders in doubt often.
func curious(p *app.Params) {
	quick(p)
	p.Config.Orders.DoubtSpacing = time.Second
}

// patience is how long a test waits for what has to come.
const patience = 3 * time.Minute

// until waits until something is so.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	if !within(t, patience, is) {
		t.Fatalf("not within %v: %s", patience, what)
	}
}

// within reports whether something becomes so in a time.
func within(t *testing.T, limit time.Duration, is func() bool) bool {
	t.Helper()
	late := time.NewTimer(limit)
	defer late.Stop()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-late.C:
			return false
		case <-t.Context().Done():
			return false
		}
	}
	return true
}

func newKey() string { return uuid.NewString() }

// journal is a log that many write to. What is written is looked through for what is nobody's business.
type journal struct {
	sieve *sieve

	mu sync.Mutex
	b  bytes.Buffer
}

// newJournal begins a log, and reports at the end of the test.
func newJournal(t *testing.T, where string) *journal {
	t.Helper()
	l := &journal{sieve: &sieve{where: where}}
	t.Cleanup(func() { l.sieve.report(t) })
	return l
}

func (l *journal) Write(p []byte) (int, error) {
	_, _ = l.sieve.Write(p)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *journal) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *journal) has(text string) bool { return strings.Contains(l.String(), text) }

// logger writes everything there is to say: what may not be in the log may not be there at any level.
func (l *journal) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
