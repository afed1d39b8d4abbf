package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// free are settings that take free ports.
var free = []string{"--grpc-address=127.0.0.1:0", "--http-address=127.0.0.1:0", "--sandbox-address=127.0.0.1:0"}

// serving runs the program until the test ends, and returns what it printed up to the line that holds last.
func serving(t *testing.T, last string, args ...string) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r, w := io.Pipe()
	ended := make(chan int, 1)
	var log bytes.Buffer
	go func() {
		ended <- run(ctx, append(args, free...), w, &log)
		_ = w.Close()
	}()
	t.Cleanup(func() {
		stop()
		_, _ = io.Copy(io.Discard, r)
		if code := <-ended; code != 0 {
			t.Errorf("the program ended with %d:\n%s", code, &log)
		}
	})
	var printed strings.Builder
	for lines := bufio.NewScanner(r); lines.Scan(); {
		printed.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), last) {
			return printed.String()
		}
	}
	t.Fatalf("the program ended after it printed:\n%s", printed.String())
	return ""
}

// TestServePrintsAFirstOrderThatWorks places the printed order as the printed command does.
func TestServePrintsAFirstOrderThatWorks(t *testing.T) {
	t.Parallel()
	printed := serving(t, "/_sandbox/requests", "serve", "--sandbox")
	command := regexp.MustCompile(`curl -sS '([^']+/v1/port-ins)' -H 'Content-Type: application/json' -H 'Idempotency-Key: ([^']+)' -d '([^']+)'`).
		FindStringSubmatch(printed)
	if command == nil {
		t.Fatalf("no curl is printed:\n%s", printed)
	}
	for _, replayed := range []bool{false, true} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, command[1], strings.NewReader(command[3]))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", command[2])
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil {
			t.Fatal(err)
		}
		var got struct {
			Order    struct{ State, TicketID string }
			Replayed bool
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusOK || got.Order.State != "ORDER_STATE_ACCEPTED" || !strings.HasPrefix(got.Order.TicketID, "SANDBOX-") || got.Replayed != replayed {
			t.Errorf("HTTP %d: %+v", resp.StatusCode, got)
		}
	}
	// The gRPC command carries the same order under the same key.
	if !strings.Contains(printed, `{"requestId":"`+command[2]+`","order":`+command[3]+`}`) {
		t.Error("the gRPC command has another order or another key")
	}
}

func TestSandboxAlone(t *testing.T) {
	t.Parallel()
	printed := serving(t, "/_sandbox/", "sandbox")
	if !regexp.MustCompile(`http://127\.0\.0\.1:\d+/rest\.svc \(user sandbox, password sandbox\)`).MatchString(printed) {
		t.Errorf("printed: %s", printed)
	}
}

func TestWhatEndsAtOnce(t *testing.T) {
	t.Parallel()
	settings := filepath.Join(t.TempDir(), "portin.yaml")
	if err := os.WriteFile(settings, []byte("grpc:\n  host: 127.0.0.1:0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	version := filepath.Join(t.TempDir(), "version.yaml")
	if err := os.WriteFile(version, []byte("version: true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ledger := "--ledger-file=" + filepath.Join(t.TempDir(), "ledger.db")
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"version"}, 0, "portin devel"},
		{[]string{"--version"}, 0, "portin devel"},
		{[]string{"config", "print", "--config", version}, 2, "version: is no setting"},
		{[]string{"--help"}, 0, "Ports telephone numbers in"},
		{[]string{"serve", "--help"}, 0, "--carrier-url"},
		{[]string{"serve"}, 1, "carrier-url: is missing"},
		{[]string{"serve", "--sandbox", "--http-address=0.0.0.0:0"}, 1, "http-address: "},
		{[]string{"sandbox", "--sandbox-address=0.0.0.0:0"}, 1, "sandbox-address: "},
		{[]string{"serve", "--sandbox", "--sandbox-unknowns=none=maybe"}, 1, "sandbox-unknowns: "},
		{[]string{"serve", "--config", settings}, 2, "grpc-host"},
		{[]string{"config", "check"}, 1, "carrier-url: is missing"},
		{[]string{"config", "check", "--sandbox"}, 0, "the settings are good"},
		{[]string{"config", "check", "--sandbox", "--sandbox-unknowns=none=maybe"}, 1, "sandbox-unknowns: "},
		{[]string{"config", "print", "--sandbox", "--http-address=0.0.0.0:0"}, 0, "\nhttp-address: 0.0.0.0:0\n"},
		{[]string{"key", "new"}, 0, "\n  key_sha256: "},
		{[]string{"config", "check", "--sandbox", "--auth-callers-file=/dev/null"}, 1, "auth-callers-file: "},
		{[]string{"config", "check", "--sandbox", "--tls-cert-file=/dev/null", "--tls-key-file=/dev/null"}, 1, "tls-cert-file: "},
		{[]string{"config", "check", "--carrier-url=https://api.example.com", "--carrier-username=a:b", "--carrier-password=x", ledger}, 1, "carrier-username, carrier-password: "},
		{[]string{"config", "check", "--carrier-url=https://api.example.com", "--carrier-username=a", "--carrier-password-file=/no/such", ledger}, 1, "carrier-password-file: "},
		{[]string{"config", "check", "--carrier-url=https://api.example.com", "--carrier-username=a", "--carrier-password=x", ledger}, 0, "the settings are good"},
		{[]string{"ledger", "migrate", "--sandbox", ledger}, 0, ""},
		{[]string{"ledger", "migrate", "--sandbox", ledger}, 0, ""},
		{[]string{"ledger", "migrate", "--sandbox", "--ledger-file=/dev/null/ledger.db"}, 1, "the ledger: "},
		{[]string{"ledger", "erase", "--sandbox", ledger, "--reason=asked for", "01900000-0000-7000-8000-000000000001"}, 1, "ORDER_NOT_FOUND"},
		{[]string{"ledger", "erase", "--sandbox", ledger, "--reason=asked for", "--tenant=acme", "1"}, 1, "order_id "},
		{[]string{"ledger", "erase", "--sandbox", ledger, "01900000-0000-7000-8000-000000000001"}, 2, "--reason"},
		{[]string{"ledger", "erase", "--sandbox", ledger, "--reason=asked for"}, 2, "<order-id>"},
		{[]string{"probe", "live", "--admin-address=127.0.0.1:1"}, 1, "refused"},
		{[]string{"port"}, 2, "port"},
		{[]string{}, 2, "expected"},
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), c.args, &out, &errs)
		if said := out.String() + errs.String(); code != c.code || !strings.Contains(said, c.says) {
			t.Errorf("portin %s ended with %d, want %d with %q:\n%s", strings.Join(c.args, " "), code, c.code, c.says, said)
		}
	}
}

