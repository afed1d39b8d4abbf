package rpc

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/identity"
	"github.com/portin/portin/internal/inflight"
	"github.com/portin/portin/internal/tracker"
)

const (
	// secret is planted in what callers send and what breaks, and looked for in the log and in errors.
	secret = "hunter2-L9"
	// maxTestMessage is the limit of the test server.
	maxTestMessage = 64 << 10
	aUUID          = "0192d5a0-7c5e-7a61-8b1c-3f2a9d4e5f60"
)

// fake is everything that the handlers call. It notes each call, and answers with what a test gave it or an empty message.
type fake struct {
	portIn func(context.Context, *portinv1.PortInRequest) (*portinv1.PortInResponse, error)
	get    func(context.Context, string) (*portinv1.PortInOrder, error)
	size   func(*portinv1.PortInRequest) error
	// err is what everything else fails with.
	err error
	// limits are those of callers; nil is none.
	limits *Limiter
	// scale weighs requests, which may then have 1 MiB; nil weighs none.
	scale *inflight.Scale
	// panics counts those that were survived.
	panics atomic.Int64
	// access says who calls; nil is everybody.
	access func(authorization string, certificate *x509.Certificate) (identity.Caller, error)

	mu    sync.Mutex
	calls []string
	// lists are the tenants whose lists were wanted.
	lists []string
}

// catalog is what knows a tenant's lists.
func (f *fake) catalog(tenant string) Catalog {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lists = append(f.lists, tenant)
	return f
}

var (
	_ Orders   = (*fake)(nil)
	_ Statuses = (*fake)(nil)
	_ Catalog  = (*fake)(nil)
	_ Watches  = (*fake)(nil)
	_ Webhooks = (*fake)(nil)
)

func (f *fake) Authenticate(ctx context.Context, authorization string, certificate *x509.Certificate) (identity.Caller, error) {
	if f.access == nil {
		return Everybody("default").Authenticate(ctx, authorization, certificate)
	}
	return f.access(authorization, certificate)
}

func (f *fake) note(call string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, call)
}

// called are the calls so far.
func (f *fake) called() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

func (f *fake) CheckSize(req *portinv1.PortInRequest) error {
	f.note("CheckSize")
	if f.size != nil {
		return f.size(req)
	}
	return nil
}

func (f *fake) PortIn(ctx context.Context, req *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
	f.note("PortIn")
	if f.portIn != nil {
		return f.portIn(ctx, req)
	}
	return &portinv1.PortInResponse{Order: &portinv1.PortInOrder{OrderId: aUUID}}, f.err
}

func (f *fake) Get(ctx context.Context, id string) (*portinv1.PortInOrder, error) {
	f.note("Get " + id)
	if f.get != nil {
		return f.get(ctx, id)
	}
	return &portinv1.PortInOrder{OrderId: id}, f.err
}

func (f *fake) List(context.Context, *portinv1.ListPortInOrdersRequest) (*portinv1.ListPortInOrdersResponse, error) {
	f.note("List")
	return &portinv1.ListPortInOrdersResponse{}, f.err
}

func (f *fake) Events(_ context.Context, req *portinv1.ListPortInOrderEventsRequest) (*portinv1.ListPortInOrderEventsResponse, error) {
	f.note("Events " + req.GetOrderId())
	return &portinv1.ListPortInOrderEventsResponse{}, f.err
}

func (f *fake) Resolve(_ context.Context, req *portinv1.ResolveInDoubtRequest) (*portinv1.PortInOrder, error) {
	f.note("Resolve " + req.GetOrderId())
	return &portinv1.PortInOrder{OrderId: req.GetOrderId()}, f.err
}

func (f *fake) Erase(_ context.Context, req *portinv1.ErasePortInOrderRequest) (*portinv1.PortInOrder, error) {
	f.note("Erase " + req.GetOrderId())
	return &portinv1.PortInOrder{OrderId: req.GetOrderId()}, f.err
}

func (f *fake) Close(_ context.Context, req *portinv1.ClosePortInOrderRequest) (*portinv1.PortInOrder, error) {
	f.note("Close " + req.GetOrderId())
	return &portinv1.PortInOrder{OrderId: req.GetOrderId()}, f.err
}

func (f *fake) Acknowledge(_ context.Context, req *portinv1.AcknowledgeAttentionRequest) (*portinv1.PortInOrder, error) {
	f.note("Acknowledge " + req.GetOrderId())
	return &portinv1.PortInOrder{OrderId: req.GetOrderId()}, f.err
}

