// Package e2e holds tests of the whole service: both faces, over real connections, against the sandbox carrier.
package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/app"
	"github.com/portin/portin/internal/config"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// service is a running portin with its sandbox carrier.
type service struct {
	*app.App
	grpc portinv1.PortInServiceClient
	conn *grpc.ClientConn
	http *http.Client
	log  *lockedBuffer
}

// start runs a service on free ports for as long as the test takes. Options change its settings.
func start(t *testing.T, options ...func(*config.Config)) *service {
	t.Helper()
	c := config.Default()
	c.Sandbox = true
	c.GRPC.Address, c.HTTP.Address, c.Standin.Address = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	c.ShutdownTimeout = 10 * time.Second
	for _, o := range options {
		o(&c)
	}
	s := &service{http: &http.Client{Transport: &http.Transport{}}, log: &lockedBuffer{}}
	ctx, stop := context.WithCancel(context.Background())
	var err error
	if s.App, err = app.New(ctx, c, "test", slog.New(slog.NewTextHandler(s.log, nil))); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	if s.conn, err = grpc.NewClient(s.GRPCAddress, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(64<<20))); err != nil {
		t.Fatal(err)
	}
	s.grpc = portinv1.NewPortInServiceClient(s.conn)
	t.Cleanup(func() {
		s.http.CloseIdleConnections()
		if err := s.conn.Close(); err != nil {
			t.Error(err)
		}
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the service ended with %v", err)
		}
	})
	return s
}

// answer is what came back over JSON.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do makes an HTTP request. A nil body is none.
func (s *service) do(t *testing.T, method, url string, body []byte, header ...string) answer {
	t.Helper()
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, reader)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := s.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, text}
}

// place sends an order over JSON under a key.
func (s *service) place(t *testing.T, order []byte, key string) answer {
	t.Helper()
	return s.do(t, http.MethodPost, "http://"+s.HTTPAddress+"/v1/port-ins", order, "Idempotency-Key", key)
}

// message reads an answer as a message of the contract.
func message[M any, P interface {
	*M
	portinMessage
}](t *testing.T, a answer) P {
	t.Helper()
	m := P(new(M))
	if err := protojson.Unmarshal(a.body, m); err != nil {
		t.Fatalf("HTTP %d is no %T: %v\n%s", a.status, m, err, a.body)
	}
	return m
}

// received is a request that the sandbox carrier got.
type received struct {
	Seq     int         `json:"seq"`
	Method  string      `json:"method"`
	Path    string      `json:"path"`
	Header  http.Header `json:"header"`
	Outcome string      `json:"outcome"`
	Refusal string      `json:"refusal"`
	Ticket  string      `json:"ticket"`
}

// orders lists the order POSTs that the sandbox carrier got.
func (s *service) orders(t *testing.T) []received {
	t.Helper()
	var all, orders []received
	a := s.do(t, http.MethodGet, "http://"+s.SandboxAddress+"/_sandbox/requests", nil)
	if err := json.Unmarshal(a.body, &all); err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r.Method == http.MethodPost {
			orders = append(orders, r)
		}
	}
	return orders
}

// body is the whole body of a request that the sandbox carrier got.
func (s *service) body(t *testing.T, r received) []byte {
	t.Helper()
	return s.do(t, http.MethodGet, "http://"+s.SandboxAddress+"/_sandbox/requests/"+strconv.Itoa(r.Seq)+"/body", nil).body
}

func newKey() string { return uuid.NewString() }
