package check

import (
	"bytes"
	"log/slog"
	"os"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

const rules = "../prometheus/portin.rules.yaml"

// read are the complaints of Prometheus about a file of rules: its form, its expressions and what its texts are made of.
func read(text []byte) (*rulefmt.RuleGroups, []error) {
	return rulefmt.Parse(text, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
}

// Prometheus takes the rules, whole, by its own parser. That their metrics and labels are there is tested beside the service.
func TestPrometheusTakesTheRules(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(rules)
	if err != nil {
		t.Fatal(err)
	}
	groups, problems := read(text)
	for _, problem := range problems {
		t.Error(problem)
	}
	if groups == nil || len(groups.Groups) != 1 || len(groups.Groups[0].Rules) < 10 {
		t.Fatalf("these rules are not all: %+v", groups)
	}
	// A mistake in any part of a rule is one of the whole file.
	for was, becomes := range map[string]string{
		"expr: portin_ready == 0":   "expr: portin_ready == ",
		"absent(portin_build_info)": "gone(portin_build_info)",
		"for: 5m":                   "for: soon",
		"{{ $labels.instance }}":    "{{ $labels.instance }",
		"humanizePercentage":        "inPercent",
		"labels: {severity: page}":  "labels: {severity: page, 1nstance: x, __name__: x}",
		"    rules:":                "    rule:",
		"- alert: PortinNotReady":   "- alert: PortinNotReady\n        record: portin_not_ready",
		"[1h]) > 0":                 "[1h] offset) > 0",
		"sum by (job)":              "sum by job",
	} {
		broken := bytes.Replace(text, []byte(was), []byte(becomes), 1)
		if _, problems := read(broken); len(problems) == 0 || bytes.Equal(broken, text) {
			t.Errorf("with %q for %q the rules are taken", becomes, was)
		}
	}
}
