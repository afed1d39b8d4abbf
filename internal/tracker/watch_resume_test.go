package tracker_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	portinv1 "github.com/portin/portin/gen/go/portin/v1"
	"github.com/portin/portin/internal/fault"
	"github.com/portin/portin/internal/order"
	"github.com/portin/portin/internal/tracker"
)

func TestATokenOfAnotherWatchIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		for n := range 5 {
			b.claim("default", n)
		}
		w := started(t, b)
		c := watches(t, w, &portinv1.WatchPortInOrdersRequest{})
		c.heard()
		c.goes(t)

		other := from(c.token())
		other.States = []portinv1.OrderState{portinv1.OrderState_ORDER_STATE_ACCEPTED}
		watches(t, w, other).ends(t, fault.ReasonWatchTokenExpired)
		other = from(c.token())
		other.OrderId = new(orderID(1))
		watches(t, w, other).ends(t, fault.ReasonWatchTokenExpired)
		watches(t, w, from("AAAA")).ends(t, fault.ReasonWatchTokenExpired)

		both := from(c.token())
		both.SkipExisting = true
		undecided := watches(t, w, both)
		undecided.ends(t, fault.ReasonInvalidFields)
		e := undecided.fault
		want := []fault.Violation{{
			Field: "skip_existing", Description: "cannot be true beside a resume_token, with which a watch goes on where it was; leave out one of them",
		}}
		if diff := cmp.Diff(want, e.Violations); diff != "" {
			t.Errorf("violations (-want +got):\n%s", diff)
		}

		// Another ledger has its place.
		b = newBook()
		b.id = "0193e3a0-0000-7000-8000-00000000b00d"
		b.claim("default", 1)
		watches(t, started(t, b), from(c.tokens[0])).ends(t, fault.ReasonWatchTokenExpired)
	})
}

// A ledger that was restored from a backup has other events in the places of those that came after it, and a token of one of
// them says so at once, whether the event is in memory or not.
func TestATokenOfALedgerThatWasRestored(t *testing.T) {
	t.Parallel()
	for name, recent := range map[string]int{"in memory": 100, "in the ledger": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBook()
				short := func(p *tracker.WatchParams) { p.Recent = recent }
				w := started(t, b, short)
				c := watches(t, w, &portinv1.WatchPortInOrdersRequest{})
				c.heard()
				for n := range 3 {
					b.claim("default", n)
				}
				c.heard()
				kept := b.copied()
				for n := range 3 {
					b.claim("default", 10+n)
				}
				c.heard()
				before, atTheCopy, after := c.tokens[1], c.tokens[3], c.tokens[4:]
				quiet := watches(t, w, skipping())
				quiet.wantHeard(t, sign)
				listed := watches(t, w, &portinv1.WatchPortInOrdersRequest{})
				listed.heard()
				for _, gone := range []*caller{c, quiet, listed} {
					gone.goes(t)
				}

				// With nothing in the place of the event, then with another one, then with others behind it.
				after = append(append(after, quiet.token()), listed.tokens...)
				for n := range 3 {
					w := started(t, kept, short)
					synctest.Wait()
					for _, token := range after {
						watches(t, w, from(token)).ends(t, fault.ReasonWatchTokenExpired)
					}
					pause(time.Second)
					for range 2 * n {
						kept.claim("default", 20+len(kept.orders))
					}
				}
				w = started(t, kept, short)
				synctest.Wait()
				for token, want := range map[string]int{before: 8, atTheCopy: 6} {
					again := watches(t, w, from(token))
					if got := again.heard(); len(got) != want {
						t.Errorf("told %v, want %d changes", got, want)
					}
					again.goes(t)
				}
			})
		})
	}
}

// Every token is good, also of events that were not told: of others, of orders that are gone, and where the memory begins.
func TestTokensOfWhatWasNotTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		b.claim("default", 1)
		short := func(p *tracker.WatchParams) { p.Recent = 2 }
		w := started(t, b, short)
		first := watches(t, w, skipping())
		first.wantHeard(t, sign)
		for n := range 300 {
			b.claim("other", 10+n)
		}
		pause(time.Second)
		behind := watches(t, w, from(first.token()))
		behind.wantHeard(t, sign) // after the first page
		b.claim("other", 2)
		b.set(func() { delete(b.orders, orderID(2)) })
		pause(30 * time.Second)
		for _, c := range []*caller{first, behind} {
			for _, token := range c.tokens {
				again := watches(t, w, from(token))
				again.wantHeard(t, sign)
				again.goes(t)
			}
			c.goes(t)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		b.claim("default", 1)
		first := watches(t, started(t, b), skipping())
		first.wantHeard(t, sign)
		first.goes(t)
		b.claim("default", 2)
		b.set(func() { b.panics = "Records" }) // so that only the head is read
		w := started(t, b, func(p *tracker.WatchParams) { p.Recent = int(b.head()) - 1 })
		synctest.Wait()
		again := watches(t, w, from(first.token()))
		again.wantHeard(t, sign)
		again.goes(t)
	})
}

// A watch that has fallen behind a ledger that lost events ends: what it would be told next is not what comes next.
func TestALedgerThatLosesEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		w := started(t, b, func(p *tracker.WatchParams) { p.Recent = 2 })
		c := watches(t, w, skipping())
		c.wantHeard(t, sign)
		c.mu.Lock()
		c.stall = make(chan struct{})
		c.mu.Unlock()
		b.claim("default", 1)
		pause(time.Second)
		for n := range 10 {
			b.claim("default", 2+n)
		}
		pause(time.Second)
		b.set(func() { b.events = b.events[:1] })
		close(c.stall)
		c.ends(t, fault.ReasonWatchTokenExpired)
	})
}

