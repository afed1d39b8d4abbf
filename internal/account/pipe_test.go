//go:build unix

package account_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/portin/portin/internal/account"
)

// A pipe that nobody writes to would be waited for without an end, and so would the stop of the service.
func TestAPipeIsNotReadFrom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pipe := filepath.Join(w.dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*account.Params){
		"the carrier's password: is a pipe or a device, not a file":       func(p *account.Params) { p.Username, p.PasswordFile = "porter", pipe },
		"reading the carrier accounts: is a pipe or a device, not a file": func(p *account.Params) { p.File = pipe },
	} {
		p := w.params()
		change(&p)
		if _, err := account.New(p); err == nil || err.Error() != want {
			t.Errorf("it says %v, want %s", err, want)
		}
	}
}
