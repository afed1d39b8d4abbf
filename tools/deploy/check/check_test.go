// Package check renders and reads what portin is deployed with, as far as that can be done without a cluster, a container
// engine or a running systemd: the chart with several values, each manifest held to the types of Kubernetes; the compose file;
// the Dockerfile; the systemd unit; the rules of Prometheus. Every setting that they use has to be one of the program, which make build makes.
package check

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

const (
	chart   = "../helm/portin"
	program = "../../../bin/portin"
)

// kinds are the types of the manifests that the chart has.
func kinds() map[string]func() any {
	return map[string]func() any{
		"apps/v1 Deployment":                 func() any { return &appsv1.Deployment{} },
		"batch/v1 Job":                       func() any { return &batchv1.Job{} },
		"v1 ConfigMap":                       func() any { return &corev1.ConfigMap{} },
		"v1 Service":                         func() any { return &corev1.Service{} },
		"v1 ServiceAccount":                  func() any { return &corev1.ServiceAccount{} },
		"networking.k8s.io/v1 NetworkPolicy": func() any { return &networkingv1.NetworkPolicy{} },
		"policy/v1 PodDisruptionBudget":      func() any { return &policyv1.PodDisruptionBudget{} },
	}
}

// rendered are the manifests that the chart makes of values, by kind and name.
func rendered(t *testing.T, values map[string]any) (map[string]any, error) {
	t.Helper()
	c, err := loader.Load(chart)
	if err != nil {
		t.Fatal(err)
	}
	release := chartutil.ReleaseOptions{Name: "orders", Namespace: "telephony", IsInstall: true}
	all, err := chartutil.ToRenderValues(c, values, release, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Engine{Strict: true}.Render(c, all)
	if err != nil {
		return nil, err
	}
	manifests := map[string]any{}
	for name, text := range files {
		if !strings.HasSuffix(name, ".yaml") {
			continue
		}
		for documents := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text))); ; {
			document, err := documents.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			var is struct {
				APIVersion, Kind string
				Metadata         struct{ Name string }
			}
			if err := yaml.Unmarshal(document, &is); err != nil {
				t.Fatalf("%s is no YAML: %v\n%s", name, err, document)
			}
			if is.Kind == "" {
				continue // switched off
			}
			kind := kinds()[is.APIVersion+" "+is.Kind]
			if kind == nil {
				t.Fatalf("%s: say in kinds what a %s %s is", name, is.APIVersion, is.Kind)
			}
			m := kind()
			if err := yaml.UnmarshalStrict(document, m); err != nil {
				t.Errorf("%s does not fit its type: %v\n%s", name, err, document)
			}
			manifests[is.Kind+" "+is.Metadata.Name] = m
		}
	}
	return manifests, nil
}

// least are the values that an installation needs at least, and full are all that change what is made.
func least() map[string]any {
	return map[string]any{
		"ledger":   map[string]any{"existingSecret": "ledger"},
		"carrier":  map[string]any{"existingSecret": "carrier"},
		"settings": map[string]any{"carrier": map[string]any{"username": "account"}},
	}
}

// several are those of an installation with several accounts at the carrier.
func several() map[string]any {
	values := least()
	values["carrier"] = map[string]any{"accountsSecret": "accounts"}
	delete(values, "settings")
	return values
}

func full() map[string]any {
	values := least()
	values["tls"] = map[string]any{"existingSecret": "tls", "clientCASecret": "ca"}
	values["auth"] = map[string]any{"existingSecret": "callers"}
	values["ledger"] = map[string]any{"existingSecret": "ledger", "caKey": "ca.crt"}
	values["adminFrom"] = []any{map[string]any{"namespaceSelector": map[string]any{"matchLabels": map[string]any{"a": "b"}}}}
	values["networkPolicy"] = map[string]any{"from": []any{map[string]any{"podSelector": map[string]any{}}}}
	values["podAnnotations"], values["podLabels"] = map[string]any{"a": "b"}, map[string]any{"c": "d"}
	values["nodeSelector"] = map[string]any{"e": "f"}
	values["tolerations"] = []any{map[string]any{"key": "x", "operator": "Exists"}}
	values["imagePullSecrets"] = []any{map[string]any{"name": "registry"}}
	values["extraEnv"] = []any{map[string]any{"name": "OTEL_EXPORTER_OTLP_HEADERS", "valueFrom": map[string]any{
		"secretKeyRef": map[string]any{"name": "collector", "key": "headers"},
	}}}
	values["insecureListen"] = true
	return values
}

