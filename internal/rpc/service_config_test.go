package rpc

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/descriptorpb"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
)

// serviceConfig is the service config that is published for clients.
func serviceConfig(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../tools/clients/service_config.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The published service config has clients try again what has no side effects, and nothing else: whoever orders decides that
// themselves, by the same request_id.
func TestServiceConfigNamesWhatHasNoSideEffects(t *testing.T) {
	t.Parallel()
	type name struct{ Service, Method string }
	var config struct {
		MethodConfig []struct {
			Name        []name
			RetryPolicy struct{ RetryableStatusCodes []string }
		}
	}
	if err := json.Unmarshal([]byte(serviceConfig(t)), &config); err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, m := range methodsOf(t) {
		options, _ := m.Options().(*descriptorpb.MethodOptions)
		if options.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS {
			want = append(want, string(m.FullName()))
		}
	}
	for _, c := range config.MethodConfig {
		if diff := cmp.Diff([]string{"UNAVAILABLE"}, c.RetryPolicy.RetryableStatusCodes); diff != "" {
			t.Errorf("what is tried again (-want +got):\n%s", diff)
		}
		for _, n := range c.Name {
			got = append(got, n.Service+"."+n.Method)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("methods that tools/clients/service_config.json has clients try again (-want +got):\n%s", diff)
	}
}

// A client that has it reads once more what was unavailable, and never orders once more by itself.
func TestServiceConfigRetriesReadsAndNoOrder(t *testing.T) {
	t.Parallel()
	down := fault.New(fault.ReasonLedgerUnavailable, "the ledger does not answer")
	services := &fake{
		portIn: func(context.Context, *portinv1.PortInRequest) (*portinv1.PortInResponse, error) { return nil, down },
	}
	reads := 0
	services.get = func(_ context.Context, id string) (*portinv1.PortInOrder, error) {
		reads++
		if reads == 1 {
			return nil, down
		}
		return &portinv1.PortInOrder{OrderId: id}, nil
	}
	client := portinv1.NewPortInServiceClient(serve(t, services, grpc.WithDefaultServiceConfig(serviceConfig(t))))
	if _, err := client.GetPortInOrder(t.Context(), &portinv1.GetPortInOrderRequest{OrderId: aUUID}); err != nil {
		t.Errorf("a read that was unavailable once fails: %v", err)
	}
	_, err := client.PortIn(t.Context(), &portinv1.PortInRequest{})
	wantError(t, err, codes.Unavailable, "LEDGER_UNAVAILABLE")
	if diff := cmp.Diff([]string{"Get " + aUUID, "Get " + aUUID, "CheckSize", "PortIn"}, services.called()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}
