package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/portin/portin/internal/app"
	"github.com/portin/portin/internal/config"
	"github.com/portin/portin/internal/intake"
)

// aloneVariable tells a copy of this test binary to be a service, and which.
const aloneVariable = "PORTIN_E2E_ALONE"

// alone is a service in a process of its own, as it travels there in an environment variable.
type alone struct {
	CarrierURL            string
	LedgerFile, LedgerURL string
	TraceAddress          string

	PostTimeout, DoubtSpacing, LeaseMargin, ShutdownDelay, ShutdownTimeout time.Duration

	// Point is where the process sends itself Signal; at the n-th time, the first being 1.
	Point  intake.Point
	Nth    int64
	Signal syscall.Signal
}

// addresses are where a service listens, in the line by which it tells.
type addresses struct{ GRPC, HTTP, Admin string }

// settled is the same with what was left out filled in.
func (a alone) settled() alone {
	if a.PostTimeout == 0 {
		a.PostTimeout = 2 * time.Second
	}
	if a.DoubtSpacing == 0 {
		a.DoubtSpacing = time.Second
	}
	if a.ShutdownTimeout == 0 {
		a.ShutdownTimeout = 10 * time.Second
	}
	if a.Nth == 0 {
		a.Nth = 1
	}
	return a
}

// apart is a service in a process of its own, with a carrier and a ledger.
func apart(carrier *standin, l config.Ledger) alone {
	return alone{CarrierURL: carrier.url, LedgerFile: l.File, LedgerURL: l.URL.Reveal()}
}

// start runs the service until it is killed, or the test ends.
func (a alone) start(t *testing.T) *process {
	t.Helper()
	a.TraceAddress = newCollector(t).address
	told, err := json.Marshal(a.settled())
	if err != nil {
		t.Fatal(err)
	}
	p := run(t, os.Args[0], []string{"-test.run=^$"}, aloneVariable+"="+string(told))
	var at addresses
	if line := p.said(t); json.Unmarshal([]byte(line), &at) != nil {
		t.Fatalf("the service says %q; its log:\n%s", line, p.log)
	}
	p.client = connect(t, at.GRPC, at.HTTP, at.Admin)
	return p
}

// serveAlone is the copy's main. It ends with its standard input, which the test holds.
func serveAlone(told string) int {
	var a alone
	if err := json.Unmarshal([]byte(told), &a); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	signal.Ignore(syscall.SIGXFSZ) // a write beyond the limit is to fail, and not to end the process
	go obey(os.Stdin)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := a.serve(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// obey sets how large files may be, in bytes, line by line; at the end the process ends.
func obey(lines io.Reader) {
	for words := bufio.NewScanner(lines); words.Scan(); {
		bytes, err := strconv.ParseUint(words.Text(), 10, 64)
		limit := syscall.Rlimit{}
		if err == nil {
			err = syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit)
		}
		if limit.Cur = min(bytes, limit.Max); err == nil {
			err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
		}
		if err != nil {
			panic(err)
		}
		fmt.Println("limited")
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
}

func (a alone) serve(ctx context.Context, out io.Writer) error {
	c := settings(&standin{url: a.CarrierURL}, config.Ledger{File: a.LedgerFile, URL: config.Secret(a.LedgerURL)})
	c.Carrier.PostTimeout, c.Carrier.GetTimeout = a.PostTimeout, 2*time.Second
	c.Orders.DoubtSpacing, c.ShutdownDelay, c.ShutdownTimeout = a.DoubtSpacing, a.ShutdownDelay, a.ShutdownTimeout
	var reached atomic.Int64
	p := app.Params{
		Config: c, Version: "test", LeaseMargin: a.LeaseMargin,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Reach: func(at intake.Point) {
			if at == a.Point && reached.Add(1) == a.Nth {
				a.halt()
			}
		},
	}
	tracing(a.TraceAddress)(&p)
	s, err := app.New(ctx, p)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(out).Encode(addresses{s.GRPCAddress, s.HTTPAddress, s.AdminAddress}); err != nil {
		return err
	}
	return s.Run(ctx)
}

// halt sends the process its signal, and goes on when it is continued: a signal may take a while to arrive.
func (a alone) halt() {
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	_ = syscall.Kill(os.Getpid(), a.Signal)
	<-continued
}
