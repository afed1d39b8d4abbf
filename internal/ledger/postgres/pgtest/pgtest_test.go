package pgtest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/portin/portin/internal/ledger/postgres/pgtest"
)

// victim tells a copy of this test binary to start a cluster and to wait until it is killed.
const victim = "PGTEST_VICTIM"

type suite struct{ m *testing.M }

func (s suite) Run() int { return pgtest.Main(s.m) }

func TestMain(m *testing.M) { goleak.VerifyTestMain(suite{m}) }

func TestDatabasesShareNothing(t *testing.T) {
	t.Parallel()
	a, b := pgtest.Connect(t, pgtest.Database(t)), pgtest.Connect(t, pgtest.Database(t))
	if _, err := a.Exec(t.Context(), "CREATE TABLE here (n integer)"); err != nil {
		t.Fatal(err)
	}
	var there bool
	if err := b.QueryRow(t.Context(), "SELECT to_regclass('here') IS NOT NULL").Scan(&there); err != nil || there {
		t.Errorf("a table of one test's database is in another's: %v, error %v", there, err)
	}
}

func TestStoppedAndStartedAgain(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t)
	conn := pgtest.Connect(t, c.URL())
	if _, err := conn.Exec(t.Context(), "CREATE TABLE kept AS SELECT 7 AS n"); err != nil {
		t.Fatal(err)
	}
	for _, immediate := range []bool{true, false} {
		c.Stop(t, immediate)
		if err := conn.Ping(t.Context()); err == nil {
			t.Error("a connection outlived the server")
		}
		if _, err := pgx.Connect(t.Context(), c.URL()); err == nil {
			t.Error("a server that was stopped takes connections")
		}
		c.Start(t)
		conn = pgtest.Connect(t, c.URL())
		var n int
		if err := conn.QueryRow(t.Context(), "SELECT n FROM kept").Scan(&n); err != nil || n != 7 {
			t.Errorf("after a stop (immediate %v): %d, error %v", immediate, n, err)
		}
	}
}

func TestWhoWaitsIsFoundAndEnded(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t)
	holder, waiter := pgtest.Connect(t, c.URL()), pgtest.Connect(t, c.URL())
	for _, statement := range []string{"CREATE TABLE locked ()", "BEGIN", "LOCK locked"} {
		if _, err := holder.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	ended := make(chan error, 1)
	go func() {
		_, err := waiter.Exec(context.WithoutCancel(t.Context()), "DROP TABLE locked")
		ended <- err
	}()
	backend := pgtest.Blocked(t, c.URL())
	if diff := cmp.Diff(int(waiter.PgConn().PID()), backend); diff != "" {
		t.Errorf("who waits (-want +got):\n%s", diff)
	}
	c.Terminate(t, backend)
	if err := <-ended; err == nil {
		t.Error("the connection that was ended got what it waited for")
	}
}

// A test process that is killed can clean up nothing; its server and its files must go all the same.
func TestServerDiesWithTheTestProcess(t *testing.T) {
	t.Parallel()
	if os.Getenv(victim) != "" {
		c := pgtest.Start(t)
		fmt.Println(victim, c.URL(), c.Folder())
		<-t.Context().Done()
	}
	if missing := pgtest.Missing(); missing != "" {
		t.Skip(missing)
	}
	test := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestServerDiesWithTheTestProcess$")
	test.Env = append(os.Environ(), victim+"=1")
	out, err := test.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := test.Start(); err != nil {
		t.Fatal(err)
	}
	var said []string
	for lines := bufio.NewScanner(out); len(said) != 3 && lines.Scan(); {
		if strings.HasPrefix(lines.Text(), victim) {
			said = strings.Fields(lines.Text())
		}
	}
	if len(said) != 3 {
		t.Fatalf("the other process said %q", said)
	}
	conn := pgtest.Connect(t, said[1])
	if err := test.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = test.Wait()
	look, late := time.NewTicker(10*time.Millisecond), time.NewTimer(20*time.Second)
	defer look.Stop()
	defer late.Stop()
	for _, err := os.Stat(said[2]); !errors.Is(err, fs.ErrNotExist); _, err = os.Stat(said[2]) {
		select {
		case <-look.C:
		case <-late.C:
			t.Fatalf("%s is still there", said[2])
		}
	}
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("the server outlived the test process")
	}
}
