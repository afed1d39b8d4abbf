//go:build unix

package handfile_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/portin/portin/internal/handfile"
)

// A pipe that nobody writes to would be waited for without an end, and so would the stop of the service.
func TestAPipeIsNotReadFrom(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := handfile.Read(pipe, 10); err == nil || err.Error() != "is a pipe or a device, not a file" {
		t.Errorf("it says %v", err)
	}
}
