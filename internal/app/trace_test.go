package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/config"
	"github.com/portin/portin/internal/ledger"
)

// collector takes spans as a test tells it to.
type collector struct {
	take func(context.Context) error
	shut bool
}

func (c *collector) ExportSpans(ctx context.Context, _ []sdktrace.ReadOnlySpan) error {
	return c.take(ctx)
}

func (c *collector) Shutdown(context.Context) error {
	c.shut = true
	return nil
}

// make makes spans that are over.
func (t *traces) make(ctx context.Context, n int) {
	for range n {
		_, span := t.tracer.Start(ctx, "a span")
		span.End()
	}
}

// counted is how many spans were sent, lost and dropped.
func counted(t *testing.T, spans *prometheus.CounterVec) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(spans)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]float64{}
	for _, m := range families[0].GetMetric() {
		counts[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
	}
	return counts
}

// A collector that hangs costs spans: no call waits for it, and a stop only so long.
func TestACollectorThatHangsHoldsNothingUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &collector{take: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
		spans := newSpanMetric()
		traces := newTracesTo(newOutbox(c, spans, slog.New(slog.DiscardHandler)), 1, "test")
		begun := time.Now()
		traces.make(t.Context(), 10_000)
		if took := time.Since(begun); took != 0 {
			t.Errorf("10,000 spans took %v", took)
		}
		traces.stop(t.Context())
		if took := time.Since(begun); took != flushWithin || !c.shut {
			t.Errorf("the stop took %v, want %v; the collector was let go: %v", took, flushWithin, c.shut)
		}
		traces.stop(t.Context())
		want := map[string]float64{spansSent: 0, spansLost: mostWaiting, spansDropped: 10_000 - mostWaiting}
		if diff := cmp.Diff(want, counted(t, spans)); diff != "" {
			t.Errorf("spans (-want +got):\n%s", diff)
		}
	})
}

// What a collector that is slow has taken makes room again: nothing is dropped that the queue has room for.
func TestWhatTheCollectorTakesMakesRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		spans := newSpanMetric()
		traces := newTracesTo(newOutbox(&collector{take: func(context.Context) error { return nil }}, spans, slog.New(slog.DiscardHandler)), 1, "test")
		for range 10 {
			traces.make(t.Context(), mostWaiting)
			if err := traces.provider.ForceFlush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		traces.stop(t.Context())
		want := map[string]float64{spansSent: 10 * mostWaiting, spansLost: 0, spansDropped: 0}
		if diff := cmp.Diff(want, counted(t, spans)); diff != "" {
			t.Errorf("spans (-want +got):\n%s", diff)
		}
	})
}

// A stop sends what is left, and a stop that has no time left sends nothing.
func TestAStopSendsWhatIsLeft(t *testing.T) {
	t.Parallel()
	ended, end := context.WithCancel(t.Context())
	end()
	for name, c := range map[string]struct {
		within context.Context
		want   map[string]float64
	}{
		"in time":  {t.Context(), map[string]float64{spansSent: 700, spansLost: 0, spansDropped: 0}},
		"too late": {ended, map[string]float64{spansSent: 0, spansLost: 700, spansDropped: 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spans, asked := newSpanMetric(), make(chan struct{})
			traces := newTracesTo(newOutbox(&collector{take: func(ctx context.Context) error {
				select {
				case <-asked:
				case <-ctx.Done():
				}
				return ctx.Err()
			}}, spans, slog.New(slog.DiscardHandler)), 1, "test")
			traces.make(t.Context(), 700)
			if c.within.Err() == nil {
				close(asked)
			}
			traces.stop(c.within)
			if diff := cmp.Diff(c.want, counted(t, spans)); diff != "" {
				t.Errorf("spans (-want +got):\n%s", diff)
			}
		})
	}
}

// The log has a line when the collector begins to fail and one when it is over, not one for each batch.
func TestTheLogTellsOfACollectorOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var answer error
	o := newOutbox(&collector{take: func(context.Context) error { return answer }}, newSpanMetric(), slog.New(slog.NewTextHandler(&log, nil)))
	for _, err := range []error{nil, errors.New("down"), errors.New("down"), nil, nil, io.EOF} {
		answer = err
		if err := o.ExportSpans(t.Context(), nil); err != nil {
			t.Error(err)
		}
	}
	var said []string
	for line := range strings.Lines(log.String()) {
		said = append(said, strings.Fields(line)[1])
	}
	if diff := cmp.Diff([]string{"level=WARN", "level=INFO", "level=WARN"}, said); diff != "" {
		t.Errorf("the log (-want +got):\n%s\n%s", diff, &log)
	}
}

