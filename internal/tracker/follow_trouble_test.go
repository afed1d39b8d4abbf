package tracker_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/portin/portin/internal/carrier"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/ledger"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/tracker"
)

func TestACarrierThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]error{"it is down": errSilent, "it takes nobody": errSilent.WithRetryAfter(time.Minute)} {
		synctest.Test(t, func(t *testing.T) {
			l := newLine()
			l.fail = fail
			s := opened(t, newShelf(accepted(1, "T-1")), l)
			pass(7 * time.Minute)
			r := s.order(1)
			if s.advanced != 0 || r.Status != "" || r.Due.Before(time.Now()) {
				t.Errorf("%s: written %d times, due in %v", name, s.advanced, time.Until(r.Due))
			}
			l.set(func() { l.fail = nil })
			l.says(carrier.Status{Ticket: "T-1", Word: "PENDING"})
			pass(7 * time.Minute)
			if r := s.order(1); r.Status != order.StatusPending {
				t.Errorf("%s: the status is %q afterwards", name, r.Status)
			}
		})
	}
}

// One question a round finds out that the carrier is silent, and the rounds come seldom then.
func TestASilentCarrierIsLetRest(t *testing.T) {
	t.Parallel()
	for fail, most := range map[*fault.Error]int{errSilent: 4, errSilent.WithRetryAfter(10 * time.Minute): 1} {
		synctest.Test(t, func(t *testing.T) {
			l, b := newLine(), newShelf()
			l.fail = fail
			for n := range 40 {
				b.orders[orderID(n)] = accepted(n, "T-1")
			}
			s := opened(t, b, l)
			pass(time.Minute)
			if n := len(s.asked()); n < 1 || n > most {
				t.Errorf("asked %d times in a minute, want at most %d", n, most)
			}
		})
	}
}

// One that cannot be asked for does not keep others from being asked about.
func TestATicketThatCanBeNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		orders := []ledger.Record{accepted(1, "A/B")}
		for n := 2; n < 7; n++ {
			orders = append(orders, accepted(n, "T-1", "+1416555019"+string(rune('0'+n))))
		}
		orders[0].Due = orders[0].Due.Add(-time.Hour)
		l.says(carrier.Status{Ticket: "T-1", Word: "PENDING"})
		odd := fault.Fields([]fault.Violation{{Field: "ticket_id", Description: "is not a ticket of the carrier"}})
		l.onAsk = func() {
			l.fail = nil
			if l.by[len(l.by)-1] == "A/B" {
				l.fail = odd
			}
		}
		s := opened(t, newShelf(orders...), l)
		pass(7 * time.Second)
		for n := 2; n < 7; n++ {
			if r := s.order(n); r.Status != order.StatusPending {
				t.Errorf("order %d was not asked about", n)
			}
		}
	})
}

// Row 32: a panic of the poller is one line and one count, and the order is asked about again.
func TestFault32_AClientThatPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		l.says(carrier.Status{Ticket: "T-1", Word: "PENDING"})
		l.panics = true
		var counted atomic.Int64
		s := opened(t, newShelf(accepted(1, "T-1")), l, func(p *tracker.Params) { p.Panicked = func() { counted.Add(1) } })
		pass(30 * time.Second)
		if log := s.log.String(); strings.Count(log, "\n") != 1 || strings.Contains(log, "cannot read") {
			t.Errorf("the log is %q", log)
		}
		if n := counted.Load(); n != 1 {
			t.Errorf("%d panics were counted", n)
		}
		l.set(func() { l.panics = false })
		pass(7 * time.Minute)
		if r := s.order(1); r.Status != order.StatusPending {
			t.Errorf("the status is %q afterwards", r.Status)
		}
	})
}

func TestALedgerThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, b := newLine(), newShelf(accepted(1, "T-1"))
		l.says(carrier.Status{Ticket: "T-1", Word: "PENDING"})
		b.fail = errBook
		s := opened(t, b, l)
		pass(30 * time.Second)
		if log := s.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, errBook.Error()) {
			t.Errorf("the log is %q", log)
		}
		b.set(func() { b.fail = nil })
		pass(7 * time.Minute)
		if r := s.order(1); r.Status != order.StatusPending {
			t.Errorf("the status is %q afterwards", r.Status)
		}
	})
}

// Who ends while it asks gives the order back: it is due at once, for whoever comes next, and nothing is told.
func TestTheEndWhileTheCarrierIsAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		l.takes = time.Hour
		l.says(carrier.Status{Ticket: "T-1", Word: "PENDING"})
		s := opened(t, newShelf(accepted(1, "T-1")), l)
		pass(time.Minute)
		at := time.Now()
		s.stop()
		if took := time.Since(at); took > 0 || len(s.told()) != 0 || s.log.String() != "" {
			t.Errorf("the end took %v; the log is %q", took, s.log)
		}
		if r := s.order(1); !r.Due.Equal(at) || r.Status != "" {
			t.Errorf("at %v the order is due at %v, with the status %q", at, r.Due, r.Status)
		}
	})
}