func TestTheChart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		values map[string]any
		who    string
	}{
		"the least": {least(), "carrier-username: account\n"}, "everything": {full(), "carrier-username: account\n"},
		"several accounts": {several(), "carrier-accounts-file: /run/secrets/portin-accounts/accounts.yaml\n"},
	} {
		values := c.values
		manifests, err := rendered(t, values)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, want := range []string{
			"ConfigMap orders", "Deployment orders", "Job orders-migrate", "NetworkPolicy orders", "PodDisruptionBudget orders", "Service orders", "ServiceAccount orders",
		} {
			if manifests[want] == nil {
				t.Errorf("%s: there is no %s", name, want)
			}
		}
		deployment, _ := manifests["Deployment orders"].(*appsv1.Deployment)
		checkPod(t, name, deployment)
		if ca := strings.Contains(mounted(deployment), "ca.crt ledger-ca.crt\n"); ca != (name == "everything") {
			t.Errorf("%s: the authority of the database is mounted: %v", name, ca)
		}
		if env, want := names(deployment), map[bool][]string{true: {"GOMEMLIMIT", "OTEL_EXPORTER_OTLP_HEADERS"}, false: {"GOMEMLIMIT"}}[name == "everything"]; !slices.Equal(env, want) {
			t.Errorf("%s: the environment has %q, want %q", name, env, want)
		}
		migration, _ := manifests["Job orders-migrate"].(*batchv1.Job)
		checkMigration(t, name, migration, manifests)
		settings, _ := manifests["ConfigMap orders"].(*corev1.ConfigMap)
		file := filepath.Join(t.TempDir(), "portin.yaml")
		if err := os.WriteFile(file, []byte(settings.Data["portin.yaml"]), 0o600); err != nil {
			t.Fatal(err)
		}
		printed := portin(t, "config", "print", "--config", file)
		for _, want := range []string{"grpc-address: 0.0.0.0:50051\n", c.who, "ledger-url-file: /run/secrets/portin/ledger-url\n", "shutdown-delay: 5s\n"} {
			if !strings.Contains(printed, want) {
				t.Errorf("%s: the program reads no %q in:\n%s", name, want, settings.Data["portin.yaml"])
			}
		}
	}
}

// checkPod wants what a reviewer asks for first.
func checkPod(t *testing.T, name string, d *appsv1.Deployment) {
	t.Helper()
	pod := d.Spec.Template.Spec
	c := pod.Containers[0]
	if c.LivenessProbe == nil || c.ReadinessProbe == nil || c.StartupProbe == nil || c.Resources.Limits.Memory().IsZero() {
		t.Errorf("%s: the container lacks a probe or a limit", name)
	}
	if s := c.SecurityContext; *s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem || !*pod.SecurityContext.RunAsNonRoot {
		t.Errorf("%s: the container may do more than it needs", name)
	}
	if *pod.TerminationGracePeriodSeconds <= 5+25+10 || *pod.AutomountServiceAccountToken {
		t.Errorf("%s: the pod is killed while it stops, or has a token of the cluster", name)
	}
	for _, e := range c.Env {
		if strings.Contains(strings.ToLower(e.Name), "password") {
			t.Errorf("%s: %s is in the environment", name, e.Name)
		}
	}
}

// names are those of the variables of a deployment's environment.
func names(d *appsv1.Deployment) (all []string) {
	for _, e := range d.Spec.Template.Spec.Containers[0].Env {
		all = append(all, e.Name)
	}
	return all
}

