package app

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/portin/portin/internal/account"
	"github.com/portin/portin/internal/auth"
	"github.com/portin/portin/internal/certs"
)

// accessMetrics are what /metrics shows of callers, certificates and the files of carrier accounts. Nothing in them comes from a
// caller.
type accessMetrics struct {
	refused                                *prometheus.CounterVec
	rosterBroken, keysMissing, certsBroken prometheus.Gauge
	accountsBroken, expires                prometheus.Gauge
}

var (
	_ auth.Observer        = (*accessMetrics)(nil)
	_ certs.Observer       = (*accessMetrics)(nil)
	_ account.Observer     = (*accessMetrics)(nil)
	_ prometheus.Collector = (*accessMetrics)(nil)
)

func newAccessMetrics() *accessMetrics {
	broken := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	m := &accessMetrics{
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "portin_auth_refused_total", Help: "Calls that were refused because nobody could be made out who makes them, by why.",
		}, []string{"why"}),
		rosterBroken: broken("portin_auth_roster_broken", "Whether the callers file is broken, and the one before it in force."),
		keysMissing:  broken("portin_auth_keys_missing", "Whether the keys of the issuer of tokens could not be fetched the last time."),
		certsBroken:  broken("portin_tls_files_broken", "Whether the certificate files are broken, and those before them in force."),
		accountsBroken: broken("portin_carrier_accounts_broken",
			"Whether the carrier accounts file, or a password file, is broken, and those before in force."),
		expires: broken("portin_tls_certificate_expiry_seconds", "When the certificate in force expires, in seconds since 1970; 0 without one."),
	}
	for _, why := range auth.Refusals() {
		m.refused.WithLabelValues(string(why))
	}
	return m
}

// Refused counts a call.
func (m *accessMetrics) Refused(why auth.Refusal) { m.refused.WithLabelValues(string(why)).Inc() }

// Roster notes how the callers file is.
func (m *accessMetrics) Roster(ok bool) { m.rosterBroken.Set(truth(!ok)) }

// Keys notes how the issuer is.
func (m *accessMetrics) Keys(ok bool) { m.keysMissing.Set(truth(!ok)) }

// Accounts notes how the files of the carrier accounts are.
func (m *accessMetrics) Accounts(ok bool) { m.accountsBroken.Set(truth(!ok)) }

// Reloaded notes how the certificate files are.
func (m *accessMetrics) Reloaded(ok bool) { m.certsBroken.Set(truth(!ok)) }

// ExpiresAt notes when the certificate expires.
func (m *accessMetrics) ExpiresAt(at time.Time) { m.expires.Set(float64(at.Unix())) }

func (m *accessMetrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.refused, m.rosterBroken, m.keysMissing, m.certsBroken, m.accountsBroken, m.expires}
}

// Describe names the metrics.
func (m *accessMetrics) Describe(out chan<- *prometheus.Desc) { describeAll(out, m.all()) }

// Collect shows them.
func (m *accessMetrics) Collect(out chan<- prometheus.Metric) { collectAll(out, m.all()) }
