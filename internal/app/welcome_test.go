package app

import (
	"strings"
	"testing"

	"github.com/portin/portin/internal/config"
)

// A command is only printed when it works as it is printed: without a certificate that curl does not know, and without a key
// that nobody has told the service.
func TestWelcomePrintsNoCommandThatIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config config.Config
		json   string
		works  bool
	}{
		"plain":     {config.Config{}, "http://127.0.0.1:8080/v1\n", true},
		"encrypted": {config.Config{TLS: config.TLS{CertFile: "tls.crt"}}, "https://127.0.0.1:8080/v1\n", false},
		"guarded":   {config.Config{Auth: config.Auth{CallersFile: "callers.yaml"}}, "http://127.0.0.1:8080/v1\n", false},
	} {
		a := &App{config: c.config, HTTPAddress: "127.0.0.1:8080", SandboxAddress: "127.0.0.1:8081", sandbox: &standin{}, ledger: &openLedger{}}
		var out strings.Builder
		if err := a.welcome(&out); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), "/v1/port-ins"); got != c.works {
			t.Errorf("%s: commands of the API are printed: %v, want %v:\n%s", name, got, c.works, &out)
		}
		if !strings.Contains(out.String(), c.json) || !strings.Contains(out.String(), "curl -sS 'http://127.0.0.1:8081/_sandbox/requests'") {
			t.Errorf("%s: it is said to be at\n%s", name, &out)
		}
	}
}
