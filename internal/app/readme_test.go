package app

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/config"
	"github.com/portin/portin/internal/product"
)

var update = flag.Bool("update", false, "write the parts of the documents that follow from the code")

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// targetsTable is the README's table of targets, from the contract and the registry.
func targetsTable(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| target | JSON | what the numbers become | carrier's operation |\n|---|---|---|---|\n")
	contract := read(t, "../../proto/portin/v1/order.proto")
	target := (*portinv1.PortInOrder)(nil).ProtoReflect().Descriptor().Oneofs().ByName("target")
	for _, s := range product.Specs() {
		field := target.Fields().ByName(s.Arm)
		comment := regexp.MustCompile(`// (.+)\.\n\s+` + string(field.Message().Name()) + " " + string(s.Arm) + " =").FindStringSubmatch(contract)
		if comment == nil {
			t.Fatalf("order.proto has no comment of one line above %s", s.Arm)
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | `POST %s` |\n", s.Arm, field.JSONName(), comment[1], s.Path)
	}
	return b.String()
}

// The only test that reads the README by this name: with -update it writes it, while others run.
func TestREADMEListsEveryTargetAndTheFirstOrder(t *testing.T) {
	t.Parallel()
	const path, begin, end = "../../README.md", "<!-- targets -->\n", "<!-- /targets -->"
	text := read(t, path)
	before, rest, ok := strings.Cut(text, begin)
	table, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("the README lacks %q or %q", begin, end)
	}
	if !strings.Contains(text, "internal/app/first_order.json") {
		t.Error("the README does not name the first order's file")
	}
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+targetsTable(t)+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(targetsTable(t), table); diff != "" {
		t.Errorf("the README's targets (-want +got); go test ./internal/app -run README -update writes them:\n%s", diff)
	}
}

func TestTheFirstOrderIsLegal(t *testing.T) {
	t.Parallel()
	o := &portinv1.PortInOrder{}
	if err := protojson.Unmarshal(firstOrder, o); err != nil {
		t.Fatal(err)
	}
	if violations := product.Validate(o); len(violations) > 0 {
		t.Errorf("the first order breaks rules: %v", violations)
	}
}

// commands are the commands that documents show, with what is continued on one line.
func commands(t *testing.T, paths ...string) (all []string) {
	t.Helper()
	for _, path := range paths {
		for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(read(t, path), -1) {
			all = append(all, strings.Split(strings.ReplaceAll(block[1], "\\\n", ""), "\n")...)
		}
	}
	return all
}

// The service takes no body that does not say that it is JSON, and curl says otherwise by itself.
func TestEveryCurlSaysThatItSendsJSON(t *testing.T) {
	t.Parallel()
	documents, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	sends := regexp.MustCompile(`^curl .* (-d|--data\S*) `)
	seen := 0
	for _, command := range commands(t, append(documents, "../../README.md")...) {
		if !sends.MatchString(command) {
			continue
		}
		seen++
		if !strings.Contains(command, `-H 'Content-Type: application/json'`) {
			t.Errorf("this is refused: %s", command)
		}
	}
	if seen < 5 {
		t.Errorf("the documents show %d commands that send something; this test is blind", seen)
	}
}

func TestTheExampleSettingsAreTheDefaults(t *testing.T) {
	t.Parallel()
	var cli struct {
		File kong.ConfigFlag `name:"config"`
		config.Flags
	}
	parser, err := kong.New(&cli, kong.Configuration(config.YAML))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{"--config=../../docs/portin.example.yaml"}); err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Carrier.URL = "https://api.thinktel.ca/rest.svc"
	want.Carrier.Username = "your-account"
	want.Ledger.File = "/var/lib/portin/ledger.db"
	want.Carrier.PasswordFile = "/run/secrets/carrier-password"
	if diff := cmp.Diff(want, cli.Settings()); diff != "" {
		t.Errorf("docs/portin.example.yaml (-defaults +got):\n%s", diff)
	}
	named := settingsIn(read(t, "../../docs/portin.example.yaml"))
	for _, flags := range parser.Model.AllFlags(true) {
		for _, f := range flags {
			// What is a secret, or for development only, does not stand in the file; comments of it name some.
			elsewhere := []string{"help", "config", "carrier-password", "ledger-url", "ledger-url-file", "insecure-listen"}
			if !named[f.Name] && !strings.HasPrefix(f.Name, "sandbox") && !slices.Contains(elsewhere, f.Name) {
				t.Errorf("docs/portin.example.yaml does not have %s", f.Name)
			}
		}
	}
}

// settingsIn are the settings that a file has, by the names of their flags, those in comments too.
func settingsIn(file string) map[string]bool {
	named, section := map[string]bool{}, ""
	for line := range strings.Lines(file) {
		m := regexp.MustCompile(`^(?:# )?( *)(?:# {3})?([a-z-]+):(?: |$)`).FindStringSubmatch(strings.TrimRight(line, "\n"))
		switch {
		case m == nil:
		case m[1] == "":
			section = m[2]
			named[section] = true
		default:
			named[section+"-"+m[2]] = true
		}
	}
	return named
}

func TestEveryDirectDependencyIsExplained(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json", "../../go.mod").Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.NewDecoder(bytes.NewReader(out)).Decode(&mod); err != nil {
		t.Fatal(err)
	}
	explained := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| .+ \\|$").FindAllStringSubmatch(read(t, "../../docs/dependencies.md"), -1) {
		explained[m[1]] = true
	}
	for _, r := range mod.Require {
		if !r.Indirect && !explained[r.Path] {
			t.Errorf("docs/dependencies.md does not say why %s is there", r.Path)
		}
		if !r.Indirect {
			delete(explained, r.Path)
		}
	}
	for path := range explained {
		t.Errorf("docs/dependencies.md explains %s, which is no direct dependency", path)
	}
}
