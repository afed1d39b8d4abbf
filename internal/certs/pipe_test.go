//go:build unix

package certs_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/portin/portin/internal/certs"
)

// A pipe that nobody writes to would be waited for without an end, at the start and at each look.
func TestAPipeIsNoCertificate(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "tls.crt")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := certs.New(certs.Params{CertFile: pipe, KeyFile: pipe})
	if err == nil || !strings.Contains(err.Error(), "the certificate file cannot be read: is a pipe or a device, not a file") {
		t.Errorf("it says %v", err)
	}
}
