package e2e_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/portin/portin/internal/app"
	"github.com/portin/portin/internal/config"
	"github.com/portin/portin/internal/product"
)

// TestFault24_AStopAnswersWhoWaitsAndNamesTheOrder stops the service while the carrier does not answer an order, with less
// time than the carrier has.
func TestFault24_AStopAnswersWhoWaitsAndNamesTheOrder(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Sandbox = true
	c.GRPC.Address, c.HTTP.Address, c.Standin.Address = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	c.ShutdownTimeout = 2 * time.Second
	s := &service{http: &http.Client{Transport: &http.Transport{}}, log: &lockedBuffer{}}
	defer s.http.CloseIdleConnections()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var err error
	if s.App, err = app.New(ctx, c, "test", slog.New(slog.NewTextHandler(s.log, nil))); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()

	o := golden(t, product.Specs()[0], "smallest")
	o.Form.CustomerName = "Sandbox timeout-after-body"
	answered := make(chan answer)
	go func() { answered <- s.place(t, marshalled(t, o), newKey()) }()
	for range time.Tick(10 * time.Millisecond) { // until the carrier has the order
		if len(s.orders(t)) == 1 {
			break
		}
	}
	stop()
	if a := <-answered; a.status != http.StatusAccepted || !strings.Contains(string(a.body), "ORDER_STATE_SENDING") {
		t.Errorf("who waits is answered HTTP %d: %s", a.status, a.body)
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "1 orders are still being sent") {
		t.Errorf("the service ended with %v", err)
	}
	if !strings.Contains(s.log.String(), "what becomes of it will not be known") || !strings.Contains(s.log.String(), "order_id=") {
		t.Errorf("the log does not name the order:\n%s", s.log)
	}
}
