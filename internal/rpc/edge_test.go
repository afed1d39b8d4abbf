package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
)

// Row 32: a panic in a handler is INTERNAL and one line in the log, the process lives, and what was thrown is shown to
// nobody, for it may be what a caller sent.
func TestFault32_APanicInAHandler(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		thrown any
		shown  string
	}{
		"a text":             {secret, "string"},
		"an error":           {errors.New(secret), "*errors.errorString"},
		"a value":            {struct{ Password string }{secret}, "struct { Password string }"},
		"nothing":            {nil, (&runtime.PanicNilError{}).Error()},
		"the runtime's":      {runtimeError(func() { noMap()[secret] = 1 }), "assignment to entry in nil map"},
		"the runtime's, led": {fmt.Errorf("%s: %w", secret, runtimeError(func() { _ = make([]int, 1)[len(secret)] })), "runtime error: index out of range [10] with length 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := &fake{portIn: func(context.Context, *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
				panic(c.thrown)
			}}
			f := serve(t, service)
			client := portinv1.NewPortInServiceClient(f)
			ctx := metadata.AppendToOutgoingContext(t.Context(), requestIDKey, "the-call")
			_, err := client.PortIn(ctx, &portinv1.PortInRequest{})
			st := wantError(t, err, codes.Internal, "INTERNAL")
			if strings.Contains(st.String(), secret) || !strings.Contains(st.Message(), "x-request-id") {
				t.Errorf("the caller was told %q", st)
			}
			got := f.log.want(t, map[string]any{
				"level": "ERROR", "method": portInMethod, "code": "Internal", "reason": "INTERNAL", "request_id": "the-call", "panic": c.shown,
			})
			if stack, _ := got.keys["stack"].(string); !strings.HasPrefix(stack, "panic(") || !strings.Contains(stack, "rpc.(*fake).PortIn(") {
				t.Errorf("the stack does not begin with the panic and the function that panicked: %s", stack)
			}
			if strings.Contains(got.raw, secret) {
				t.Errorf("the log has what was thrown: %s", got.raw)
			}
			f.log.none(t)
			if n := service.panics.Load(); n != 1 {
				t.Errorf("%d panics were counted", n)
			}
			if _, err := client.GetPortInOrder(ctx, &portinv1.GetPortInOrderRequest{OrderId: aUUID}); err != nil {
				t.Errorf("the server does not live: %v", err)
			}
		})
	}
}

func noMap() map[string]int { return nil }

// runtimeError is what the runtime throws in do.
func runtimeError(do func()) (err error) {
	defer func() { err, _ = recover().(error) }()
	do()
	return nil
}

func TestFault32_APanicInAStream(t *testing.T) {
	t.Parallel()
	f := serve(t, &fake{})
	st := wantError(t, stream(t.Context(), f, "/portin.v1.TestService/Panic", &portinv1.WatchPortInOrdersRequest{}), codes.Internal, "INTERNAL")
	got := f.log.want(t, map[string]any{"level": "ERROR", "reason": "INTERNAL", "panic": "string"})
	if strings.Contains(got.raw+st.String(), secret) {
		t.Errorf("what was thrown is shown: %s, %s", got.raw, st)
	}
	f.log.none(t)
}

// stream calls a streaming method with one request and returns how it ended.
func stream(ctx context.Context, f face, method string, request any, opts ...grpc.CallOption) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := f.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, method, opts...)
	if err != nil {
		return err
	}
	if err := s.SendMsg(request); err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	if err := s.CloseSend(); err != nil {
		return err
	}
	return s.RecvMsg(&portinv1.WatchPortInOrdersResponse{})
}

// Row 28: a call is one line with identities; what the carrier said about an order is not in it.
func TestFault28_ACallIsOneLineWithoutTexts(t *testing.T) {
	t.Parallel()
	refused := fault.New(fault.ReasonCarrierRefused, "no: "+secret).WithCause(errors.New(secret)).
		WithMetadata("order_id", aUUID).WithMetadata("carrier_error_id", "E-7").WithMetadata("customer", secret).
		WithViolations([]fault.Violation{{Field: secret, Description: secret}})
	f := serve(t, &fake{portIn: func(context.Context, *portinv1.PortInRequest) (*portinv1.PortInResponse, error) { return nil, refused }})
	request := &portinv1.PortInRequest{Order: &portinv1.PortInOrder{Form: &portinv1.PortForm{CustomerName: secret}}}
	_, err := portinv1.NewPortInServiceClient(f).PortIn(t.Context(), request)
	if st := wantError(t, err, codes.FailedPrecondition, "CARRIER_REFUSED"); st.Message() != "no: "+secret {
		t.Errorf("the caller was told %q", st.Message())
	}
	got := f.log.want(t, map[string]any{
		"level": "INFO", "method": portInMethod, "code": "FailedPrecondition", "reason": "CARRIER_REFUSED",
		"order_id": aUUID, "carrier_error_id": "E-7",
	})
	if strings.Contains(got.raw, secret) {
		t.Errorf("the log has a text: %s", got.raw)
	}
	for _, key := range []string{"request_id", "duration"} {
		if got.keys[key] == nil {
			t.Errorf("the log has no %s: %s", key, got.raw)
		}
	}
	f.log.none(t)
}

