package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/ledger/ledgertest"
)

// A test starts this very binary again as another process, which does an act on a ledger.
const (
	childAct   = "PORTIN_TEST_ACT"
	childPath  = "PORTIN_TEST_LEDGER"
	childFirst = "PORTIN_TEST_FIRST"
)

// The acts, and how a process says that a ledger is in use.
const (
	actHold    = "hold" // Opens the ledger and keeps it until its standard input ends.
	actWork    = "work" // Claims and settles orders until somebody kills it.
	actFull    = "full" // Fills the disk, and makes room again.
	inUse      = 3
	workers    = 4
	roundSpace = 100_000 // Numbers of orders that one process may use up.
)

// child is the main of such a process.
func child(act, path string) int {
	s, err := Open(context.Background(), Config{Path: path, Carrier: ledgertest.Carrier})
	if err != nil {
		fmt.Println(err)
		if errors.Is(err, ledger.ErrInUse) {
			return inUse
		}
		return 1
	}
	fmt.Println("open")
	switch act {
	case actHold:
		_, err = io.Copy(io.Discard, os.Stdin)
	case actWork:
		err = work(s)
	case actFull:
		err = fill(s)
	}
	if err = errors.Join(err, s.Close()); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// work lets several callers claim and settle orders, and says after each call what was acknowledged.
func work(s *Store) error {
	first, err := strconv.Atoi(os.Getenv(childFirst))
	if err != nil {
		return err
	}
	var mu sync.Mutex
	say := func(what string, n int) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(what, n)
	}
	errs := make(chan error)
	for i := range workers {
		go func() {
			for n := first + i; ; n += workers {
				r := ledgertest.Record(n)
				if _, err := s.Claim(context.Background(), r, ledgertest.Entry("claimed")); err != nil {
					errs <- err
					return
				}
				say("claimed", n)
				if _, err := s.Advance(context.Background(), r.OrderID, ledgertest.Accept(ledgertest.Ticket(n), r.Claimed)); err != nil {
					errs <- err
					return
				}
				say("accepted", n)
			}
		}()
	}
	return <-errs
}

// process is such a process, as its test has it.
type process struct {
	*exec.Cmd

	input io.WriteCloser
	lines *bufio.Scanner
}

// begun is a process that has come to its act, or has said why not.
func begun(t *testing.T, act, path string, first int) (p process, said string) {
	t.Helper()
	p.Cmd = exec.CommandContext(t.Context(), os.Args[0])
	p.Env = append(os.Environ(), childAct+"="+act, childPath+"="+path, fmt.Sprint(childFirst, "=", first))
	p.Stderr = os.Stderr
	input, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.input, p.lines = input, bufio.NewScanner(output)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	if !p.lines.Scan() {
		t.Fatalf("a process said nothing: %v", p.lines.Err())
	}
	return p, p.lines.Text()
}

// kill ends the process as kill -9 does, and returns what it had said before and nobody had read.
func (p process) kill(t *testing.T) (said []string) {
	t.Helper()
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for p.lines.Scan() {
		said = append(said, p.lines.Text())
	}
	_ = p.Wait() // It was killed, and says so.
	return said
}

// ended waits for the end of a process and returns its exit code and the rest of what it said.
func (p process) ended(t *testing.T) (code int, said string) {
	t.Helper()
	if err := p.input.Close(); err != nil {
		t.Fatal(err)
	}
	var all []string
	for p.lines.Scan() {
		all = append(all, p.lines.Text())
	}
	if err := p.Wait(); err != nil && p.ProcessState == nil {
		t.Fatal(err)
	}
	return p.ProcessState.ExitCode(), strings.Join(all, "\n")
}