// A misspelt variable is passed over, so it is told of, without what it holds.
func TestVariablesThatAreNoSetting(t *testing.T) {
	const hidden = "hunter2-V4"
	t.Setenv("PORTIN_ORDER_KEEP", hidden)
	t.Setenv("PORTIN_SERVICE_HOST", "10.0.0.1")
	t.Setenv("PORTIN_ORDERS_KEEP", "8760h")
	for _, c := range []struct {
		args  []string
		code  int
		lines int
	}{
		{[]string{"config", "check", "--sandbox"}, 0, 1},
		{[]string{"config", "check"}, 1, 1},
		{[]string{"serve"}, 1, 1},
		{[]string{"config", "print"}, 0, 0},
		{[]string{"version"}, 0, 0},
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), c.args, &out, &errs)
		said := out.String() + errs.String()
		if lines := strings.Count(errs.String(), "level=WARN"); code != c.code || lines != c.lines || strings.Count(said, "PORTIN_ORDER_KEEP") != c.lines {
			t.Errorf("portin %s ended with %d and %d warnings, want %d and %d:\n%s", strings.Join(c.args, " "), code, lines, c.code, c.lines, said)
		}
		if strings.Contains(said, hidden) || strings.Contains(said, "PORTIN_SERVICE_HOST") {
			t.Errorf("portin %s says a value, or warns of the cluster's variable:\n%s", strings.Join(c.args, " "), said)
		}
	}
}

// What is allowed and hardly meant is told of alike by who checks the settings and by who starts with them.
func TestCheckWarnsAsServeDoes(t *testing.T) {
	t.Parallel()
	callers := filepath.Join(t.TempDir(), "callers.yaml")
	if err := os.WriteFile(callers, []byte(`tenants: [acme]
callers:
  - {name: crm, tenant: acme, scopes: [read], certificate: crm.example.com}
  - {name: night-shift, tenant: acme, scopes: [read], subject: u-1}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0") // so that serve ends once it has read everything
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"nothing":                    {nil, nil},
		"callers who can never call": {[]string{"--auth-callers-file=" + callers}, []string{"needs=auth-oidc-issuer names=night-shift", "needs=tls-client-ca-file names=crm"}},
		"one of them can": {
			[]string{"--auth-callers-file=" + callers, "--auth-oidc-issuer=https://login.example.com", "--auth-oidc-audience=portin"},
			[]string{"needs=tls-client-ca-file names=crm"},
		},
		"a sandbox whose orders are kept": {[]string{"--ledger-file=" + filepath.Join(t.TempDir(), "ledger.db")}, []string{"the sandbox carrier forgets"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"--sandbox", "--http-address=127.0.0.1:0", "--sandbox-address=127.0.0.1:0", "--grpc-address=" + taken.Addr().String()}, c.args...)
			var out, checked, served bytes.Buffer
			if code := run(t.Context(), append([]string{"config", "check"}, args...), &out, &checked); code != 0 {
				t.Errorf("config check ended with %d:\n%s", code, &checked)
			}
			if code := run(t.Context(), append([]string{"serve"}, args...), &out, &served); code != 1 || !strings.Contains(served.String(), "grpc-address: ") {
				t.Errorf("serve ended with %d:\n%s", code, &served)
			}
			got := warnings(checked.String())
			if diff := cmp.Diff(warnings(served.String()), got); diff != "" {
				t.Errorf("warnings (-serve +config check):\n%s", diff)
			}
			if len(got) != len(c.want) {
				t.Errorf("warnings: %q", got)
			}
			for i, want := range c.want {
				if i < len(got) && !strings.Contains(got[i], want) {
					t.Errorf("it is warned %s, want %s", got[i], want)
				}
			}
		})
	}
}

// warnings are the lines of a log that warn, without their times.
func warnings(log string) []string {
	var all []string
	for line := range strings.Lines(log) {
		if _, said, ok := strings.Cut(line, " level=WARN "); ok {
			all = append(all, said)
		}
	}
	return all
}

func TestTheStandardLogIsWithheld(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if _, err := (hushed{slog.New(slog.NewTextHandler(&out, nil))}).Write([]byte("Unsolicited response starting with Jane Doe")); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); strings.Contains(got, "Jane") || !strings.Contains(got, "bytes=43") {
		t.Errorf("the log has: %s", got)
	}
}