func TestACallThatSucceedsIsOneLine(t *testing.T) {
	t.Parallel()
	f := serve(t, &fake{})
	if _, err := portinv1.NewCatalogServiceClient(f).ListHolidays(t.Context(), &portinv1.ListHolidaysRequest{}); err != nil {
		t.Fatal(err)
	}
	got := f.log.want(t, map[string]any{"level": "INFO", "method": "/portin.v1.CatalogService/ListHolidays", "code": "OK"})
	if got.keys["reason"] != nil {
		t.Errorf("the log has a reason: %s", got.raw)
	}
	f.log.none(t)
}

// A line names the order that a call was of: the one that it answers, that its error names, or that it asked for. Another text
// that stands in its place is not told.
func TestALineNamesTheOrder(t *testing.T) {
	t.Parallel()
	const another, third = "01900000-0000-7000-8000-000000000002", "01900000-0000-7000-8000-000000000003"
	of := func(id string) *portinv1.PortInOrder { return &portinv1.PortInOrder{OrderId: id} }
	f := serve(t, &fake{
		portIn: func(_ context.Context, req *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
			switch {
			case req.GetValidateOnly(): // it has no identity then
				return &portinv1.PortInResponse{Order: of("")}, nil
			case req.GetRequestId() == another:
				return nil, fault.New(fault.ReasonNumberInOpenOrder, "held").WithMetadata("order_id", another)
			}
			return &portinv1.PortInResponse{Order: of(aUUID)}, nil
		},
		get: func(_ context.Context, id string) (*portinv1.PortInOrder, error) {
			switch id {
			case another:
				return nil, fault.New(fault.ReasonOrderNotFound, "there is none")
			case third:
				return nil, fault.New(fault.ReasonOrderNotFound, "another one stands in its place").WithMetadata("order_id", another)
			}
			return of(id), nil
		},
	})
	orders := portinv1.NewPortInServiceClient(f)
	for name, c := range map[string]struct {
		call func(context.Context) error
		want any
	}{
		"answered": {func(ctx context.Context) error {
			_, err := orders.PortIn(ctx, &portinv1.PortInRequest{})
			return err
		}, aUUID},
		"validated": {func(ctx context.Context) error {
			_, err := orders.PortIn(ctx, &portinv1.PortInRequest{ValidateOnly: true})
			return err
		}, nil},
		"in the error": {func(ctx context.Context) error {
			_, err := orders.PortIn(ctx, &portinv1.PortInRequest{RequestId: another})
			return err
		}, another},
		"asked for": {func(ctx context.Context) error {
			_, err := orders.GetPortInOrder(ctx, &portinv1.GetPortInOrderRequest{OrderId: aUUID})
			return err
		}, aUUID},
		"asked for in vain": {func(ctx context.Context) error {
			_, err := orders.GetPortInOrder(ctx, &portinv1.GetPortInOrderRequest{OrderId: another})
			return err
		}, another},
		"asked for, and another in the error": {func(ctx context.Context) error {
			_, err := orders.GetPortInOrder(ctx, &portinv1.GetPortInOrderRequest{OrderId: third})
			return err
		}, another},
		"no order": {func(ctx context.Context) error {
			_, err := orders.GetPortInOrder(ctx, &portinv1.GetPortInOrderRequest{OrderId: secret})
			return err
		}, nil},
		"watched": {func(ctx context.Context) error {
			return stream(ctx, f, portinv1.PortInService_WatchPortInOrders_FullMethodName, &portinv1.WatchPortInOrdersRequest{OrderId: new(aUUID)})
		}, aUUID},
	} {
		_ = c.call(t.Context())
		got := f.log.want(t, map[string]any{})
		if got.keys["order_id"] != c.want || strings.Count(got.raw, "order_id") > 1 || strings.Contains(got.raw, secret) {
			t.Errorf("%s: the order is %v, want %v: %s", name, got.keys["order_id"], c.want, got.raw)
		}
		f.log.none(t)
	}
}

