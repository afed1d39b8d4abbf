package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
)

// The states, in short.
const (
	sending  = portinv1.OrderState_ORDER_STATE_SENDING
	notSent  = portinv1.OrderState_ORDER_STATE_NOT_SENT
	refused  = portinv1.OrderState_ORDER_STATE_REFUSED
	inDoubt  = portinv1.OrderState_ORDER_STATE_IN_DOUBT
	accepted = portinv1.OrderState_ORDER_STATE_ACCEPTED
)

// face is a way to call the service.
type face string

const (
	overGRPC face = "gRPC"
	overJSON face = "JSON"
)

// faces are both of them.
func faces() []face { return []face{overGRPC, overJSON} }

// client calls a service over both faces.
type client struct {
	GRPCAddress, HTTPAddress, AdminAddress string

	conn      *grpc.ClientConn
	grpc      portinv1.PortInServiceClient
	operators portinv1.OperatorServiceClient
	http      *http.Client
	heard     *eavesdropper
}

// connect makes a client, which opens no connection yet.
func connect(t testing.TB, grpcAddress, httpAddress, adminAddress string) *client {
	t.Helper()
	heard := eavesdrop(t)
	conn, err := grpc.NewClient(grpcAddress, append(heard.options(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(64<<20)))...)
	if err != nil {
		t.Fatal(err)
	}
	return &client{
		GRPCAddress: grpcAddress, HTTPAddress: httpAddress, AdminAddress: adminAddress, conn: conn,
		grpc: portinv1.NewPortInServiceClient(conn), operators: portinv1.NewOperatorServiceClient(conn),
		http:  &http.Client{Transport: overheard{&http.Transport{MaxIdleConnsPerHost: 128}, heard}},
		heard: heard,
	}
}

// disconnect closes the client's connections.
func (c *client) disconnect() {
	c.http.CloseIdleConnections()
	_ = c.conn.Close()
}

// reply is what the caller of PortIn got, over either face.
type reply struct {
	// order is nil beside an error.
	order    *portinv1.PortInOrder
	replayed bool
	// code, reason, orderID and wait are the error's; orderID is the order's too.
	code    codes.Code
	reason  string
	orderID string
	wait    time.Duration
	message string
	// lost says why there is no answer at all: the connection broke, or the caller left.
	lost error
	// http and retryAfter are the head of an answer over JSON.
	http       int
	retryAfter string
}

// portIn places an order over a face.
func (c *client) portIn(ctx context.Context, over face, o *portinv1.PortInOrder, key string) reply {
	if over == overJSON {
		return c.portInJSON(ctx, o, key)
	}
	resp, err := c.grpc.PortIn(ctx, &portinv1.PortInRequest{Order: o, RequestId: key})
	if err != nil {
		return failed(status.Convert(err))
	}
	return replied(resp)
}

func (c *client) portInJSON(ctx context.Context, o *portinv1.PortInOrder, key string) reply {
	text, err := protojson.Marshal(o)
	if err != nil {
		return reply{lost: err}
	}
	header := []string{"Idempotency-Key", key}
	if deadline, ok := ctx.Deadline(); ok { // as gRPC does by itself
		header = append(header, "Grpc-Timeout", strconv.FormatInt(max(1, time.Until(deadline).Milliseconds()), 10)+"m")
	}
	a, err := c.call(ctx, http.MethodPost, "http://"+c.HTTPAddress+"/v1/port-ins", text, header...)
	if err != nil {
		return reply{code: codes.Unavailable, lost: err}
	}
	return readReply(a)
}

// readReply reads an answer over JSON that holds an order and whether it is a replay, or an error.
func readReply(a answer) reply {
	var r reply
	if a.status < 300 {
		resp := &portinv1.PortInResponse{}
		if err := protojson.Unmarshal(a.body, resp); err != nil {
			return reply{lost: err, http: a.status}
		}
		r = replied(resp)
	} else {
		s := &rpcstatus.Status{}
		if err := protojson.Unmarshal(a.body, s); err != nil {
			return reply{lost: err, http: a.status}
		}
		r = failed(status.FromProto(s))
	}
	r.http, r.retryAfter = a.status, a.header.Get("Retry-After")
	return r
}

func replied(resp *portinv1.PortInResponse) reply {
	return reply{order: resp.GetOrder(), replayed: resp.GetReplayed(), orderID: resp.GetOrder().GetOrderId()}
}

// failed reads an error. One without an ErrorInfo is none of the service's own.
func failed(s *status.Status) reply {
	r := reply{code: s.Code(), message: s.Message(), lost: errors.New(s.Message())}
	for _, d := range s.Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			r.reason, r.orderID, r.lost = d.GetReason(), d.GetMetadata()["order_id"], nil
		case *errdetails.RetryInfo:
			r.wait = d.GetRetryDelay().AsDuration()
		}
	}
	return r
}

