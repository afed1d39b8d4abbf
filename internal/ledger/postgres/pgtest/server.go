package pgtest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// How a server is stopped: the word that its keeper reads.
const (
	stopFast   = "fast"
	stopAtOnce = "immediate"
)

// keeper runs a server until a word or the end of its standard input comes. The test process holds the other end of that:
// when it is gone, by a signal or by a panic, the keeper is told by the system, ends the server and removes its files.
const keeper = `trap '' INT HUP
"$@" &
read -r how
case $how in fast) kill -INT $! ;; *) kill -QUIT $! ;; esac
wait
[ -n "$how" ] || rm -rf "$PWD"`

// server is a running server, under its keeper.
type server struct {
	words io.WriteCloser
	// done is closed when the server and its keeper are gone, and log may be read from then on.
	done chan struct{}
	log  []string
}

// serve starts a server on the cluster's files and waits until it takes connections.
func (c *Cluster) serve() (*server, error) {
	cmd := c.command(context.Background(), "sh", "-c", keeper, "sh", filepath.Join(c.bin, "postgres"), "-D", c.data(), "-k", c.dir,
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=300",
		"-c", "shared_buffers=64MB", "-c", "timezone=UTC", "-c", "log_min_messages=log")
	words, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	log, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting PostgreSQL: %w", err)
	}
	s := &server{words: words, done: make(chan struct{})}
	ready := make(chan struct{})
	go s.watch(cmd, log, ready)
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-ready:
		return s, nil
	case <-s.done:
	case <-late.C:
		_ = s.end(stopAtOnce)
	}
	return nil, fmt.Errorf("PostgreSQL does not come up:\n%s", strings.Join(s.log, "\n"))
}

// watch reads the server's log to its end, which comes when the last of its processes is gone.
func (s *server) watch(cmd *exec.Cmd, log io.Reader, ready chan<- struct{}) {
	defer close(s.done)
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if ready != nil && strings.Contains(lines.Text(), "database system is ready to accept connections") {
			close(ready)
			ready = nil
		}
		s.log = append(s.log, lines.Text())
		s.log = s.log[max(0, len(s.log)-50):]
	}
	_ = cmd.Wait()
}

// end has the server stopped and waits until it is gone.
func (s *server) end(how string) error {
	_, _ = io.WriteString(s.words, how+"\n")
	_ = s.words.Close()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-s.done:
		return nil
	case <-late.C:
		return fmt.Errorf("PostgreSQL does not stop (%s)", how)
	}
}
