package app

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"go.yaml.in/yaml/v3"

	"github.com/portin/portin/internal/config"
)

const (
	dashboardFile = "../../tools/deploy/grafana/portin.json"
	alertsFile    = "../../tools/deploy/prometheus/portin.rules.yaml"
	runbook       = "https://github.com/portin/portin/blob/main/docs/operations.md#"
)

// exposed is what a service shows that has taken an order: the names of samples, their labels, and the labels' values.
type exposed map[string]map[string][]string

// onFreePorts are the settings of a service with the sandbox.
func onFreePorts() config.Config {
	c := config.Default()
	c.Sandbox = true
	for _, address := range []*string{&c.GRPC.Address, &c.HTTP.Address, &c.Admin.Address, &c.Standin.Address} {
		*address = "127.0.0.1:0"
	}
	return c
}

// expose runs a service with the sandbox, places an order and looks.
func expose(t *testing.T) exposed {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	a, err := New(ctx, Params{Config: onFreePorts(), Version: "test", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+a.HTTPAddress+"/v1/port-ins", bytes.NewReader(firstOrder))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {uuid.NewString()}}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	families, err := a.metrics.registry.Gather()
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("the order was answered %s; gathering: %v", resp.Status, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}

	all := exposed{}
	for _, family := range families {
		labels := map[string][]string{}
		for _, m := range family.GetMetric() {
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = append(labels[l.GetName()], l.GetValue())
			}
		}
		if family.GetMetric()[0].GetHistogram() == nil {
			all[family.GetName()] = labels
			continue
		}
		all[family.GetName()+"_sum"], all[family.GetName()+"_count"] = labels, labels
		all[family.GetName()+"_bucket"] = map[string][]string{"le": nil}
		maps.Copy(all[family.GetName()+"_bucket"], labels)
	}
	return all
}

// The parts of a PromQL expression, as far as the dashboard and the alerts use it.
var (
	matching  = regexp.MustCompile(`([a-zA-Z_:][\w:]*)\{([^}]*)\}`)
	matcher   = regexp.MustCompile(`(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"`)
	grouping  = regexp.MustCompile(`\b(?:by|without|on|ignoring)\s*\(([^)]*)\)`)
	leftOut   = regexp.MustCompile(`\{[^}]*\}|\[[^\]]*\]`)
	word      = regexp.MustCompile(`[a-zA-Z_:][\w:]*\s*\(?`)
	operators = []string{"and", "or", "unless", "bool", "offset"}
	// fromScrape are the labels that Prometheus adds.
	fromScrape = []string{"job", "instance"}
)

// used are the metrics that an expression names. It reports what of the expression the service does not show.
func (e exposed) used(t *testing.T, where, expr string) []string {
	t.Helper()
	var names []string
	bare := grouping.ReplaceAllString(leftOut.ReplaceAllString(expr, ""), "")
	for _, w := range word.FindAllString(bare, -1) {
		if !strings.HasSuffix(w, "(") && !slices.Contains(operators, strings.TrimSpace(w)) {
			names = append(names, strings.TrimSpace(w))
		}
	}
	labels := map[string]bool{}
	for _, name := range names {
		if e[name] == nil {
			t.Errorf("%s: the service has no metric %s", where, name)
		}
		for label := range e[name] {
			labels[label] = true
		}
	}
	for _, m := range matching.FindAllStringSubmatch(expr, -1) {
		for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
			if slices.Contains(fromScrape, l[1]) {
				continue
			}
			value := regexp.QuoteMeta(l[3])
			if strings.HasSuffix(l[2], "~") {
				value = l[3]
			}
			is := regexp.MustCompile("^(?:" + value + ")$")
			if !slices.ContainsFunc(e[m[1]][l[1]], is.MatchString) {
				t.Errorf("%s: no %s has a label %s that %q means", where, m[1], l[1], l[3])
			}
		}
	}
	for _, g := range grouping.FindAllStringSubmatch(expr, -1) {
		for label := range strings.SplitSeq(g[1], ",") {
			if label = strings.TrimSpace(label); !labels[label] && !slices.Contains(fromScrape, label) {
				t.Errorf("%s: nothing in it has a label %s", where, label)
			}
		}
	}
	return names
}