// A watch that breaks while it lists goes on after the last order that was told.
func TestAWatchThatBreaksWhileItLists(t *testing.T) {
	t.Parallel()
	for broken := 1; broken <= 6; broken++ {
		synctest.Test(t, func(t *testing.T) {
			b := newBook()
			var want []heard
			for n := range 5 {
				b.claim("default", n)
				pause(time.Duration(n%2) * time.Second) // some were created at the same time
				want = append([]heard{{Order: orderID(n)}}, want...)
			}
			want = append(want, sign)
			w := started(t, b)
			c := watches(t, w, &portinv1.WatchPortInOrdersRequest{})
			c.wantHeard(t, want...)
			c.goes(t)

			b.accept(2)
			pause(time.Second)
			again := watches(t, w, from(c.tokens[broken-1]))
			rest := want[broken:]
			again.wantHeard(t, append(rest, heard{Order: orderID(2), Sequence: b.head()})...)
			again.goes(t)
		})
	}
}

// What changes while the orders are listed is told as a change, whether the list has it or not.
func TestOrdersThatChangeWhileTheyAreListed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		for n := range 4 {
			b.claim("default", n)
			pause(time.Second)
		}
		var changed []int64
		b.onList = func(page int) {
			switch page {
			case 1: // before it is listed, out of the filter
				b.step(3, order.ByAnswer, refused)
			case 2: // after it was listed, and an order that is new
				b.step(2, order.ByAnswer, refused)
				changed = append(changed, b.head())
				b.claim("default", 4)
				changed = append(changed, b.head())
				return
			default:
				return
			}
			changed = append(changed, b.head())
		}
		w := started(t, b)
		c := watches(t, w, &portinv1.WatchPortInOrdersRequest{States: []portinv1.OrderState{portinv1.OrderState_ORDER_STATE_SENDING}})
		c.heard()
		c.wantHeard(t,
			heard{Order: orderID(2)}, heard{Order: orderID(1)}, heard{Order: orderID(0)}, sign,
			heard{Order: orderID(3), Sequence: changed[0]}, heard{Order: orderID(2), Sequence: changed[1]}, heard{Order: orderID(4), Sequence: changed[2]})
		c.goes(t)
	})
}

// After a new start everybody comes back at once, with tokens of just before: the ledger is read once for all of them.
func TestManyComeBackAfterANewStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		first := started(t, b)
		c := watches(t, first, skipping())
		c.wantHeard(t, sign)
		first.Stop()
		c.ends(t, fault.ReasonShuttingDown)
		for n := range 10 {
			b.claim("default", n)
		}
		w := started(t, b)
		synctest.Wait()
		before := b.called("Changes") + b.called("Records") + b.called("Head")
		for range 100 {
			c := watches(t, w, from(c.token()))
			if got := c.heard(); len(got) != 10 {
				t.Errorf("told %v", got)
			}
			c.goes(t)
		}
		if after := b.called("Changes") + b.called("Records") + b.called("Head"); after-before > 10 {
			t.Errorf("the ledger was asked %d times for 100 watches", after-before)
		}
	})
}

// Whoever is behind by no more than the one event that has just left memory is told of it.
func TestAWatchThatIsJustBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		w := started(t, b, func(p *tracker.WatchParams) { p.Recent = 2 })
		var want []heard
		var tokens []string
		for n := range 9 {
			c := watches(t, w, skipping())
			c.wantHeard(t, sign)
			c.goes(t)
			tokens = append(tokens, c.token())
			b.claim("default", n)
			want = append(want, heard{Order: orderID(n), Sequence: b.head()})
			pause(time.Second)
		}
		for n, token := range tokens {
			c := watches(t, w, from(token))
			c.wantHeard(t, want[n:]...)
			c.goes(t)
		}
	})
}

// However large orders are, few of them are held at once.
func TestLargeOrdersAreReadOneByOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		w := started(t, b, func(p *tracker.WatchParams) { p.RecentBytes = 1 << 20 })
		c := watches(t, w, skipping())
		c.wantHeard(t, sign)
		c.goes(t)
		var want []heard
		pages := b.called("Changes")
		b.mute = true
		for n := range 100 {
			b.claim("default", n, 200<<10)
			want = append(want, heard{Order: orderID(n), Sequence: b.head()})
		}
		pause(3 * time.Second)
		if n := b.called("Changes") - pages; n < 6 {
			t.Errorf("the latest events were read in %d steps", n)
		}
		before := b.called("Records")
		again := watches(t, w, from(c.token()))
		again.wantHeard(t, want...)
		if n := b.called("Records") - before; n < 97 {
			t.Errorf("the orders that are not in memory were read in %d steps", n)
		}
		again.goes(t)
	})
}

// Many that have fallen behind read the ledger few at a time.
func TestThoseBehindTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		b.perPage = 50
		for n := range 3 {
			b.claim("default", n)
		}
		var mu sync.Mutex
		reading, most := 0, 0
		b.onList = func(int) {
			mu.Lock()
			reading++
			most = max(most, reading)
			mu.Unlock()
			pause(time.Second)
			mu.Lock()
			reading--
			mu.Unlock()
		}
		w := started(t, b, func(p *tracker.WatchParams) { p.Readers = 3 })
		var all []*caller
		for range 30 {
			all = append(all, watches(t, w, &portinv1.WatchPortInOrdersRequest{}))
		}
		pause(10 * time.Second)
		for _, c := range all {
			if got := c.heard(); len(got) != 4 {
				t.Errorf("told %v", got)
			}
			c.goes(t)
		}
		if most != 3 {
			t.Errorf("%d read at the same time", most)
		}
	})
}
