package check

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
)

// scene is what Prometheus reads each minute, as series in the notation of its own tests ("1x9" is ten times 1), and what an
// alert makes of it.
type scene struct {
	series string
	// fires are the minute after which the alert fires, and what it is about; "" for one that stays silent.
	fires string
}

// alerts are scenes of each alert: one at least in which it fires, and one in which it must not. Every series goes on for six
// hours where nothing is said.
func alerts() map[string][]scene {
	return map[string][]scene{
		"PortinGone": {
			{"", "after 5m: {}"},
			{`portin_build_info{instance="a"} 1x30 _x331`, "after 40m: {}"}, // 5m until the last figure is too old, and 5m
			{`portin_build_info{instance="a"} 1x9 _x7 1x343`, ""},           // a restart
		},
		"PortinNotReady": {
			{`portin_ready{instance="a"} 1x10 0x349`, `after 13m: {instance="a"}`},
			{`portin_ready{instance="a"} 1x10 0 0 1x347`, ""},
		},
		"PortinLedgerDown": {
			{`portin_ledger_up{instance="a"} 1x10 0x349`, `after 13m: {instance="a"}`},
			{`portin_ledger_up{instance="a"} 1x10 0 0 1x347`, ""},
		},
		"PortinResultsOwed": {
			{`portin_ledger_results_owed{instance="a"} 0x10 1 2 3 2x346`, `after 16m: {instance="a"}`},
			{`portin_ledger_results_owed{instance="a"} 0x10 9 9 9 9 0x345`, ""},
		},
		"PortinOrdersNeedAttention": {
			{"portin_orders_need_attention{instance=\"a\"} 0x10 2x349\nportin_orders_need_attention{instance=\"b\"} 0x11 2x348", "after 26m: {}"},
			{"portin_orders_need_attention{instance=\"a\"} 0x10 2x9 0x339\nportin_orders_need_attention{instance=\"b\"} 0x360", ""},
		},
		"PortinOrdersInDoubtForLong": {
			// The replica that looked first is gone; the other one sees the same orders.
			{"portin_orders_in_doubt{instance=\"a\"} 0x10 1x30 _x319\nportin_orders_in_doubt{instance=\"b\"} 0x11 1x348", "after 1h11m: {}"},
			{`portin_orders_in_doubt{instance="a"} 0x10 1x58 0x290`, ""},
		},
		"PortinOrdersNotFollowed": {
			{`portin_orders_poll_lag_seconds{instance="a"} 0x10 0+60x349`, "after 42m: {}"},
			{`portin_orders_poll_lag_seconds{instance="a"} 0x10 900x349`, ""},
		},
		"PortinAccountNotFollowed": {
			{
				status("answered", "x", "0+1x10 10x349") + status("credentials", "x", "0x10 0+1x349") + status("answered", "y", "0+1x360"),
				`after 54m: {account="x", job="portin"}`, // 30m since its last answer, and 15m
			},
			{status("unreadable", "x", "0+1x360"), `after 16m: {account="x", job="portin"}`},
			{status("answered", "x", "0+1x360") + status("unreadable", "x", "0+9x360"), ""}, // one order that cannot be read
			{status("none", "x", "0+1x360"), ""},
			{status("answered", "x", "0+1x100 100x259"), ""},                                                          // all orders are closed
			{status("answered", "x", "0+1x10 10x30 10+1x318") + status("not_written", "x", "0x10 0+1x30 30x319"), ""}, // half an hour
		},
		"PortinCarrierCredentialsRefused": {
			{
				"portin_carrier_credentials_refused{account=\"x\",instance=\"a\"} 0x10 1x349\nportin_carrier_credentials_refused{account=\"y\",instance=\"a\"} 0x360",
				`after 12m: {account="x", instance="a"}`,
			},
			{`portin_carrier_credentials_refused{account="x",instance="a"} 0x10 1 0x348`, ""},
		},
		"PortinCarrierUnreachable": {
			{`portin_carrier_unreachable{account="x",instance="a"} 0x10 1x349`, `after 16m: {account="x", instance="a"}`},
			{`portin_carrier_unreachable{account="x",instance="a"} 0x10 1 1 1 1 0x345`, ""},
		},
		"PortinOrdersRefusedForMemory": {
			{`portin_bytes_in_flight_refused_total{instance="a"} 0x10 0+1x349`, `after 42m: {instance="a"}`},
			{`portin_bytes_in_flight_refused_total{instance="a"} 0x10 7x349`, ""},       // a burst
			{`portin_bytes_in_flight_refused_total{instance="a"} 90x10 0x349`, ""},      // a restart
			{`portin_bytes_in_flight_refused_total{instance="a"} 5x10 8x150 9x199`, ""}, // now and then
		},
		"PortinWebhookEventsBehind": {
			{"portin_webhook_events_behind{instance=\"a\"} 0x10 2000x349\nportin_webhook_events_behind{instance=\"b\"} 0x360", "after 26m: {}"},
			{`portin_webhook_events_behind{instance="a"} 0x10 1000x349`, ""},
		},
		"PortinWebhookEndpointDisabled": {
			{`portin_webhook_endpoints_disabled_total{instance="a"} 0x10 1x349`, `after 11m: {instance="a"}`}, // the first one
			{`portin_webhook_endpoints_disabled_total{instance="a"} 3x10 0x349`, ""},                          // a restart
		},
		"PortinCallersFileBroken": {
			{`portin_auth_roster_broken{instance="a"} 0x10 1x349`, `after 13m: {instance="a"}`},
			{`portin_auth_roster_broken{instance="a"} 0x10 1 0x348`, ""},
		},
		"PortinCarrierAccountsBroken": {
			{`portin_carrier_accounts_broken{instance="a"} 0x10 1x349`, `after 13m: {instance="a"}`},
			{`portin_carrier_accounts_broken{instance="a"} 0x10 1 0x348`, ""},
		},
		"PortinTokenKeysMissing": {
			{`portin_auth_keys_missing{instance="a"} 0x10 1x349`, `after 26m: {instance="a"}`},
			{`portin_auth_keys_missing{instance="a"} 0x10 1x10 0x338`, ""},
		},
		"PortinCertificateFilesBroken": {
			{`portin_tls_files_broken{instance="a"} 0x10 1x349`, `after 13m: {instance="a"}`},
			{`portin_tls_files_broken{instance="a"} 0x10 1 0x348`, ""},
		},
		"PortinCertificateExpires": { // Time begins with the first minute: a week is 604800.
			{`portin_tls_certificate_expiry_seconds{instance="a"} 608400x360`, `after 2h1m: {instance="a"}`},
			{`portin_tls_certificate_expiry_seconds{instance="a"} 608400x90 9999999x269`, ""}, // renewed in time
			{`portin_tls_certificate_expiry_seconds{instance="a"} 0x360`, ""},                 // without TLS
		},
		"PortinCallsFail": {
			{calls("OK", 90) + calls("Unavailable", 10), `after 11m: {job="portin"}`},
			{calls("OK", 90) + calls("Internal", 2) + calls("Unknown", 2) + calls("DeadlineExceeded", 2), `after 11m: {job="portin"}`},
			{calls("OK", 97) + calls("Unavailable", 3), ""},
			{calls("OK", 10) + calls("InvalidArgument", 60) + calls("Unauthenticated", 30) + calls("ResourceExhausted", 30), ""}, // callers' mistakes
			{calls("OK", 0), ""}, // nobody calls
			{`grpc_server_handled_total{grpc_code="Unavailable",grpc_service="grpc.health.v1.Health",instance="a",job="portin"} 0+10x360`, ""},
		},
	}
}

