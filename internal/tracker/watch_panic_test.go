package tracker_test

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/tracker"
)

// A panic while the ledger is read for all watches ends neither the process nor the watches, which are told everything once.
// One that goes on is a ledger that does not answer.
func TestFault32_APanicOfTheLoopBehindWatches(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"Head", "Changes", "Records"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				b := newBook()
				b.set(func() { b.panics = call })
				w := started(t, b, func(p *tracker.WatchParams) { p.Log = slog.New(slog.NewTextHandler(&log, nil)) })
				if call != "Records" { // else there is nothing to read yet
					pause(10 * time.Second)
					if n := w.Panics(); n < 2 || n > 12 {
						t.Errorf("%d panics are counted", n)
					}
				}
				b.set(func() { b.panics = "" })
				pause(3 * time.Second)
				c := watches(t, w, skipping())
				c.wantHeard(t, sign)
				b.claim("default", 1)
				told := heard{Order: orderID(1), Sequence: b.head()}
				c.wantHeard(t, sign, told)
				before := w.Panics()
				b.set(func() { b.panics = call })
				b.claim("default", 2)
				pause(10 * time.Second)
				if n := w.Panics() - before; call != "Head" && (n < 2 || n > 12) {
					t.Errorf("%d panics are counted", n)
				}
				b.set(func() { b.panics = "" })
				pause(3 * time.Second)
				c.wantHeard(t, sign, told, heard{Order: orderID(2), Sequence: b.head()})

				b.set(func() { b.panics = call })
				b.claim("default", 3)
				pause(70 * time.Second)
				if call != "Head" {
					c.ends(t, fault.ReasonLedgerUnavailable)
				} else {
					c.goes(t)
				}
				if strings.Contains(log.String(), "a secret") {
					t.Errorf("the log has what was thrown: %s", &log)
				}
				if n := strings.Count(log.String(), "a panic (string)"); n != map[string]int{"Head": 1, "Changes": 3, "Records": 2}[call] {
					t.Errorf("the log has %d panics, want one for each time:\n%s", n, &log)
				}
			})
		})
	}
}
