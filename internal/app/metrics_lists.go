package app

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/portin/portin/internal/directory"
)

// listMetrics are what /metrics shows of the carrier's lists, which the service keeps for a while.
type listMetrics struct {
	reads   *prometheus.CounterVec
	renewed *prometheus.GaugeVec
}

var (
	_ directory.Observer   = (*listMetrics)(nil)
	_ prometheus.Collector = (*listMetrics)(nil)
)

func newListMetrics() *listMetrics {
	m := &listMetrics{
		reads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "portin_catalog_reads_total",
			Help: "Reads of the carrier's lists, by where they came from: kept in memory, asked of the carrier, or failed because it could not be asked a moment ago.",
		}, []string{"list", "from"}),
		renewed: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "portin_catalog_list_time_seconds",
			Help: "When the list in memory was asked of the carrier, as a Unix time; a list that nobody wanted yet is not shown.",
		}, []string{"list"}),
	}
	for _, list := range directory.AllLists() {
		for _, from := range directory.AllHad() {
			m.reads.WithLabelValues(string(list), string(from))
		}
	}
	return m
}

// Read counts a read.
func (m *listMetrics) Read(list directory.List, from directory.Had) {
	m.reads.WithLabelValues(string(list), string(from)).Inc()
}

// Renewed notes how old a list is.
func (m *listMetrics) Renewed(list directory.List, at time.Time) {
	m.renewed.WithLabelValues(string(list)).Set(float64(at.UnixMilli()) / 1000)
}

// Describe names the metrics.
func (m *listMetrics) Describe(out chan<- *prometheus.Desc) {
	m.reads.Describe(out)
	m.renewed.Describe(out)
}

// Collect shows them.
func (m *listMetrics) Collect(out chan<- prometheus.Metric) {
	m.reads.Collect(out)
	m.renewed.Collect(out)
}

// buildInfo says which program this is; its value is always 1.
func buildInfo(version string) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "portin_build_info", Help: "The version of portin, and of Go that it was built with.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	}, func() float64 { return 1 })
}