// must places an order that has to be answered with an order in a state.
func (c *client) must(t *testing.T, over face, o *portinv1.PortInOrder, key string, state portinv1.OrderState) reply {
	t.Helper()
	r := c.portIn(t.Context(), over, o, key)
	if r.lost != nil || r.code != codes.OK || r.order.GetState() != state {
		t.Fatalf("over %s: %v %s (%v), order %v; want the order %v", over, r.code, r.reason, r.lost, r.order.GetState(), state)
	}
	return r
}

// get reads an order.
func (c *client) get(t *testing.T, orderID string) *portinv1.PortInOrder {
	t.Helper()
	resp, err := c.grpc.GetPortInOrder(t.Context(), &portinv1.GetPortInOrderRequest{OrderId: orderID})
	if err != nil {
		t.Fatalf("order %s cannot be read: %v", orderID, err)
	}
	return resp.GetOrder()
}

// list reads all orders, newest first.
func (c *client) list(t *testing.T, states ...portinv1.OrderState) []*portinv1.PortInOrder {
	t.Helper()
	var all []*portinv1.PortInOrder
	req := &portinv1.ListPortInOrdersRequest{States: states, PageSize: 1000}
	for {
		resp, err := c.grpc.ListPortInOrders(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, resp.GetOrders()...)
		if req.PageToken = resp.GetNextPageToken(); req.GetPageToken() == "" {
			return all
		}
	}
}

// events reads what happened to an order.
func (c *client) events(t *testing.T, orderID string) []*portinv1.PortInOrderEvent {
	t.Helper()
	resp, err := c.grpc.ListPortInOrderEvents(t.Context(), &portinv1.ListPortInOrderEventsRequest{OrderId: orderID, PageSize: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetEvents()
}

// resolve decides about an order in doubt: placed under a ticket, or not placed without one.
func (c *client) resolve(ctx context.Context, o *portinv1.PortInOrder, ticket string, unverified bool) (*portinv1.PortInOrder, error) {
	d := &portinv1.InDoubtResolution{Reason: "a test", Attempt: new(o.GetAttempt())}
	if ticket == "" {
		d.Outcome = &portinv1.InDoubtResolution_NotPlaced_{NotPlaced: &portinv1.InDoubtResolution_NotPlaced{}}
	} else {
		d.Outcome = &portinv1.InDoubtResolution_Placed_{Placed: &portinv1.InDoubtResolution_Placed{TicketId: ticket, Unverified: unverified}}
	}
	resp, err := c.operators.ResolveInDoubt(ctx, &portinv1.ResolveInDoubtRequest{OrderId: o.GetOrderId(), Resolution: d})
	return resp.GetOrder(), err
}

// metrics is the whole of /metrics.
func (c *client) metrics(t *testing.T) string {
	t.Helper()
	var a answer
	for range 10 { // the service gives up what takes it too long, on a machine that is busy otherwise
		if a = c.do(t, http.MethodGet, "http://"+c.AdminAddress+"/metrics", nil); a.status == http.StatusOK {
			return string(a.body)
		}
	}
	t.Fatalf("the metrics are answered with %d: %s", a.status, a.body)
	return ""
}

// metric is one figure of /metrics; it has to be there.
func (c *client) metric(t *testing.T, name string) float64 {
	t.Helper()
	for line := range strings.Lines(c.metrics(t)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			figure, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(err)
			}
			return figure
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

// ready is the HTTP status of /readyz.
func (c *client) ready(t *testing.T) int {
	t.Helper()
	return c.do(t, http.MethodGet, "http://"+c.AdminAddress+"/readyz", nil).status
}

// health is what the health service says of placing orders.
func (c *client) health(t *testing.T) healthpb.HealthCheckResponse_ServingStatus {
	t.Helper()
	resp, err := healthpb.NewHealthClient(c.conn).Check(t.Context(), &healthpb.HealthCheckRequest{Service: "portin.v1.PortInService"})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetStatus()
}

// answer is what came back over HTTP.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do makes an HTTP request that has to be answered. A nil body is none.
func (c *client) do(t *testing.T, method, url string, body []byte, header ...string) answer {
	t.Helper()
	a, err := c.call(context.WithoutCancel(t.Context()), method, url, body, header...) // the end of a test reads metrics too
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (c *client) call(ctx context.Context, method, url string, body []byte, header ...string) (answer, error) {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, reader)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, text}, err
}

// place sends an order over JSON under a key.
func (c *client) place(t *testing.T, order []byte, key string) answer {
	t.Helper()
	return c.do(t, http.MethodPost, "http://"+c.HTTPAddress+"/v1/port-ins", order, "Idempotency-Key", key)
}

// message reads an answer as a message of the contract.
func message[M any, P interface {
	*M
	proto.Message
}](t *testing.T, a answer) P {
	t.Helper()
	m := P(new(M))
	if err := protojson.Unmarshal(a.body, m); err != nil {
		t.Fatalf("HTTP %d is no %T: %v\n%s", a.status, m, err, a.body)
	}
	return m
}