// An error without a meaning is hidden from the caller; its chain is in the log.
func TestTheCauseOfAnInternalErrorIsInTheLogAlone(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"an error":       fmt.Errorf("reading the lists: %w", errors.New(secret)),
		"a gRPC status":  status.Error(codes.NotFound, secret),
		"a hidden cause": fault.Internal(errors.New(secret)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := serve(t, &fake{err: err})
			_, err := portinv1.NewCatalogServiceClient(f).ListProviders(t.Context(), &portinv1.ListProvidersRequest{})
			if st := wantError(t, err, codes.Internal, "INTERNAL"); strings.Contains(st.String(), secret) {
				t.Errorf("the caller was told %q", st)
			}
			got := f.log.want(t, map[string]any{"level": "ERROR", "reason": "INTERNAL"})
			if cause, _ := got.keys["cause"].(string); !strings.Contains(cause, secret) {
				t.Errorf("the log has no cause: %s", got.raw)
			}
		})
	}
}

// A line stays below 4 KiB in either format, whatever a stranger or the carrier puts into it.
func TestALineIsBounded(t *testing.T) {
	t.Parallel()
	long := map[string]string{
		"NUL": strings.Repeat("\x00", 50_000), "quotes": strings.Repeat(`"`, 50_000), "no UTF-8": strings.Repeat("\xff\x01", 50_000),
		"unprintable": strings.Repeat("\u2028", 50_000), "letters": strings.Repeat("日", 50_000),
	}
	for name, text := range long {
		for format, handler := range map[string]func(*strings.Builder) slog.Handler{
			"text": func(b *strings.Builder) slog.Handler { return slog.NewTextHandler(b, nil) },
			"json": func(b *strings.Builder) slog.Handler { return slog.NewJSONHandler(b, nil) },
		} {
			for what, e := range map[string]*fault.Error{
				"a cause": fault.Internal(errors.New(text)),
				"a panic": fault.Internal(&panicError{what: text, stack: strings.Repeat("goroutine 1\n\t/a/b.go:1\n", 1000)}),
			} {
				e = e.WithMetadata("order_id", text).WithMetadata("carrier_error_id", text).WithMetadata("else", text)
				var b strings.Builder
				ctx, _ := withRequestID(metadata.NewIncomingContext(t.Context(), metadata.Pairs(requestIDKey, strings.Repeat("x", 128))))
				meta := interceptors.NewServerCallMeta("/"+text+"/"+text, nil, nil)
				reporter, _ := logged(slog.New(handler(&b))).ServerReporter(ctx, meta)
				reporter.PostCall(e, time.Hour)
				if got := b.String(); len(got) >= 4<<10 || strings.Count(got, "\n") != 1 || !strings.Contains(got, "reason") {
					t.Errorf("%s of %s as %s is %d bytes in %d lines:\n%s", what, name, format, len(got), strings.Count(got, "\n"), got)
				}
			}
		}
	}
}

// A stranger chooses the name of a method that is none.
func TestALongMethodIsCutInTheLog(t *testing.T) {
	t.Parallel()
	f := serve(t, &fake{})
	err := f.Invoke(t.Context(), "/"+strings.Repeat("x", 9000)+"/Y", &portinv1.PortInRequest{}, &portinv1.PortInResponse{})
	wantError(t, err, codes.Unimplemented, "NOT_OFFERED")
	f.log.want(t, map[string]any{"level": "INFO", "method": "/" + strings.Repeat("x", 127), "reason": "NOT_OFFERED"})
	f.log.none(t)
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given []string
		taken bool
	}{
		"none":           {nil, false},
		"the caller's":   {[]string{"a-Z.0_9"}, true},
		"128 characters": {[]string{strings.Repeat("x", 128)}, true},
		"129 characters": {[]string{strings.Repeat("x", 129)}, false},
		"500 characters": {[]string{strings.Repeat("x", 500)}, false},
		"empty":          {[]string{""}, false},
		"a space":        {[]string{"a b"}, false},
		"two":            {[]string{"a", "b"}, false},
		"a quote":        {[]string{`a"`}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var inside string
			f := serve(t, &fake{get: func(ctx context.Context, id string) (*portinv1.PortInOrder, error) {
				if inside = RequestID(ctx); id != aUUID {
					return nil, fault.New(fault.ReasonOrderNotFound, "there is no such order")
				}
				return &portinv1.PortInOrder{}, nil
			}})
			ctx := metadata.NewOutgoingContext(t.Context(), metadata.MD{requestIDKey: c.given})
			client := portinv1.NewPortInServiceClient(f)
			for _, order := range []string{aUUID, uuid.NewString()} {
				var header, trailer metadata.MD
				_, err := client.GetPortInOrder(ctx, &portinv1.GetPortInOrderRequest{OrderId: order}, grpc.Header(&header), grpc.Trailer(&trailer))
				if (err == nil) != (order == aUUID) {
					t.Errorf("error %v", err)
				}
				want := [2][]string{{inside}, {inside}}
				if err != nil {
					want[0] = nil // a client retries no call that has a header
				}
				if diff := cmp.Diff(want, requestIDs(header, trailer)); diff != "" {
					t.Errorf("request id (-the handler's +got):\n%s", diff)
				}
				f.log.want(t, map[string]any{"request_id": inside})
				if c.taken && inside != c.given[0] {
					t.Errorf("the id is %q, want the caller's", inside)
				}
				if _, err := uuid.Parse(inside); !c.taken && err != nil {
					t.Errorf("the id is %q, want a new one", inside)
				}
			}
		})
	}
}

