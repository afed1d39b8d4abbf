package app

import (
	"log/slog"
	"testing"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// A service that has not tried its ledger yet is not ready on any face.
func TestNotReadyBeforeTheFirstLook(t *testing.T) {
	t.Parallel()
	a, err := New(t.Context(), Params{Config: onFreePorts(), Version: "test", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	answer, err := a.health.Check(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil || answer.GetStatus() != healthpb.HealthCheckResponse_NOT_SERVING || a.ready.Load() {
		t.Errorf("the health service says %v, %v, and readiness %v", answer, err, a.ready.Load())
	}
}
