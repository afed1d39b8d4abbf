package rpc

import (
	"bytes"
	"context"
	"crypto/x509"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/identity"
	"github.com/portin/portin/internal/inflight"
)

// document is an order with so many bytes of documents.
func document(n int) *portinv1.PortInOrder {
	return &portinv1.PortInOrder{Form: &portinv1.PortForm{
		LettersOfAuthorization: []*portinv1.Document{{Content: bytes.Repeat([]byte{'x'}, n)}},
	}}
}

// light waits until nothing is on a scale any more: a call is over for its caller before it is for the server.
func light(t *testing.T, what string, s *inflight.Scale) {
	t.Helper()
	for late := time.Now().Add(20 * time.Second); s.Weight() != 0; runtime.Gosched() {
		if time.Now().After(late) {
			t.Fatalf("%s: %d bytes are in flight for ever", what, s.Weight())
		}
	}
}

// wantBusy wants the refusal of what does not fit, with a wait of whole seconds.
func wantBusy(t *testing.T, err error) {
	t.Helper()
	st := wantError(t, err, codes.ResourceExhausted, "SERVICE_BUSY")
	for _, d := range st.Details() {
		if retry, ok := d.(*errdetails.RetryInfo); ok {
			if wait := retry.GetRetryDelay().AsDuration(); wait < time.Second || wait%time.Second != 0 {
				t.Errorf("the wait is %v", wait)
			}
			return
		}
	}
	t.Errorf("%v has no RetryInfo", st)
}

// TestOrdersAreWeighed: what does not fit beside an order in flight is refused, whatever is small is not.
func TestOrdersAreWeighed(t *testing.T) {
	t.Parallel()
	const size = 200 << 10
	large := &portinv1.PortInRequest{Order: document(size)}
	weight := inflight.OfMessage(int64(proto.Size(large)))
	orders := &fake{scale: inflight.New(weight + weight/2)}
	begun, finish := make(chan struct{}), make(chan struct{})
	orders.portIn = func(_ context.Context, req *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
		if len(req.GetOrder().GetForm().GetLettersOfAuthorization()) > 0 {
			begun <- struct{}{}
			<-finish
		}
		return &portinv1.PortInResponse{}, nil
	}
	f := serve(t, orders)
	client := portinv1.NewPortInServiceClient(f)
	placed := make(chan error)
	go func() {
		_, err := client.PortIn(t.Context(), large)
		placed <- err
	}()
	<-begun
	if got := orders.scale.Weight(); got != weight {
		t.Errorf("an order in flight weighs %d, want %d", got, weight)
	}
	_, err := client.PortIn(t.Context(), large)
	wantBusy(t, err)
	f.log.want(t, map[string]any{"level": "INFO", "method": portInMethod, "reason": "SERVICE_BUSY"})
	_, err = client.ResubmitPortIn(t.Context(), &portinv1.ResubmitPortInRequest{OrderId: aUUID, RequestId: aUUID, Order: document(size)})
	wantBusy(t, err)
	if _, err := client.PortIn(t.Context(), &portinv1.PortInRequest{}); err != nil {
		t.Errorf("a small order: %v", err)
	}
	if _, err := client.GetPortInOrder(t.Context(), &portinv1.GetPortInOrderRequest{OrderId: aUUID}); err != nil {
		t.Errorf("a read: %v", err)
	}
	finish <- struct{}{}
	if err := <-placed; err != nil || orders.scale.Weight() != 0 || orders.scale.Refused() != 2 {
		t.Errorf("%v; %d bytes are in flight, %d were refused", err, orders.scale.Weight(), orders.scale.Refused())
	}
}

// TestTheLoadOfAnOrderIsLetGo, however its call ends, and once: afterwards the scale bears as much as before.
func TestTheLoadOfAnOrderIsLetGo(t *testing.T) {
	t.Parallel()
	large := &portinv1.PortInRequest{Order: document(200 << 10)}
	weight := inflight.OfMessage(int64(proto.Size(large)))
	orders := &fake{scale: inflight.New(weight)}
	f := serve(t, orders)
	client := portinv1.NewPortInServiceClient(f)
	for name, portIn := range map[string]func(context.Context, context.CancelFunc) error{
		"answered": func(context.Context, context.CancelFunc) error { return nil },
		"panicked": func(context.Context, context.CancelFunc) error { panic(secret) },
		"cancelled": func(ctx context.Context, leave context.CancelFunc) error {
			leave()
			<-ctx.Done()
			return ctx.Err()
		},
		"let go twice": func(ctx context.Context, _ context.CancelFunc) error {
			inflight.From(ctx).LetGo()
			return nil
		},
	} {
		ctx, leave := context.WithCancel(t.Context())
		orders.portIn = func(ctx context.Context, _ *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
			return &portinv1.PortInResponse{}, portIn(ctx, leave)
		}
		_, _ = client.PortIn(ctx, large)
		leave()
		light(t, name, orders.scale)
	}
	broken := append(bytes.Repeat([]byte{0xff}, 100), bytes.Repeat([]byte{'x'}, 100<<10)...)
	wantError(t, f.Invoke(t.Context(), portInMethod, broken, &portinv1.PortInResponse{}, sendRaw()), codes.InvalidArgument, "MALFORMED_REQUEST")
	light(t, "unreadable", orders.scale)

	var kept *inflight.Load
	orders.portIn = func(ctx context.Context, _ *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
		kept = inflight.From(ctx)
		kept.Hold()
		return &portinv1.PortInResponse{}, nil
	}
	if _, err := client.PortIn(t.Context(), large); err != nil || orders.scale.Weight() != weight {
		t.Errorf("%v; of an order that is held on %d bytes are in flight, want %d", err, orders.scale.Weight(), weight)
	}
	_, err := client.PortIn(t.Context(), large)
	wantBusy(t, err)
	kept.LetGo()
	if got := orders.scale.Weight(); got != 0 {
		t.Errorf("in the end %d bytes are in flight", got)
	}
}