func (f *fake) Follow(_ context.Context, req *portinv1.FollowPortInRequest) (*portinv1.PortInOrder, error) {
	f.note("Follow " + req.GetPortIn().GetTicketId())
	return &portinv1.PortInOrder{TicketId: req.GetPortIn().GetTicketId()}, f.err
}

func (f *fake) Resubmit(_ context.Context, req *portinv1.ResubmitPortInRequest) (*portinv1.ResubmitPortInResponse, error) {
	f.note("Resubmit " + req.GetOrderId())
	return &portinv1.ResubmitPortInResponse{}, f.err
}

func (f *fake) StatusOfTicket(_ context.Context, _, ticket string) (*portinv1.PortInStatus, error) {
	f.note("StatusOfTicket " + ticket)
	return &portinv1.PortInStatus{TicketId: ticket}, f.err
}

func (f *fake) StatusOfNumber(_ context.Context, _, number string) (*portinv1.PortInStatus, error) {
	f.note("StatusOfNumber " + number)
	return &portinv1.PortInStatus{Numbers: []string{number}}, f.err
}

func (f *fake) Watch(_ context.Context, _ string, _ *portinv1.WatchPortInOrdersRequest, tell func(tracker.Update) error) error {
	f.note("Watch")
	if f.err != nil {
		return f.err
	}
	return tell(tracker.Update{Token: "a token"})
}

func (f *fake) SipTrunks(context.Context, *portinv1.ListSipTrunksRequest) (*portinv1.ListSipTrunksResponse, error) {
	f.note("SipTrunks")
	return &portinv1.ListSipTrunksResponse{}, f.err
}

func (f *fake) TelephoneOfferings(context.Context, *portinv1.ListTelephoneOfferingsRequest) (*portinv1.ListTelephoneOfferingsResponse, error) {
	f.note("TelephoneOfferings")
	return &portinv1.ListTelephoneOfferingsResponse{}, f.err
}

func (f *fake) Providers(context.Context, *portinv1.ListProvidersRequest) (*portinv1.ListProvidersResponse, error) {
	f.note("Providers")
	return &portinv1.ListProvidersResponse{}, f.err
}

func (f *fake) BusinessGroups(context.Context, *portinv1.ListBusinessGroupsRequest) (*portinv1.ListBusinessGroupsResponse, error) {
	f.note("BusinessGroups")
	return &portinv1.ListBusinessGroupsResponse{}, f.err
}

func (f *fake) LinePlans(context.Context, *portinv1.ListLinePlansRequest) (*portinv1.ListLinePlansResponse, error) {
	f.note("LinePlans")
	return &portinv1.ListLinePlansResponse{}, f.err
}

func (f *fake) Holidays(context.Context, *portinv1.ListHolidaysRequest) (*portinv1.ListHolidaysResponse, error) {
	f.note("Holidays")
	return &portinv1.ListHolidaysResponse{}, f.err
}

func (f *fake) RateCenters(context.Context, *portinv1.ListPortableRateCentersRequest) (*portinv1.ListPortableRateCentersResponse, error) {
	f.note("RateCenters")
	return &portinv1.ListPortableRateCentersResponse{}, f.err
}

func (f *fake) CheckPortability(context.Context, *portinv1.CheckPortabilityRequest) (*portinv1.CheckPortabilityResponse, error) {
	f.note("CheckPortability")
	return &portinv1.CheckPortabilityResponse{}, f.err
}

// logLine is a line of the log, by its keys; raw is how it was written.
type logLine struct {
	raw  string
	keys map[string]any
}

// logbook is a log that a test can wait for.
type logbook struct{ lines chan string }

func newLogbook() *logbook { return &logbook{lines: make(chan string, 1000)} }

func (l *logbook) Write(p []byte) (int, error) {
	l.lines <- string(p)
	return len(p), nil
}

// line waits for the next line, and wants it to be a call's and within bounds.
func (l *logbook) line(t *testing.T) logLine {
	t.Helper()
	select {
	case raw := <-l.lines:
		got := logLine{raw: raw}
		if err := json.Unmarshal([]byte(raw), &got.keys); err != nil {
			t.Fatalf("the log has %q: %v", raw, err)
		}
		if got.keys["msg"] != "call" || len(raw) >= 4<<10 {
			t.Errorf("the log has a line of %d bytes: %s", len(raw), raw)
		}
		return got
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was logged")
		return logLine{}
	}
}

