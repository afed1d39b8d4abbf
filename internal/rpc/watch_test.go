package rpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/gateway"
	"github.com/portin/portin/internal/intake"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/tracker"
)

// feed is a ledger of orders that are accepted.
type feed struct {
	mu      sync.Mutex
	events  []ledger.Event
	records map[string]ledger.Record
	hint    chan struct{}
}

var _ tracker.WatchLedger = (*feed)(nil)

func newFeed() *feed {
	return &feed{records: map[string]ledger.Record{}, hint: make(chan struct{}, 1)}
}

// place adds an order.
func (f *feed) place(n int) (ledger.Record, ledger.Event) {
	content, err := proto.Marshal(&portinv1.PortInOrder{
		Form: &portinv1.PortForm{CustomerReference: new(fmt.Sprint("order ", n))},
		Target: &portinv1.PortInOrder_TrunkDid{TrunkDid: &portinv1.TrunkDid{
			Dids: []*portinv1.TrunkDid_Did{{Number: "+14165550123"}, {Number: "+14165550124"}},
		}},
	})
	if err != nil {
		panic(err)
	}
	now := time.Date(2026, 11, 24, 4, n/60, n%60, 0, time.UTC)
	r := ledger.Record{
		OrderID: fmt.Sprintf("0193e3a0-0000-7000-8000-%012d", n), Tenant: ledger.Default, RequestID: aUUID, Target: "trunk_did", Content: content,
		Numbers: []string{"+14165550123", "+14165550124"}, State: order.Accepted, Attempt: 1, Ticket: fmt.Sprint("T-", n), Created: now, Updated: now,
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	e := ledger.Event{
		OrderID: r.OrderID, Tenant: r.Tenant, Sequence: int64(len(f.events)) + 1, Time: now, Actor: ledger.Actor{Kind: ledger.ByCarrier},
		Type: ledger.EventStateChanged, Attempt: 1, State: r.State, Ticket: r.Ticket, Is: r.Standing(), Note: "the carrier took it",
	}
	f.events, f.records[r.OrderID] = append(f.events, e), r
	select {
	case f.hint <- struct{}{}:
	default:
	}
	return r, e
}

func (f *feed) ID() string { return "feed" }

func (f *feed) Head(context.Context) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return int64(len(f.events)), nil
}

func (f *feed) Changes(_ context.Context, after int64, limit int) ([]ledger.Event, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.events[after:min(len(f.events), int(after)+limit)]), nil
}

func (f *feed) Records(_ context.Context, ids []string) ([]ledger.Record, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []ledger.Record
	for _, id := range ids {
		found = append(found, f.records[id])
	}
	return found, nil
}

func (f *feed) List(context.Context, ledger.Query) ([]ledger.Record, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []ledger.Record
	for _, e := range f.events {
		all = append(all, f.records[e.OrderID])
	}
	return all, false, nil
}

func (f *feed) Hint() (hint <-chan struct{}, stop func()) { return f.hint, func() {} }

// running are watches of a feed until the test ends.
func running(t *testing.T, f *feed) *tracker.Watches {
	t.Helper()
	w := tracker.NewWatches(tracker.WatchParams{Ledger: f, Log: slog.New(slog.DiscardHandler)})
	ctx, stop := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() { w.Run(ctx) })
	t.Cleanup(func() {
		stop()
		run.Wait()
	})
	return w
}

// watchedOver are connections to a service that watches, over the wire and in the process.
func watchedOver(t *testing.T, w Watches, log ...slog.Handler) map[string]grpc.ClientConnInterface {
	t.Helper()
	s := Services{Orders: &fake{}, Access: Everybody("default"), Log: slog.New(append(log, slog.DiscardHandler)[0]), LongestCall: time.Minute}
	service := &portInService{watches: w, teller: intake.NewTeller(s.Log)}
	inProcess := gateway.NewInProcess(s.Unary(), s.Stream())
	portinv1.RegisterPortInServiceServer(strictRegistrar{inProcess, nil, Everybody("default")}, service)
	t.Cleanup(inProcess.Wait)
	return map[string]grpc.ClientConnInterface{"in the process": inProcess, "over the wire": overWire(t, s, service)}
}

