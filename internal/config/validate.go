package config

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"
)

// Validate reports everything that is wrong, each problem with the setting's name.
func (c Config) Validate() error {
	var problems []error
	bad := func(name, format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s: %s", name, fmt.Sprintf(format, args...)))
	}
	c.validateAddresses(bad)
	c.validateAccess(bad)
	for _, o := range c.HTTP.CORSOrigins {
		if !origin(o) {
			bad("http-cors-origins", "%q is not an origin as browsers send it; write https://host or https://host:port, in lower case", o)
		}
	}
	c.validateCarrier(bad)
	c.validateLedger(bad)
	for _, d := range []struct {
		name string
		is   time.Duration
	}{
		{"grpc-max-connection-age", c.GRPC.MaxConnectionAge},
		{"grpc-longest-call", c.GRPC.LongestCall},
		{"carrier-post-timeout", c.Carrier.PostTimeout},
		{"carrier-get-timeout", c.Carrier.GetTimeout},
		{"orders-least-remaining", c.Orders.LeastRemaining},
		{"orders-look-timeout", c.Orders.LookTimeout},
		{"orders-lists-ttl", c.Orders.ListsTTL},
		{"orders-doubt-window", c.Orders.DoubtWindow},
		{"orders-doubt-spacing", c.Orders.DoubtSpacing},
		{"orders-poll-interval", c.Orders.PollInterval},
		{"shutdown-timeout", c.ShutdownTimeout},
	} {
		if d.is < time.Second {
			bad(d.name, "must be a second or longer")
		}
	}
	for _, n := range []struct {
		name     string
		is, most int64
	}{
		{"limits-numbers", int64(c.Limits.Numbers), 10_000},
		{"limits-file-bytes", c.Limits.FileBytes, 1 << 30},
		{"limits-document-bytes", c.Limits.DocumentBytes, 1 << 30},
		{"limits-watches", int64(c.Limits.Watches), 1_000_000},
		{"limits-calls-at-once", int64(c.Limits.CallsAtOnce), 1_000_000},
		{"webhooks-max-endpoints", int64(c.Webhooks.MaxEndpoints), 10_000},
		{"webhooks-at-once", int64(c.Webhooks.AtOnce), 10_000},
		{"webhooks-per-endpoint", int64(c.Webhooks.PerEndpoint), int64(max(1, c.Webhooks.AtOnce))},
	} {
		if n.is < 1 || n.is > n.most {
			bad(n.name, "must be from 1 to %d", n.most)
		}
	}
	c.validateLimits(bad)
	if c.ShutdownDelay < 0 || c.ShutdownDelay > 10*time.Minute {
		bad("shutdown-delay", "must be from 0s to 10m")
	}
	if c.Webhooks.Keep < 24*time.Hour {
		bad("webhooks-keep", "must be a day or longer")
	}
	c.validateOrders(bad)
	if c.Trace.Endpoint != "" && !hostPort(c.Trace.Endpoint) {
		bad("trace-endpoint", "is not host:port, 127.0.0.1:4317 for one")
	}
	if !(c.Trace.SampleRatio >= 0 && c.Trace.SampleRatio <= 1) { // in these words NaN is no ratio either
		bad("trace-sample-ratio", "must be from 0 to 1")
	}
	if c.GRPC.LongestCall <= c.Orders.LeastRemaining {
		bad("grpc-longest-call", "must be longer than orders-least-remaining, or no order is ever sent")
	}
	return errors.Join(problems...)
}

// validateLimits looks at the limits that are no plain numbers.
func (c Config) validateLimits(bad func(name, format string, args ...any)) {
	if least := c.LargestOrder(); c.Limits.BytesInFlight < least || c.Limits.BytesInFlight > 1<<50 {
		bad("limits-bytes-in-flight", "must be from %d, for one order of limits-document-bytes, to %d", least, int64(1<<50))
	}
	if perSecond := c.Limits.CallsPerSecond; !(perSecond >= 0 && perSecond <= 1_000_000) { // with NaN nobody would be limited
		bad("limits-calls-per-second", "must be from 0 to 1000000")
	}
}

// LargestOrder is how many bytes of memory the largest order takes, on the face where it takes more: four times what its message
// may have, which is its documents and 1 MiB.
func (c Config) LargestOrder() int64 { return 4 * (c.Limits.DocumentBytes + 1<<20) }