// calls are so many calls a minute with a code, at two replicas.
func calls(code string, each int) string {
	var b strings.Builder
	for _, instance := range []string{"a", "b"} {
		fmt.Fprintf(&b, "grpc_server_handled_total{grpc_code=%q,grpc_service=\"portin.v1.PortInService\",instance=%q,job=\"portin\"} 0+%dx360\n", code, instance, each)
	}
	return b.String()
}

// status are questions about orders of an account that came to a class.
func status(class, account, series string) string {
	const name = "portin_carrier_exchange_seconds_count"
	return fmt.Sprintf("%s{account=%q,class=%q,job=\"portin\",operation=\"PortInStatusByTicket\"} %s\n", name, account, class, series)
}

// Each alert fires when it should, as soon as it should, about what it should, and at no other time. Prometheus itself says so.
func TestTheAlertsFire(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(rules)
	if err != nil {
		t.Fatal(err)
	}
	groups, problems := read(text)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	scenes := alerts()
	for _, rule := range groups.Groups[0].Rules {
		of := scenes[rule.Alert]
		delete(scenes, rule.Alert)
		if !slices.ContainsFunc(of, func(s scene) bool { return s.fires != "" }) || rule.Alert != "PortinGone" && !slices.ContainsFunc(of, func(s scene) bool { return s.fires == "" }) {
			t.Errorf("%s has no scene in which it fires, or none in which it does not", rule.Alert)
		}
		for _, s := range of {
			t.Run(rule.Alert, func(t *testing.T) {
				t.Parallel()
				if got := firstFires(t, rule, s.series); got != s.fires {
					t.Errorf("of\n%s\nit fires %q, want %q", s.series, got, s.fires)
				}
			})
		}
	}
	for alert := range scenes {
		t.Errorf("there is no alert %s", alert)
	}
}

// firstFires says when an alert first fires in a scene, and about what.
func firstFires(t *testing.T, rule rulefmt.Rule, series string) string {
	t.Helper()
	store := promqltest.LoadedStorage(t, "load 1m\n"+series)
	engine := promqltest.NewTestEngine(t, false, 0, 1_000_000)
	begin := time.Unix(0, 0)
	query, err := engine.NewRangeQuery(t.Context(), store, nil, rule.Expr, begin, begin.Add(6*time.Hour), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer query.Close()
	result, err := query.Exec(t.Context()).Matrix()
	if err != nil {
		t.Fatal(err)
	}
	var first string
	for _, is := range result {
		if at, fires := firesAt(is.Floats, time.Duration(rule.For)); fires && first == "" {
			first = fmt.Sprintf("after %s: %s", strings.TrimSuffix(at.String(), "0s"), is.Metric.DropReserved(func(name string) bool { return name == labels.MetricName }))
		}
	}
	return first
}

// firesAt is when a condition has held for a time without a gap.
func firesAt(held []promql.FPoint, want time.Duration) (time.Duration, bool) {
	var since, last int64
	for i, p := range held {
		if i == 0 || p.T-last > time.Minute.Milliseconds() {
			since = p.T
		}
		if last = p.T; last-since >= want.Milliseconds() {
			return time.Duration(last) * time.Millisecond, true
		}
	}
	return 0, false
}
