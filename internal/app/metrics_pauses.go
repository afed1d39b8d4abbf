package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/portin/portin/internal/fault"
)

// pauseMetrics show for each account at the carrier whether submissions pause, and why.
type pauseMetrics struct{ app *App }

// pauseDescriptions describe the metrics of pauses.
type pauseDescriptions struct{ credentials, unreachable *prometheus.Desc }

func (pauseMetrics) descriptions() pauseDescriptions {
	describe := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, []string{"account"}, nil)
	}
	return pauseDescriptions{
		credentials: describe("portin_carrier_credentials_refused",
			"Whether submissions with an account pause because the carrier refuses its credentials, or there are none for it."),
		unreachable: describe("portin_carrier_unreachable",
			"Whether submissions with an account pause because the carrier cannot be reached."),
	}
}

// Describe names the metrics.
func (m pauseMetrics) Describe(out chan<- *prometheus.Desc) {
	is := m.descriptions()
	out <- is.credentials
	out <- is.unreachable
}

// Collect asks the accounts.
func (m pauseMetrics) Collect(out chan<- prometheus.Metric) {
	is := m.descriptions()
	for account, why := range m.app.accounts.Paused() {
		show := func(d *prometheus.Desc, reason fault.Reason) {
			out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, truth(why == reason), account)
		}
		show(is.credentials, fault.ReasonCarrierCredentials)
		show(is.unreachable, fault.ReasonCarrierUnreachable)
	}
}
