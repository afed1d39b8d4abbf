package carrier_test

import (
	"strings"
	"testing"
	"time"

	"github.com/portin/portin/internal/carrier"
)

func TestBaseURLs(t *testing.T) {
	t.Parallel()
	for base, right := range map[string]bool{
		"https://api.thinktel.ca/rest.svc":  true,
		"https://api.thinktel.ca/rest.svc/": true,
		"https://192.0.2.1:8443":            true,
		"http://localhost:8081/rest.svc":    true,
		"http://127.0.0.1:8081":             true,
		"http://127.1.2.3":                  true,
		"http://[::1]:8081":                 true,
		"http://api.thinktel.ca/rest.svc":   false,
		"http://localhost.example.com":      false,
		"http://10.0.0.1":                   false,
		"":                                  false,
		"api.thinktel.ca":                   false,
		"https://":                          false,
		"https:api.thinktel.ca":             false,
		"ftp://localhost":                   false,
		"https://porter:hunter2@localhost":  false,
		"https://localhost/?a=b":            false,
		"https://localhost/?":               false,
		"https://localhost/#a":              false,
		"https://local host":                false,
		"https://localhost/%zz":             false,
	} {
		c, err := carrier.New(settings(base))
		if (err == nil) != right {
			t.Errorf("%q: %v", base, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error shows the password: %v", base, err)
		}
		if c != nil {
			c.Close()
		}
	}
}

func TestAllProblemsOfAConfigAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := carrier.New(carrier.Config{
		BaseURL: "http://api.thinktel.ca", Username: "a:b", PostTimeout: -1, GetTimeout: -1, GetTries: -1, GetTotal: -1,
		MaxAnswer: -1, MaxList: -1, RetryAfterCap: time.Millisecond, NoPortIn: "perhaps",
		Breaker: carrier.Breaker{Credentials: -1, Unreachable: -1, Pause: -1},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, name := range []string{
		"BaseURL", "Username", "Password", "PostTimeout", "GetTimeout", "GetTries", "GetTotal", "MaxAnswer", "MaxList",
		"RetryAfterCap", "NoPortIn", "Breaker.Credentials", "Breaker.Unreachable", "Breaker.Pause",
	} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("the error does not name %s: %v", name, err)
		}
	}
	for problem, config := range map[string]carrier.Config{
		"BaseURL is missing":  {},
		"Username is missing": {BaseURL: "https://localhost", Password: "hunter2"},
		"Password is missing": {BaseURL: "https://localhost", Username: "porter"},
	} {
		if _, err := carrier.New(config); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%s: %v", problem, err)
		}
	}
}