// kept returns traces whose spans are kept.
func kept(ratio float64) (*traces, *tracetest.InMemoryExporter) {
	spans := tracetest.NewInMemoryExporter()
	return newTracesTo(newOutbox(spans, newSpanMetric(), slog.New(slog.DiscardHandler)), ratio, "test"), spans
}

// store answers what a test says.
type store struct {
	ledger.Store
	err error
}

func (s store) Find(context.Context, string, string) (ledger.Record, error) {
	return ledger.Record{}, s.err
}

func TestWhatTheLedgerAnswersHasAName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err           error
		class, status string
	}{
		{nil, "done", "Unset"},
		{ledger.ErrNotFound, "not_found", "Unset"},
		{ledger.ErrMoved, "moved", "Unset"},
		{ledger.ErrNotCorrectable, "not_correctable", "Unset"},
		{ledger.ErrTicketTaken, "ticket_taken", "Unset"},
		{&ledger.HeldError{Number: "+14165550123"}, "held", "Unset"},
		{fmt.Errorf("list: %w", context.Canceled), "left", "Unset"},
		{context.DeadlineExceeded, "left", "Unset"},
		{errors.New("hunter2"), "failed", "Error"},
	} {
		traces, spans := kept(1)
		calls := newLedgerMetric()
		ctx, call := traces.tracer.Start(t.Context(), "a call")
		if _, err := (&seenLedger{store{err: c.err}, traces, calls, nil}).Find(ctx, "", ""); !errors.Is(err, c.err) {
			t.Errorf("%v became %v", c.err, err)
		}
		if err := traces.provider.ForceFlush(t.Context()); err != nil {
			t.Fatal(err)
		}
		is := spans.GetSpans()[0]
		got := []string{is.Name, is.Status.Code.String() + is.Status.Description}
		for _, a := range is.Attributes {
			got = append(got, string(a.Key)+"="+a.Value.String())
		}
		if diff := cmp.Diff([]string{"ledger Find", c.status, "portin.operation=Find", "portin.class=" + c.class}, got); diff != "" {
			t.Errorf("the span of %v (-want +got):\n%s", c.err, diff)
		}
		if !calls.DeleteLabelValues("Find", c.class) { // what was never counted is not there
			t.Errorf("%v was not counted as %s", c.err, c.class)
		}
		call.End()
		traces.stop(t.Context())
	}
}

// What belongs to no call, or to one that is not sampled, has no spans; nor has anything without a collector.
func TestOnlyCallsHaveSpans(t *testing.T) {
	t.Parallel()
	all, allSpans := kept(1)
	none, noSpans := kept(0)
	unsampled, call := none.tracer.Start(t.Context(), "a call")
	defer call.End()
	for _, c := range []struct {
		traces *traces
		ctx    context.Context
	}{{all, t.Context()}, {none, t.Context()}, {none, unsampled}, {&traces{}, t.Context()}} {
		_, _ = (&seenLedger{store{}, c.traces, newLedgerMetric(), nil}).Find(c.ctx, "", "")
		c.traces.exchange(c.ctx, "", carrier.Observation{})
	}
	for traces, spans := range map[*traces]*tracetest.InMemoryExporter{all: allSpans, none: noSpans} {
		if err := traces.provider.ForceFlush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := spans.GetSpans(); len(got) != 0 { // before the stop, which forgets them
			t.Errorf("there are spans: %v", got)
		}
		traces.stop(t.Context())
	}
}

// A collector that cannot be one is said so before anything is served.
func TestTracesOfAnEndpointThatIsNone(t *testing.T) {
	t.Parallel()
	_, err := newTraces(t.Context(), config.Trace{Endpoint: "\x00:1"}, "test", newSpanMetric(), slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "trace-endpoint") {
		t.Errorf("the error is %v", err)
	}
}
