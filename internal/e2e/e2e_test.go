// Package e2e holds tests of the whole service: both faces, over real connections, on both engines of the ledger, against
// the sandbox carrier.
//
// Most services run in the process of the test. Those that are killed or stopped have a process of their own: the program
// itself, or this test binary, which serves when an environment variable says so (alone_test.go).
package e2e_test

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/portin/portin/internal/ledger/postgres/pgtest"
)

// points is how many times TestFault11_KilledAtAnyTime kills the service; make kill, and so CI, wants 200.
var points = flag.Int("points", 12, "how many random points of TestFault11_KilledAtAnyTime")

// together is how many tests run at once: they wait for a carrier that is slow much more than they compute.
const together = "12"

func TestMain(m *testing.M) {
	if told, ok := os.LookupEnv(aloneVariable); ok {
		os.Exit(serveAlone(told))
	}
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", together); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(suite{m})
}

// suite runs the tests and ends what they shared.
type suite struct{ m *testing.M }

func (s suite) Run() int {
	defer program().remove()
	return pgtest.Main(s.m)
}
