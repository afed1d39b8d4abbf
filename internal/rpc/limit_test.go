package rpc

import (
	"crypto/x509"
	"fmt"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/identity"
)

// called is a caller of that name.
func called(name string) identity.Caller { return identity.Caller{Name: name, Tenant: "acme"} }

// Each caller has so many calls a second and so many at once; what one uses is not another's, and what was refused was not used.
func TestCallersAreLimitedApart(t *testing.T) {
	t.Parallel()
	l, now := NewLimiter(2, 3), time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	for i := range 3 {
		if err := l.check(called("a"), now); err != nil {
			t.Fatalf("call %d of the burst: %v", i, err)
		}
	}
	for range 5 {
		err := l.check(called("a"), now)
		if f := fault.From(err); f == nil || f.Reason != fault.ReasonRateLimited || f.RetryAfter != 500*time.Millisecond {
			t.Errorf("one more: %v", err)
		}
	}
	if err := l.check(called("b"), now); err != nil {
		t.Errorf("another caller: %v", err)
	}
	if err := l.check(called("a"), now.Add(500*time.Millisecond)); err != nil {
		t.Errorf("when its time has come: %v", err)
	}
	for range 100 {
		if err := l.check(called(""), now); err != nil {
			t.Fatalf("a caller without a name: %v", err)
		}
		if err := (*Limiter)(nil).check(called("a"), now); err != nil {
			t.Fatalf("without a limit: %v", err)
		}
	}
}

// Callers that have long been silent are forgotten, and only they.
func TestSilentCallersAreForgotten(t *testing.T) {
	t.Parallel()
	l, now := NewLimiter(1, 2), time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	for i := range mostCallers {
		if err := l.check(called(fmt.Sprint(i)), now); err != nil {
			t.Fatal(err)
		}
	}
	later := now.Add(time.Minute)
	for range 2 {
		if err := l.check(called("0"), later); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.check(called("new"), later); err != nil {
		t.Fatal(err)
	}
	if n := len(l.callers); n != 2 {
		t.Errorf("%d callers are remembered, want 2", n)
	}
	if err := l.check(called("0"), later); err == nil {
		t.Error("a caller was forgotten that had used all that it may")
	}
}

// A caller who asks again and again for what it may not have is no better off than others.
func TestWhoMayNotIsLimitedToo(t *testing.T) {
	t.Parallel()
	f := serve(t, &fake{access: func(string, *x509.Certificate) (identity.Caller, error) {
		return identity.Caller{Name: "a", Tenant: "acme", Scopes: []identity.Scope{identity.ScopeOrder}}, nil
	}, limits: NewLimiter(0.1, 2)})
	client := portinv1.NewPortInServiceClient(f)
	for i := range 3 {
		_, err := client.GetPortInOrder(t.Context(), &portinv1.GetPortInOrderRequest{OrderId: aUUID})
		if i < 2 {
			wantError(t, err, codes.PermissionDenied, "PERMISSION_DENIED")
			continue
		}
		wantError(t, err, codes.ResourceExhausted, "RATE_LIMITED")
	}
}

// Over a connection a caller is told when to come back, and nothing is called.
func TestWhoCallsTooOftenIsToldWhen(t *testing.T) {
	t.Parallel()
	services := &fake{access: func(string, *x509.Certificate) (identity.Caller, error) {
		return identity.Caller{Name: "a", Tenant: "acme", Scopes: identity.Scopes()}, nil
	}, limits: NewLimiter(0.1, 2)}
	f := serve(t, services)
	client := portinv1.NewPortInServiceClient(f)
	for i := range 3 {
		_, err := client.GetPortInOrder(t.Context(), &portinv1.GetPortInOrderRequest{OrderId: aUUID})
		if i < 2 {
			if err != nil {
				t.Fatal(err)
			}
			continue
		}
		st := wantError(t, err, codes.ResourceExhausted, "RATE_LIMITED")
		wait := time.Duration(0)
		for _, d := range st.Details() {
			if w, ok := d.(*errdetails.RetryInfo); ok {
				wait = w.GetRetryDelay().AsDuration()
			}
		}
		if wait < 9*time.Second || wait > 10*time.Second {
			t.Errorf("the caller is to wait %v", wait)
		}
	}
	watch, err := client.WatchPortInOrders(t.Context(), &portinv1.WatchPortInOrdersRequest{})
	if err == nil {
		_, err = watch.Recv()
	}
	wantError(t, err, codes.ResourceExhausted, "RATE_LIMITED")
	if n := len(services.called()); n != 2 {
		t.Errorf("%d calls came through, want 2", n)
	}
}
