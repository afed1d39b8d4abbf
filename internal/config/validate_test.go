package config

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// names are the settings that an error of Validate names, in its order.
func names(err error) []string {
	if err == nil {
		return nil
	}
	var all []string
	for line := range strings.Lines(err.Error()) {
		name, _, _ := strings.Cut(line, ": ")
		all = append(all, name)
	}
	return all
}

// carrier returns settings that are valid for a carrier.
func carrier() Config {
	c := Default()
	c.Carrier.URL, c.Carrier.Username, c.Carrier.Password = "https://api.example.com/rest.svc", "user", hidden
	c.Ledger.File = "/var/lib/portin/ledger.db"
	return c
}

func TestValidate(t *testing.T) {
	t.Parallel()
	full := filepath.Join(t.TempDir(), "password")
	empty := filepath.Join(t.TempDir(), "empty")
	database := filepath.Join(t.TempDir(), "database")
	for file, text := range map[string]string{full: hidden + "\n", empty: "\n", database: "postgres://user:" + hidden + "@host/portin\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sandbox := func() Config { c := Default(); c.Sandbox = true; return c }
	for name, c := range map[string]struct {
		from   func() Config
		change func(*Config)
		want   []string
	}{
		"a sandbox":                   {sandbox, func(*Config) {}, nil},
		"a carrier":                   {carrier, func(*Config) {}, nil},
		"a carrier without a ledger":  {carrier, func(c *Config) { c.Ledger.File = "" }, []string{"ledger-file"}},
		"a sandbox with a ledger":     {sandbox, func(c *Config) { c.Ledger.File = "ledger.db" }, nil},
		"a database":                  {carrier, func(c *Config) { c.Ledger = Ledger{URL: "postgres://user:" + hidden + "@host/portin"} }, nil},
		"a database in a file":        {carrier, func(c *Config) { c.Ledger = Ledger{URLFile: database} }, nil},
		"two ledgers":                 {carrier, func(c *Config) { c.Ledger.URL = "postgres://host/portin" }, []string{"ledger-url"}},
		"two ledgers, by files":       {carrier, func(c *Config) { c.Ledger.URLFile = database }, []string{"ledger-url-file"}},
		"a database of another kind":  {carrier, func(c *Config) { c.Ledger = Ledger{URL: "mysql://user:" + hidden + "@host/portin"} }, []string{"ledger-url"}},
		"a database without a name":   {sandbox, func(c *Config) { c.Ledger = Ledger{URL: "postgres://host"} }, []string{"ledger-url"}},
		"a password that is cut":      {carrier, func(c *Config) { c.Ledger = Ledger{URL: "postgres://user:12/" + hidden + "@host/portin"} }, []string{"ledger-url"}},
		"a database that is no URL":   {carrier, func(c *Config) { c.Ledger = Ledger{URLFile: full} }, []string{"ledger-url-file"}},
		"a database in no file":       {carrier, func(c *Config) { c.Ledger = Ledger{URLFile: full + "x"} }, []string{"ledger-url-file"}},
		"a database in an empty file": {carrier, func(c *Config) { c.Ledger = Ledger{URLFile: empty} }, []string{"ledger-url-file"}},

		"neither":               {Default, func(*Config) {}, []string{"carrier-url", "carrier-username", "carrier-password-file", "ledger-file"}},
		"both":                  {carrier, func(c *Config) { c.Sandbox = true }, []string{"carrier-url"}},
		"a sandbox, with a key": {sandbox, func(c *Config) { c.Carrier.Username, c.Carrier.Password = "user", hidden }, nil},

		"every address": {sandbox, func(c *Config) {
			c.GRPC.Address, c.HTTP.Address, c.Admin.Address, c.Standin.Address = "0.0.0.0:1", ":2", ":9090", "192.0.2.1:3"
		}, []string{"grpc-address", "http-address", "admin-address", "sandbox-address"}},
		"every address, insecure": {sandbox, func(c *Config) {
			c.GRPC.Address, c.HTTP.Address, c.Admin.Address = "0.0.0.0:1", "[::]:2", "0.0.0.0:9090"
			c.Standin.Address, c.InsecureListen = "example.com:3", true
		}, []string{"admin-address", "sandbox-address"}},
		"every address, protected": {sandbox, func(c *Config) {
			c.GRPC.Address, c.HTTP.Address, c.Admin.Address, c.Admin.InsecureListen = "0.0.0.0:1", "[::]:2", "0.0.0.0:9090", true
			c.TLS, c.Auth.CallersFile = TLS{CertFile: "c", KeyFile: "k", ClientCAFile: "a"}, "callers"
		}, nil},
		"encrypted, for everybody": {sandbox, func(c *Config) {
			c.GRPC.Address, c.TLS = "0.0.0.0:1", TLS{CertFile: "c", KeyFile: "k"}
		}, []string{"grpc-address"}},
		"protected in the clear":        {sandbox, func(c *Config) { c.HTTP.Address, c.Auth.CallersFile = "0.0.0.0:1", "callers" }, []string{"http-address"}},
		"a certificate without its key": {sandbox, func(c *Config) { c.TLS.CertFile = "c" }, []string{"tls-key-file"}},
		"a key without its certificate": {sandbox, func(c *Config) { c.TLS.KeyFile = "k" }, []string{"tls-key-file"}},
		"authorities alone":             {sandbox, func(c *Config) { c.TLS.ClientCAFile = "a" }, []string{"tls-client-ca-file", "tls-client-ca-file"}},
		"an issuer": {sandbox, func(c *Config) {
			c.Auth.CallersFile, c.Auth.OIDCIssuer, c.Auth.OIDCAudience = "callers", "https://login.example.com/realm", "portin"
		}, nil},
		"an issuer on this machine": {sandbox, func(c *Config) {
			c.Auth.CallersFile, c.Auth.OIDCIssuer, c.Auth.OIDCAudience = "callers", "http://localhost:5556", "portin"
		}, nil},
		"an issuer in the clear, without the rest": {sandbox, func(c *Config) {
			c.Auth.OIDCIssuer, c.Auth.OIDCTenantClaim = "http://login.example.com", ""
		}, []string{"auth-oidc-issuer", "auth-oidc-audience", "auth-oidc-issuer", "auth-oidc-tenant-claim"}},
		"an issuer that is no URL": {sandbox, func(c *Config) {
			c.Auth.CallersFile, c.Auth.OIDCIssuer, c.Auth.OIDCAudience = "callers", "https://user:"+hidden+"@login.example.com", "portin"
		}, []string{"auth-oidc-issuer"}},
		"an audience alone":                          {sandbox, func(c *Config) { c.Auth.OIDCAudience = "portin" }, []string{"auth-oidc-audience"}},
		"an address of a sandbox that is not served": {carrier, func(c *Config) { c.Standin.Address = "0.0.0.0:1" }, nil},
		"loopback": {sandbox, func(c *Config) {
			c.GRPC.Address, c.HTTP.Address, c.Standin.Address = "localhost:0", "[::1]:65535", "127.9.9.9:1"
		}, nil},
		"no port":                   {sandbox, func(c *Config) { c.GRPC.Address = "127.0.0.1" }, []string{"grpc-address"}},
		"an empty port":             {sandbox, func(c *Config) { c.GRPC.Address = "127.0.0.1:" }, []string{"grpc-address"}},
		"a port that is none":       {sandbox, func(c *Config) { c.HTTP.Address = "127.0.0.1:65536" }, []string{"http-address"}},
		"a port in words, insecure": {sandbox, func(c *Config) { c.HTTP.Address, c.InsecureListen = "0.0.0.0:http", true }, []string{"http-address"}},

		"a collector":                {sandbox, func(c *Config) { c.Trace = Trace{Endpoint: "collector:4317"} }, nil},
		"a collector that is a URL":  {sandbox, func(c *Config) { c.Trace.Endpoint = "http://collector:4317" }, []string{"trace-endpoint"}},
		"a collector without a port": {sandbox, func(c *Config) { c.Trace.Endpoint = "collector" }, []string{"trace-endpoint"}},
		"more than every call":       {sandbox, func(c *Config) { c.Trace.SampleRatio = 1.01 }, []string{"trace-sample-ratio"}},
		"less than none":             {sandbox, func(c *Config) { c.Trace.SampleRatio = -0.01 }, []string{"trace-sample-ratio"}},
		"a ratio that is no number":  {sandbox, func(c *Config) { c.Trace.SampleRatio = math.NaN() }, []string{"trace-sample-ratio"}},

		"a carrier in the clear":         {carrier, func(c *Config) { c.Carrier.URL = "http://api.example.com/" }, []string{"carrier-url"}},
		"a carrier on this machine":      {carrier, func(c *Config) { c.Carrier.URL = "http://127.0.0.1:8081/rest.svc" }, nil},
		"another scheme on this machine": {carrier, func(c *Config) { c.Carrier.URL = "ftp://127.0.0.1/" }, []string{"carrier-url"}},
		"a carrier with credentials":     {carrier, func(c *Config) { c.Carrier.URL = "https://user:" + hidden + "@api.example.com/" }, []string{"carrier-url"}},
		"a carrier with parameters":      {carrier, func(c *Config) { c.Carrier.URL = "https://api.example.com/?key=" + hidden }, []string{"carrier-url"}},
		"a carrier with a fragment":      {carrier, func(c *Config) { c.Carrier.URL = "https://api.example.com/#x" }, []string{"carrier-url"}},
		"a carrier without a host":       {carrier, func(c *Config) { c.Carrier.URL = "api.example.com" }, []string{"carrier-url"}},
		"a carrier that is no URL":       {carrier, func(c *Config) { c.Carrier.URL = "https://\x7f" + hidden }, []string{"carrier-url"}},

		"a password in a file":  {carrier, func(c *Config) { c.Carrier.Password, c.Carrier.PasswordFile = "", full }, nil},
		"a password and a file": {carrier, func(c *Config) { c.Carrier.PasswordFile = full }, []string{"carrier-password-file"}},
		"accounts in a file": {carrier, func(c *Config) {
			c.Carrier = Carrier{URL: c.Carrier.URL, NoPortIn: c.Carrier.NoPortIn, PostTimeout: time.Second, GetTimeout: time.Second, AccountsFile: full}
		}, nil},
		"accounts and a user":          {carrier, func(c *Config) { c.Carrier.AccountsFile = full }, []string{"carrier-accounts-file"}},
		"accounts of the sandbox":      {sandbox, func(c *Config) { c.Carrier.AccountsFile = full }, []string{"carrier-accounts-file"}},
		"no user, no password":         {carrier, func(c *Config) { c.Carrier.Username, c.Carrier.Password = "", "" }, []string{"carrier-username", "carrier-password-file"}},
		"calls shorter than deadlines": {sandbox, func(c *Config) { c.Orders.LeastRemaining = c.GRPC.LongestCall }, []string{"grpc-longest-call"}},
		"no lead":                      {sandbox, func(c *Config) { c.Orders.MinLeadDays = 0 }, nil},
		"the largest limits": {sandbox, func(c *Config) {
			c.Limits = Limits{Numbers: 10_000, FileBytes: 1 << 30, DocumentBytes: 1 << 30, BytesInFlight: 1 << 50, Watches: 1_000_000, CallsAtOnce: 1_000_000, CallsPerSecond: 1_000_000}
			c.Webhooks = Webhooks{MaxEndpoints: 10_000, AtOnce: 10_000, PerEndpoint: 10_000, Keep: 24 * time.Hour}
		}, nil},
		"limits that are too large": {sandbox, func(c *Config) {
			c.Limits = Limits{Numbers: 10_001, FileBytes: 1<<30 + 1, DocumentBytes: 1<<30 + 1, BytesInFlight: 1<<50 + 1, Watches: 1_000_001, CallsAtOnce: 1_000_001, CallsPerSecond: 1_000_001}
			c.Webhooks = Webhooks{MaxEndpoints: 10_001, AtOnce: 10_001, PerEndpoint: 10_002, Keep: 24*time.Hour - 1}
		}, []string{
			"limits-numbers", "limits-file-bytes", "limits-document-bytes", "limits-watches", "limits-calls-at-once",
			"webhooks-max-endpoints", "webhooks-at-once", "webhooks-per-endpoint", "limits-bytes-in-flight", "limits-calls-per-second", "webhooks-keep",
		}},
		"a look-up every ten seconds":             {sandbox, func(c *Config) { c.Orders.PollsPerSecond = 0.1 }, nil},
		"fewer look-ups than a turn needs":        {sandbox, func(c *Config) { c.Orders.PollsPerSecond = 0.09 }, []string{"orders-polls-per-second"}},
		"as many look-ups as no number says":      {sandbox, func(c *Config) { c.Orders.PollsPerSecond = math.NaN() }, []string{"orders-polls-per-second"}},
		"as many calls as no number says":         {sandbox, func(c *Config) { c.Limits.CallsPerSecond = math.NaN() }, []string{"limits-calls-per-second"}},
		"one order in flight":                     {sandbox, func(c *Config) { c.Limits.BytesInFlight = 4 * 26 << 20 }, nil},
		"almost one order in flight":              {sandbox, func(c *Config) { c.Limits.BytesInFlight = 4*26<<20 - 1 }, []string{"limits-bytes-in-flight"}},
		"orders that are kept for long":           {sandbox, func(c *Config) { c.Orders.Keep = LeastKept }, nil},
		"orders that are kept for too short":      {sandbox, func(c *Config) { c.Orders.Keep = LeastKept - time.Second }, []string{"orders-keep"}},
		"orders that are kept for less than ever": {sandbox, func(c *Config) { c.Orders.Keep = -LeastKept }, []string{"orders-keep"}},
		"more to one endpoint than to all":        {sandbox, func(c *Config) { c.Webhooks.AtOnce = 3 }, []string{"webhooks-per-endpoint"}},
		"everything at once": {
			func() Config { return Config{} },
			func(c *Config) {
				c.HTTP.CORSOrigins, c.Orders.MinLeadDays, c.Orders.NoProgressDays = []string{"*", "null"}, -1, -1
			},
			[]string{
				"grpc-address", "http-address", "admin-address", "http-cors-origins", "http-cors-origins",
				"carrier-url", "carrier-username", "carrier-password-file", "ledger-file",
				"grpc-max-connection-age", "grpc-longest-call", "carrier-post-timeout", "carrier-get-timeout",
				"orders-least-remaining", "orders-look-timeout", "orders-lists-ttl", "orders-doubt-window", "orders-doubt-spacing",
				"orders-poll-interval", "shutdown-timeout",
				"limits-numbers", "limits-file-bytes", "limits-document-bytes", "limits-watches", "limits-calls-at-once",
				"webhooks-max-endpoints", "webhooks-at-once", "webhooks-per-endpoint", "limits-bytes-in-flight", "webhooks-keep",
				"orders-min-lead-days", "orders-no-progress-days", "orders-polls-per-second",
				"grpc-longest-call",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := c.from()
			c.change(&settings)
			err := settings.Validate()
			if diff := cmp.Diff(c.want, names(err)); diff != "" {
				t.Errorf("settings that are named (-want +got):\n%s\n%v", diff, err)
			}
			if err != nil && strings.Contains(err.Error(), hidden) {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

// Origins are compared letter by letter with what a browser sends; one that it never sends would never match.
func TestCORSOrigins(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"https://app.example.com": true, "http://localhost:3000": true, "https://[2001:db8::1]:8443": true, "http://app.example.com:443": true,
		"*": false, "null": false, "": false, "app.example.com": false, "https://": false, "https://:8080": false,
		"https://app.example.com/": false, "https://app.example.com/x": false, "https://app.example.com?x": false, "https://app.example.com#x": false,
		"https://user@app.example.com": false, "https://app.example.com:": false, "https://app.example.com:443": false, "http://app.example.com:80": false,
		"https://App.example.com": false, "HTTPS://app.example.com": false, "ftp://app.example.com": false, "https://app.example.com:x": false,
		"https://*.example.com": true, // a host that nobody has; harmless, and url cannot tell
	} {
		c := carrier()
		c.HTTP.CORSOrigins = []string{text}
		if err := c.Validate(); (err == nil) != want {
			t.Errorf("%q: %v, want valid %v", text, err, want)
		}
	}
}
