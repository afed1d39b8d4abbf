package auth

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	// fetchTimeout bounds each question to the issuer, from the look-up of its name to the last byte of its answer.
	fetchTimeout = 5 * time.Second
	// maxAnswer is how large its answer may be.
	maxAnswer = 1 << 20
)

// newClient asks the issuer. It follows no redirect: that would be to wherever somebody else says. Without a transport it has
// one without a proxy from the environment, which somebody may have set for another program.
func newClient(t http.RoundTripper) *http.Client {
	if t == nil {
		var http1 http.Protocols
		http1.SetHTTP1(true)
		t = &http.Transport{
			Protocols:              &http1,
			DialContext:            (&net.Dialer{Timeout: fetchTimeout}).DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    fetchTimeout,
			MaxIdleConns:           1,
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			DisableCompression:     true,
		}
	}
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// get reads an answer of the issuer, which is JSON. The error never quotes the answer.
func get(ctx context.Context, client *http.Client, address string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered with status %d", address, resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return fmt.Errorf("the answer of %s ended early: %w", address, err)
	case len(body) > maxAnswer:
		return fmt.Errorf("the answer of %s is larger than 1 MiB", address)
	case json.Unmarshal(body, into) != nil:
		return errors.New("the answer of " + address + " is not what it should be")
	}
	return nil
}