// What stands in a log line and a header is of these characters, and of no others.
func TestPlain(t *testing.T) {
	t.Parallel()
	letters := regexp.MustCompile(`^[A-Za-z0-9._-]$`)
	for c := range 256 {
		text := string([]byte{byte(c)})
		if got, want := plain(text), letters.MatchString(text); got != want {
			t.Errorf("plain(%q) = %v", text, got)
		}
	}
}

// No client of ours can send one; HTTP/2 itself and proxies can.
func TestARequestIDWithALineBreakIsReplaced(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"a\nb", "a\r\nx: y", "a\x00", "é"} {
		ctx, md := withRequestID(metadata.NewIncomingContext(t.Context(), metadata.Pairs(requestIDKey, id)))
		got := RequestID(ctx)
		if _, err := uuid.Parse(got); err != nil || len(md.Get(requestIDKey)) != 1 || md.Get(requestIDKey)[0] != got {
			t.Errorf("%q became %q, answered as %q", id, got, md)
		}
	}
	if got := RequestID(t.Context()); got != "" {
		t.Errorf("outside a call the id is %q", got)
	}
}

func TestTheDeadlineIsCapped(t *testing.T) {
	t.Parallel()
	const longest = time.Minute
	var left time.Duration
	f := serveFor(t, &fake{portIn: func(ctx context.Context, _ *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
		at, ok := ctx.Deadline()
		if left = time.Until(at); !ok {
			left = 0
		}
		return &portinv1.PortInResponse{}, nil
	}}, longest)
	client := portinv1.NewPortInServiceClient(f)
	for name, c := range map[string]struct{ asked, least, most time.Duration }{
		"none":    {0, longest / 2, longest},
		"farther": {time.Hour, longest / 2, longest},
		"nearer":  {longest / 2, 1, longest / 2},
	} {
		ctx, cancel := t.Context(), func() {}
		if c.asked > 0 {
			ctx, cancel = context.WithTimeout(ctx, c.asked)
		}
		_, err := client.PortIn(ctx, &portinv1.PortInRequest{})
		cancel()
		if err != nil || left < c.least || left > c.most {
			t.Errorf("%s: %v left, error %v, want at most %v", name, left, err, c.most)
		}
	}
}

func TestACallThatTakesTooLong(t *testing.T) {
	t.Parallel()
	f := serveFor(t, &fake{portIn: func(ctx context.Context, _ *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
		<-ctx.Done()
		return nil, fmt.Errorf("waiting: %w", ctx.Err())
	}}, time.Millisecond)
	_, err := portinv1.NewPortInServiceClient(f).PortIn(t.Context(), &portinv1.PortInRequest{})
	wantError(t, err, codes.DeadlineExceeded, "DEADLINE_EXCEEDED")
	f.log.want(t, map[string]any{"level": "INFO", "code": "DeadlineExceeded", "reason": "DEADLINE_EXCEEDED"})
}

func TestACallerWhoLeavesIsNoFaultOfTheService(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	f := serve(t, &fake{portIn: func(ctx context.Context, _ *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
		leave()
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	if _, err := portinv1.NewPortInServiceClient(f).PortIn(ctx, &portinv1.PortInRequest{}); status.Code(err) != codes.Canceled {
		t.Errorf("error %v", err)
	}
	f.log.want(t, map[string]any{"level": "INFO", "code": "Canceled", "reason": "CANCELLED"})
}

// A caller can open a stream and leave before it has asked anything.
func TestACallerWhoLeavesAStreamIsNoFaultOfTheService(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		leave  func(context.CancelFunc, grpc.ClientStream) error
		reason string
	}{
		"away":         {func(cancel context.CancelFunc, _ grpc.ClientStream) error { cancel(); return nil }, "CANCELLED"},
		"asks nothing": {func(_ context.CancelFunc, s grpc.ClientStream) error { return s.CloseSend() }, "MALFORMED_REQUEST"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := serve(t, &fake{})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s, err := f.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, portinv1.PortInService_WatchPortInOrders_FullMethodName)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.leave(cancel, s); err != nil {
				t.Errorf("%v", err)
			}
			f.log.want(t, map[string]any{"level": "INFO", "reason": c.reason})
		})
	}
}
