package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/portin/portin/internal/fault"
)

// pauseMetrics show for each account at the carrier whether submissions pause, and why.
type pauseMetrics struct{ app *App }

func (pauseMetrics) descriptions() map[fault.Reason]*prometheus.Desc {
	describe := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, []string{"account"}, nil)
	}
	return map[fault.Reason]*prometheus.Desc{
		fault.ReasonCarrierCredentials: describe("portin_carrier_credentials_refused",
			"Whether submissions with an account pause because the carrier refuses its credentials, or there are none for it."),
		fault.ReasonCarrierUnreachable: describe("portin_carrier_unreachable",
			"Whether submissions with an account pause because the carrier cannot be reached."),
	}
}

// Describe names the metrics.
func (m pauseMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range m.descriptions() {
		out <- d
	}
}

// Collect asks the accounts.
func (m pauseMetrics) Collect(out chan<- prometheus.Metric) {
	for account, why := range m.app.accounts.Paused() {
		for reason, d := range m.descriptions() {
			out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, truth(why == reason), account)
		}
	}
}
