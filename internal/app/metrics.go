package app

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/rpc"
)

// metrics are what /metrics shows. Nothing in them comes from an order.
type metrics struct {
	registry  *prometheus.Registry
	exchanges *prometheus.HistogramVec
	webhooks  *webhookMetrics
	access    *accessMetrics
	calls     *rpc.Metrics
	lists     *listMetrics
	spans     *prometheus.CounterVec
	ledger    *prometheus.HistogramVec
	panics    *prometheus.CounterVec
	moves     *prometheus.CounterVec
}

// panicking are the parts whose panics are counted together; watches and webhooks count their own.
type panicking string

const (
	panicOfCall   panicking = "call"
	panicOfJSON   panicking = "json"
	panicOfOrders panicking = "orders"
)

// newMetrics builds the metrics of a service; counts of orders are asked for when somebody looks.
func newMetrics(a *App) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		exchanges: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "portin_carrier_exchange_seconds", Help: "How long exchanges with the carrier took, by operation, by account, and by what they came to.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120},
		}, []string{"operation", "class", "account"}),
		webhooks: newWebhookMetrics(),
		access:   newAccessMetrics(),
		calls:    rpc.NewMetrics(),
		lists:    newListMetrics(),
		spans:    newSpanMetric(),
		ledger:   newLedgerMetric(),
		moves:    newMovesMetric(),
		panics: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "portin_panics_total",
			Help: "Panics that were survived: of a call, of the JSON face before or after a call, or while orders are sent, followed and looked after.",
		}, []string{"of"}),
	}
	for _, of := range []panicking{panicOfCall, panicOfJSON, panicOfOrders} {
		m.panics.WithLabelValues(string(of))
	}
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.exchanges, orderMetrics{app: a}, m.webhooks, m.access, m.calls, m.lists, m.spans, m.ledger, m.panics, m.moves, buildInfo(a.version),
		gauge("portin_bytes_in_flight", "Bytes of memory that large requests are taken to need at the moment.",
			func() float64 { return float64(a.scale.Weight()) }),
		counter("portin_bytes_in_flight_refused_total", "Large requests that were refused because they did not fit beside those in flight.",
			func() float64 { return float64(a.scale.Refused()) }),
		gauge("portin_watches", "Watches that are being served.", func() float64 { return float64(a.watches.Count()) }),
		counter("portin_watch_panics_total", "Panics of watches that were survived.", func() float64 { return float64(a.watches.Panics()) }),
		gauge("portin_ready", "Whether the service is ready to take orders.", func() float64 { return truth(a.ready.Load()) }),
		gauge("portin_ledger_results_owed", "Results of orders that the ledger did not take yet; no new order is taken meanwhile.",
			func() float64 { return float64(a.intake.Unsettled()) }),
		counter("portin_orders_erased_total", "Orders whose personal data this process has removed.", func() float64 { return float64(a.intake.Erased()) }),
		pauseMetrics{app: a},
	)
	return m
}

// panicked counts a panic of a part.
func (m *metrics) panicked(of panicking) func() { return m.panics.WithLabelValues(string(of)).Inc }

func gauge(name, help string, value func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
}

func counter(name, help string, value func() float64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true, Timeout: checkWithin})
}

// observed counts and traces what the carrier's client saw, and writes one line an exchange, without any of its content.
func (a *App) observed(ctx context.Context, account string, o carrier.Observation) {
	a.metrics.exchanges.WithLabelValues(o.Operation, string(o.Class), account).Observe(o.Duration.Seconds())
	a.traces.exchange(ctx, account, o)
	a.log.LogAttrs(ctx, slog.LevelDebug, "carrier", slog.String("operation", o.Operation), slog.String("account", account), slog.Any("class", o.Class),
		slog.Int("http_status", o.HTTPStatus), slog.Duration("duration", o.Duration))
}

// orderMetrics counts orders in the ledger whenever somebody looks, so that every replica shows the same.
type orderMetrics struct{ app *App }

// orderDescriptions describe the metrics of orders.
type orderDescriptions struct {
	sending, inDoubt, attention, reasons, accepted, up *prometheus.Desc
	pollLag, inDoubtLag, deliveryLag                   *prometheus.Desc
}

func (orderMetrics) descriptions() orderDescriptions {
	describe := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return orderDescriptions{
		sending:   describe("portin_orders_sending", "Orders that are being sent."),
		inDoubt:   describe("portin_orders_in_doubt", "Orders of which it is not known whether the carrier has them."),
		attention: describe("portin_orders_need_attention", "Orders that a person should look at."),
		reasons:   describe("portin_orders_need_attention_by_reason", "Orders that a person should look at, by why; one may have several reasons.", "reason"),
		accepted:  describe("portin_orders_accepted", "Orders that the carrier has and that are not over, by what their status means.", "category"),
		up:        describe("portin_ledger_up", "Whether the ledger could be asked for these figures."),
		pollLag: describe("portin_orders_poll_lag_seconds",
			"For how long the longest due accepted order has been due to be asked about; 0 when none is late."),
		inDoubtLag: describe("portin_orders_in_doubt_lag_seconds",
			"For how long the longest due order in doubt has been due to be asked about; 0 when none is late."),
		deliveryLag: describe("portin_webhook_lag_seconds",
			"For how long the longest due webhook delivery has been due; 0 when none is late. What waits for a disabled endpoint is not due."),
	}
}

// Describe names the metrics.
func (o orderMetrics) Describe(out chan<- *prometheus.Desc) {
	is := o.descriptions()
	for _, d := range []*prometheus.Desc{is.sending, is.inDoubt, is.attention, is.reasons, is.accepted, is.up, is.pollLag, is.inDoubtLag, is.deliveryLag} {
		out <- d
	}
}

// Collect asks the ledger. Without an answer there are no figures, and none that are made up.
func (o orderMetrics) Collect(out chan<- prometheus.Metric) {
	is := o.descriptions()
	show := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	counts, err := o.app.ledger.Count(ctx)
	show(is.up, truth(err == nil))
	if err != nil {
		return
	}
	show(is.sending, float64(counts.Sending))
	show(is.inDoubt, float64(counts.InDoubt))
	show(is.attention, float64(counts.NeedsAttention))
	for _, code := range ledger.AttentionCodes() {
		show(is.reasons, float64(counts.ByAttention[code]), strings.ToLower(string(code)))
	}
	// Orders are due by a clock that nobody sets, deliveries by the wall's.
	show(is.pollLag, late(counts.AcceptedDue, o.app.clock.Now()))
	show(is.inDoubtLag, late(counts.InDoubtDue, o.app.clock.Now()))
	show(is.deliveryLag, late(counts.DeliveryDue, time.Now()))
	show(is.accepted, float64(counts.Open), "open")
	show(is.accepted, float64(counts.Scheduled), "scheduled")
	show(is.accepted, float64(counts.Attention), "attention")
}

// late is for how many seconds something has been due; 0 when it is not, or never.
func late(due, now time.Time) float64 {
	if due.IsZero() {
		return 0
	}
	return max(0, now.Sub(due).Seconds())
}
