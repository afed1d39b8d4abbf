package certs_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portin/portin/internal/certs"
)

// world is Files in a directory of the test, with what they log and what they tell.
type world struct {
	t     *testing.T
	dir   string
	every time.Duration
	files *certs.Files

	mu   sync.Mutex
	log  bytes.Buffer
	told []string
	// panics has the observer panic once.
	panics bool
}

// Reloaded implements certs.Observer.
func (w *world) Reloaded(ok bool) {
	w.mu.Lock()
	panics := w.panics
	w.panics = false
	w.mu.Unlock()
	if panics {
		panic("hunter2")
	}
	w.tell(fmt.Sprintf("reloaded %v", ok))
}

// ExpiresAt implements certs.Observer.
func (w *world) ExpiresAt(at time.Time) {
	w.tell("expires in " + time.Until(at).Round(time.Minute).String())
}

func (w *world) tell(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, what)
}

// Write takes what is logged.
func (w *world) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(line)
}

func newWorld(t *testing.T, own issued, clientCAs string) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir()}
	w.write("tls.crt", own.cert)
	w.write("tls.key", own.key)
	w.write("ca.crt", clientCAs)
	return w
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// write writes in place, as the worst of the tools do.
func (w *world) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(w.path(name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) params() certs.Params {
	return certs.Params{
		CertFile: w.path("tls.crt"), KeyFile: w.path("tls.key"), ClientCAFile: w.path("ca.crt"),
		Log: slog.New(slog.NewTextHandler(w, nil)), Observer: w, Every: w.every,
	}
}

// run reads the files and follows them until the test ends.
func (w *world) run() {
	w.t.Helper()
	files, err := certs.New(w.params())
	if err != nil {
		w.t.Fatal(err)
	}
	w.files = files
	ctx, cancel := context.WithCancel(w.t.Context())
	var running sync.WaitGroup
	running.Go(func() { files.Run(ctx) })
	w.t.Cleanup(func() {
		cancel()
		running.Wait()
	})
}

// takeTold is what the observer was told since the last call.
func (w *world) takeTold() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	told := w.told
	w.told = nil
	return told
}

// takeText is the log since the last call.
func (w *world) takeText() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.log.Reset()
	return w.log.String()
}

// takeLog are the messages of the log since the last call.
func (w *world) takeLog() []string { return messages(w.takeText()) }

func messages(log string) []string {
	var messages []string
	for line := range strings.Lines(log) {
		_, after, _ := strings.Cut(line, `msg="`)
		message, _, _ := strings.Cut(after, `"`)
		messages = append(messages, message)
	}
	return messages
}

// pass lets time go by.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// conversation is an open connection; the server speaks and the client listens.
type conversation struct{ server, client *tls.Conn }

// dial shakes hands over loopback, which holds what one end says while the other speaks too; a pipe does not. Its error is
// the server's when that has one. The client listens after its own half of the handshake, because a server of TLS 1.3
// judges the client's certificate later than that.
func dial(server, client *tls.Config) (*conversation, error) {
	a, b, err := connected()
	if err != nil {
		return nil, err
	}
	c := &conversation{tls.Server(a, server), tls.Client(b, client)}
	var refused error
	var serving sync.WaitGroup
	serving.Go(func() {
		if _, refused = c.server.Write([]byte{'!'}); refused != nil {
			_ = a.Close()
		}
	})
	_, err = c.client.Read(make([]byte, 1))
	if err != nil {
		_ = b.Close()
	}
	serving.Wait()
	if err != nil || refused != nil {
		c.close()
	}
	if refused != nil {
		return nil, fmt.Errorf("the server: %w", refused)
	}
	return c, err
}

// connected are the two ends of a connection.
func connected() (server, client net.Conn, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer listener.Close()
	if client, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		return nil, nil, err
	}
	if server, err = listener.Accept(); err != nil {
		return nil, nil, errors.Join(err, client.Close())
	}
	return server, client, nil
}

// hears reports an error unless the client hears the server.
func (c *conversation) hears() error {
	_, said := c.server.Write([]byte{'!'})
	if said != nil {
		return said
	}
	_, err := c.client.Read(make([]byte, 1))
	return err
}

// name is the name on the certificate that the server showed.
func (c *conversation) name() string {
	return c.client.ConnectionState().PeerCertificates[0].Subject.CommonName
}

func (c *conversation) close() {
	_ = c.client.NetConn().Close()
	_ = c.server.NetConn().Close()
}

// served is the name on the certificate that a new client sees.
func (w *world) served(client *tls.Config) string {
	w.t.Helper()
	c, err := dial(w.files.Server(tls.NoClientCert), client)
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.close()
	return c.name()
}