func overWire(t *testing.T, s Services, service *portInService) *grpc.ClientConn {
	t.Helper()
	server := grpc.NewServer(s.Options(maxTestMessage, time.Hour)...)
	portinv1.RegisterPortInServiceServer(strictRegistrar{server, nil, Everybody("default")}, service)
	listener := bufconn.Listen(1 << 20)
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(listener); err != nil {
			t.Error(err)
		}
	})
	conn, err := grpc.NewClient("passthrough:///watch", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		server.Stop()
		serving.Wait()
	})
	return conn
}

// rendered is what an order and an event look like.
func rendered(t *testing.T, r ledger.Record, e *ledger.Event) *portinv1.WatchPortInOrdersResponse {
	t.Helper()
	o, err := intake.Render(r)
	if err != nil {
		t.Fatal(err)
	}
	want := &portinv1.WatchPortInOrdersResponse{Order: o}
	if e != nil {
		want.Event = intake.RenderEvent(*e)
	}
	return want
}

// receive receives an answer, and returns it without its token, which it must have.
func receive(t *testing.T, stream grpc.ServerStreamingClient[portinv1.WatchPortInOrdersResponse]) *portinv1.WatchPortInOrdersResponse {
	t.Helper()
	got, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	if got.GetResumeToken() == "" || len(got.ProtoReflect().GetUnknown()) > 0 {
		t.Errorf("the answer is %v", got)
	}
	got.ResumeToken = ""
	return got
}

// What was encoded once for all arrives as an ordinary message, over either connection.
func TestAWatchOverBothConnections(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"in the process", "over the wire"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFeed()
			first, _ := f.place(1)
			w := running(t, f)
			conn := watchedOver(t, w)[name]
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			var streams []grpc.ServerStreamingClient[portinv1.WatchPortInOrdersResponse]
			for range 2 {
				s, err := portinv1.NewPortInServiceClient(conn).WatchPortInOrders(ctx, &portinv1.WatchPortInOrdersRequest{})
				if err != nil {
					t.Fatal(err)
				}
				streams = append(streams, s)
				for _, want := range []*portinv1.WatchPortInOrdersResponse{rendered(t, first, nil), {}} {
					if diff := cmp.Diff(want, receive(t, s), protocmp.Transform()); diff != "" {
						t.Errorf("answer (-want +got):\n%s", diff)
					}
				}
			}
			second, e := f.place(2)
			for _, s := range streams {
				if diff := cmp.Diff(rendered(t, second, &e), receive(t, s), protocmp.Transform()); diff != "" {
					t.Errorf("change (-want +got):\n%s", diff)
				}
			}
			w.Stop()
			for _, s := range streams {
				_, err := s.Recv()
				wantError(t, err, codes.Unavailable, "SHUTTING_DOWN")
			}
		})
	}
}

// An order that cannot be read whole is told with what can be read of it, and the watch goes on. The log has it once, without
// anything of what could not be read.
func TestAnOrderThatCannotBeReadDoesNotEndAWatch(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*ledger.Record)
		want  func(*portinv1.PortInOrder)
	}{
		"content": {
			func(r *ledger.Record) { r.Content = append([]byte(secret), 0xff) },
			func(o *portinv1.PortInOrder) { o.Form, o.Target = nil, nil },
		},
		"warnings":                   {func(r *ledger.Record) { r.Warnings = []byte{0xff} }, func(*portinv1.PortInOrder) {}},
		"rejects of a later version": {func(r *ledger.Record) { r.Rejects = []byte(`{"version":2,"records":"` + secret + `"}`) }, func(*portinv1.PortInOrder) {}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFeed()
			first, _ := f.place(1)
			want := rendered(t, first, nil)
			c.want(want.GetOrder())
			c.spoil(&first)
			f.records[first.OrderID] = first
			var log strings.Builder
			client := portinv1.NewPortInServiceClient(watchedOver(t, running(t, f), slog.NewTextHandler(&log, nil))["over the wire"])
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			for range 3 {
				s, err := client.WatchPortInOrders(ctx, &portinv1.WatchPortInOrdersRequest{})
				if err != nil {
					t.Fatal(err)
				}
				for _, want := range []*portinv1.WatchPortInOrdersResponse{want, {}} {
					if diff := cmp.Diff(want, receive(t, s), protocmp.Transform()); diff != "" {
						t.Errorf("answer (-want +got):\n%s", diff)
					}
				}
			}
			if text := log.String(); strings.Count(text, first.OrderID) != 1 || strings.Contains(text, secret) {
				t.Errorf("the log has %s", text)
			}
		})
	}
}

