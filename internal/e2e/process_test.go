package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/portin/portin/internal/config"
)

// process is a service in a process of its own.
type process struct {
	*client

	cmd *exec.Cmd
	log *journal
	// words is the process's standard input, lines its standard output.
	words io.WriteCloser
	lines chan string
	// ended closes when the process is gone; code is its exit code then, -1 after a signal.
	ended chan struct{}
	code  int
}

// run starts a program that ends with the test at the latest.
func run(t *testing.T, name string, args []string, environment ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(name, args...), log: newJournal(t, "the log of a process"), lines: make(chan string, 64), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), environment...)
	p.cmd.Stderr = p.log
	var err error
	if p.words, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.watch(out)
	t.Cleanup(p.kill)
	return p
}

// watch reads what the process prints, until its end.
func (p *process) watch(out io.Reader) {
	defer close(p.ended)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		select {
		case p.lines <- lines.Text():
		default: // nobody listens
		}
	}
	_ = p.cmd.Wait()
	p.code = p.cmd.ProcessState.ExitCode()
}

// said is the next line that the process prints; empty when it ends instead.
func (p *process) said(t *testing.T) string {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case line := <-p.lines:
		return line
	case <-p.ended:
	case <-late.C:
		t.Error("the process says nothing")
	}
	return ""
}

// gone waits until the process has ended by itself.
func (p *process) gone(t *testing.T) {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-p.ended:
	case <-late.C:
		t.Fatal("the process does not end")
	}
	if p.client != nil {
		p.disconnect()
	}
}

// kill ends the process, without a chance to do anything about it, and waits until it is gone.
func (p *process) kill() {
	p.showMetrics()
	_ = p.cmd.Process.Kill()
	<-p.ended
	if p.client != nil {
		p.disconnect()
	}
}

// showMetrics has the metrics looked through, if the process still has an ear for it.
func (p *process) showMetrics() {
	select {
	case <-p.ended:
		return
	default:
	}
	if p.client == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = p.call(ctx, http.MethodGet, "http://"+p.AdminAddress+"/metrics", nil)
}

// become has the process called by another caller from now on.
func (p *process) become(t *testing.T, c *client) {
	t.Helper()
	t.Cleanup(p.disconnect)
	p.client = c
}

// signal sends a signal.
func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if s == syscall.SIGTERM {
		p.showMetrics()
	}
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// built is the program itself, as make builds it.
type built struct {
	once   sync.Once
	folder string
	err    error
}

// program is built at the first wish. OnceValue only because a variable that changes has no place in this tree.
var program = sync.OnceValue(func() *built { return new(built) })

// path is where the program is.
func (b *built) path(t *testing.T) string {
	t.Helper()
	b.once.Do(b.build)
	if b.err != nil {
		t.Fatal(b.err)
	}
	return filepath.Join(b.folder, "portin")
}

func (b *built) build() {
	if b.folder, b.err = os.MkdirTemp("", "portin-e2e-"); b.err != nil {
		return
	}
	build := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o", b.folder, "../../cmd/portin")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.err = fmt.Errorf("go build: %w\n%s", err, out)
	}
}

// remove removes what was built.
func (b *built) remove() {
	if b.folder != "" {
		_ = os.RemoveAll(b.folder)
	}
}

// startProgram runs the program on free ports, for a carrier and the ledger that the arguments name.
func startProgram(t *testing.T, carrier *standin, args ...string) *process {
	t.Helper()
	p := runProgram(t, carrier, args...)
	var at addresses
	until(t, "the program serves", func() bool {
		select {
		case <-p.ended:
			t.Fatalf("the program ended with %d:\n%s", p.code, p.log)
		default:
		}
		for line := range strings.Lines(p.log.String()) {
			var said struct{ Msg, GRPC, HTTP, Admin string }
			if json.Unmarshal([]byte(line), &said) == nil && said.Msg == "serving" {
				at = addresses{said.GRPC, said.HTTP, said.Admin}
				return true
			}
		}
		return false
	})
	p.client = connect(t, at.GRPC, at.HTTP, at.Admin)
	return p
}

// ledgerArg is the setting of a ledger, for the program.
func ledgerArg(l config.Ledger) string {
	if l.URL != "" {
		return "--ledger-url=" + l.URL.Reveal()
	}
	return "--ledger-file=" + l.File
}

// runProgram runs the program, which may end at once.
func runProgram(t *testing.T, carrier *standin, args ...string) *process {
	t.Helper()
	return run(t, program().path(t), append([]string{
		"serve", "--grpc-address=127.0.0.1:0", "--http-address=127.0.0.1:0", "--admin-address=127.0.0.1:0", "--log-level=debug", "--log-format=json",
		"--carrier-url=" + carrier.url, "--carrier-username=sandbox", "--trace-endpoint=" + newCollector(t).address, "--trace-insecure",
	}, args...), "PORTIN_CARRIER_PASSWORD=sandbox")
}
