// Package pgtest starts throw-away PostgreSQL servers for tests.
//
// It promises that a server ends with the test process, however that ends, and that its files go with it; that databases of
// different tests share nothing; and that a machine without PostgreSQL is told so in one line, as a skipped test, or as a
// failed one where CI is set, which skips nothing. It refuses to keep anything: a power cut may ruin what a server wrote.
package pgtest

import (
	"os"
	"sync"
	"testing"
)

// shared is the cluster of the process. OnceValue only because a variable that changes has no place in this tree.
var shared = sync.OnceValue(func() *sharing { return new(sharing) })

// sharing starts one cluster at the first wish and remembers how that went.
type sharing struct {
	mu      sync.Mutex
	tried   bool
	cluster *Cluster
	err     error
}

// get returns the cluster.
func (s *sharing) get() (*Cluster, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.tried {
		s.tried = true
		s.cluster, s.err = newCluster()
	}
	return s.cluster, s.err
}

// end stops the cluster, if there is one, and removes its files.
func (s *sharing) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cluster != nil {
		s.cluster.remove()
		s.cluster = nil
	}
}

// Main runs the tests of a package that uses Database, stops the shared cluster afterwards, and returns the tests' exit
// code. Without it the cluster ends with the process, which looks like a leaked goroutine to whoever counts them.
func Main(m *testing.M) int {
	defer shared().end()
	return m.Run()
}

// Database returns the URL of a new, empty database that is the test's own, in a cluster that all tests of the process
// share.
func Database(t testing.TB) string {
	t.Helper()
	need(t)
	c, err := shared().get()
	if err != nil {
		t.Fatalf("the shared PostgreSQL does not start: %v", err)
	}
	return c.Database(t)
}

// Start starts a cluster of the test's own, which it may stop and start again, with one empty database.
func Start(t testing.TB) *Cluster {
	t.Helper()
	need(t)
	c, err := newCluster()
	if err != nil {
		t.Fatalf("PostgreSQL does not start: %v", err)
	}
	t.Cleanup(c.remove)
	return c
}

// need skips the test on a machine without PostgreSQL. CI does not go without.
func need(t testing.TB) {
	t.Helper()
	switch missing := Missing(); {
	case missing == "":
	case os.Getenv("CI") == "true":
		t.Fatalf("%s, and CI does not skip what needs it", missing)
	default:
		t.Skip(missing)
	}
}
