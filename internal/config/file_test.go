package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// parse reads a settings file and a command line.
func parse(t *testing.T, file string, args ...string) (Config, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "portin.yaml")
	if err := os.WriteFile(name, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	var c commandLine
	_, err := parser(t, &c).Parse(append([]string{"serve", "--config", name}, args...))
	return c.Settings(), err
}

func TestFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file string
		want func(*Config)
	}{
		"empty":         {"", func(*Config) {}},
		"comments":      {"# grpc-address: 127.0.0.1:1\n", func(*Config) {}},
		"no settings":   {"{}\n", func(*Config) {}},
		"flat":          {"grpc-address: localhost:1\nsandbox: true\n", func(c *Config) { c.GRPC.Address, c.Sandbox = "localhost:1", true }},
		"nested":        {"grpc:\n  address: localhost:1\n  longest-call: 1m30s\n", func(c *Config) { c.GRPC.Address, c.GRPC.LongestCall = "localhost:1", 90*time.Second }},
		"nested deeper": {"grpc: {max: {connection: {age: 1h}}}\n", func(c *Config) { c.GRPC.MaxConnectionAge = time.Hour }},
		// A flat setting beside its own section is not dropped.
		"flat beside nested": {"grpc: {address: 'localhost:1'}\ngrpc-longest-call: 1m\n", func(c *Config) { c.GRPC.Address, c.GRPC.LongestCall = "localhost:1", time.Minute }},
		// The section of a setting that has its own name.
		"a section that is a setting too": {"sandbox: true\nsandbox-address: localhost:1\n", func(c *Config) { c.Sandbox, c.Standin.Address = true, "localhost:1" }},
		"its section alone":               {"sandbox: {address: 'localhost:1'}\n", func(c *Config) { c.Standin.Address = "localhost:1" }},
		"a list":                          {"http: {cors-origins: [https://a.example, 'https://b.example']}\n", func(c *Config) { c.HTTP.CORSOrigins = []string{"https://a.example", "https://b.example"} }},
		"a list as a flag has it":         {"http-cors-origins: https://a.example,https://b.example\n", func(c *Config) { c.HTTP.CORSOrigins = []string{"https://a.example", "https://b.example"} }},
		"an empty list":                   {"http-cors-origins: []\n", func(c *Config) { c.HTTP.CORSOrigins = []string{} }},
		"numbers":                         {"limits: {numbers: 5, file-bytes: 6}\n", func(c *Config) { c.Limits.Numbers, c.Limits.FileBytes = 5, 6 }},
		"a word that looks like a number": {"carrier: {username: 7}\n", func(c *Config) { c.Carrier.Username = "7" }},
		// Passwords of digits stay as they are written.
		"a password with a zero in front": {"carrier-password: 0123\n", func(c *Config) { c.Carrier.Password = "0123" }},
		"a password that looks like true": {"carrier-password: yes\n", func(c *Config) { c.Carrier.Password = "yes" }},
		"a password like a great number":  {"carrier-password: 12345678901234567890\n", func(c *Config) { c.Carrier.Password = "12345678901234567890" }},
		"a password in quotes":            {"carrier-password: ' null'\n", func(c *Config) { c.Carrier.Password = " null" }},
		"an empty text":                   {"carrier-username: ''\n", func(*Config) {}},
		"switched off":                    {"orders: {require-look: false}\n", func(*Config) {}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parse(t, c.file)
			if err != nil {
				t.Fatal(err)
			}
			want := Default()
			c.want(&want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFileIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, want string }{
		"a setting that is none":         {"grpc-addr: localhost:1\n", "grpc-addr: is no setting"},
		"nested":                         {"grpc: {addr: 'localhost:1', address: 'localhost:1'}\n", "grpc-addr: is no setting"},
		"in a section that is none":      {"gprc: {address: 'localhost:1'}\n", "gprc-address: is no setting"},
		"several":                        {"b: 1\na: {c: 2}\n", "a-c: is no setting\nb: is no setting"},
		"another file":                   {"config: other.yaml\n", "config: is no setting"},
		"help":                           {"help: true\n", "help: is no setting"},
		"a command":                      {"serve: true\n", "serve: is no setting"},
		"a merge":                        {"a: &a {sandbox: true}\n<<: *a\n", "<<: is neither a value nor a list"},
		"set twice":                      {"sandbox: true\nsandbox: false\n", "sandbox: is set twice"},
		"set flat and nested":            {"grpc-address: localhost:1\ngrpc: {address: 'localhost:2'}\n", "grpc-address: is set twice"},
		"set to nothing":                 {"grpc-address:\n", "grpc-address: has no value"},
		"set to null":                    {"grpc: {address: ~}\n", "grpc-address: has no value"},
		"an empty section":               {"grpc:\n", "grpc: has no value"},
		"a section of nothing":           {"nobody: {}\n", "nobody: has no value"},
		"a list of lists":                {"http-cors-origins: [[a]]\n", "http-cors-origins: has an entry that is no value"},
		"a list of nothing":              {"http-cors-origins: [~]\n", "http-cors-origins: has an entry that is no value"},
		"several of these":               {"a: ~\nb: {c: [{}]}\n", "a: has no value\nb-c: has an entry that is no value"},
		"a duration without a unit":      {"orders-lists-ttl: 5\n", `--orders-lists-ttl: expected duration but got "5": time: missing unit in duration "5"`},
		"a number that is none":          {"limits: {numbers: many}\n", `--limits-numbers: expected a valid 64 bit int but got "many"`},
		"a value that is not one of its": {"log-level: loud\n", `--log-level must be one of "debug","info","warn","error" but got "loud"`},
		"a list where a text belongs":    {"grpc-address: [a, b]\n", "--grpc-address: takes one value, not a list"},
		"a list at the top":              {"- grpc-address\n", "the settings file is not a list of names with values"},
		"a text":                         {"grpc-address\n", "the settings file is not a list of names with values"},
		"nothing, in words":              {"---\n~\n", "the settings file is not a list of names with values"},
		"a second document":              {"sandbox: true\n---\nsandbox: false\n", "the settings file has a second document"},
		"no YAML":                        {"a: [\n", "reading the settings file: yaml: "},
		"no YAML behind it":              {"sandbox: true\n---\na: [\n", "the settings file has a second document, or an end that is no YAML"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := parse(t, c.file); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// What is wrong with a password is said without it.
func TestFileDoesNotShowAPassword(t *testing.T) {
	t.Parallel()
	for _, file := range []string{
		"carrier-password: [" + hidden + "]\n", "carrier-password: {" + hidden + ": 1}\ncarrier: {password: " + hidden + "}\ncarrier-password: " + hidden,
		"carrier: {password: " + hidden + ", pasword: " + hidden + "}\n",
	} {
		_, err := parse(t, file)
		if err == nil || strings.Contains(strings.ReplaceAll(err.Error(), "carrier-password-"+hidden, ""), hidden) {
			t.Errorf("%q: error %v", file, err)
		}
	}
}

func TestAFileThatCannotBeRead(t *testing.T) {
	t.Parallel()
	if _, err := YAML(iotest.ErrReader(errors.New("disk"))); err == nil || !strings.Contains(err.Error(), "reading the settings file") {
		t.Errorf("error %v", err)
	}
	var c commandLine
	if _, err := parser(t, &c).Parse([]string{"serve", "--config", filepath.Join(t.TempDir(), "nobody.yaml")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// A flag wins over the environment, which wins over the file, which wins over the default.
func TestPrecedence(t *testing.T) {
	const file = "grpc: {address: 'file:1'}\nhttp-address: file:2\nsandbox-address: file:3\nhttp-cors-origins: [https://file]\nsandbox: true\n"
	t.Setenv("PORTIN_GRPC_ADDRESS", "environment:1")
	t.Setenv("PORTIN_HTTP_ADDRESS", "environment:2")
	t.Setenv("PORTIN_HTTP_CORS_ORIGINS", "https://environment")
	t.Setenv("PORTIN_CARRIER_PASSWORD", hidden)
	t.Setenv("PORTIN_SANDBOX", "false")
	got, err := parse(t, file, "--grpc-address=flag:1", "--carrier-username=flag")
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.GRPC.Address = "flag:1"
	want.HTTP.Address = "environment:2"
	want.HTTP.CORSOrigins = []string{"https://environment"}
	want.Standin.Address = "file:3"
	want.Carrier.Username = "flag"
	want.Carrier.Password = hidden
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}