func (c Config) validateOrders(bad func(name, format string, args ...any)) {
	if c.Orders.MinLeadDays < 0 {
		bad("orders-min-lead-days", "must not be negative")
	}
	if c.Orders.NoProgressDays < 0 || c.Orders.NoProgressDays > 100 {
		bad("orders-no-progress-days", "must be from 0 to 100")
	}
	if c.Orders.Keep != 0 && c.Orders.Keep < LeastKept {
		bad("orders-keep", "must be 0, or %.0fh or longer: so long a request_id may be sent again", LeastKept.Hours())
	}
	// A turn of eight orders has five minutes; another replica would repeat one that takes longer.
	if perSecond := c.Orders.PollsPerSecond; !(perSecond >= 0.1 && perSecond <= 1000) { // nor is NaN
		bad("orders-polls-per-second", "must be from 0.1 to 1000")
	}
}

func (c Config) validateCarrier(bad func(name, format string, args ...any)) {
	if c.Sandbox {
		if c.Carrier.URL != "" {
			bad("carrier-url", "stands beside sandbox; choose one, so that no order goes where it was not meant to")
		}
		if c.Carrier.AccountsFile != "" {
			bad("carrier-accounts-file", "stands beside sandbox, which has one account")
		}
		return
	}
	u, err := url.Parse(c.Carrier.URL)
	switch {
	case c.Carrier.URL == "":
		bad("carrier-url", "is missing; give the carrier's base URL, or --sandbox to try the service without a carrier")
	case err != nil, u.Host == "", u.User != nil, u.RawQuery != "", u.Fragment != "":
		bad("carrier-url", "is not a URL without credentials and parameters, https://host/path for one")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		bad("carrier-url", "must begin with https://; the carrier's password would travel in the clear")
	}
	if c.Carrier.AccountsFile != "" {
		if c.Carrier.Username != "" || c.Carrier.Password != "" || c.Carrier.PasswordFile != "" {
			bad("carrier-accounts-file", "stands beside carrier-username or a password; name that account in the file, as default")
		}
		return
	}
	if c.Carrier.Username == "" {
		bad("carrier-username", "is missing, and so is carrier-accounts-file")
	}
	if c.Carrier.Password == "" && c.Carrier.PasswordFile == "" {
		bad("carrier-password-file", "is missing, and so is carrier-password")
	}
	if c.Carrier.Password != "" && c.Carrier.PasswordFile != "" {
		bad("carrier-password-file", "stands beside carrier-password; choose one")
	}
}

// validateLedger wants exactly one ledger, but for the sandbox, whose orders nobody needs.
func (c Config) validateLedger(bad func(name, format string, args ...any)) {
	var named []string
	for _, l := range []struct {
		name string
		set  bool
	}{
		{"ledger-file", c.Ledger.File != ""},
		{"ledger-url", c.Ledger.URL != ""},
		{"ledger-url-file", c.Ledger.URLFile != ""},
	} {
		if l.set {
			named = append(named, l.name)
		}
	}
	switch {
	case len(named) == 0 && !c.Sandbox:
		bad("ledger-file", "is missing, and so is ledger-url; name where orders are kept, /var/lib/portin/ledger.db for one")
		return
	case len(named) > 1:
		bad(named[1], "stands beside %s; choose one", named[0])
		return
	case len(named) == 0, named[0] == "ledger-file":
		return
	}
	address, err := c.LedgerURL()
	if err != nil {
		bad("ledger-url-file", "cannot be read, or is empty")
		return
	}
	u, err := url.Parse(address.Reveal())
	switch {
	case err != nil, u.Scheme != "postgres" && u.Scheme != "postgresql", u.Path == "":
		bad(named[0], "is not a URL of a PostgreSQL database, postgres://user:password@host/database for one")
	case strings.Contains(u.Path+u.RawQuery+u.Fragment, "@"): // the password's end was taken for the host's
		bad(named[0], "has an @ behind its host; write / ? # @ : in the password as %%2F %%3F %%23 %%40 %%3A")
	}
}

// LedgerURL returns the URL of the ledger's database, from the file when one is named; empty for another ledger.
func (c Config) LedgerURL() (Secret, error) {
	return inFile("ledger-url-file", c.Ledger.URLFile, c.Ledger.URL)
}

// inFile returns what stands in a file, without the line break at its end, or the value itself when no file is named.
func inFile(name, file string, value Secret) (Secret, error) {
	if file == "" {
		return value, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", name, err)
	}
	secret := strings.TrimRight(string(text), "\r\n")
	if secret == "" {
		return "", fmt.Errorf("%s is empty", name)
	}
	return Secret(secret), nil
}

// origin reports whether a text is an origin as a browser writes it, for it is compared letter by letter.
func origin(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || strings.HasSuffix(s, ":") || s != strings.ToLower(s) || s != u.Scheme+"://"+u.Host {
		return false
	}
	return u.Scheme == "https" && u.Port() != "443" || u.Scheme == "http" && u.Port() != "80"
}
