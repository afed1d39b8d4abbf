package rpc

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
)

// figures are the samples of a counter, or the counts of a histogram, by method and code.
func figures(t *testing.T, m *Metrics, name string) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(m)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range metric.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			key := "/" + labels["grpc_service"] + "/" + labels["grpc_method"]
			if code := labels["grpc_code"]; code != "" {
				key += " " + code
			}
			all[key] += metric.GetCounter().GetValue() + float64(metric.GetHistogram().GetSampleCount())
		}
	}
	return all
}

// The code that is counted is the one that the caller gets, and a name that a caller made up is no figure.
func TestCallsAreCounted(t *testing.T) {
	t.Parallel()
	m := NewMetrics()
	s := Services{Access: Everybody("default"), Orders: &fake{}, Log: slog.New(slog.DiscardHandler), LongestCall: time.Minute, Metrics: m}
	req := &portinv1.GetPortInOrderRequest{OrderId: aUUID}
	for _, err := range []error{nil, fault.New(fault.ReasonCarrierCredentials, "no"), errors.New("broken"), context.Canceled} {
		_, _ = pass(t.Context(), s, portInMethod, req, answers(&portinv1.PortInResponse{}, err))
	}
	_, _ = pass(t.Context(), s, portInMethod, req, func(context.Context, any) (any, error) { panic("broken") })
	const watch = portinv1.PortInService_WatchPortInOrders_FullMethodName
	_ = passStream(t.Context(), s, watch, func(any, grpc.ServerStream) error { return nil })
	_ = passStream(t.Context(), s, "/portin.v1.PortInService/"+secret, unknownMethod)
	_ = passStream(t.Context(), s, "/"+secret+"/"+secret, unknownMethod)

	want := map[string]float64{
		portInMethod + " OK": 1, portInMethod + " FailedPrecondition": 1, portInMethod + " Internal": 2, portInMethod + " Canceled": 1,
		watch + " OK": 1, "/unknown/unknown Unimplemented": 2,
	}
	if diff := cmp.Diff(want, figures(t, m, "grpc_server_handled_total")); diff != "" {
		t.Errorf("calls that ended (-want +got):\n%s", diff)
	}
	want = map[string]float64{portInMethod: 5, watch: 1, "/unknown/unknown": 2}
	for _, name := range []string{"grpc_server_started_total", "grpc_server_handling_seconds"} {
		if diff := cmp.Diff(want, figures(t, m, name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Every method of the contract is shown before anybody has called it.
func TestEveryMethodIsShownFromTheBeginning(t *testing.T) {
	t.Parallel()
	f, m := &fake{}, NewMetrics()
	server := grpc.NewServer()
	Services{Orders: f, Statuses: f, Catalog: f.catalog, Watches: f, Webhooks: f}.Register(server)
	m.InitializeMetrics(server)
	var want []string
	for _, method := range methodsOf(t) {
		want = append(want, "/"+string(method.Parent().FullName())+"/"+string(method.Name()))
	}
	for _, name := range []string{"grpc_server_started_total", "grpc_server_handling_seconds"} {
		got := slices.Collect(maps.Keys(figures(t, m, name)))
		if diff := cmp.Diff(want, got, cmpopts.SortSlices(func(a, b string) bool { return a < b })); diff != "" {
			t.Errorf("%s (-contract +shown):\n%s", name, diff)
		}
	}
}