// TestTheLoadOfAMessageWithoutACallIsLetGo: grpc-go decodes a message before it knows that it is the only one and that its stream
// comes to an end, and calls nobody when it does not.
func TestTheLoadOfAMessageWithoutACallIsLetGo(t *testing.T) {
	t.Parallel()
	large := &portinv1.PortInRequest{Order: document(100 << 10)}
	weight := inflight.OfMessage(int64(proto.Size(large)))
	for name, further := range map[string]proto.Message{
		"its caller leaves": nil, "another one comes": large, "a small one comes": &portinv1.PortInRequest{},
	} {
		orders := &fake{scale: inflight.New(2 * weight)}
		f := serve(t, orders)
		ctx, leave := context.WithCancel(t.Context())
		stream, err := f.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true}, portInMethod)
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.SendMsg(large); err != nil {
			t.Fatal(err)
		}
		for orders.scale.Weight() == 0 {
			runtime.Gosched()
		}
		if further == nil {
			leave()
		} else if err := stream.SendMsg(further); err != nil {
			t.Fatal(err)
		}
		if err := stream.RecvMsg(&portinv1.PortInResponse{}); err == nil {
			t.Errorf("%s: it is answered", name)
		}
		light(t, name, orders.scale)
		leave()
		if calls := orders.calls; len(calls) != 0 {
			t.Errorf("%s: the service is called: %v", name, calls)
		}
	}
}

// TestAStrangersOrderIsNotReceived: it is refused at its head, once, also when what follows never comes to an end.
func TestAStrangersOrderIsNotReceived(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	orders := &fake{scale: inflight.New(1 << 30), access: func(string, *x509.Certificate) (identity.Caller, error) {
		asked.Add(1)
		return identity.Caller{}, fault.New(fault.ReasonUnauthenticated, "no")
	}}
	f := serve(t, orders)
	for i, method := range []string{portInMethod, portinv1.PortInService_ResubmitPortIn_FullMethodName} {
		stream, err := f.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true}, method)
		if err != nil {
			t.Fatal(err)
		}
		wantError(t, stream.RecvMsg(&portinv1.PortInResponse{}), codes.Unauthenticated, "UNAUTHENTICATED")
		f.log.want(t, map[string]any{"level": "INFO", "method": method, "reason": "UNAUTHENTICATED"})
		if n := int(asked.Load()); n != i+1 {
			t.Errorf("%s: who calls was refused %d times, want once", method, n-i)
		}
	}
}

// TestTheScaleIsEmptyInTheEnd, whatever becomes of hundreds of calls at once: they are answered, refused, left, held on, unreadable,
// crowded or break, and each load is let go once.
func TestTheScaleIsEmptyInTheEnd(t *testing.T) {
	t.Parallel()
	large := &portinv1.PortInRequest{Order: document(100 << 10)}
	weight := inflight.OfMessage(int64(proto.Size(large)))
	orders := &fake{scale: inflight.New(2 * weight)}
	var posts sync.WaitGroup
	orders.portIn = func(ctx context.Context, _ *portinv1.PortInRequest) (*portinv1.PortInResponse, error) {
		switch rand.IntN(5) {
		case 0:
			panic(secret)
		case 1:
			<-ctx.Done()
			return nil, ctx.Err()
		case 2:
			load := inflight.From(ctx)
			load.Hold()
			posts.Go(load.LetGo)
		}
		if got := orders.scale.Weight(); got > 2*weight {
			t.Errorf("%d bytes are in flight", got)
		}
		return &portinv1.PortInResponse{}, nil
	}
	f := serve(t, orders)
	whole, err := proto.Marshal(large)
	if err != nil {
		t.Fatal(err)
	}
	sent := [][]byte{whole, whole, whole, whole[:len(whole)-1], append(slices.Clip(whole), 0xff), bytes.Repeat([]byte{0x0a, 0}, mostFields+1)}
	var callers sync.WaitGroup
	for range 16 {
		callers.Go(func() {
			for range 25 {
				ctx, leave := context.WithTimeout(t.Context(), rand.N(50*time.Millisecond))
				_ = f.Invoke(ctx, portInMethod, sent[rand.IntN(len(sent))], &portinv1.PortInResponse{}, sendRaw())
				leave()
			}
		})
	}
	callers.Wait()
	light(t, "all are over", orders.scale)
	posts.Wait()
	last, err := orders.scale.Put(2 * weight)
	if err != nil {
		t.Fatal(err)
	}
	last.LetGo()
}
