package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// Missing says in one line why there is no PostgreSQL here; empty when there is one.
func Missing() string {
	if _, err := binaries(); err != nil {
		return "no PostgreSQL: " + err.Error()
	}
	if _, err := account(); err != nil {
		return "no PostgreSQL: " + err.Error()
	}
	return ""
}

// binaries is the folder of PostgreSQL's programs: that of the one in the PATH, else the newest of those that Debian puts
// beside it.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("initdb is neither in the PATH nor in /usr/lib/postgresql/*/bin")
	}
	release := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // What is no number is the oldest.
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return release(a) - release(b) })), nil
}

// account is who PostgreSQL runs as; nil is whoever runs the test. PostgreSQL refuses to run as root, so root lends it
// another account.
func account() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // nobody else
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, fmt.Errorf("it refuses to run as root, and there is neither an account postgres nor nobody")
}

// longestSocket is how long the path of a Unix socket may be on every system that has them, the last byte being a NUL.
const longestSocket = 103

// folder makes an empty folder that only the account may enter, under a path short enough for a socket.
func folder(as *syscall.Credential) (string, error) {
	parent := os.TempDir()
	if as != nil && !enterable(parent) || len(parent) > longestSocket-len("/portin-pg-0123456789/.s.PGSQL.5432") {
		parent = "/tmp"
	}
	dir, err := os.MkdirTemp(parent, "portin-pg-")
	if err != nil || as == nil {
		return dir, err
	}
	return dir, os.Chown(dir, int(as.Uid), int(as.Gid))
}

// enterable reports whether everybody may go through a folder and all above it.
func enterable(dir string) bool {
	for ; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}