// mounted are the keys of secrets that a deployment has as files, each with the file's name, a line each.
func mounted(d *appsv1.Deployment) string {
	var all strings.Builder
	for _, v := range d.Spec.Template.Spec.Volumes {
		if v.Projected == nil {
			continue
		}
		for _, source := range v.Projected.Sources {
			for _, item := range source.Secret.Items {
				all.WriteString(item.Key + " " + item.Path + "\n")
			}
		}
	}
	return all.String()
}

// checkMigration wants the job to read the settings that the upgrade brings. It runs before anything else is upgraded: by the
// settings of the version before, an upgrade that mends those, or has one that is new, would never begin.
func checkMigration(t *testing.T, name string, job *batchv1.Job, manifests map[string]any) {
	t.Helper()
	for _, v := range job.Spec.Template.Spec.Volumes {
		if v.ConfigMap == nil {
			continue
		}
		settings, _ := manifests["ConfigMap "+v.ConfigMap.Name].(*corev1.ConfigMap)
		if settings == nil || settings.Annotations["helm.sh/hook"] != job.Annotations["helm.sh/hook"] {
			t.Fatalf("%s: the job reads the settings %s, which are not made together with it", name, v.ConfigMap.Name)
		}
		if settings.Annotations["helm.sh/hook-weight"] >= job.Annotations["helm.sh/hook-weight"] {
			t.Errorf("%s: the settings of the job are made after it", name)
		}
		served, _ := manifests["ConfigMap orders"].(*corev1.ConfigMap)
		if settings.Data["portin.yaml"] != served.Data["portin.yaml"] {
			t.Errorf("%s: the job has other settings than the service:\n%s", name, settings.Data["portin.yaml"])
		}
		return
	}
	t.Errorf("%s: the job has no settings", name)
}

func TestTheChartSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	for _, missing := range []string{"ledger", "carrier"} {
		values := least()
		delete(values, missing)
		if _, err := rendered(t, values); err == nil || !strings.Contains(err.Error(), missing+".existingSecret: name a secret") {
			t.Errorf("without %s: %v", missing, err)
		}
	}
}

func TestTheComposeFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, name := range []string{"compose.yaml", "portin.env.example"} {
		text, err := os.ReadFile(filepath.Join("../compose", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, strings.TrimSuffix(name, ".example")), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	options, err := cli.NewProjectOptions([]string{filepath.Join(folder, "compose.yaml")}, cli.WithWorkingDirectory(folder))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	known := settings(t)
	service := project.Services["portin"]
	for name := range service.Environment {
		if strings.HasPrefix(name, "PORTIN_") && !slices.Contains(known, name) {
			t.Errorf("the compose file sets %s, which is no setting", name)
		}
	}
	for _, port := range service.Ports {
		if port.HostIP != "127.0.0.1" {
			t.Errorf("port %d is published at %q", port.Target, port.HostIP)
		}
	}
	for name, secret := range project.Secrets {
		file, err := filepath.Rel(folder, secret.File)
		if err != nil {
			t.Fatal(err)
		}
		checkIgnored(t, "the secret "+name, filepath.Join("tools/deploy/compose", file))
	}
	checkIgnored(t, "the settings of a machine", "tools/deploy/compose/portin.env")
	if !service.ReadOnly || len(service.CapDrop) == 0 || service.StopGracePeriod == nil {
		t.Error("the container may do more than it needs, or is killed while it stops")
	}
}

// checkIgnored wants a file that is made beside the compose file to stay out of commits, and of what is sent to whoever builds
// the image and kept in its layers.
func checkIgnored(t *testing.T, what, path string) {
	t.Helper()
	if out, err := exec.Command("git", "-C", "../../..", "check-ignore", path).CombinedOutput(); err != nil {
		t.Errorf("git would take %s, %s: %v %s", what, path, err, out)
	}
	text, err := os.ReadFile("../image/Dockerfile.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	for pattern := range strings.Lines(string(text)) {
		if pattern = strings.TrimSpace(pattern); path == pattern || strings.HasPrefix(path, pattern+"/") {
			return
		}
	}
	t.Errorf("the build of the image would take %s, %s", what, path)
}

func TestTheDockerfile(t *testing.T) {
	t.Parallel()
	text, err := os.Open("../image/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	file, err := parser.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	lint := linter.New(&linter.Config{Warn: func(rule, _, _, says string, _ []parser.Range) { t.Errorf("%s: %s", rule, says) }})
	stages, _, err := instructions.Parse(file.AST, lint)
	if err != nil {
		t.Fatal(err)
	}
	last := stages[len(stages)-1]
	var user, entry string
	for _, command := range last.Commands {
		switch c := command.(type) {
		case *instructions.UserCommand:
			user = c.User
		case *instructions.EntrypointCommand:
			entry = strings.Join(c.CmdLine, " ")
		}
	}
	if last.BaseName != "scratch" || user != "65532:65532" || entry != "/portin" {
		t.Errorf("the image is of %s, run by %q as %q", last.BaseName, user, entry)
	}
}

func TestTheSystemdUnit(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../systemd/portin.service")
	if err != nil {
		t.Fatal(err)
	}
	known := settings(t)
	for _, set := range regexp.MustCompile(`(?m)^Environment=(PORTIN_\w+)=`).FindAllSubmatch(text, -1) {
		if !slices.Contains(known, string(set[1])) {
			t.Errorf("the unit sets %s, which is no setting", set[1])
		}
	}
	checkFiles(t, string(text))
	here, err := filepath.Abs(program)
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "portin.service")
	text = bytes.ReplaceAll(text, []byte("/usr/local/bin/portin"), []byte(here))
	if err := os.WriteFile(unit, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"verify", unit}, {"security", "--offline=true", "--threshold=20", unit}} { // 2.0 of 10
		if out, err := exec.Command("systemd-analyze", args...).CombinedOutput(); err != nil {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
		}
	}
}

// checkFiles wants the files of a unit to be such that its user can read them, and reads them again when they change. A user that
// systemd makes up owns none and is in no group of theirs, and a credential is a copy that stays as it was at the start.
func checkFiles(t *testing.T, unit string) {
	t.Helper()
	user := regexp.MustCompile(`(?m)^User=(\w+)$`).FindStringSubmatch(unit)
	if user == nil || strings.Contains(unit, "\nDynamicUser=yes") || strings.Contains(unit, "\nLoadCredential=") {
		t.Fatal("the unit has no user of its own, to whom files could belong, or reads copies of them")
	}
	installed := regexp.MustCompile(`(?m)^#   install .*/etc/portin/\S+`).FindAllString(unit, -1)
	if len(installed) < 2 {
		t.Errorf("the head of the unit says only of %d files how they are made", len(installed))
	}
	for _, line := range installed {
		if !strings.Contains(line, " -m 0640 -g "+user[1]+" ") {
			t.Errorf("%s cannot read, or others can, what is made by %s", user[1], line)
		}
	}
	for _, set := range regexp.MustCompile(`(?m)^Environment=PORTIN_\w+_FILE=(/etc/\S+)$`).FindAllStringSubmatch(unit, -1) {
		if !strings.Contains(strings.Join(installed, "\n"), set[1]) {
			t.Errorf("the head of the unit does not say how %s is made", set[1])
		}
	}
}

// settings are the variables of the environment by which the program is set, as its help has them.
func settings(t *testing.T) []string {
	t.Helper()
	all := regexp.MustCompile(`\$(PORTIN_\w+)`).FindAllStringSubmatch(portin(t, "serve", "--help"), -1)
	if len(all) < 30 {
		t.Fatalf("the help names only %d variables", len(all))
	}
	var names []string
	for _, m := range all {
		names = append(names, m[1])
	}
	return names
}

// portin runs the program.
func portin(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("portin %s (make build makes it): %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}