// dashboardExpressions are the expressions of the dashboard, each with its panel.
func dashboardExpressions(t *testing.T) map[string][]string {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Name, Query string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, dashboardFile)), &dashboard); err != nil {
		t.Fatal(err)
	}
	all, ids := map[string][]string{}, map[int]bool{}
	for _, p := range dashboard.Panels {
		if ids[p.ID] {
			t.Errorf("the panel %q has the ID of another one", p.Title)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			all["the panel "+p.Title] = append(all["the panel "+p.Title], target.Expr)
		}
	}
	for _, v := range dashboard.Templating.List {
		if metric := regexp.MustCompile(`^label_values\((\w+), \w+\)$`).FindStringSubmatch(v.Query); metric != nil {
			all["the variable "+v.Name] = []string{metric[1]}
		}
	}
	return all
}

// alert is a rule of Prometheus.
type alert struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

func alerts(t *testing.T) []alert {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string
			Rules []alert
		}
	}
	decoder := yaml.NewDecoder(strings.NewReader(read(t, alertsFile)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	var all []alert
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// The dashboard and the alerts name what the service shows, and everything of its own that it shows is on one of them.
func TestTheDashboardAndTheAlertsNameWhatTheServiceShows(t *testing.T) {
	t.Parallel()
	shown := expose(t)
	expressions := dashboardExpressions(t)
	for _, a := range alerts(t) {
		expressions["the alert "+a.Alert] = []string{a.Expr}
	}
	watched := map[string]bool{}
	for where, list := range expressions {
		for _, expr := range list {
			for _, name := range shown.used(t, where, expr) {
				watched[family(name)] = true
			}
		}
	}
	if len(watched) < 15 {
		t.Errorf("only %d metrics were found in the expressions: %v", len(watched), watched)
	}
	for name := range shown {
		if own := strings.HasPrefix(name, "portin_"); own && !watched[family(name)] {
			t.Errorf("%s is on no panel and in no alert", name)
		}
	}
}

// family is the metric that a sample belongs to.
func family(sample string) string {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		sample = strings.TrimSuffix(sample, suffix)
	}
	return sample
}

// Whoever is woken learns what it means and where to read on.
func TestEveryAlertSaysWhatItMeans(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, a := range alerts(t) {
		if names[a.Alert] || !strings.HasPrefix(a.Alert, "Portin") {
			t.Errorf("%q has the name of another one, or none of ours", a.Alert)
		}
		names[a.Alert] = true
		if !slices.Contains([]string{"page", "ticket"}, a.Labels["severity"]) {
			t.Errorf("%s has the severity %q", a.Alert, a.Labels["severity"])
		}
		for _, text := range []string{"summary", "description"} {
			if !strings.HasSuffix(a.Annotations[text], ".") {
				t.Errorf("%s has no whole sentence as its %s: %q", a.Alert, text, a.Annotations[text])
			}
		}
		if anchor, ok := strings.CutPrefix(a.Annotations["runbook_url"], runbook); !ok || anchor == "" {
			t.Errorf("%s links to %q, not to a place in %s", a.Alert, a.Annotations["runbook_url"], runbook)
		}
	}
}

// The places that the alerts link to are there.
func TestEveryAlertLinksToAPlace(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	anchors := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(string(page), -1) {
		slug := regexp.MustCompile(`[^\w\- ]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		anchors[strings.ReplaceAll(slug, " ", "-")] = true
	}
	for _, a := range alerts(t) {
		if anchor := strings.TrimPrefix(a.Annotations["runbook_url"], runbook); !anchors[anchor] {
			t.Errorf("%s links to #%s, which docs/operations.md does not have", a.Alert, anchor)
		}
	}
}
