package e2e_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/portin/portin/internal/sandbox"
)

// standin is the sandbox carrier in the test's process, over real HTTP, so that it outlives services.
type standin struct {
	*sandbox.Carrier
	// url is the base URL of the carrier's API.
	url string
	// connections counts the connections that were made to it.
	connections atomic.Int64
	// open counts those that are not closed yet.
	open atomic.Int64

	address string
	server  *http.Server
	served  chan struct{}
	orders  atomic.Int64
}

// newStandin starts a carrier for as long as the test takes.
func newStandin(t *testing.T, config sandbox.Config) *standin {
	t.Helper()
	simulator, err := sandbox.New(config)
	if err != nil {
		t.Fatal(err)
	}
	s := &standin{Carrier: simulator, address: "127.0.0.1:0"}
	s.up(t)
	s.url = "http://" + s.address + sandbox.BasePath
	t.Cleanup(func() {
		_ = s.Close()
		s.down()
	})
	return s
}

// up begins to listen, at the address of the time before.
func (s *standin) up(t *testing.T) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	s.address, s.served = l.Addr().String(), make(chan struct{})
	s.server = &http.Server{
		Handler: s, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				s.connections.Add(1)
				s.open.Add(1)
			case http.StateHijacked, http.StateClosed:
				s.open.Add(-1)
			case http.StateActive, http.StateIdle:
			}
		},
	}
	go func() {
		defer close(s.served)
		_ = s.server.Serve(l)
	}()
}

// down cuts every connection and listens no more.
func (s *standin) down() {
	_ = s.server.Close()
	<-s.served
}

// drain waits until the carrier has read all that a process sent before it was killed: what the kernel still holds of it
// comes to the carrier after its death.
func (s *standin) drain(t *testing.T) {
	t.Helper()
	// Connections are accepted in their order. Once this one is answered, all before it are counted.
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	until(t, "every connection is closed", func() bool { return s.open.Load() == 0 })
}

// posts lists the orders that the carrier got, of all that it remembers.
func (s *standin) posts() []sandbox.Received {
	return slices.DeleteFunc(s.Received(), func(r sandbox.Received) bool { return r.Method != http.MethodPost })
}

// lookups counts the questions about each number, in ten digits.
func (s *standin) lookups(t *testing.T) map[int64]int {
	t.Helper()
	counts := map[int64]int{}
	for _, r := range s.Received() {
		if digits, asked := strings.CutPrefix(r.Path, sandbox.BasePath+"/v2/NumberPorts/Inbound/Numbers/"); asked {
			n, err := strconv.ParseInt(strings.TrimSuffix(digits, "/PortInStatus"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			counts[n]++
		}
	}
	return counts
}

// sent lists the orders of a reference that the carrier got.
func (s *standin) sent(t *testing.T, reference string) []sandbox.Received {
	t.Helper()
	return slices.DeleteFunc(s.posts(), func(r sandbox.Received) bool {
		var body struct {
			PortForm struct{ CustomerReferenceNumber string }
		}
		if len(r.Body) == 0 {
			return true
		}
		if err := json.Unmarshal(r.Body, &body); err != nil {
			t.Fatalf("the carrier got what is no JSON: %v", err)
		}
		return body.PortForm.CustomerReferenceNumber != reference
	})
}

// taken lists the tickets that the carrier made for the orders of a reference, in their order: how often it took them.
func (s *standin) taken(t *testing.T, reference string) []string {
	t.Helper()
	var tickets []string
	for _, r := range s.sent(t, reference) {
		if r.Ticket != "" {
			tickets = append(tickets, r.Ticket)
		}
	}
	return tickets
}

// names reports whether a ticket of the carrier has this name, which is its id or the mask in the answer to the order.
func names(ticket sandbox.Ticket, name string) bool {
	return ticket.ID == name || ticket.TicketMask == name
}

// awaitOrders waits until n orders have reached the carrier and are judged.
func (s *standin) awaitOrders(t *testing.T, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.AwaitOrders(ctx, n); err != nil {
		t.Fatal(err)
	}
}

// next says what the next orders meet.
func (s *standin) next(t *testing.T, outcomes ...string) {
	t.Helper()
	if err := s.Next(outcomes...); err != nil {
		t.Fatal(err)
	}
}

var _ io.Closer = (*standin)(nil)
