package config

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWhatIsPrintedIsASettingsFile(t *testing.T) {
	t.Parallel()
	var given commandLine
	p := parser(t, &given)
	if _, err := p.Parse([]string{
		"serve", "--carrier-password=" + hidden, "--ledger-url=postgres://user:" + hidden + "@host/portin", "--carrier-username=0123",
		"--http-cors-origins=https://a.example,https://b.example", "--orders-poll-interval=90s", "--orders-polls-per-second=0.5",
		"--webhooks-allow-http", "--sandbox-unknowns=none=html,deferred=empty",
	}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Print(&out, p.Model); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), hidden) || strings.Count(out.String(), stars) != 2 {
		t.Errorf("printed with secrets, or without saying that there are some:\n%s", out.String())
	}
	for _, want := range []string{
		"carrier-username: \"0123\"\n", "orders-poll-interval: 1m30s\n", "# Where gRPC is served, host:port; port 0 takes a free one.\ngrpc-address: 127.0.0.1:50051\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not printed in:\n%s", want, out.String())
		}
	}
	file := filepath.Join(t.TempDir(), "portin.yaml")
	if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var again commandLine
	if _, err := parser(t, &again).Parse([]string{"serve", "--config", file}); err != nil {
		t.Fatal(err)
	}
	want := given.Settings()
	want.Carrier.Password, want.Ledger.URL = stars, stars
	if diff := cmp.Diff(want, again.Settings()); diff != "" {
		t.Errorf("the settings of the printed file (-want +got):\n%s", diff)
	}
	if want.Orders.PollInterval != 90*time.Second {
		t.Error("the test gave other settings than it says")
	}
}

// Settings that are wrong are printed too, so that somebody can see it: an address in which a password was written, for one.
func TestAPasswordInAnAddressIsNotPrinted(t *testing.T) {
	t.Parallel()
	var given commandLine
	p := parser(t, &given)
	if _, err := p.Parse([]string{
		"serve", "--carrier-url=https://user:" + hidden + "@api.example.com/rest.svc", "--auth-oidc-issuer=https://login.example.com/?key=" + hidden,
		"--http-cors-origins=https://a.example,https://b/" + hidden + "@c.example",
	}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Print(&out, p.Model); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), hidden) {
		t.Errorf("printed with a password:\n%s", out.String())
	}
	// An @ behind the question mark may end a password with a question mark in it, or stand in a parameter.
	for _, address := range []string{"https://api.example.com/?key=a@" + hidden, "https://user:" + hidden + "?a@api.example.com", "https://user:a@b/?" + hidden + "@c@" + hidden} {
		if got := covered(address); strings.Contains(got, hidden) {
			t.Errorf("%s is printed as %s", address, got)
		}
	}
	for _, want := range []string{
		"carrier-url: https://********@api.example.com/rest.svc\n", "auth-oidc-issuer: https://login.example.com/?********\n",
		"  - https://a.example\n  - https://********@c.example\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not printed in:\n%s", want, out.String())
		}
	}
}
