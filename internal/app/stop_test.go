package app

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"
)

// Whoever connects and says nothing does not hold a stop up for longer than it may take.
func TestASilentConnectionDoesNotHoldUpAStop(t *testing.T) {
	t.Parallel()
	c := onFreePorts()
	c.ShutdownTimeout = time.Second
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	a, err := New(ctx, Params{Config: c, Version: "test", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	silent, err := (&net.Dialer{}).DialContext(ctx, "tcp", a.GRPCAddress)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	// The server says its settings before it has heard anything: from then on it waits for the client's.
	if _, err := silent.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > 20*time.Second { // it would be two minutes
		t.Errorf("the stop took %v, and may take a second and a little", took)
	}
}
