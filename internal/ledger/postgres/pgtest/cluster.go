package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience is how long a server may take to start or to stop.
const patience = time.Minute

// Cluster is a PostgreSQL server on a Unix socket, with its files. Stop and Start belong to one goroutine at a time.
type Cluster struct {
	bin, dir string
	account  *syscall.Credential
	server   *server
	// databases counts the databases that were made, for their names.
	databases atomic.Int64
}

// newCluster makes a cluster and starts it.
func newCluster() (*Cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	as, err := account()
	if err != nil {
		return nil, err
	}
	dir, err := folder(as)
	if err != nil {
		return nil, err
	}
	c := &Cluster{bin: bin, dir: dir, account: as}
	if err := errors.Join(c.initialise(), c.start()); err != nil {
		c.remove()
		return nil, err
	}
	return c, nil
}

// initialise makes the cluster's files.
func (c *Cluster) initialise() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := c.command(ctx, filepath.Join(c.bin, "initdb"), "-D", c.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8",
		"--locale=C", "--no-sync", "--no-instructions").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// command is a command that runs as the cluster's account, and knows nothing of this process's environment: PGDATA and its
// like mean another server.
func (c *Cluster) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // PostgreSQL's own programs
	cmd.Dir = c.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + c.dir, "LC_ALL=C"}
	// A group of its own: an interrupt from the terminal is for the test, whose end is then the server's.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.account, Setpgid: true}
	return cmd
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

// Folder is where everything of the cluster lies.
func (c *Cluster) Folder() string { return c.dir }

// URL is the connection URL of the cluster's first database, for its superuser.
func (c *Cluster) URL() string { return c.url("postgres") }

func (c *Cluster) url(database string) string {
	return "postgres://postgres@/" + database + "?host=" + url.QueryEscape(c.dir)
}

// Connect returns a connection of the test's own to a database, which ends with the test.
func Connect(t testing.TB, databaseURL string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	if err != nil {
		t.Fatalf("connecting to PostgreSQL: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// Database returns the URL of a new, empty database of the cluster. It is gone when the test ends.
func (c *Cluster) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", c.databases.Add(1))
	if err := c.administer("CREATE DATABASE " + name + " TEMPLATE template0"); err != nil {
		t.Fatalf("making a database: %v", err)
	}
	t.Cleanup(func() {
		if err := c.administer("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("removing a database: %v", err)
		}
	})
	return c.url(name)
}

// administer runs a statement as superuser, apart from every test's database.
func (c *Cluster) administer(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.URL())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, statement)
	return err
}

// Stop stops the server. An immediate stop is a crash: whoever is connected finds the connection cut, and the next start
// begins with recovery.
func (c *Cluster) Stop(t testing.TB, immediate bool) {
	t.Helper()
	if err := c.stop(map[bool]string{true: stopAtOnce, false: stopFast}[immediate]); err != nil {
		t.Fatal(err)
	}
}

// stop stops the server, if it runs.
func (c *Cluster) stop(how string) error {
	if c.server == nil {
		return nil
	}
	err := c.server.end(how)
	c.server = nil
	return err
}

// Start starts the server again on what it had.
func (c *Cluster) Start(t testing.TB) {
	t.Helper()
	if err := c.start(); err != nil {
		t.Fatal(err)
	}
}

// start starts the server and waits until it takes connections.
func (c *Cluster) start() error {
	var err error
	c.server, err = c.serve()
	return err
}

// remove stops the server and removes the cluster's files.
func (c *Cluster) remove() {
	// A server that does not stop is reported by the next thing that needs its files; there is nobody to tell here.
	_ = c.stop(stopAtOnce)
	_ = os.RemoveAll(c.dir)
}

// Terminate ends a connection from the server's side, as an administrator would.
func (c *Cluster) Terminate(t testing.TB, backend int) {
	t.Helper()
	if err := c.administer(fmt.Sprintf("SELECT pg_terminate_backend(%d)", backend)); err != nil {
		t.Fatalf("ending connection %d: %v", backend, err)
	}
}

// Blocked waits until a connection to a database, any but its own, waits for a lock, and returns its backend.
func Blocked(t testing.TB, databaseURL string) int {
	t.Helper()
	return awaited(t, databaseURL, "wait_event_type", "Lock")
}

// Waiting waits until a connection to a database waits for this event, of those that PostgreSQL's documentation names, and
// returns its backend.
func Waiting(t testing.TB, databaseURL, event string) int {
	t.Helper()
	return awaited(t, databaseURL, "wait_event", event)
}

// awaited looks again and again until some backend waits for something.
func awaited(t testing.TB, databaseURL, column, what string) int {
	t.Helper()
	conn := Connect(t, databaseURL)
	query := `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND ` + column + ` = $1 LIMIT 1`
	look, late := time.NewTicker(5*time.Millisecond), time.NewTimer(patience)
	defer look.Stop()
	defer late.Stop()
	for {
		var backend int
		switch err := conn.QueryRow(t.Context(), query, what).Scan(&backend); {
		case err == nil:
			return backend
		case !errors.Is(err, pgx.ErrNoRows):
			t.Fatalf("looking who waits: %v", err)
		}
		select {
		case <-look.C:
		case <-late.C:
			t.Fatalf("nobody waits for %s", what)
		}
	}
}