// none wants no line that was not waited for.
func (l *logbook) none(t *testing.T) {
	t.Helper()
	select {
	case raw := <-l.lines:
		t.Errorf("one more line was logged: %s", raw)
	default:
	}
}

// want waits for the next line and wants its keys to have these values.
func (l *logbook) want(t *testing.T, keys map[string]any) logLine {
	t.Helper()
	got := l.line(t)
	for key, want := range keys {
		if got.keys[key] != want {
			t.Errorf("the log has %s %v, want %v: %s", key, got.keys[key], want, got.raw)
		}
	}
	return got
}

// face is a served gRPC face.
type face struct {
	*grpc.ClientConn
	log *logbook
}

// serve serves the gRPC face with health and reflection beside it, as the program does.
func serve(t *testing.T, f *fake, dial ...grpc.DialOption) face {
	t.Helper()
	return serveFor(t, f, time.Minute, dial...)
}

func serveFor(t *testing.T, f *fake, longest time.Duration, dial ...grpc.DialOption) face {
	t.Helper()
	log := newLogbook()
	s := Services{
		Orders: f, Statuses: f, Catalog: f.catalog, Watches: f, Webhooks: f, Access: f, Limiter: f.limits, Weighing: NewWeighing(f.scale),
		Log: slog.New(slog.NewJSONHandler(log, nil)), LongestCall: longest, Panicked: func() { f.panics.Add(1) },
	}
	largest := maxTestMessage
	if f.scale != nil {
		largest = 1 << 20
	}
	server := grpc.NewServer(s.Options(largest, time.Hour)...)
	s.Register(server)
	healthpb.RegisterHealthServer(server, health.NewServer())
	reflection.Register(server)
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "portin.v1.TestService",
		Streams: []grpc.StreamDesc{{StreamName: "Panic", ServerStreams: true, Handler: func(any, grpc.ServerStream) error {
			panic(secret)
		}}},
	}, nil)
	listener := bufconn.Listen(1 << 20)
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(listener); err != nil {
			t.Error(err)
		}
	})
	conn, err := grpc.NewClient("passthrough:///test", append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
	}, dial...)...)
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
	return face{ClientConn: conn, log: log}
}

// portInMethod is the full name of PortIn.
const portInMethod = portinv1.PortInService_PortIn_FullMethodName

// raw is a codec that sends bytes as they are.
type raw struct{ encoding.CodecV2 }

func sendRaw() grpc.CallOption {
	return grpc.ForceCodecV2(raw{encoding.GetCodecV2("proto")})
}

func (r raw) Marshal(v any) (mem.BufferSlice, error) {
	if b, ok := v.([]byte); ok {
		return mem.BufferSlice{mem.SliceBuffer(bytes.Clone(b))}, nil
	}
	return r.CodecV2.Marshal(v)
}

// wantError wants an error with a code and exactly one ErrorInfo with a reason, within bounds and without what was
// planted, and returns its status.
func wantError(t *testing.T, err error, code codes.Code, reason string) *status.Status {
	t.Helper()
	st := status.Convert(err)
	if err == nil || st.Code() != code {
		t.Fatalf("error %v, want the code %s", err, code)
	}
	infos, size := 0, 0
	for _, d := range st.Proto().GetDetails() {
		size += proto.Size(d)
	}
	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			infos++
			if info.GetReason() != reason || info.GetDomain() != "portin.v1" {
				t.Errorf("reason %s in domain %s, want %s: %v", info.GetReason(), info.GetDomain(), reason, err)
			}
		}
	}
	if infos != 1 {
		t.Errorf("%d ErrorInfo, want 1: %v", infos, err)
	}
	if size > 4<<10 || len(st.Message()) > 1<<10 {
		t.Errorf("%d bytes of details and %d of message", size, len(st.Message()))
	}
	return st
}

// violationsOf are the field violations of a status: field, description.
func violationsOf(st *status.Status) [][2]string {
	var got [][2]string
	for _, d := range st.Details() {
		if bad, ok := d.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				got = append(got, [2]string{v.GetField(), v.GetDescription()})
			}
		}
	}
	return got
}

// requestIDs are the request ids in the header and the trailer of a call.
func requestIDs(header, trailer metadata.MD) [2][]string {
	return [2][]string{header.Get(requestIDKey), trailer.Get(requestIDKey)}
}