// A client that receives nothing fills what gRPC holds for it and no more; another one gets everything meanwhile, and so does
// the first when it is back.
func TestFault30_AClientThatReceivesNothing(t *testing.T) {
	t.Parallel()
	f := newFeed()
	client := portinv1.NewPortInServiceClient(watchedOver(t, running(t, f))["over the wire"])
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	var streams []grpc.ServerStreamingClient[portinv1.WatchPortInOrdersResponse]
	for range 2 {
		s, err := client.WatchPortInOrders(ctx, &portinv1.WatchPortInOrdersRequest{SkipExisting: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := receive(t, s); got.GetOrder() != nil {
			t.Errorf("the first answer is %v", got)
		}
		streams = append(streams, s)
	}
	const orders = 2000
	for n := range orders {
		f.place(n)
	}
	for _, s := range streams {
		for n := range orders {
			if got := receive(t, s).GetEvent().GetSequence(); got != int64(n)+1 {
				t.Fatalf("event %d came, want %d", got, n+1)
			}
		}
	}
}

func TestTheFieldsOfAWatchAnswer(t *testing.T) {
	t.Parallel()
	fields := (&portinv1.WatchPortInOrdersResponse{}).ProtoReflect().Descriptor().Fields()
	if n := fields.Len(); n != 3 {
		t.Errorf("the answer has %d fields, three are written", n)
	}
	for name, number := range map[string]int32{"resume_token": int32(tokenField), "order": int32(orderField), "event": int32(eventField)} {
		if f := fields.ByTextName(name); f == nil || int32(f.Number()) != number {
			t.Errorf("%s has another number than %d", name, number)
		}
	}
}

// watchFunc are watches that do what a test says.
type watchFunc func(ctx context.Context, tenant string, req *portinv1.WatchPortInOrdersRequest, tell func(tracker.Update) error) error

func (f watchFunc) Watch(ctx context.Context, tenant string, req *portinv1.WatchPortInOrdersRequest, tell func(tracker.Update) error) error {
	return f(ctx, tenant, req, tell)
}

func TestTheErrorsOfAWatch(t *testing.T) {
	t.Parallel()
	var fails error
	conns := watchedOver(t, watchFunc(func(_ context.Context, tenant string, req *portinv1.WatchPortInOrdersRequest, tell func(tracker.Update) error) error {
		switch {
		case tenant != ledger.Default || req.GetResumeToken() != "from here":
			return fmt.Errorf("%s, %v", tenant, req)
		case errors.Is(fails, io.ErrUnexpectedEOF):
			// A text that cannot be sent is an error of the service, and no answer.
			return tell(tracker.Update{Token: "x", Order: &tracker.Shared[ledger.Record]{Value: ledger.Record{Ticket: "\xff"}}})
		}
		return fails
	}))
	for _, c := range []struct {
		err    error
		code   codes.Code
		reason string
	}{
		{fault.New(fault.ReasonWatchTokenExpired, "x"), codes.OutOfRange, "WATCH_TOKEN_EXPIRED"},
		{fault.New(fault.ReasonRateLimited, "x"), codes.ResourceExhausted, "RATE_LIMITED"},
		{fault.New(fault.ReasonLedgerUnavailable, "x"), codes.Unavailable, "LEDGER_UNAVAILABLE"},
		{context.Canceled, codes.Canceled, "CANCELLED"},
		{unsent(status.Error(codes.Unavailable, "the connection is closing")), codes.Canceled, "CANCELLED"},
		{unsent(status.Error(codes.Internal, "x")), codes.Internal, "INTERNAL"},
		{errors.New(secret), codes.Internal, "INTERNAL"},
		{io.ErrUnexpectedEOF, codes.Internal, "INTERNAL"},
	} {
		fails = c.err
		for _, conn := range conns {
			s, err := portinv1.NewPortInServiceClient(conn).WatchPortInOrders(t.Context(), &portinv1.WatchPortInOrdersRequest{ResumeToken: "from here"})
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Recv()
			wantError(t, err, c.code, c.reason)
		}
	}
	if unsent(nil) != nil {
		t.Error("what was sent is an error")
	}
}
