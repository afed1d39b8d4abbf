package app

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/portin/portin/internal/webhook"
)

// webhookMetrics are what /metrics shows of webhooks. Nothing in them comes from an endpoint.
type webhookMetrics struct {
	deliveries       *prometheus.HistogramVec
	behind           prometheus.Gauge
	disabled, panics prometheus.Counter
}

var (
	_ webhook.Observer     = (*webhookMetrics)(nil)
	_ prometheus.Collector = (*webhookMetrics)(nil)
)

func newWebhookMetrics() *webhookMetrics {
	m := &webhookMetrics{
		deliveries: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "portin_webhook_delivery_seconds", Help: "How long tries to deliver to webhook endpoints took, by what they came to.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 15, 30},
		}, []string{"result"}),
		behind: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "portin_webhook_events_behind", Help: "Events that the webhook endpoint furthest behind was not looked at for.",
		}),
		disabled: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "portin_webhook_endpoints_disabled_total", Help: "Webhook endpoints that the service disabled.",
		}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "portin_webhook_panics_total", Help: "Panics of webhooks that were survived.",
		}),
	}
	for _, r := range webhook.Results() {
		m.deliveries.WithLabelValues(string(r))
	}
	return m
}

// Delivered counts a try.
func (m *webhookMetrics) Delivered(result webhook.Result, took time.Duration) {
	m.deliveries.WithLabelValues(string(result)).Observe(took.Seconds())
}

// Behind notes how far behind the endpoints are.
func (m *webhookMetrics) Behind(events int64) { m.behind.Set(float64(events)) }

// Disabled counts an endpoint.
func (m *webhookMetrics) Disabled() { m.disabled.Inc() }

// Panicked counts a panic.
func (m *webhookMetrics) Panicked() { m.panics.Inc() }

func (m *webhookMetrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.deliveries, m.behind, m.disabled, m.panics}
}

// Describe names the metrics.
func (m *webhookMetrics) Describe(out chan<- *prometheus.Desc) { describeAll(out, m.all()) }

// Collect shows them.
func (m *webhookMetrics) Collect(out chan<- prometheus.Metric) { collectAll(out, m.all()) }

func describeAll(out chan<- *prometheus.Desc, all []prometheus.Collector) {
	for _, c := range all {
		c.Describe(out)
	}
}

func collectAll(out chan<- prometheus.Metric, all []prometheus.Collector) {
	for _, c := range all {
		c.Collect(out)
	}
}
