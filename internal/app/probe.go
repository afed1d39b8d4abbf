package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/portin/portin/internal/config"
)

// Probe asks the service of the same settings on this machine whether it is alive or ready, for a container that has no other
// program to ask with. Its error is that it is not.
func Probe(ctx context.Context, c config.Config, what string) error {
	host, port, err := net.SplitHostPort(c.Admin.Address)
	if err != nil {
		return fmt.Errorf("admin-address: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	url := "http://" + net.JoinHostPort(host, port) + map[string]string{"live": "/livez", "ready": "/readyz"}[what]
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New("the service is not " + what)
	}
	return nil
}

// probeWithin is how long an answer may take.
const probeWithin = 4 * time.Second

// Migrate brings the ledger to the shape that this version needs, as serving would, and makes it if there is none. Older
// replicas go on meanwhile.
func Migrate(ctx context.Context, c config.Config) error {
	if err := c.Validate(); err != nil {
		return err
	}
	l, err := open(ctx, c)
	if err != nil {
		return err
	}
	return l.Close()
}
